"""Durations and moments as services spell them: numbers, units of three languages, clocks, dates.

All of it is text from outside: what is no duration, or longer than a day, is as if absent.
"""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

MAX_DURATION_S = 86400.0
EPOCH_S, EPOCH_MS = 1e9, 1e12  # a number this large is a moment, not a duration
UNITS_S = {
    **dict.fromkeys(("ms", "msec", "msecs", "milli", "millis"), 0.001),
    **dict.fromkeys(("millisecond", "milliseconds", "мс", "毫秒"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "秒", "秒钟"), 1.0),
    **dict.fromkeys(("с", "сек", "секунд", "секунды", "секунду"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "分", "分钟", "分鐘"), 60.0),
    **dict.fromkeys(("мин", "минут", "минуты", "минуту"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "ч", "час", "часа", "часов"), 3600.0),
    **dict.fromkeys(("小时", "小時"), 3600.0),
}
_NAMES = sorted(UNITS_S, key=len, reverse=True)
# A letter may follow only where a script has no blanks: 秒后. The plural may stand in brackets.
_SPACED, _DENSE = ("|".join(name for name in _NAMES if (name < "一") is it) for it in (True, False))
UNIT = rf"(?:(?:{_SPACED})(?![^\W\d_])(?:\([^\W\d_]{{1,3}}\))?|(?:{_DENSE}))"
_COUNT = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_PIECE = re.compile(rf"({_COUNT})\s{{0,3}}({UNIT})", re.IGNORECASE)
_AND = r"(?:(?<=мин|сек|min|sec)\.)?[\s,]{0,3}(?:and\s|и\s)?"
DURATION = rf"(?:{_COUNT}\s{{0,3}}{UNIT}{_AND}){{1,4}}"  # bounded: others put more around it
CLOCK = r"[0-9]{1,2}:[0-5]?[0-9]:[0-5]?[0-9](?:\.[0-9]{1,9})?"
_WEEKDAY, _MONTH = r"[A-Z][a-z]{2,8}, ?", r"[A-Z][a-z]{2}"
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
MOMENT = (
    rf"(?:{_ISO}(?: ?(?:Z|UTC|GMT|[+-][0-9]{{2}}:?[0-9]{{2}})\b)?"
    rf"|(?:{_WEEKDAY})?[0-9]{{1,2}}[ -]{_MONTH}[ -][0-9]{{2,4}} [0-9:]{{5,8}} GMT"
    r"|(?<!\d)[0-9]{10}(?:[0-9]{3})?(?!\d))"
)


def parse_duration(value: Any) -> float | None:
    """Seconds of ``3.5``, ``"1m3s"``, ``"00:01:03"``, ``{"seconds": 3, "nanos": 5}``."""
    if isinstance(value, Mapping):
        if not {"seconds", "nanos"} & value.keys():
            return None
        seconds, nanos = (read_number(value.get(name, 0)) for name in ("seconds", "nanos"))
        return bound_duration(None if seconds is None or nanos is None else seconds + nanos / 1e9)
    if (number := read_number(value)) is not None:
        return bound_duration(number)
    if not isinstance(value, str):
        return None
    text = value.strip()[:100]
    if re.fullmatch(CLOCK, text):
        hours, minutes, seconds = map(float, text.split(":"))
        return bound_duration(hours * 3600 + minutes * 60 + seconds)
    if re.fullmatch(r"P(?:0{1,9}D)?T[0-9.HMS]+", text):  # ISO 8601
        text = text.partition("T")[2]
    return bound_duration(sum_pieces(text)) if re.fullmatch(DURATION, text, re.IGNORECASE) else None


def sum_pieces(text: str) -> float:
    pieces = _PIECE.findall(text)
    return sum(float(count) * UNITS_S[unit.partition("(")[0].lower()] for count, unit in pieces)


def read_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not re.fullmatch(r"\s*\+?[0-9]{1,15}(\.[0-9]{0,15})?\s*", value):
        return None
    with suppress(OverflowError):
        return float(value)
    return None


def bound_duration(seconds: float | None) -> float | None:
    if seconds is None or not math.isfinite(seconds):
        return None
    return seconds if 0 <= seconds < MAX_DURATION_S else None


def read_delay(text: Any, now: float, *, unit_s: float = 1.0) -> float | None:
    """Seconds from ``now`` of a number of units, a duration with its own unit, or a moment."""
    number = read_number(text)
    if number is not None and number < EPOCH_S:
        return number * unit_s
    if number is not None:
        return (number / 1000 if number >= EPOCH_MS else number) - now
    if (duration := parse_duration(text)) is not None or not isinstance(text, str):
        return duration
    moment = read_moment(text)
    return None if moment is None else moment - now  # a past one is no hint


def read_moment(text: str) -> float | None:
    """A date of HTTP or of ISO 8601, in seconds of the epoch."""
    text = re.sub(r" ?(?:UTC|GMT)$", "Z", text) if text[:4].isdigit() else text
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        with suppress(ValueError, OverflowError, TypeError, IndexError):
            found = read(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return None
