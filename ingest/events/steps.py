"""What else has to go with an event: steps of rooms above this one, which it cannot name."""

from collections import Counter
from collections.abc import Callable

from slots.events.models import Event

# Deletes what is personal, and may be run again; returns how much, by the words of the proof.
PurgeStep = Callable[[Event], Counter[str]]

_steps: list[PurgeStep] = []


def register_purge_step(step: PurgeStep) -> None:
    """At the start of an app; once, however often that is."""
    if step not in _steps:
        _steps.append(step)


def run_purge_steps(event: Event) -> Counter[str]:
    return sum((step(event) for step in _steps), Counter[str]())
