"""Rows as the photo's path leaves them, in any number and of any age."""

import itertools
from datetime import timedelta
from typing import Any

from django.test import TestCase
from django.utils import timezone

from ingest.models import Job
from slots.models import Slot

_numbers = itertools.count()


def job(
    slot_id: str = "slot-001",
    *,
    ago_s: float = 60,
    took_ms: int = 8000,
    provider_ms: int = 7900,
    reason: str = "",
    **columns: Any,
) -> Job:
    """A closed photo of a booth; ``reason`` makes it a failure."""
    started_at = timezone.now() - timedelta(seconds=ago_s)
    status = {"": "done", "timeout": "timeout"}.get(reason, "failed")
    values: dict[str, Any] = {
        "slot_id": slot_id,
        "slot_version": 1,
        "source": Job.Source.INGEST,
        "status": status,
        "provider": "gemini",
        "operation": "image_edit",
        "started_at": started_at,
        "deadline": started_at + timedelta(seconds=48),
        "finished_at": started_at + timedelta(milliseconds=took_ms),
        "duration_ms": took_ms,
        "provider_ms": provider_ms,
        "failure_reason": reason,
        "photo_sha256": f"{next(_numbers):064}",
        "photo_bytes": 1000,
    }
    return Job(**values | columns)


def open_job(slot_id: str = "slot-001", *, ago_s: float = 5, **columns: Any) -> Job:
    """Being worked on; or left behind by a process that died, when its deadline has passed."""
    still_open = {"status": "processing", "finished_at": None, "duration_ms": None}
    return job(slot_id, ago_s=ago_s, provider_ms=None, **still_open | columns)  # type: ignore[arg-type]


class StatsTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        Slot.objects.filter(pk__in=["slot-001", "slot-002"]).update(
            is_active=True, settings={"prompt": "As an oil painting"}
        )

    def store(self, *jobs: Job) -> None:
        Job.objects.bulk_create(jobs)
