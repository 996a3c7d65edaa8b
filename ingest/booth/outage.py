"""The drill "the first service is down for an hour": what guests get where there is a reserve.

The hour is short: each of its photos stands for a minute and a half, and the moments at which the
dead service may be tried again come nearer by as much. Beside each photo an equal one goes to a
slot whose service works: the control. Only against the provider simulator.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import connection
from django.db.models import F

from ingest.booth.client import send_photo
from ingest.booth.drill import prepare_slot, restored_slots
from ingest.booth.drill_key import make_drill_key
from ingest.booth.form import BoothRequest
from ingest.booth.report import Shot, make_shot
from ingest.models import Attempt
from photochanger.db import clock
from slots.models import ReserveSource, Slot, SourceCircuit
from slots.reserve.circuits import reset_circuits

PHOTOS, AT_ONCE = 40, 2
STANDS_FOR = timedelta(hours=1) / PHOTOS
SLOWER_S = 2.0
DOWN = "503"  # the scenario of a service that is down


class TooFewSlots(Exception):
    """The drill takes two slots that are switched off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    down: list[Shot]
    control: list[Shot]
    asked: int  # how often the dead service was, all the same

    @property
    def lost(self) -> int:
        return sum(not shot.is_picture for shot in self.down)

    @property
    def slower(self) -> int:
        """Photos that waited longer than the one beside them by more than ``SLOWER_S``."""
        pairs = zip(self.down, self.control, strict=True)
        return sum(one.total_s - other.total_s > SLOWER_S for one, other in pairs)


def run_outage(pattern: Slot, request: BoothRequest) -> Outage:
    """Takes about a minute. Raises TooFewSlots."""
    spare = list(Slot.objects.filter(is_active=False, reserves=None)[:2])
    if len(spare) < 2:
        raise TooFewSlots
    down, control = spare
    begun_at = clock.now()
    with restored_slots(spare), _broken_service(down, pattern):
        prepare_slot(control, pattern, "ok")
        with ThreadPoolExecutor(2 * AT_ONCE) as booths:
            pairs: list[tuple[Shot, Shot]] = []
            while len(pairs) < PHOTOS:
                sent = [
                    [booths.submit(_take, slot.pk, request) for slot in (down, control)]
                    for _ in range(AT_ONCE)
                ]
                pairs += [(one.result(), other.result()) for one, other in sent]
                _let_pass(down, AT_ONCE * STANDS_FOR)
        calls = Attempt.objects.filter(job__slot=down.pk, job__started_at__gte=begun_at)
        asked = calls.filter(reserve=0).count()
    return Outage(
        down=[one for one, _other in pairs],
        control=[other for _one, other in pairs],
        asked=asked,
    )


@contextmanager
def _broken_service(slot: Slot, pattern: Slot) -> Iterator[None]:
    """The slot's own service answers 503 in this block; its reserve is one that works.

    A service of the same kind: what is slower then is so because of the failure.
    """
    prepare_slot(slot, pattern, DOWN)
    reset_circuits(slot.pk)
    reserve = ReserveSource.objects.create(
        slot=slot,
        position=1,
        provider=pattern.provider,
        operation=pattern.operation,
        settings=pattern.settings,
    )
    try:
        yield
    finally:
        reserve.delete()
        reset_circuits(slot.pk)


def _take(slot_id: str, request: BoothRequest) -> Shot:
    order = replace(request, slot=slot_id, idempotency_key=make_drill_key())
    try:
        return make_shot(order, send_photo(order))
    finally:
        connection.close()  # this thread's own


def _let_pass(slot: Slot, time: timedelta) -> None:
    """For the circuit, whose clock is the database's."""
    SourceCircuit.objects.filter(slot=slot.pk, retry_at__isnull=False).update(
        retry_at=F("retry_at") - time
    )
