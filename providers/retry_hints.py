"""When a service says to come back, in every spelling that is documented or has been seen.

All of it is text from outside: what is no duration, or longer than a day, is as if absent.
"""

import math
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

MAX_HINT_S = 86400.0
MAX_NODES, MAX_TEXT = 500, 4000  # of a body that are looked at
EPOCH_S, EPOCH_MS = 1e9, 1e12  # a number this large is a moment, not a duration
UNITS_S = {
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds", "мс"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("с", "сек", "секунд", "секунды", "секунду"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("мин", "минут", "минуты", "минуту"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "ч", "час", "часа", "часов"), 3600.0),
}
_UNIT = "|".join(sorted(UNITS_S, key=len, reverse=True))
_PIECE = re.compile(rf"([0-9]{{1,9}}(?:\.[0-9]{{1,9}})?)\s*({_UNIT})(?![^\W\d_])", re.IGNORECASE)
_AND = r"(?:(?<=мин|сек|min|sec)\.)?[\s,]*(?:and\s+|и\s+)?"
_DURATION = rf"(?:[0-9]{{1,9}}(?:\.[0-9]{{1,9}})?\s*(?:{_UNIT})(?![^\W\d_]){_AND})+"
_CUE = (
    r"(?:re-?tr(?:y|ies)|try\s+again|come\s+back|wait|resets?|available"
    r"|повтор\w*|попроб\w*|подожд\w*)"
)
_SENTENCE = re.compile(rf"\b{_CUE}\b[^.\n]{{0,40}}?(?<![\d.])({_DURATION})", re.IGNORECASE)
_ONE = re.compile(
    rf"\b{_CUE}\b[^.\n]{{0,40}}?\b(?:in\s+(?:an?|one)|через)\s+"
    r"(second|minute|hour|секунду|минуту|час)\b",
    re.IGNORECASE,
)
# As a header or a key that is quoted in words; what follows may be no unit.
_QUOTED_SECONDS = re.compile(
    r"\bretry[ _-]?after[\"']?[ \t]{0,3}[:=]?[ \t]{0,3}[\"']?([0-9]{1,6}(?:\.[0-9]{1,6})?)"
    r"(?![-:/.]?[^\W_])(?![ \t]+[^\W_])",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"00?:([0-9]{1,2}):([0-9]{1,2})")
# Keys of bodies, in lower case and without - and _; those in milliseconds end in "ms".
_KEYS = {
    *(
        "retrydelay",
        "retryafter",
        "retryin",
        "retryafterseconds",
        "retryaftersec",
        "retryaftersecs",
    ),
    *(
        "retryinseconds",
        "retryafterms",
        "retryinms",
        "quotaresetdelay",
        "resetin",
        "resetinseconds",
    ),
    *("resetafter", "waitseconds"),
}
_DELAY_HEADERS = (
    "retry-after",
    "x-retry-after",
    "x-ratelimit-retry-after",
    "ratelimit-retry-after",
)
_MS_HEADERS = ("retry-after-ms", "x-ms-retry-after-ms")
_RESET_HEADER = re.compile(
    r"(?:x-)?(?:[a-z]+-)?rate-?limit-(?:(?P<a>[a-z]+)-)?reset(?:-(?P<b>[a-z]+))?"
)


def find_retry_delay(headers: Mapping[str, str], body: Any = None) -> float | None:
    """Seconds until the service wants to be asked again, or None where it does not say.

    ``body`` is the answer's parsed JSON, or its text. Who says it twice means both, so the longest
    counts. The headers of a rate limit speak of every call and only count where nothing else does.
    """
    headers = _clean_headers(headers)
    now = _read_moment(headers.get("date", "")) or time.time()  # by the service's own clock
    for said in (
        (*_read_delay_headers(headers, now), *_read_body(body, now)),
        (*_read_reset_headers(headers, now), *_read_quoted_headers(body, now)),
    ):
        if delays := [delay for delay in map(_bound, said) if delay is not None]:
            return max(delays)
    return None


def _clean_headers(headers: Mapping[str, Any]) -> dict[str, str]:
    return {str(name).lower(): str(value).strip()[:100] for name, value in headers.items()}


def parse_duration(value: Any) -> float | None:
    """Seconds of ``3.5``, ``"1m3s"``, ``"00:01:03"``, ``{"seconds": 3, "nanos": 5}``."""
    if isinstance(value, Mapping):
        if not {"seconds", "nanos"} & value.keys():
            return None
        seconds, nanos = (_read_number(value.get(name, 0)) for name in ("seconds", "nanos"))
        return _bound(None if seconds is None or nanos is None else seconds + nanos / 1e9)
    if (number := _read_number(value)) is not None:
        return _bound(number)
    if not isinstance(value, str):
        return None
    text = value.strip()[:100]
    if clock := _CLOCK.fullmatch(text):
        return _bound(int(clock[1]) * 60.0 + int(clock[2]))
    if re.fullmatch(r"PT[0-9.HMS]+", text):  # ISO 8601
        text = text.removeprefix("PT")
    return _bound(_sum_pieces(text)) if re.fullmatch(_DURATION, text, re.IGNORECASE) else None


