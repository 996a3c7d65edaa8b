"""A failure's reason for somebody who reads it at night."""

from photochanger.errors import ERROR_BY_REASON


def sentence_of(reason: str | None) -> str:
    """Empty without a reason; a word that an older version wrote is told as it is."""
    return str(ERROR_BY_REASON[reason].sentence) if reason in ERROR_BY_REASON else reason or ""
