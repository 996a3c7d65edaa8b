"""When a service says to come back, in every spelling that is documented or has been seen.

Headers and keys of bodies are known by the pieces of their names: "retry" or "wait" with "after",
"in" or "at", and a unit. All of it is text from outside, see ``providers/words/durations.py``.
"""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from providers.words.durations import (
    CLOCK,
    DURATION,
    MOMENT,
    UNITS_S,
    bound_duration,
    read_delay,
    read_moment,
    read_number,
)
from providers.words.retries import read_sentences

MAX_NODES, MAX_TEXT, MAX_CHARS = 500, 4000, 20_000  # of a body, of one text, of all its texts
_UNIT = (
    r"(?:_?(?P<unit>ms|msecs?|millis|milliseconds?|secs?|seconds|mins?|minutes|hrs?|hours)"
    r"|_(?P<letter>[smh]))"
)
_TIME = r"(?:_?(?:after|in|at|for|until|time|stamp|epoch|unix|date|delay|period|interval))"
_WAIT = r"wait(?:ing)?|cool_?down|back_?off|estimated(?=_?time)"
_LOCK = r"throttled?|limited|banned|penalty|(?:un)?(?:b?lock(?:ed)?)"
_RETRY = r"re_?try|try_?again|available|next_?allowed|delay|next_?(?:request|call|try|attempt)"
_BEFORE = r"(?P<before>ms|millis|milliseconds|s|secs?|seconds|mins?|minutes|time)"
# Of what a window is: requests, input_tokens, day.
_OF = r"(?:_(?:in_|out_|input_|output_)?[a-z]+)?"
# Names in lower case with _ between their words.
_NAMES = (
    re.compile(rf"(?:.*_)?(?:(?:{_WAIT}){_TIME}*|(?:{_RETRY}|{_LOCK}){_TIME}+){_UNIT}?"),
    re.compile(rf"(?:.*_)?(?:{_RETRY}|{_LOCK}){_UNIT}"),
    re.compile(rf"(?:.*_)?{_BEFORE}_?(?:to|until|till|before)_?(?:retry|wait|next(?:_[a-z]+)?)"),
)
_WINDOWS = (
    re.compile(
        rf"(?:.*_|.*limit|.*quota)?(?P<reset>reset(?:s(?=_?(?:in|at|after|on)))?{_TIME}*{_UNIT}?)"
    ),
    re.compile(rf"(?:.*_)?rate_?limit_(?:[a-z]+_)?(?P<reset>reset){_OF}"),
    re.compile(rf"(?:.*_)?(?P<reset>{_BEFORE}_?(?:to|until|till|before)_?reset)"),
)
# What was, or what is set, is no hint.
_NO_HINT = re.compile(r"(?:^|_)(?:max\w*|last|prev\w*|total|avg|average|queued?|count|no|first)_")
# As a header or a key that is quoted in words; what follows a bare number may be no unit.
_QUOTED = re.compile(
    r"\b([a-z][a-z_-]{2,40})[\"'\\]{0,2}[ \t]{0,3}[:=][ \t]{0,3}[\"'\\]{0,2}"
    rf"({MOMENT}|{CLOCK}|{DURATION}|[0-9]{{1,6}}(?:\.[0-9]{{1,6}})?"
    r"(?![-:/.%]?[^\W_])(?![ \t]+[^\W_]))",
    re.IGNORECASE,
)


class Hint(NamedTuple):
    """``is_window``: it speaks of every call and only counts where nothing else does."""

    is_window: bool
    delay_s: float | None


class _Name(NamedTuple):
    is_window: bool
    unit_s: float
    reset: str  # the words of a window's name that say "reset"


