"""One way to answer a call, and when."""

from collections.abc import Callable
from dataclasses import dataclass

from providers.simulator.gemini.answers import Work
from providers.simulator.wire import Answer

SLOW_S = 70.0
QUICK_S = 1.2  # a NO_IMAGE answer of the real service
ERROR_S = 0.3


@dataclass(frozen=True, slots=True)
class Scenario:
    """``at_most`` caps the latency of a quick answer; ``seconds`` replaces it.

    ``fails`` tries fail before one succeeds, over and over, for each prompt and key; with None
    all tries are alike. A marker's number replaces it, unless ``number_is_delay``, which it then
    tells. ``downgrades`` serves another tier than was asked for.
    """

    description: str
    build: Callable[[Work], Answer]
    at_most: float | None = None
    seconds: float | None = None
    fails: int | None = None
    number_is_delay: bool = False
    downgrades: bool = False


def once(description: str, build: Callable[[Work], Answer]) -> Scenario:
    """A limit that says in its own way to wait half a second, or =N, and then passes."""
    return Scenario(f"429 once: {description}", build, fails=1, number_is_delay=True)
