"""Which tokens a call is charged for: as ``usageMetadata`` says, or as many as it may have used."""

from collections.abc import Mapping
from typing import Any

from providers.gemini.models import GEMINI_BY_ID
from providers.gemini.settings import GeminiSettings, normalize_model_id
from providers.tokens import TokenCounts

COUNTS = (
    *("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"),
    *("promptTokensDetails.TEXT", "promptTokensDetails.IMAGE"),
    *("candidatesTokensDetails.TEXT", "candidatesTokensDetails.IMAGE"),
)
CLAUSES_TOKENS = 400  # what the driver adds to a prompt
LETTERS_PER_TOKEN = 2  # cautious: English has about 4, Russian 2.5
WIDE_FROM, TOKENS_PER_WIDE = "\u0800", 2  # Chinese and its kin have about 1; emoji take more
THOUGHTS_TOKENS, THOUGHTS_TOKENS_HIGH = 2048, 8192  # cautious: no upper bound is documented


def read_token_counts(usage: Mapping[str, Any]) -> TokenCounts | None:
    """None: the answer did not say. What is in a total and in none of its parts is ``other``."""
    sent, made, thoughts, total, text_in, picture_in, text_out, picture_out = (
        _read_count(usage, name) for name in COUNTS
    )
    sent = max(sent, text_in + picture_in)
    # The total has the thoughts too; what it says beyond the others was made, and is charged.
    made = max(made, text_out + picture_out, total - sent - thoughts)
    counts = TokenCounts(
        text_in=text_in,
        picture_in=picture_in,
        other_in=sent - text_in - picture_in,
        text_out=text_out,
        picture_out=picture_out,
        other_out=made - text_out - picture_out,
        thoughts=thoughts,
    )
    return counts if counts != TokenCounts() else None


def _read_count(usage: Mapping[str, Any], name: str) -> int:
    found = usage.get(name)
    return found if type(found) is int and found > 0 else 0


def estimate_token_counts(settings: GeminiSettings, model: str, pictures: int) -> TokenCounts:
    """At most what one call with so many pictures uses, but for thoughts beyond all custom."""
    known = GEMINI_BY_ID.get(normalize_model_id(model))
    sizes = known.output_tokens if known else {}
    most = max(sizes.values(), default=UNKNOWN_OUTPUT_TOKENS)
    thinks = known is None or known.thinks
    thoughts = THOUGHTS_TOKENS_HIGH if settings.thinking_level == "HIGH" else THOUGHTS_TOKENS
    return TokenCounts(
        text_in=_estimate_text(settings.prompt) + CLAUSES_TOKENS,
        picture_in=pictures * (known.input_tokens if known else UNKNOWN_INPUT_TOKENS),
        picture_out=sizes.get(settings.image_size or "1K", most),
        thoughts=thoughts if thinks else 0,
    )


def _estimate_text(text: str) -> int:
    wide = sum(letter >= WIDE_FROM for letter in text)
    return (len(text) - wide) // LETTERS_PER_TOKEN + wide * TOKENS_PER_WIDE


UNKNOWN_OUTPUT_TOKENS, UNKNOWN_INPUT_TOKENS = 3780, 1120  # the most of those that are known
