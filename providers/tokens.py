"""Tokens of one call by what they are charged as. No price is known here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts:
    """What a service charges one call by; ``other`` are of a kind that it did not name."""

    text_in: int = 0
    picture_in: int = 0
    other_in: int = 0
    text_out: int = 0
    picture_out: int = 0
    other_out: int = 0
    thoughts: int = 0
