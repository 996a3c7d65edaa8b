"""The last test runs of each slot, kept to be compared: the recipe, and the job that came of it."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch

from ingest.models import Attempt, Job, TrialRecord
from media.services import select_live_results
from photochanger.db import clock
from providers.registry import DRIVERS
from slots.models import Slot

KEPT_PER_SLOT = 6


@transaction.atomic
def keep_trial(slot: Slot, job_id: UUID, *, lifetime: timedelta) -> None:
    """Keep a run of a slot that nobody has saved; the slot's oldest above the limit go.

    ``lifetime``: of its picture; the record goes with it.
    """
    now = clock.now()
    TrialRecord.objects.create(
        job_id=job_id,
        slot_id=slot.pk,
        provider=slot.provider,
        operation=slot.operation,
        settings=slot.settings,
        made_at=now,
        expires_at=now + lifetime,
    )
    newest = TrialRecord.objects.filter(slot_id=slot.pk).order_by("-made_at", "-pk")
    kept = list(newest.values_list("pk", flat=True)[:KEPT_PER_SLOT])
    TrialRecord.objects.filter(slot_id=slot.pk).exclude(pk__in=kept).delete()


def delete_old_trials() -> int:
    """Of all slots, those whose time is over; returns how many."""
    deleted, _by_model = TrialRecord.objects.filter(expires_at__lte=clock.now()).delete()
    return deleted


@dataclass(frozen=True, slots=True)
class KeptTrial:
    """A kept run with its job; ``has_picture``: its result can still be looked at."""

    record: TrialRecord
    has_picture: bool

    @property
    def job(self) -> Job:
        return self.record.job

    @property
    def attempts(self) -> list[Attempt]:
        return list(self.job.attempts.all())

    @property
    def is_takeable(self) -> bool:
        """Its service is still there to be chosen."""
        driver = DRIVERS.get(self.record.provider)
        return driver is not None and self.record.operation in driver.operations


def list_trials(slot_id: str) -> list[KeptTrial]:
    """Newest first. Three queries."""
    attempts = Prefetch("job__attempts", Attempt.objects.order_by("number"))
    records = list(
        TrialRecord.objects.filter(slot_id=slot_id, expires_at__gt=clock.now())
        .select_related("job")
        .prefetch_related(attempts)
        .order_by("-made_at", "-pk")[:KEPT_PER_SLOT]
    )
    jobs = [one.job_id for one in records]
    live = set(select_live_results().filter(job_id__in=jobs).values_list("job_id", flat=True))
    return [KeptTrial(one, one.job_id in live) for one in records]


def find_trial(slot_id: str, job_id: UUID) -> TrialRecord | None:
    records = TrialRecord.objects.filter(slot_id=slot_id, expires_at__gt=clock.now())
    return records.filter(job_id=job_id).first()
