"""When a service says to come back, in sentences of three languages."""

import re
from collections.abc import Iterator

from providers.words.durations import (
    CLOCK,
    DURATION,
    MOMENT,
    UNITS_S,
    parse_duration,
    read_delay,
    sum_pieces,
)

_CUE = (
    r"(?:\b(?:re-?tr(?:y|ies|ying)|try(?:ing)?\s+again|come\s+back|wait|available"
    r"|back(?:ing)?[ -]?off|cool(?:ing)?[ -]?down"
    r"|next\s+(?:request|call|try|attempt|image|photo|slot|window)"
    r"|again(?=\s+(?:in|after|at)\b)"
    r"|(?:blocked|banned|limited)(?=\s+(?:for|until)\b)"
    r"|повтор\w*|попроб\w*|попыта\w*|подожд\w*|ожидайте|жд(?:ите|ать)"
    r"|(?:следующ|доступ|возобнов|разблокир|возмож|снова)\w*(?=[^.\d]{0,40}\bчерез\b))\b"
    r"|稍[等后後]|等待|重试|重試|再试|再試)"
)
_RESET = (
    r"(?P<reset>(?<!connection )\b(?:re(?:sets?|fresh(?:es)?|news|stored|plenish\w*|fills?)"
    r"|lifted|сброс\w*|обнов\w*)\b|重置)"
)
# A number or a "per" between would make a count or a limit of what follows.
_GAP = r"(?:(?!\d|\b(?:per|every|each|кажд\w+)\b)[^.\n。]){0,40}?"
_END = r"(?![-:/.%]?[^\W_])(?![ \t]+[^\W_])"  # what follows may be no unit
_IN = r"(?:(?<=\bin )|(?<=\bafter )|(?<=\bfor )|(?<=\bчерез ))"
_RANGE = r"(?:[0-9.]{1,9}\s?(?:to|or|-|–|до|или)\s?)?"
_WHEN = (
    rf"(?<![\d.])(?:{_RANGE}(?P<duration>{DURATION})|(?P<moment>{MOMENT})"
    rf"|{_IN}(?P<clock>{CLOCK})(?![\d:])|{_IN}(?P<seconds>[0-9]{{1,6}}(?:\.[0-9]{{1,6}})?){_END})"
    r"|\b(?:in\s+(?:an?|one)|через)\s+(?P<one>second|minute|hour|секунду|минуту|час)\b"
)
_SENTENCES = (
    re.compile(rf"(?:{_CUE}|{_RESET}){_GAP}(?:{_WHEN})", re.IGNORECASE),
    # After 30 seconds you can retry; in the middle of a clause it may tell what has been.
    re.compile(
        r"(?:^|[.,;:!?(\n]\s{0,3})(?:please\s+)?(?:after|in|через)\s+"
        rf"(?P<duration>{DURATION})[^.,;\n\d]{{0,30}}?{_CUE}",
        re.IGNORECASE,
    ),
    # 30 seconds until you can retry, 30 秒后重试
    re.compile(
        rf"(?<![\d.])(?P<duration>{DURATION})(?:(?:until|till|before)\b|(?:之|以)?[后後内])"
        rf"[^.,;\n。，\d]{{0,30}}?(?:{_CUE}|{_RESET})",
        re.IGNORECASE,
    ),
)


def read_sentences(text: str, now: float) -> Iterator[tuple[bool, float | None]]:
    """Whether a whole window is spoken of, and the seconds from ``now``."""
    for sentence in _SENTENCES:
        for found in sentence.finditer(text):
            said = found.groupdict()
            yield bool(said.get("reset")), _read_time(said, now)


def _read_time(said: dict[str, str | None], now: float) -> float | None:
    if duration := said["duration"]:
        return sum_pieces(duration)
    if one := said["one"]:
        return UNITS_S[one.lower()]
    if clock := said["clock"]:
        return parse_duration(clock)
    return read_delay(said["moment"] or said["seconds"], now)
