"""What somebody decides on a picture, and what is to be decided on."""

import uuid
from collections.abc import Iterable
from typing import Literal

import structlog
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from media.deletion import delete_result, undo_deletion
from media.erasure.held import HELD_FOR, find_held
from media.models import MediaObject
from media.services import select_listed_results
from photochanger.db import clock
from photochanger.errors import ResultExpired, ResultNotFound
from slots.gallery.modes import SHOWN
from slots.models import Slot

log = structlog.get_logger()

Review = MediaObject.Review
Decision = Literal["approve", "hide", "delete", "restore"]
PER_PAGE = 12
REVIEWS = {"approve": Review.APPROVED, "hide": Review.HIDDEN}


def select_for_review(slot_id: str, review: str, *, publishing: str) -> QuerySet[MediaObject]:
    """Live pictures of a slot in one state: the oldest that wait first, else the newest.

    While the slot works for an event, only that event's.
    """
    states = [Review.HIDDEN, Review.REMOVED] if review == Review.HIDDEN else [Review(review)]
    if review == (Review.APPROVED if Review.SAFE in SHOWN[publishing] else Review.NEW):
        states.append(Review.SAFE)
    found = select_listed_results(slot_id).filter(job_id__isnull=False, review__in=states)
    found = _limit_to_events(found)
    return found.order_by("created_at" if review == Review.NEW else "-created_at")


def _limit_to_events(results: QuerySet[MediaObject]) -> QuerySet[MediaObject]:
    """Where a slot works for an event, to those of that event."""
    working = Slot.objects.filter(pk=OuterRef("slot_id"), event__isnull=False)
    return results.filter(~Exists(working) | Q(event_id=Subquery(working.values("event_id"))))


def count_waiting(slots: Iterable[Slot]) -> dict[str, int]:
    """How many pictures of each slot wait for a decision; slots without one are left out."""
    listed = list(slots)
    strict = [one.pk for one in listed if Review.SAFE not in SHOWN[one.publishing]]
    states = Q(review=Review.NEW) | Q(review=Review.SAFE, slot_id__in=strict)
    waiting = select_listed_results().filter(states, slot_id__in=[one.pk for one in listed])
    waiting = _limit_to_events(waiting)
    counts = waiting.exclude(job_id=None).order_by().values("slot_id").annotate(count=Count("pk"))
    return {row["slot_id"]: row["count"] for row in counts}


def find_picture(slot_id: str, media_id: uuid.UUID) -> MediaObject:
    """A result of this slot, live or not. Raises ResultNotFound."""
    kind = MediaObject.Kind.RESULT
    found = MediaObject.objects.filter(pk=media_id, slot_id=slot_id, kind=kind, is_listed=True)
    picture = found.filter(job_id__isnull=False).first()
    if picture is None:
        raise ResultNotFound("no such picture in this slot")
    return picture


def decide(slot_id: str, media_id: uuid.UUID, decision: Decision, *, seen: str) -> bool:
    """Whether it is done; ``seen``: the state that the page showed.

    False: somebody else has hidden it since, and an older page does not put it on show. Raises
    ResultNotFound, ResultExpired, StorageError.
    """
    picture = find_picture(slot_id, media_id)
    assert picture.job_id is not None
    if decision == "restore":
        _restore(picture, picture.job_id)
    elif decision == "delete":
        delete_result(picture.job_id, by="approval", can_be_undone=True)
        MediaObject.objects.filter(pk=picture.pk).update(review=Review.REMOVED)
    elif not _set_review(picture, REVIEWS[decision], seen=seen):
        return False
    log.info("slots.approval.decided", slot=slot_id, media=str(media_id), decision=decision)
    return True


def _restore(picture: MediaObject, job_id: uuid.UUID) -> None:
    """Not on show: it is to be looked at once more. What its guest has deleted is not ours."""
    if picture.review != Review.REMOVED:
        raise ResultExpired("its guest has deleted it")
    undo_deletion(job_id, by="approval")
    MediaObject.objects.filter(pk=picture.pk).update(review=Review.HIDDEN)


def _set_review(picture: MediaObject, review: str, *, seen: str) -> bool:
    """One statement, so that of two at once none is lost; hiding wins in either order."""
    live = select_listed_results(picture.slot_id).filter(pk=picture.pk).order_by()
    as_seen = live if review == Review.HIDDEN else live.filter(review__in={seen, review})
    if as_seen.update(review=review):
        return True
    if not live.exists():
        raise ResultExpired("it was deleted meanwhile")
    return False


def list_deleted(slot_id: str) -> list[MediaObject]:
    """Pictures that were deleted here and can still come back, newest first."""
    since = clock.now() - HELD_FOR
    deleted = MediaObject.objects.filter(
        slot_id=slot_id, kind=MediaObject.Kind.RESULT, review=Review.REMOVED, cleaned_at__gt=since
    )
    newest = deleted.order_by("-cleaned_at")[:PER_PAGE]
    return [picture for picture in newest if find_held(picture)]
