"""Whether a service takes a key, found out without paying for a picture."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from django.utils.translation import gettext_lazy as _

from photochanger.errors import ProviderError, Text

CHECK_SECONDS = 5.0  # a person waits for it, and so does a monitor
MAX_CHECK_BYTES = 4 * 1024 * 1024
NO_KEY, NOT_CHECKED = "no_key", "not_checked"
# What the errors' own sentences say of a slot or a photo, said of a check.
SENTENCES = {
    "": _("The service takes this key."),
    NO_KEY: _("No key is set. Without one every photo fails."),
    "provider_auth": _("The service refused this key. Copy it once more, or make a new one."),
    "provider_config": _(
        "The service does not serve this key: the country, the billing or the address is wrong."
    ),
    "bad_response": _("Something else answers at the service's address. Check the address."),
    "provider_rejected": _("The service did not understand the check. Check its address."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a free call told of a key.

    ``reason`` is "" or the word of a failure (photochanger.errors); ``no_key``; ``not_checked``
    when only a paid call could tell, which is ``ok``. ``detail`` is for operators.
    """

    ok: bool
    reason: str = ""
    sentence: Text = SENTENCES[""]
    detail: str = ""
    latency_ms: int | None = None
    models: frozenset[str] | None = None  # what the key may use; None: the service does not say
    ahead_s: float | None = None  # how far our clock is ahead of the service's


async def checked(api_key: str, look: Callable[[str], Awaitable[Checked]]) -> Checked:
    """The driver's look at its service, with the time it took; a failure as an answer."""
    if not api_key:
        return Checked(ok=False, reason=NO_KEY, sentence=SENTENCES[NO_KEY])
    started = time.monotonic()
    try:
        found = await look(api_key)
    except ProviderError as exc:
        words = SENTENCES.get(exc.reason, exc.sentence)
        found = Checked(ok=False, reason=exc.reason, sentence=words, detail=str(exc)[:500])
    return replace(found, latency_ms=round((time.monotonic() - started) * 1000))


def ahead_of(headers: httpx.Headers) -> float | None:
    """Seconds our clock is ahead of an answer's ``Date``, which has whole seconds only."""
    try:
        theirs = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    if theirs.tzinfo is None:
        return None
    return (datetime.now(UTC) - theirs).total_seconds()
