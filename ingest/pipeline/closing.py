"""What closes a job's row: decided once, and written once, now or when the database is back."""

import asyncio
import copy
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core import serializers
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Q

from ingest.costs.payment import sum_costs
from ingest.costs.spending import Amounts, add_spending
from ingest.models import Attempt, Job
from ingest.refusals.causes import name_failure
from media.models import MediaObject
from photochanger import metrics
from photochanger.errors import AppError, ClientGone, InternalError, Interrupted, ProviderTimeout

log = structlog.get_logger()

# A server may still be writing a photo's outcome so long after its deadline: until then cleanup
# closes no row, a purge waits, and its picture counts as one that may be made. Limits of photos at
# once and readers do not wait: for them a job is over at its deadline.
CLOSED_AFTER = timedelta(minutes=1)
# Of a job that somebody else has given up meanwhile: its process was thought dead.
IS_OPEN = Q(status=Job.Status.PROCESSING)
IS_GIVEN_UP = Q(status=Job.Status.FAILED, failure_reason=Interrupted.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The rows of an outcome, none of them written yet: the job's columns that change, the calls
    of the provider, and the result's file, if it has one."""

    job: Job
    columns: tuple[str, ...]
    attempts: tuple[Attempt, ...] = ()
    media: MediaObject | None = None

    @classmethod
    def of(
        cls,
        job: Job,
        attempts: list[Attempt],
        *,
        finished_at: datetime,
        media: MediaObject | None = None,
        **columns: Any,
    ) -> "Closing":
        columns |= {
            "finished_at": finished_at,
            "duration_ms": to_milliseconds((finished_at - job.started_at).total_seconds()),
            "provider_ms": sum(a.duration_ms for a in attempts) if attempts else None,
            # Of the last one that was asked.
            "provider": job.provider,
            "operation": job.operation,
            "reserve": job.reserve,
            **sum_costs(attempts),
        }
        closed = copy.copy(job)
        closed.guest_texts = None  # no column that changes: what a guest typed goes into no file
        for name, value in columns.items():
            setattr(closed, name, value)
        return cls(job=closed, columns=tuple(columns), attempts=tuple(attempts), media=media)

    @transaction.atomic
    def write(self) -> bool:
        """Close the row if it is still open: of two who try, one wins. False: it was closed."""
        columns = {name: getattr(self.job, name) for name in self.columns}
        spent = Amounts.of_job(self.job)
        if not Job.objects.filter(IS_OPEN, pk=self.job.pk).update(**columns):
            given_up = Job.objects.select_for_update(no_key=True).filter(IS_GIVEN_UP)
            if (counted := given_up.filter(pk=self.job.pk).first()) is None:
                return False
            Job.objects.filter(pk=self.job.pk).update(**columns)
            spent -= Amounts.of_job(counted)
        for attempt in self.attempts:
            attempt.pk = None  # one from a transaction that was rolled back may be another's now
        Attempt.objects.bulk_create(self.attempts)
        if self.media is not None:
            self.media.save(force_insert=True)
        add_spending(self.job, spent)
        return True

    def report(self) -> None:
        """To the log and the metrics."""
        job = self.job
        level = log.info if job.status == Job.Status.DONE else log.warning
        reason, detail = job.failure_reason, job.failure_detail
        level(
            "ingest.job.closed",
            job=str(job.pk),
            slot=job.slot_id,
            status=job.status,
            **({"reason": reason, "detail": detail} if reason else {}),
            provider_ms=job.provider_ms,
            duration_ms=job.duration_ms,
            size_bytes=job.result_bytes,
        )
        metrics.count_photo_closed(
            slot=job.slot_id,
            provider=job.provider,
            source=job.source,
            status=job.status,
            reason=name_failure(reason, detail),
            duration_ms=job.duration_ms or 0,
            provider_ms=job.provider_ms,
        )
        if job.status == Job.Status.DONE and job.source == Job.Source.INGEST:
            metrics.count_photo_steps(job.steps_ms or {})

    def to_json(self) -> str:
        rows = [self.job, *self.attempts, *([self.media] if self.media else [])]
        found = {"columns": self.columns, "rows": serializers.serialize("python", rows)}
        return json.dumps(found, cls=DjangoJSONEncoder)

    @classmethod
    def of_json(cls, text: bytes) -> "Closing":
        """Raises ValueError for what is no such thing.

        Another version may have written it: columns that are unknown here are left out.
        """
        try:
            found = json.loads(text)
            stored = serializers.deserialize("python", found["rows"], ignorenonexistent=True)
            rows = [row.object for row in stored]
            known = {field.attname for field in Job._meta.concrete_fields}
            return cls(
                job=next(row for row in rows if isinstance(row, Job)),
                columns=tuple(name for name in found["columns"] if name in known),
                attempts=tuple(row for row in rows if isinstance(row, Attempt)),
                media=next((row for row in rows if isinstance(row, MediaObject)), None),
            )
        except (KeyError, TypeError, StopIteration, serializers.base.DeserializationError) as exc:
            raise ValueError(f"not the end of a job: {type(exc).__name__}") from exc


def to_milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def choose_reason(exc: BaseException, *, is_late: bool) -> str:
    """The word for it on the row of a call."""
    if isinstance(exc, AppError):
        return exc.reason
    if isinstance(exc, asyncio.CancelledError):
        return ProviderTimeout.reason if is_late else ClientGone.reason
    return InternalError.reason
