"""The bar that shows where a photo's time went, for a job's page and for the statistics."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from ingest.pipeline.steps import STEPS

WIDTH = 1000  # units of the drawing's x axis
TITLES = {
    "upload": _("upload from the booth"),
    "prepare": _("password, check, preparing"),
    "send": _("sending to the AI service"),
    "provider": _("the AI service itself"),
    "receive": _("receiving from the AI service"),
    "store": _("checking and storing"),
    "answer": _("answer to the booth"),
}


@dataclass(frozen=True, slots=True)
class StepSegment:
    """One step in the bar; ``x`` and ``width`` of ``WIDTH``."""

    step: str
    seconds: float
    x: int
    width: int

    @property
    def title(self) -> str:
        return str(TITLES[self.step])


def draw_step_bar(seconds: Mapping[str, float]) -> list[StepSegment]:
    """The known steps one after the other; their lengths fill the bar."""
    return list(_lay_out({step: seconds[step] for step in STEPS if step in seconds}))


def _lay_out(seconds: Mapping[str, float]) -> Iterator[StepSegment]:
    total, passed = sum(seconds.values()) or 1.0, 0.0
    for step, took_s in seconds.items():
        x, end = round(WIDTH * passed / total), round(WIDTH * (passed + took_s) / total)
        yield StepSegment(step, took_s, x, end - x)
        passed += took_s
