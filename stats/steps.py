"""Where the time of a slot's pictures goes, and which link is the slow one."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Literal

from ingest.models import Job
from ingest.pipeline.steps import STEPS
from stats.outcomes import BOOTH, DONE

ROWS, ROWS_PER_SLOT = 1500, 50  # the newest pictures of a window tell what a link is like now
# A step is worth a word when it takes so many seconds, and so large a share of the wait.
SLOW_S, SLOW_SHARE = 1.5, 0.2
LARGE_PHOTO_BYTES = 2_500_000  # a camera-like JPEG of 3000 px has about 2 MB

Link = Literal["upload", "send", "receive", "answer"]
LINKS: tuple[Link, ...] = ("upload", "send", "receive", "answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMedians:
    """Of one slot's newest pictures, in seconds by step; ``photo_bytes`` is a median too."""

    seconds: Mapping[str, float]
    photo_bytes: float
    pictures: int

    @property
    def total_s(self) -> float:
        return sum(self.seconds.values())

    @property
    def slow_link(self) -> Link | None:
        """The way that costs most, when that is worth a word."""
        link = max(LINKS, key=lambda name: self.seconds[name])
        took_s = self.seconds[link]
        return link if took_s >= max(SLOW_S, SLOW_SHARE * self.total_s) else None

    @property
    def has_large_photos(self) -> bool:
        return self.photo_bytes > LARGE_PHOTO_BYTES


def load_step_medians(
    since: datetime, now: datetime, slot_id: str | None = None, event_id: int | None = None
) -> dict[str, StepMedians]:
    """By slot, of booths' pictures whose steps are known. One query."""
    jobs = Job.objects.filter(
        BOOTH, DONE, started_at__gte=since, started_at__lte=now, steps_ms__isnull=False
    )
    if slot_id:
        jobs = jobs.filter(slot=slot_id)
    if event_id is not None:
        jobs = jobs.filter(event=event_id)
    rows = jobs.order_by("-started_at").values_list("slot_id", "steps_ms", "photo_bytes")
    by_slot: dict[str, list[tuple[dict[str, int], int]]] = defaultdict(list)
    for slot, steps_ms, photo_bytes in rows[:ROWS]:
        if len(by_slot[slot]) < ROWS_PER_SLOT:
            by_slot[slot].append((steps_ms or {}, photo_bytes))
    return {slot: _compute_medians(found) for slot, found in sorted(by_slot.items())}


def _compute_medians(found: list[tuple[dict[str, int], int]]) -> StepMedians:
    return StepMedians(
        seconds={step: median(ms.get(step, 0) for ms, _ in found) / 1000 for step in STEPS},
        photo_bytes=median(size for _, size in found),
        pictures=len(found),
    )
