"""Capture: what a booth really sends, recorded request by request.

An administrator asks for the next few requests of one slot, or of all. The order is read with the
platform's settings, which the photo's path reads anyway: without one, capture costs nothing. What
the request left behind is written once, when it is over; a row counts down for all processes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import wraps

import structlog
from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponseBase

from ingest.capture.snapshot import RequestSnapshot, describe_request
from ingest.models import Capture, CapturedRequest
from ingest.pipeline.receive import get_trace
from ingest.refusals.recording import note_hangup
from photochanger.db import clock, in_db
from photochanger.errors import AppError, ClientGone, InternalError
from slots.models import Slot
from slots.platform_settings import CaptureOrder, store_capture_order

log = structlog.get_logger()

MAX_REQUESTS, DURATION, RETENTION = 50, timedelta(hours=1), timedelta(hours=24)
IngestView = Callable[[HttpRequest, str], Awaitable[HttpResponseBase]]


def capture_request(view: IngestView) -> IngestView:
    """Record each request of the view while a capture of its slot is on, whatever becomes of it."""

    @wraps(view)
    async def capturing_view(request: HttpRequest, slot_id: str) -> HttpResponseBase:
        try:
            response = await view(request, slot_id)
        except asyncio.CancelledError:
            note_hangup(request)
            await _capture(request, ClientGone("the booth hung up"))
            raise
        except AppError as exc:
            await _capture(request, exc)
            raise
        except Exception as exc:  # a bug is recorded too; what becomes of it is decided elsewhere
            await _capture(request, InternalError(type(exc).__name__))
            raise
        await _capture(request, response)
        return response

    return capturing_view


async def _capture(request: HttpRequest, outcome: HttpResponseBase | AppError) -> None:
    opened = get_trace(request).opened
    order = opened.platform.capture if opened else None
    if not opened or not order or order.slot_id not in ("", opened.slot.pk):
        return
    if order.until > clock.now():
        await asyncio.shield(_record(request, order, outcome))


async def _record(
    request: HttpRequest, order: CaptureOrder, outcome: HttpResponseBase | AppError
) -> None:
    """Write it down. No photo suffers from what goes wrong here."""
    snapshot, job_id = _snapshot(request, outcome)
    try:
        await in_db(store_request, order, snapshot, job_id)
    except AnyDatabaseError:
        log.exception("ingest.capture.failed")


def _snapshot(
    request: HttpRequest, outcome: HttpResponseBase | AppError
) -> tuple[RequestSnapshot, str | None]:
    """What the request left behind, and the id of its job if it came so far."""
    trace = get_trace(request)
    trace.mark("answer")
    snapshot = RequestSnapshot(hash_recipe=trace.hash_recipe, marks_ms=trace.marks_ms)
    parts, fields = (trace.parser.parts, trace.parser.form.fields) if trace.parser else ([], {})
    describe_request(snapshot, request, list(parts), dict(fields))
    if isinstance(outcome, AppError):
        snapshot.status, snapshot.reason = outcome.status, outcome.reason
        snapshot.detail = str(outcome)[:300]
        return snapshot, outcome.job_id
    snapshot.status = outcome.status_code
    return snapshot, outcome.get("X-Job-Id")


@transaction.atomic
def store_request(order: CaptureOrder, snapshot: RequestSnapshot, job_id: str | None) -> None:
    """One place is taken by each request, in whatever process; the last one ends the capture."""
    running = Capture.objects.filter(pk=order.id, left__gt=0)
    if running.update(left=F("left") - 1):
        facts = snapshot.model_dump(mode="json", exclude_defaults=True)
        CapturedRequest.objects.create(capture_id=order.id, seen=facts, job_id=job_id)
    if not running.exists():
        store_capture_order(None, instead_of=order.id)


@transaction.atomic
def start_capture(slot: Slot | None, wanted: int, *, by: str) -> Capture:
    """From now on, instead of any other: the next requests of the slot, or with None of all slots,
    for an hour at most."""
    Capture.objects.filter(slot=slot).delete()
    Capture.objects.filter(left__gt=0).update(left=0)
    capture = Capture.objects.create(
        slot=slot, wanted=wanted, left=wanted, until=clock.now() + DURATION, started_by=by
    )
    slot_id = slot.pk if slot else ""
    store_capture_order(CaptureOrder(id=capture.pk, slot_id=slot_id, until=capture.until))
    log.info("ingest.capture.started", slot=slot_id or "all", requests=wanted, by=by)
    return capture


@transaction.atomic
def stop_capture(*, by: str) -> None:
    Capture.objects.filter(left__gt=0).update(left=0)
    store_capture_order(None)
    log.info("ingest.capture.stopped", by=by)


def delete_captures(older_than: timedelta = RETENTION) -> int:
    """Delete what was recorded; returns the number of captures. A running one stays."""
    old = Capture.objects.filter(started_at__lte=clock.now() - older_than)
    finished = list(old.exclude(left__gt=0, until__gt=clock.now()))
    Capture.objects.filter(pk__in=[capture.pk for capture in finished]).delete()
    return len(finished)