def find_retry_delay(headers: Mapping[str, str], body: Any = None) -> float | None:
    """Seconds until the service wants to be asked again, or None where it does not say.

    ``body`` is the answer's parsed JSON, or its text. Who says it twice means both, so the longest
    counts; a rate limit's reset only where nothing else is said.
    """
    headers = _clean_headers(headers)
    now = read_moment(headers.get("date", "")) or time.time()  # by the service's own clock
    hints = (*_read_named(headers, now), *_read_ietf(headers), *_read_body(body, now))
    for is_window in (False, True):
        delays = [bound_duration(hint.delay_s) for hint in hints if hint.is_window is is_window]
        if told := [delay for delay in delays if delay is not None]:
            return max(told)
    return None


def _clean_headers(headers: Mapping[str, Any]) -> dict[str, str]:
    return {str(name).lower(): str(value).strip()[:100] for name, value in headers.items()}


def _read_named(pairs: Mapping[str, Any], now: float) -> Iterator[Hint]:
    """Of headers, or of an object in a body: what their names call a time to come back."""
    names = {name: _split_words(name) for name in map(str, pairs)}
    for name, words in names.items():
        found = _understand_name(words)
        if not found or (found.reset and _has_room(pairs, names, words, found.reset)):
            continue
        for delay_s in _read_delays(pairs[name], now, unit_s=found.unit_s):
            yield Hint(found.is_window, delay_s)


def _split_words(name: str) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name[:60])
    return re.sub(r"\W", "_", name).lower()


def _understand_name(words: str) -> _Name | None:
    if _NO_HINT.search(words):
        return None
    for is_window, patterns in ((False, _NAMES), (True, _WINDOWS)):
        for pattern in patterns:
            if match := pattern.fullmatch(words):
                said = match.groupdict()
                unit = said.get("unit") or said.get("letter") or said.get("before") or "s"
                return _Name(is_window, UNITS_S.get(unit, 1.0), said.get("reset") or "")
    return None


def _has_room(pairs: Mapping[str, Any], names: dict[str, str], words: str, reset: str) -> bool:
    """Of a window that is not used up yet the reset is of no interest."""
    wanted = words.replace(reset, "remaining")
    remaining = next((pairs[name] for name, other in names.items() if other == wanted), "")
    return read_number(remaining) not in (None, 0)


def _read_delays(value: Any, now: float, *, unit_s: float) -> Iterator[float | None]:
    """Of one header or value, or of several that were joined by commas, which dates hold too."""
    text = value.strip(" \"';,")[:100] if isinstance(value, str) else value
    delay = read_delay(text, now, unit_s=unit_s)
    if delay is not None or not isinstance(text, str) or "," not in text:
        yield delay
    else:
        for one in text.split(","):
            yield read_delay(one.strip(" \"';"), now, unit_s=unit_s)


def _read_ietf(headers: Mapping[str, str]) -> Iterator[Hint]:
    """The drafts of the IETF, which put all of a window into one header."""
    for name in ("ratelimit", "x-ratelimit"):
        if found := re.search(r"\b(?:reset|t)=([0-9]{1,9})\b", headers.get(name, "")):
            yield Hint(True, float(found[1]))


def _read_body(body: Any, now: float) -> Iterator[Hint]:
    left = MAX_CHARS
    for value in _walk(body):
        if isinstance(value, str):
            text = value[: min(MAX_TEXT, left)]
            left -= len(text)
            yield from _read_text(text, now)
        elif isinstance(value, dict):
            yield from _read_named(value, now)


def _read_text(text: str, now: float) -> Iterator[Hint]:
    """Words, and the JSON or the headers of another service that a gateway quotes in them."""
    for is_window, delay_s in read_sentences(text, now):
        yield Hint(is_window, delay_s)
    yield from _read_named(dict(_QUOTED.findall(text)), now)


def _walk(body: Any) -> Iterator[Any]:
    """Values at any depth, the first ``MAX_NODES`` of them."""
    waiting, seen = [body], 0
    while waiting and seen < MAX_NODES:
        seen += 1
        value = waiting.pop()
        yield value
        if isinstance(value, dict):
            waiting += list(value.values())[:MAX_NODES]
        elif isinstance(value, list):
            waiting += value[:MAX_NODES]
