"""Failure reasons as sentences for operators."""

from photochanger.errors import ERROR_BY_REASON


def get_failure_sentence(reason: str | None) -> str:
    """Empty without a reason; a reason that only an older version knew is returned as it is."""
    return str(ERROR_BY_REASON[reason].sentence) if reason in ERROR_BY_REASON else reason or ""
