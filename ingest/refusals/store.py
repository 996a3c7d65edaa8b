"""Write what the notebook holds: every two seconds, on a thread and a connection of its own.

A photo never waits for it. While the database is away the notes wait in memory, counted, and are
written when it is back.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import structlog
from asgiref.sync import ThreadSensitiveContext
from django.db import Error as AnyDatabaseError
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from ingest.models import KnownBooth, Refusal
from ingest.refusals.notes import MAX_BOOTHS, PLACES, Kind, Sighting, Sightings, Tally, notebook
from photochanger.db import clock, in_db
from slots.models import SLOT_IDS

log = structlog.get_logger()

WRITE_EVERY_S = 2.0
RETENTION = timedelta(days=30)
ENDED_WITHIN = timedelta(days=1)
MAX_ROWS = 200_000  # about a month of a flood of three causes
_thread = ThreadPoolExecutor(1, thread_name_prefix="refusals")


class RefusalWriter:
    """Writes this process's notes until it is stopped, and what is left then."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._write_regularly())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await write_in_background()

    async def _write_regularly(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            if not notebook.is_empty:
                await asyncio.shield(write_in_background())


async def write_in_background() -> None:
    """Never raises: a failing database costs the notes at most."""
    async with ThreadSensitiveContext(executor=_thread):
        try:
            await in_db(_write_and_disconnect)
        except Exception:  # a bug in here must not end the writing for ever
            log.exception("ingest.refusals.crashed")


def _write_and_disconnect() -> None:
    try:
        write_notes()
    except AnyDatabaseError as exc:
        log.error("ingest.refusals.failed", detail=type(exc).__name__)
    finally:
        connection.close()


def write_notes() -> None:
    """Write all notes of this process. Raises a database error, and keeps the refusals then."""
    tallies, sightings = notebook.take(), notebook.take_booths()
    try:
        with transaction.atomic():
            for (name, address, _slot), seen in sightings.items():
                _write_booth(name, address, seen)
            for kind, tally in tallies.items():
                _write_refusal(_name_booth(kind), tally)
            for (name, address, _slot), seen in sightings.items():
                _end_refusals(name, address, seen)
            _forget_booths(sightings)
    except AnyDatabaseError:
        notebook.put_back(tallies)
        raise


def _name_booth(kind: Kind) -> Kind:
    """Fill in the name of the booth known by this address where a request carried none."""
    if kind.booth_name or not kind.address:
        return kind
    known = KnownBooth.objects.filter(address=kind.address).values_list("name", flat=True)
    return kind._replace(booth_name=known.first() or "")


def _write_refusal(kind: Kind, tally: Tally) -> None:
    for wanted in (kind, kind.widen()):
        for _ in range(PLACES + 1):  # of processes that take the same place at once, one wins
            if _add_to_row(wanted, tally):
                return
            place = _find_free_place(wanted)
            if place is None:
                break
            Refusal.objects.bulk_create([_make_row(wanted, tally, place)], ignore_conflicts=True)
    log.error("ingest.refusals.no_place", cause=kind.cause, count=tally.count)


def _select_rows(kind: Kind) -> QuerySet[Refusal]:
    rows = Refusal.objects.filter(minute=kind.minute, cause=kind.cause)
    if kind.is_wide:
        return rows.filter(place=_get_wide_place(kind))
    return rows.filter(
        slot_asked=kind.slot,
        address=kind.address,
        booth_name=kind.booth_name,
        place__lt=PLACES,
    )


def _add_to_row(kind: Kind, tally: Tally) -> bool:
    row = _select_rows(kind).order_by("place").values_list("pk", flat=True).first()
    if row is None:
        return False
    facts: dict[str, Any] = {}
    if tally.waited_ms is not None:
        facts["waited_ms"] = tally.waited_ms
    if tally.booth_version:
        facts["booth_version"] = tally.booth_version
    Refusal.objects.filter(pk=row).update(
        count=F("count") + tally.count, last_at=tally.last_at, **facts
    )
    return True


def _find_free_place(kind: Kind) -> int | None:
    if kind.is_wide:
        return _get_wide_place(kind)
    rows = Refusal.objects.filter(minute=kind.minute, cause=kind.cause, place__lt=PLACES)
    free = set(range(PLACES)) - set(rows.values_list("place", flat=True))
    return min(free, default=None)


def _get_wide_place(kind: Kind) -> int:
    number = SLOT_IDS.index(kind.slot) + 1 if kind.slot in SLOT_IDS else 0
    return PLACES + number


def _make_row(kind: Kind, tally: Tally, place: int) -> Refusal:
    """A row that counts nothing yet: it is added to like one that was there."""
    return Refusal(
        minute=kind.minute,
        cause=kind.cause,
        place=place,
        slot_asked=kind.slot,
        address=kind.address,
        booth_name=kind.booth_name,
        reason=tally.reason,
        status=tally.status,
        first_at=tally.first_at,
        last_at=tally.last_at,
    )


def _write_booth(name: str, address: str, seen: Sighting) -> None:
    booths = KnownBooth.objects.filter(name=name, address=address)
    facts: dict[str, Any] = {
        "slot_id": seen.slot_id,
        "last_at": seen.last_at,
        "clock_skew_s": seen.clock_skew_s,
    }
    if seen.version:
        facts["version"] = seen.version
    if not booths.exists():
        booth = KnownBooth(name=name, address=address, first_at=seen.first_at, **facts)
        KnownBooth.objects.bulk_create([booth], ignore_conflicts=True)
    booths.update(photos=F("photos") + seen.photos, **facts)


def _end_refusals(name: str, address: str, seen: Sighting) -> None:
    """A photo that was all right: what was refused to this booth at this slot is mended.

    Only there: booths behind one router share an address, and often a name.
    """
    same = Q(booth_name=name) | Q(booth_name="")
    at_slot = Refusal.objects.filter(same, address=address, slot_asked=seen.slot_id)
    at_slot.filter(last_at__gte=seen.last_at - ENDED_WITHIN, last_at__lt=seen.last_at).update(
        over_at=seen.last_at, booth_name=name
    )


def _forget_booths(seen: Sightings) -> None:
    """Keep those that were seen last: addresses change, and names can be made up."""
    if not seen:
        return
    latest = list(KnownBooth.objects.values_list("pk", flat=True)[: MAX_BOOTHS + 1])
    if len(latest) > MAX_BOOTHS:
        KnownBooth.objects.exclude(pk__in=latest[:MAX_BOOTHS]).delete()


def delete_old_refusals(older_than: timedelta = RETENTION) -> int:
    """Delete refusals and booths of long ago; returns how many rows."""
    since = clock.now() - older_than
    deleted, _ = Refusal.objects.filter(last_at__lt=since).delete()
    booths, _ = KnownBooth.objects.filter(last_at__lt=since).delete()
    newest = Refusal.objects.order_by("-last_at").values_list("last_at", flat=True)
    if oldest_kept := newest[MAX_ROWS : MAX_ROWS + 1].first():
        deleted += Refusal.objects.filter(last_at__lte=oldest_kept).delete()[0]
    return deleted + booths
