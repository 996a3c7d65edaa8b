"""Text from outside, made safe: ids of links, and words for rows, logs and pages."""

import uuid

from photochanger.errors import AppError


def parse_id(text: str | uuid.UUID, not_found: type[AppError]) -> uuid.UUID:
    """The id in a link or a form. Raises ``not_found`` for a text that cannot be one."""
    try:
        return uuid.UUID(str(text))
    except ValueError as exc:
        raise not_found("no id") from exc


def make_printable(text: str, limit: int, *, replacement: str = " ") -> str:
    """At most ``limit`` characters, control characters replaced: databases refuse some of them."""
    return "".join(char if char.isprintable() else replacement for char in text[:limit])
