"""The last booth photos of each slot: the strip on its card, and what its state is judged by."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from uuid import UUID

from ingest.faces.words import WRONG
from ingest.models import Job
from ingest.refusals.causes import name_failure
from media.faces.verdict import Verdict
from photochanger.errors import ClientGone
from slots.models import SLOT_IDS

SHOWN, JUDGED = 20, 10
FRESH = timedelta(hours=1)  # an older failure says nothing about now
BAD_SHARE, POOR_SHARE = 0.3, 0.1
# From so many pictures on whose people were looked at, so large a share of them is told.
JUDGED_FACES = (Verdict.KEPT, *WRONG)  # of the others nothing can be said
LEAST_SEEN, WRONG_SHARE = 5, 0.2


class Fate(StrEnum):
    """What became of a photo, as far as its guest is concerned."""

    DONE = "done"
    FAILED = "failed"
    GONE = "gone"  # the booth gave up: the guest got an original here too
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPhoto:
    job_id: UUID
    started_at: datetime
    fate: Fate
    reason: str
    duration_ms: int | None
    booth_name: str
    is_kept: bool = True  # False: the booth got it, and the server has no file for its guest
    faces: str = ""  # what became of its people; empty: not looked at

    @classmethod
    def of(cls, job: Job) -> "LastPhoto":
        status, reason = job.outcome
        fates = {Job.Status.DONE: Fate.DONE, Job.Status.PROCESSING: Fate.OPEN}
        fate = Fate.GONE if reason == ClientGone.reason else fates.get(status, Fate.FAILED)
        return cls(
            job_id=job.pk,
            started_at=job.started_at,
            fate=fate,
            reason=name_failure(reason, job.failure_detail),
            duration_ms=job.duration_ms,
            booth_name=job.booth_name,
            is_kept=not (fate == Fate.DONE and job.failure_detail),
            faces=job.faces,
        )

    @property
    def is_lost(self) -> bool:
        return self.fate in (Fate.FAILED, Fate.GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPhotos:
    """Of one slot, newest first; ``fresh`` are those of the last hour that are over."""

    shown: list[LastPhoto]
    fresh: list[LastPhoto]

    @classmethod
    def of(cls, photos: list[LastPhoto], now: datetime) -> "LastPhotos":
        over = [photo for photo in photos if photo.fate != Fate.OPEN]
        fresh = [photo for photo in over if now - photo.started_at <= FRESH]
        return cls(shown=photos, fresh=fresh)

    @property
    def judged(self) -> list[LastPhoto]:
        """They say how the slot does now."""
        return self.fresh[:JUDGED]

    @property
    def lost(self) -> list[LastPhoto]:
        return [photo for photo in self.judged if photo.is_lost]

    @property
    def unkept(self) -> list[LastPhoto]:
        return [photo for photo in self.judged if not photo.is_kept]

    @property
    def seen(self) -> list[LastPhoto]:
        """Those whose people were compared with their picture's."""
        return [photo for photo in self.fresh if photo.faces in JUDGED_FACES]

    @property
    def changed_people(self) -> list[LastPhoto]:
        """Whose people were not all kept, where that is no accident; else none."""
        wrong = [photo for photo in self.seen if photo.faces in WRONG]
        is_often = len(self.seen) >= LEAST_SEEN and len(wrong) > WRONG_SHARE * len(self.seen)
        return wrong if is_often else []

    @property
    def is_bad(self) -> bool:
        """So many are lost that the slot fails; a single one that was followed by a good photo
        may have been an accident."""
        is_repeated = len(self.lost) > 1 or self.judged[:1] == self.lost[:1]
        return bool(self.lost) and self.share >= BAD_SHARE and is_repeated

    @property
    def median_ms(self) -> float | None:
        """Of the pictures that were made within the hour."""
        took = [photo.duration_ms for photo in self.fresh if photo.fate == Fate.DONE]
        return median([ms for ms in took if ms is not None] or [0]) or None

    @property
    def is_poor(self) -> bool:
        return self.share >= POOR_SHARE

    @property
    def share(self) -> float:
        return len(self.lost) / len(self.judged) if self.judged else 0.0


COLUMNS = (
    "job_id, slot_id, source, status, started_at, deadline, duration_ms, "
    "failure_reason, failure_detail, booth_name, faces"
)
# One walk down the index for each slot, whatever the table holds. Each part is a query of its own,
# since SQLite takes no order within a union.
OF_SLOT = f"""
    SELECT * FROM (
        SELECT {COLUMNS} FROM job_history
        WHERE slot_id = %s AND source = 'ingest' ORDER BY started_at DESC LIMIT {SHOWN}
    ) AS of_slot
"""  # noqa: S608  constants


def load_last_photos(now: datetime) -> dict[str, LastPhotos]:
    """By slot; each has an entry. One query."""
    found: dict[str, list[LastPhoto]] = {slot_id: [] for slot_id in SLOT_IDS}
    for job in Job.objects.raw(" UNION ALL ".join([OF_SLOT] * len(SLOT_IDS)), SLOT_IDS):
        found[job.slot_id].append(LastPhoto.of(job))
    return {slot_id: LastPhotos.of(_sort(photos), now) for slot_id, photos in found.items()}


def _sort(photos: list[LastPhoto]) -> list[LastPhoto]:
    return sorted(photos, key=lambda photo: photo.started_at, reverse=True)
