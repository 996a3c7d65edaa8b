"""Letters that wait: which are due, what has come of them, and what is forgotten when."""

import uuid
from datetime import datetime, timedelta

import structlog
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from media.models import MediaObject
from media.services import select_live_results
from photochanger.db import clock
from slots.letters.models import GuestLetter
from slots.letters.ordering import SOURCE_WINDOW

log = structlog.get_logger()

Status = GuestLetter.Status
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 3600.0
GIVE_UP_AFTER = timedelta(hours=24)
MOST_AT_ONCE = 20
ERASED = {"address": "", "address_hash": "", "shown_as": "", "source_hash": ""}


def select_due(now: datetime) -> list[GuestLetter]:
    """One query, by an index of those that wait."""
    waiting = GuestLetter.objects.filter(status=Status.WAITING, next_try_at__lte=now)
    return list(waiting.order_by("next_try_at")[:MOST_AT_ONCE])


def find_picture(letter: GuestLetter) -> MediaObject | None:
    """The picture, if whoever has its link may see it now."""
    return select_live_results().filter(job_id=letter.job_id).first()


def mark_sent(letter_id: uuid.UUID, now: datetime) -> None:
    """The address itself is not needed any more."""
    rows = GuestLetter.objects.filter(pk=letter_id)
    rows.update(status=Status.SENT, sent_at=now, address="", last_error="")
    log.info("slots.letter.sent", letter=str(letter_id))


def mark_failed(letter_id: uuid.UUID, reason: str, now: datetime, *, is_final: bool) -> None:
    """To be tried again, later each time; given up after a day, or when no try can help."""
    letter = GuestLetter.objects.filter(pk=letter_id, status=Status.WAITING).first()
    if letter is None:
        return
    letter.attempts += 1
    letter.last_error = reason[:300]
    pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(letter.attempts - 1, 10))
    letter.next_try_at = now + timedelta(seconds=pause_s)
    if is_final or now - letter.created_at >= GIVE_UP_AFTER:
        letter.status, letter.address = Status.FAILED, ""
    letter.save(update_fields=["attempts", "last_error", "next_try_at", "status", "address"])
    log.warning(
        "slots.letter.send_failed",
        letter=str(letter_id),
        attempts=letter.attempts,
        is_final=letter.status == Status.FAILED,
        reason=letter.last_error,
    )


def drop_letter(letter_id: uuid.UUID) -> None:
    """Its picture is gone, so it will never be sent."""
    waiting = GuestLetter.objects.filter(pk=letter_id, status=Status.WAITING)
    waiting.update(status=Status.DROPPED, **ERASED)


def try_again(letter_id: uuid.UUID) -> bool:
    """Now, whatever its pause. False for one that does not wait."""
    waiting = GuestLetter.objects.filter(pk=letter_id, status=Status.WAITING)
    return bool(waiting.update(next_try_at=clock.now()))


def forget_letters(event_id: int | None = None) -> int:
    """Addresses of whose picture is gone, and sources after an hour; returns how many letters.

    ``event_id``: of that event, all of them. May be killed anywhere.
    """
    is_live = Exists(select_live_results().filter(job_id=OuterRef("job_id")))
    with_traces = GuestLetter.objects.filter(~Q(address_hash="") | ~Q(address=""))
    found = with_traces.exclude(is_live) if event_id is None else with_traces
    found = found if event_id is None else found.filter(event_id=event_id)
    gone = list(found.values_list("pk", flat=True))
    rows = GuestLetter.objects.filter(pk__in=gone)
    rows.filter(status=Status.WAITING).update(status=Status.DROPPED)
    forgotten = rows.update(last_error="", **ERASED)
    old = GuestLetter.objects.filter(created_at__lt=clock.now() - SOURCE_WINDOW)
    old.exclude(source_hash="").update(source_hash="")
    return forgotten


def count_by_status(letters: QuerySet[GuestLetter]) -> dict[str, int]:
    """One query; every status has a number."""
    found = letters.order_by().values_list("status").annotate(count=Count("pk"))
    return dict.fromkeys(Status.values, 0) | dict(found)
