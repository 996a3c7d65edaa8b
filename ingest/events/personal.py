"""What of an event's rows tells of a person, or of a booth, and how it is emptied."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

from ingest.models import Attempt, CapturedRequest, Job, Refusal
from photochanger.db import clock
from slots.events.models import Event

BATCH = 200
# Figures of time and outcome stay. Neither of these is one.
OF_JOBS: dict[str, Any] = {
    **{"photo_sha256": "", "hash_recipe": "", "idempotency_key": "", "replay_key": None},
    **{"booth_id": "", "booth_name": "", "booth_version": "", "guest_texts": None},
    **{"failure_detail": "", "result_path": ""},
}
OF_ATTEMPTS = {"detail": "", "provider_request_id": ""}
OF_REFUSALS = {"address": "", "booth_name": "", "booth_version": ""}


def iterate_jobs(event: Event) -> Iterator[list[Job]]:
    """In batches, oldest first; rows may change between two of them."""
    jobs = Job.objects.filter(event=event).order_by("started_at", "pk")
    after = Q()
    while batch := list(jobs.filter(after).only("pk", "slot_id", "started_at", "status")[:BATCH]):
        yield batch
        last = batch[-1]
        later = Q(started_at__gt=last.started_at) | Q(pk__gt=last.pk)
        after = Q(started_at__gte=last.started_at) & later


def empty_jobs(job_ids: Sequence[UUID]) -> int:
    """Returns in how many there was anything left. In a transaction."""
    is_empty = Q(**{name: value for name, value in OF_JOBS.items() if value is not None})
    is_empty &= Q(replay_key__isnull=True, guest_texts__isnull=True)
    rows = Job.objects.filter(pk__in=job_ids)
    emptied = rows.exclude(is_empty).update(**OF_JOBS)
    Attempt.objects.filter(job__in=job_ids).exclude(**OF_ATTEMPTS).update(**OF_ATTEMPTS)
    return emptied


def delete_captured(job_ids: Sequence[UUID]) -> int:
    return CapturedRequest.objects.filter(job_id__in=job_ids).delete()[0]


def empty_refusals(event: Event, slot_ids: Sequence[str]) -> int:
    """Of the event's slots, in its time. The counts stay."""
    rows = Refusal.objects.filter(
        slot_asked__in=slot_ids,
        last_at__gte=event.started_at,
        first_at__lte=event.closed_at or clock.now(),
    ).exclude(**OF_REFUSALS)
    return rows.update(**OF_REFUSALS)


def delete_refused_captures(event: Event, slot_ids: Sequence[str]) -> int:
    """Recorded requests that became no photo, of the event's slots in its time."""
    rows = CapturedRequest.objects.filter(
        job_id__isnull=True,
        capture__slot__in=slot_ids,
        at__gte=event.started_at,
        at__lte=event.closed_at or clock.now(),
    )
    return rows.delete()[0]
