"""Capture: what a strange booth really sends, noted request by request.

An administrator asks for the next few requests of one slot. The order is read with the platform's
settings, which the photo's path reads anyway: without one, capture costs nothing. What was seen is
written once, when the request is over; a row counts down for all processes together.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import structlog
from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from ingest.capture.snapshot import Seen, describe
from ingest.models import Capture, CapturedRequest
from ingest.pipeline.upload import ARRIVED_KEY, FormParser
from photochanger.db import in_db
from photochanger.errors import AppError, ClientGone, InternalError
from slots.models import Slot
from slots.services import CaptureOrder, PlatformSettings, order_capture

log = structlog.get_logger()

MAX_REQUESTS, LASTS, KEPT = 50, timedelta(hours=1), timedelta(hours=24)
Answer = TypeVar("Answer", bound=HttpResponseBase)


class Sight:
    """What is noticed of one request on its way; nothing at all while no capture is on."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._order: CaptureOrder | None = None
        self._seen = Seen()
        self._job_id: str | None = None
        self._parser: FormParser | None = None

    @property
    def is_on(self) -> bool:
        return self._order is not None

    def look(self, slot: Slot, platform: PlatformSettings) -> None:
        """From here on, if this slot's requests are to be seen."""
        order = platform.capture
        if order and order.slot_id == slot.pk and order.until > timezone.now():
            self._order = order

    def watch(self, parser: FormParser) -> None:
        self._parser = parser

    def mark(self, step: str) -> None:
        if self._order:
            now = asyncio.get_running_loop().time()
            arrived_at = getattr(self._request, "scope", {}).get(ARRIVED_KEY, now)
            self._seen.marks_ms.append((step, round((now - arrived_at) * 1000)))

    def checked(self, hash_recipe: str) -> None:
        self._seen.hash_recipe = hash_recipe
        self.mark("photo")

    def answered(self, answer: Answer) -> Answer:
        self._seen.status, self._job_id = answer.status_code, answer.get("X-Job-Id")
        return answer

    def failed(self, error: AppError) -> None:
        self._seen.status, self._seen.reason = error.status, error.reason
        self._seen.detail, self._job_id = str(error)[:300], error.job_id

    async def keep(self) -> None:
        """Write it down. No photo suffers from what goes wrong here."""
        assert self._order
        self.mark("answer")
        parser = self._parser
        segments, fields = (parser.segments, parser.form.fields) if parser else ([], {})
        describe(self._seen, self._request, list(segments), dict(fields))
        try:
            await in_db(keep, self._order, self._seen, self._job_id)
        except AnyDatabaseError:
            log.exception("ingest.capture.lost")


@asynccontextmanager
async def captured(request: HttpRequest) -> AsyncIterator[Sight]:
    """Around one request of a booth: whatever becomes of it is seen, if somebody asked for it."""
    sight = Sight(request)
    try:
        yield sight
    except asyncio.CancelledError:
        sight.failed(ClientGone("the booth hung up"))
        raise
    except AppError as exc:
        sight.failed(exc)
        raise
    except Exception as exc:  # a bug is seen too; what becomes of it is decided elsewhere
        sight.failed(InternalError(type(exc).__name__))
        raise
    finally:
        if sight.is_on:
            await asyncio.shield(sight.keep())


# --- Rows ----------------------------------------------------------------------------------------
@transaction.atomic
def keep(order: CaptureOrder, seen: Seen, job_id: str | None) -> None:
    """One place is taken by each request, in whatever process; the last one ends the capture."""
    running = Capture.objects.filter(pk=order.id, left__gt=0)
    if running.update(left=F("left") - 1):
        facts = seen.model_dump(mode="json", exclude_defaults=True)
        CapturedRequest.objects.create(capture_id=order.id, seen=facts, job_id=job_id)
    if not running.exists():
        order_capture(None, instead_of=order.id)


@transaction.atomic
def start_capture(slot: Slot, wanted: int, *, by: str) -> Capture:
    """From now on, instead of any other: the next requests of the slot, for an hour at most."""
    Capture.objects.filter(slot=slot).delete()
    Capture.objects.filter(left__gt=0).update(left=0)
    capture = Capture.objects.create(
        slot=slot, wanted=wanted, left=wanted, until=timezone.now() + LASTS, started_by=by
    )
    order_capture(CaptureOrder(id=capture.pk, slot_id=slot.pk, until=capture.until))
    log.info("ingest.capture.started", slot=slot.pk, requests=wanted, by=by)
    return capture


@transaction.atomic
def stop_capture(*, by: str) -> None:
    Capture.objects.filter(left__gt=0).update(left=0)
    order_capture(None)
    log.info("ingest.capture.stopped", by=by)


def forget_captures(older_than: timedelta = KEPT) -> int:
    """What was seen, forgotten; the number of captures. A running one stays."""
    old = Capture.objects.filter(started_at__lte=timezone.now() - older_than)
    over = list(old.exclude(left__gt=0, until__gt=timezone.now()))
    Capture.objects.filter(pk__in=[capture.pk for capture in over]).delete()
    return len(over)
