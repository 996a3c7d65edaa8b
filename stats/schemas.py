"""Shapes on the wire: flat, as the customer's statistics page reads them."""

import uuid
from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import Field

from stats.outcomes import Figures, Outcomes, Timings
from stats.series import Failure, Point
from stats.services import MB, Overview, SlotFigures, SlotStatistics, StoredFiles
from stats.slot_state import State

SHARE = "of the booth photos that were answered, without those whose booth hung up"


class WindowOut(Schema):
    """Booth photos whose first byte came within the window. Test runs are in one figure only."""

    jobs_last_window: int
    done_last_window: int
    timeouts_last_window: int
    provider_errors_last_window: int
    own_errors_last_window: int = Field(description="Ours, with what a stopped server left open.")
    client_gone_last_window: int = Field(description="The booth hung up; in no share.")
    test_runs_last_window: int
    success_share: float | None = Field(description=f"Answered with the new picture, {SHARE}.")
    timeout_share: float | None = Field(description=f"Answered 504, {SHARE}.")
    duration_p50_ms: int | None = Field(description="From first byte to result; pictures only.")
    duration_p95_ms: int | None
    overhead_p50_ms: int | None = Field(description="The same without the provider's time.")
    overhead_p95_ms: int | None
    in_flight: int = Field(description="Photos being worked on now, test runs among them.")


class StoredOut(Schema):
    kind: str
    files: int
    size_mb: float


class SystemOut(WindowOut):
    """Of the whole platform, also when one slot was asked for."""

    jobs_total: int = Field(description="Booth photos since the first one.")
    storage_usage_mb: float = Field(description="Of files not yet cleaned up; 1 MB = 10^6 bytes.")
    storage: list[StoredOut]


class SlotStatsOut(WindowOut):
    slot_id: str
    display_name: str
    is_active: bool
    state: State
    refused_last_window: int = Field(
        description="Requests to the slot's link that became no photo: wrong password, too large."
    )
    last_photo_at: datetime | None
    last_success_at: datetime | None
    last_error_reason: str | None = Field(
        description="Why the last photo failed; null when a later one has succeeded."
    )
    last_failure_at: datetime | None = Field(description="Kept, whatever came after it.")
    last_failure_reason: str | None


class OverviewOut(Schema):
    window_minutes: int
    system: SystemOut
    slots: list[SlotStatsOut]


class PointOut(Schema):
    starts_at: datetime
    jobs: int
    done: int
    timeouts: int
    provider_errors: int
    own_errors: int
    client_gone: int
    in_progress: int
    duration_p50_ms: int | None
    duration_p95_ms: int | None
    overhead_p50_ms: int | None
    overhead_p95_ms: int | None


class FailureOut(Schema):
    """``detail`` is our words, ``provider_said`` the provider's last ones."""

    job_id: uuid.UUID
    started_at: datetime
    status: str
    failure_reason: str
    detail: str
    provider_said: str
    provider: str
    attempts: int
    duration_ms: int | None
    fell_back: bool = Field(description="The booth got its own photo instead.")


class SlotStatisticsOut(Schema):
    window_minutes: int
    slot: SlotStatsOut
    step_seconds: int = Field(description="Length of an interval; it divides a day.")
    points: list[PointOut] = Field(
        description="Every interval of the window, also without photos; the first and the last "
        "hold only their part of the window."
    )
    failures: list[FailureOut] = Field(description="The last 20 of any age, newest first.")


def make_overview_out(seen: Overview) -> OverviewOut:
    system = SystemOut(
        **_make_window(seen.window, seen.in_flight),
        jobs_total=seen.jobs_total,
        storage_usage_mb=_to_mb(seen.storage_bytes),
        storage=[_make_stored(stored) for stored in seen.storage],
    )
    return OverviewOut(
        window_minutes=seen.window_minutes,
        system=system,
        slots=[_make_slot(figures) for figures in seen.slots],
    )


def make_slot_statistics_out(seen: SlotStatistics) -> SlotStatisticsOut:
    return SlotStatisticsOut(
        window_minutes=seen.window_minutes,
        slot=_make_slot(seen.slot),
        step_seconds=seen.step_seconds,
        points=[_make_point(point) for point in seen.points],
        failures=[_make_failure(failure) for failure in seen.failures],
    )


def _make_slot(figures: SlotFigures) -> SlotStatsOut:
    event = figures.recent
    return SlotStatsOut(
        **_make_window(figures.window, event.in_flight),
        slot_id=event.slot.pk,
        display_name=str(event.slot),
        is_active=event.slot.is_active,
        state=figures.state,
        refused_last_window=figures.refused,
        last_photo_at=event.last_photo_at,
        last_success_at=event.last_success_at,
        last_error_reason=event.last_error_reason,
        last_failure_at=event.last_failure_at,
        last_failure_reason=event.last_failure_reason,
    )


def _make_window(figures: Figures, in_flight: int) -> dict[str, Any]:
    outcomes = figures.outcomes
    return {
        "jobs_last_window": outcomes.jobs,
        "done_last_window": outcomes.done,
        "timeouts_last_window": outcomes.timeouts,
        "provider_errors_last_window": outcomes.provider_errors,
        "own_errors_last_window": outcomes.own_errors,
        "client_gone_last_window": outcomes.client_gone,
        "test_runs_last_window": figures.test_runs,
        "success_share": outcomes.success_share,
        "timeout_share": outcomes.timeout_share,
        "in_flight": in_flight,
        **_get_fields(figures.timings),
    }


def _make_point(point: Point) -> PointOut:
    return PointOut(
        starts_at=point.starts_at, **_get_fields(point.outcomes), **_get_fields(point.timings)
    )


def _make_failure(failure: Failure) -> FailureOut:
    return FailureOut.from_orm(failure)


def _make_stored(stored: StoredFiles) -> StoredOut:
    return StoredOut(kind=stored.kind, files=stored.files, size_mb=_to_mb(stored.size_bytes))


def _get_fields(values: Outcomes | Timings) -> dict[str, Any]:
    return {name: getattr(values, name) for name in values.__slots__}


def _to_mb(size_bytes: int) -> float:
    return round(size_bytes / MB, 1)
