"""Why a message was not delivered, fit to be shown: in words, and without any secret."""

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

MAX_REASON = 280
SHORTEST_SECRET = 3
MASK = "···"


class DeliveryFailed(Exception):
    """``str(exc)`` is for operators and the log: no token, password or address is in it."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


def mask_secrets(text: str, secrets: Iterable[str]) -> str:
    """``text`` on one line, cut, and without any of ``secrets``, as they are or as in a URL, in
    capitals or not: many servers answer in small letters."""
    found = {form for secret in secrets for form in (secret, quote(secret), quote(secret, safe=""))}
    for form in sorted(found, key=len, reverse=True):
        if len(form) >= SHORTEST_SECRET:
            text = re.sub(re.escape(form), MASK, text, flags=re.IGNORECASE)
    text = re.sub(r"with url: \S+", "", text)  # of requests: the path of a webhook is its secret
    words = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(words.split())[:MAX_REASON]


def mask_addresses(text: str) -> str:
    """Whatever looks like an e-mail address: a server may name where it forwards to."""
    return re.sub(r"\S+@\S+", MASK, text)


def split_link(link: str) -> set[str]:
    """Every part of an Apprise link that may be a secret."""
    parts = urlsplit(link)
    raw = re.split(r"[/:@?&=,+]", link.partition("://")[2])
    return {part for piece in raw for part in (piece, unquote(piece))} | {link, parts.path}


def split_mail_addresses(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,;]+", text) if part]
