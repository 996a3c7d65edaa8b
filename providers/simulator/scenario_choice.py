"""How a call chooses its scenario, and how long its answer takes: the same for every service."""

import random
import re
from collections.abc import Container, Iterable
from dataclasses import dataclass

from providers.simulator.options import Options

_MARKER = re.compile(r"\[sim:([a-z0-9-]+)(?:=(\d+(?:\.\d+)?))?\]")
_NAME = re.compile(r"(?:sim-)?([a-z0-9-]+)(?:=(\d+(?:\.\d+)?))?")
_ANY_MARKER = re.compile(r"\[sim:[^\]]*\]")


class UnknownScenario(Exception):
    """A marker names no scenario of the service."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The simulator has no scenario named {name[:60]}.")


@dataclass(frozen=True, slots=True)
class ScenarioChoice:
    """``number`` is the one in ``[sim:name=number]``; ``latency`` overrules every other time."""

    name: str
    number: float | None = None
    latency: float | None = None


class Dice:
    """The failures and times that nobody asks for, in the same order in every run.

    Two sources: failures follow the order of arrival, however often the jitter draws in between.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._failures = random.Random(options.seed)  # noqa: S311  must be repeatable
        self._jitter = random.Random(options.seed)  # noqa: S311

    def is_failing(self) -> bool:
        return self._failures.random() < self._options.fail_share

    def draw_latency_s(self) -> float:
        jitter = self._options.jitter
        return max(0.0, self._options.latency + self._jitter.uniform(-jitter, jitter))


def choose_scenario(
    text: str, names: Iterable[str], *, known: Container[str], dice: Dice, failing: str
) -> ScenarioChoice:
    """By the last marker in ``text``, or the first of ``names`` that is a scenario, or by chance.

    Raises UnknownScenario.
    """
    name, number, latency = "", None, None
    for marked, value in _MARKER.findall(text):
        if marked == "latency":
            latency = float(value or 0)
        elif marked in known:
            name, number = marked, float(value) if value else None
        else:
            raise UnknownScenario(marked)
    if name:
        return ScenarioChoice(name, number, latency)
    for text in names:
        if named := parse_name(text, known=known):
            return ScenarioChoice(named.name, named.number, latency)
    return ScenarioChoice(failing if dice.is_failing() else "ok", None, latency)


def parse_name(text: str, *, known: Container[str]) -> ScenarioChoice | None:
    """The scenario of a model's name: ``no-image``, ``sim-no-image``, ``slow=5``."""
    match = _NAME.fullmatch(text)
    if not match or match[1] not in known:
        return None
    return ScenarioChoice(match[1], float(match[2]) if match[2] else None)


def parse_key(key: str, *, known: Container[str]) -> ScenarioChoice | None:
    """The scenario of a key, ``sim-no-image``: other keys are ordinary ones."""
    return parse_name(key, known=known) if key.startswith("sim-") else None


def strip_markers(text: str) -> str:
    return _ANY_MARKER.sub("", text)
