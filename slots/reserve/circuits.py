"""The circuit of each source of a slot with reserves: whether photos are sent there now.

It opens after ``MAX_FAILURES`` in a minute, so that a dead service costs no guest its time-out.
Then, from time to time, one photo finds out whether it is back: while the reserve makes its
picture, a call that costs nothing is made, and when that goes well the next photo is sent there.

One row per source, the same for all processes and machines; only the database's clock counts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog
from django.db import IntegrityError, transaction
from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Least, Now

from slots.models import SourceCircuit

log = structlog.get_logger()

MAX_FAILURES = 3
WINDOW = timedelta(minutes=1)
MAX_COUNTED = 1000
RETRY_AFTER = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=4)
DOUBLINGS = 3  # of RETRY_AFTER, until LONGEST_RETRY
TRY_LASTS = timedelta(seconds=75)  # longer than any photo: then its process has died


class Health(Enum):
    CLOSED = auto()  # photos are sent there
    OPEN = auto()
    DUE = auto()  # open, and it is time for the free call
    ON_TRIAL = auto()  # open, the free call went well, and a photo may try


@dataclass(frozen=True, slots=True)
class Circuit:
    health: Health = Health.CLOSED
    failures: int = 0
    reason: str = ""
    opened_at: datetime | None = None


def load_circuits(slot_id: str) -> dict[int, Circuit]:
    """Of a slot's sources, by position; a source without an entry is closed. One query."""
    is_due = ExpressionWrapper(Q(retry_at__lte=Now()), output_field=BooleanField())
    rows = SourceCircuit.objects.filter(slot=slot_id).annotate(is_due=is_due).order_by()
    return {row.position: _read_row(row, is_due=bool(row.is_due)) for row in rows}


def _read_row(row: SourceCircuit, *, is_due: bool) -> Circuit:
    health = Health.CLOSED
    if row.opened_at is not None:
        due = Health.ON_TRIAL if row.is_checked else Health.DUE
        health = due if is_due else Health.OPEN
    return Circuit(health, row.failures, row.reason, row.opened_at)


def claim_try(slot_id: str, position: int) -> bool:
    """Of all photos at this moment one may find out whether the source is back."""
    due = _select(slot_id, position).filter(opened_at__isnull=False, retry_at__lte=Now())
    return bool(due.update(retry_at=Now() + TRY_LASTS))


def note_check(slot_id: str, position: int, *, is_ok: bool) -> None:
    """What the free call said: the next photo may try, or the next call comes later."""
    if is_ok:
        _select(slot_id, position).update(is_checked=True, retry_at=Now())
    else:
        _put_off(_select(slot_id, position))


def note_success(slot_id: str, position: int) -> None:
    """It has made a picture: its circuit is closed."""
    if _select(slot_id, position).filter(opened_at__isnull=False).delete()[0]:
        log.info("slots.circuit.closed", slot=slot_id, position=position)


def note_failure(slot_id: str, position: int, reason: str, *, weight: int = 1) -> None:
    """Count a photo that the source has failed; enough of them within a minute open its circuit."""
    if not _count_failure(slot_id, position, reason, weight):
        try:
            with transaction.atomic():
                SourceCircuit.objects.create(
                    slot_id=slot_id,
                    position=position,
                    failures=weight,
                    window_from=Now(),
                    reason=reason,
                )
        except IntegrityError:  # another photo was first
            _count_failure(slot_id, position, reason, weight)
    source = _select(slot_id, position)
    if source.filter(opened_at=None, failures__gte=MAX_FAILURES).update(
        opened_at=Now(), retry_at=Now() + RETRY_AFTER, tries=0, is_checked=False
    ):
        log.warning("slots.circuit.opened", slot=slot_id, position=position, reason=reason)
    else:
        _put_off(source.filter(is_checked=True))  # the photo that tried has failed


def _count_failure(slot_id: str, position: int, reason: str, weight: int) -> int:
    is_new = Q(window_from__lt=Now() - WINDOW, opened_at=None)
    return _select(slot_id, position).update(
        failures=Case(
            When(is_new, then=Value(weight)),
            default=Least(F("failures") + weight, Value(MAX_COUNTED)),
        ),
        window_from=Case(
            When(is_new, then=Now()), default=F("window_from"), output_field=DateTimeField()
        ),
        reason=reason,
    )


def _put_off(source: QuerySet[SourceCircuit]) -> None:
    """The longer it is away, the more seldom it is asked."""
    waits = [
        When(tries=tries, then=Now() + min(RETRY_AFTER * 2**tries, LONGEST_RETRY))
        for tries in range(DOUBLINGS)
    ]
    source.filter(opened_at__isnull=False).update(
        retry_at=Case(*waits, default=Now() + LONGEST_RETRY, output_field=DateTimeField()),
        tries=Least(F("tries") + 1, Value(MAX_COUNTED)),
        is_checked=False,
    )


def reset_circuits(slot_id: str) -> None:
    """Its sources are others now, or an operator wants them tried: nothing is known of them."""
    SourceCircuit.objects.filter(slot=slot_id).delete()


def _select(slot_id: str, position: int) -> QuerySet[SourceCircuit]:
    return SourceCircuit.objects.filter(slot=slot_id, position=position)
