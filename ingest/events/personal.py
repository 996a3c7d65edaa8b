"""What of an event's rows tells of a person, or of a booth, and how it is emptied."""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

from ingest.models import Attempt, CapturedRequest, Job, Refusal, TrialRecord
from slots.events.models import Event
from slots.events.periods import Period, list_periods

BATCH = 200
# Figures of time and outcome stay. Neither of these is one. ``credentials`` stays: it names the
# service's generator and signer, and no person.
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


def delete_trials(job_ids: Sequence[UUID]) -> int:
    """Tests that are kept to be compared: what they lead to is gone."""
    return TrialRecord.objects.filter(job_id__in=job_ids).delete()[0]


def delete_captured(job_ids: Sequence[UUID]) -> int:
    return CapturedRequest.objects.filter(job_id__in=job_ids).delete()[0]


def empty_refusals(event: Event) -> int:
    """Of the event's slots, each in the time it worked for it. The counts stay."""
    return sum(_empty_refusals_of(period) for period in list_periods(event))


def _empty_refusals_of(period: Period) -> int:
    rows = Refusal.objects.filter(
        slot_asked=period.slot_id, last_at__gte=period.begun_at, first_at__lte=period.ended_at
    )
    return rows.exclude(**OF_REFUSALS).update(**OF_REFUSALS)


def delete_refused_captures(event: Event) -> int:
    """Recorded requests that became no photo, of the event's slots, each in its time."""
    return sum(_delete_captures_of(period) for period in list_periods(event))


def _delete_captures_of(period: Period) -> int:
    """Also those of an order for all slots: there the request's own address tells which it was."""
    of_slot = Q(capture__slot=period.slot_id) | Q(
        capture__slot__isnull=True, seen__path__regex=rf"/{re.escape(period.slot_id)}(/|$)"
    )
    rows = CapturedRequest.objects.filter(
        of_slot, job_id__isnull=True, at__gte=period.begun_at, at__lte=period.ended_at
    )
    return rows.delete()[0]
