"""Letters that wait: which are due, what has come of them, and what is forgotten when."""

import uuid
from datetime import datetime, timedelta

import structlog
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Value, When

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
TOO_OLD = "given up: it could not be sent within a day"
ERASED = {
    **{"address": "", "address_hash": "", "shown_as": "", "source_hash": ""},
    **{"last_error": ""},  # the mail server's words
}


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
    """To be tried again, later each time; given up after a day, or when no try can help. Nothing
    for one that waits no more: it was dropped, or its event purged, while it was on its way."""
    waiting = GuestLetter.objects.filter(pk=letter_id, status=Status.WAITING)
    letter = waiting.first()
    if letter is None:
        return
    pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(letter.attempts, 10))
    is_over = is_final or now - letter.created_at >= GIVE_UP_AFTER
    end = {"status": Status.FAILED, "address": ""} if is_over else {}
    is_written = waiting.update(
        attempts=letter.attempts + 1,
        last_error=reason[:300],
        next_try_at=now + timedelta(seconds=pause_s),
        **end,
    )
    if is_written:
        log.warning(
            "slots.letter.send_failed",
            letter=str(letter_id),
            attempts=letter.attempts + 1,
            is_final=is_over,
            reason=reason[:300],
        )


def give_up_old(now: datetime) -> int:
    """Also while there is no mail server, and nothing is tried; returns how many."""
    old = GuestLetter.objects.filter(status=Status.WAITING, created_at__lte=now - GIVE_UP_AFTER)
    words = Case(When(last_error="", then=Value(TOO_OLD)), default=F("last_error"))
    return old.update(status=Status.FAILED, address="", last_error=words)


def drop_letter(letter_id: uuid.UUID) -> None:
    """Its picture is gone, so it will never be sent."""
    waiting = GuestLetter.objects.filter(pk=letter_id, status=Status.WAITING)
    waiting.update(status=Status.DROPPED, **ERASED)


def try_again(letter_id: uuid.UUID) -> bool:
    """Now, whatever its pause. False for one that does not wait."""
    waiting = GuestLetter.objects.filter(pk=letter_id, status=Status.WAITING)
    return bool(waiting.update(next_try_at=clock.now()))


def forget_letters(event_id: int | None = None) -> int:
    """Addresses of whose picture is gone, of what has waited for a day, and sources after an hour;
    returns how many letters. ``event_id``: of that event, all of them. May be killed anywhere.
    """
    give_up_old(clock.now())
    is_live = Exists(select_live_results().filter(job_id=OuterRef("job_id")))
    with_traces = GuestLetter.objects.filter(~Q(address_hash="") | ~Q(address=""))
    found = with_traces.exclude(is_live) if event_id is None else with_traces
    found = found if event_id is None else found.filter(event_id=event_id)
    gone = list(found.values_list("pk", flat=True))
    rows = GuestLetter.objects.filter(pk__in=gone)
    rows.filter(status=Status.WAITING).update(status=Status.DROPPED)
    forgotten = rows.update(**ERASED)
    old = GuestLetter.objects.filter(created_at__lt=clock.now() - SOURCE_WINDOW)
    old.exclude(source_hash="").update(source_hash="")
    return forgotten


def count_by_status(letters: QuerySet[GuestLetter]) -> dict[str, int]:
    """One query; every status has a number."""
    found = letters.order_by().values_list("status").annotate(count=Count("pk"))
    return dict.fromkeys(Status.values, 0) | dict(found)
