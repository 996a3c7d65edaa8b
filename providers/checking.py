"""Check whether a service accepts a key, without paying for a picture."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from django.utils.translation import gettext_lazy as _

from photochanger.errors import ProviderError, Text
from photochanger.redaction import redact, remember_secret

CHECK_SECONDS = 5.0  # a person waits for it, and so does a monitor
MAX_CHECK_BYTES = 4 * 1024 * 1024
NO_KEY, NOT_CHECKED = "no_key", "not_checked"
# In place of the errors' own sentences, which speak of a slot or a photo.
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
class KeyCheck:
    """The outcome of a call that is not billed.

    ``reason`` is "" or the word of a failure (photochanger.errors); ``no_key``; ``not_checked``
    when only a paid call would show it, which is ``ok``. ``detail`` is for operators.
    """

    ok: bool
    reason: str = ""
    sentence: Text = SENTENCES[""]
    detail: str = ""
    latency_ms: int | None = None
    models: frozenset[str] | None = None  # what the key may use; None: the service does not say
    clock_skew_s: float | None = None  # how far our clock is ahead of the service's


async def check_key(api_key: str, probe: Callable[[str], Awaitable[KeyCheck]]) -> KeyCheck:
    """Run a driver's probe and time it; a ProviderError becomes a check that failed."""
    if not api_key:
        return KeyCheck(ok=False, reason=NO_KEY, sentence=SENTENCES[NO_KEY])
    remember_secret(api_key)
    started = time.monotonic()
    try:
        found = redact_models(await probe(api_key))
    except ProviderError as exc:
        words = SENTENCES.get(exc.reason, exc.sentence)
        found = KeyCheck(ok=False, reason=exc.reason, sentence=words, detail=str(exc)[:500])
    return replace(found, latency_ms=round((time.monotonic() - started) * 1000))


def redact_models(found: KeyCheck) -> KeyCheck:
    """Without a model whose name repeats a secret: names are kept and shown."""
    if found.models is None:
        return found
    names = frozenset(name for name in found.models if redact(name) == name)
    return replace(found, models=names)


def measure_clock_skew(headers: httpx.Headers) -> float | None:
    """Seconds our clock is ahead of a response's ``Date``, which has whole seconds only."""
    try:
        theirs = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    if theirs.tzinfo is None:
        return None
    return (datetime.now(UTC) - theirs).total_seconds()