def _sum_pieces(text: str) -> float:
    return sum(float(count) * UNITS_S[unit.lower()] for count, unit in _PIECE.findall(text))


def _read_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not re.fullmatch(r"\s*[0-9]{1,15}(\.[0-9]{0,15})?\s*", value):
        return None
    with suppress(OverflowError):
        return float(value)
    return None


def _bound(seconds: float | None) -> float | None:
    if seconds is None or not math.isfinite(seconds):
        return None
    return seconds if 0 <= seconds < MAX_HINT_S else None


def _read_delay_headers(headers: Mapping[str, str], now: float) -> Iterator[float | None]:
    for name in _DELAY_HEADERS:
        yield from _read_delays(headers.get(name, ""), now)
    for name in _MS_HEADERS:
        if (milliseconds := _read_number(headers.get(name, ""))) is not None:
            yield milliseconds / 1000


def _read_delays(text: str, now: float) -> Iterator[float | None]:
    """Of one header, or of several that were joined by commas, which dates hold too."""
    text = text.strip(" \"';,")
    delay = _read_delay(text, now)
    if delay is not None or "," not in text:
        yield delay
    else:
        yield from (_read_delay(one.strip(" \"';"), now) for one in text.split(","))


def _read_delay(text: str, now: float) -> float | None:
    """A number of seconds, a duration with its unit, or a moment as number or date."""
    seconds = _read_number(text)
    if seconds is not None and seconds < EPOCH_S:
        return seconds
    if seconds is not None:
        return (seconds / 1000 if seconds >= EPOCH_MS else seconds) - now
    if (duration := parse_duration(text)) is not None:
        return duration
    moment = _read_moment(text)
    return None if moment is None else moment - now  # a past one is no hint


def _read_moment(text: str) -> float | None:
    """A date of HTTP or of ISO 8601, in seconds of the epoch."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        with suppress(ValueError, OverflowError, TypeError, IndexError):
            found = read(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return None


def _read_reset_headers(headers: Mapping[str, str], now: float) -> Iterator[float | None]:
    """Of a window that is not used up yet the reset is of no interest."""
    for name, text in headers.items():
        if match := _RESET_HEADER.fullmatch(name):
            kind = match["a"] or match["b"] or ""
            if kind == "ms" and (milliseconds := _read_number(text)) is not None:
                yield milliseconds / 1000
            elif _read_number(_find_remaining(headers, name)) in (None, 0):
                yield _read_delay(text, now)
        elif name in ("ratelimit", "x-ratelimit"):  # the drafts of the IETF
            found = re.search(r"\b(?:reset|t)=([0-9]{1,9})\b", text)
            yield float(found[1]) if found else None


def _find_remaining(headers: Mapping[str, str], reset_name: str) -> str:
    return headers.get(reset_name.replace("reset", "remaining").removesuffix("-after"), "")


def _read_body(body: Any, now: float) -> Iterator[float | None]:
    for key, value in _walk(body):
        name = re.sub(r"[-_]", "", key.lower())
        if name not in _KEYS:
            yield from _read_sentences(value[:MAX_TEXT]) if isinstance(value, str) else ()
        elif name.endswith("ms") and (milliseconds := _read_number(value)) is not None:
            yield milliseconds / 1000
        else:
            yield _read_delay(value, now) if isinstance(value, str) else parse_duration(value)


def _read_quoted_headers(body: Any, now: float) -> Iterator[float | None]:
    """Headers of the service behind a gateway, which hands them on in its body."""
    for key, value in _walk(body):
        if key.lower() == "headers" and isinstance(value, dict):
            yield from _read_reset_headers(_clean_headers(value), now)


def _read_sentences(text: str) -> Iterator[float | None]:
    """Words, and the JSON of another service that a gateway quotes in them."""
    for found in _SENTENCE.finditer(text):
        yield _sum_pieces(found[1])
    for found in _ONE.finditer(text):
        yield UNITS_S[found[1].lower()]
    for found in _QUOTED_SECONDS.finditer(text):
        yield float(found[1])
    for found in re.finditer(r"retry_?delay\W{1,6}([0-9][0-9.]{0,15}m?s)\b", text, re.IGNORECASE):
        yield parse_duration(found[1])


def _walk(body: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values at any depth, the first ``MAX_NODES`` of them."""
    waiting, seen = [("", body)], 0
    while waiting and seen < MAX_NODES:
        seen += 1
        key, value = waiting.pop()
        yield key, value
        if isinstance(value, dict):
            waiting += [(str(name)[:50], item) for name, item in list(value.items())[:MAX_NODES]]
        elif isinstance(value, list):
            waiting += [(key if isinstance(item, str) else "", item) for item in value[:MAX_NODES]]
