"""What somebody decides on a picture, and what is to be decided on."""

import uuid
from collections.abc import Collection, Iterable
from typing import Literal

import structlog
from django.db.models import Count, Q, QuerySet

from media.deletion import delete_result, undo_deletion
from media.erasure.held import HELD_FOR, find_held
from media.models import MediaObject
from media.services import select_listed_results, select_live_results
from photochanger.db import clock
from photochanger.errors import ResultExpired, ResultNotFound
from slots.approval.scope import Scope, limit_to_events
from slots.gallery.modes import SHOWN
from slots.models import Slot

log = structlog.get_logger()

Review = MediaObject.Review
Decision = Literal["approve", "hide", "delete", "restore"]
PER_PAGE = 12
# What looks safe is on show by itself, or waits like the rest: each slot decides.
SAFE_IS_SHOWN = [name for name, shown in SHOWN.items() if Review.SAFE in shown]
SAFE_WAITS = [name for name, shown in SHOWN.items() if Review.SAFE not in shown]
REVIEWS = {"approve": Review.APPROVED, "hide": Review.HIDDEN}


def select_for_review(scope: Scope, review: str) -> QuerySet[MediaObject]:
    """Live pictures in one state: the oldest that wait first, else the newest."""
    wanted = Q(review=review)
    if review == Review.HIDDEN:
        wanted |= Q(review=Review.REMOVED)
    elif review == Review.APPROVED:
        wanted |= _looks_safe_where(SAFE_IS_SHOWN)
    else:
        wanted |= _looks_safe_where(SAFE_WAITS)
    found = scope.select(select_live_results()).filter(wanted)
    return found.order_by("created_at" if review == Review.NEW else "-created_at")


def _looks_safe_where(publishing: Collection[str]) -> Q:
    slots = Slot.objects.filter(publishing__in=publishing)
    return Q(review=Review.SAFE, slot_id__in=slots.values("pk"))


def count_waiting(slots: Iterable[Slot]) -> dict[str, int]:
    """How many pictures of each slot wait for a decision; slots without one are left out."""
    listed = list(slots)
    states = Q(review=Review.NEW) | _looks_safe_where(SAFE_WAITS)
    waiting = select_listed_results().filter(states, slot_id__in=[one.pk for one in listed])
    waiting = limit_to_events(waiting)
    counts = waiting.exclude(job_id=None).order_by().values("slot_id").annotate(count=Count("pk"))
    return {row["slot_id"]: row["count"] for row in counts}


def find_picture(scope: Scope, media_id: uuid.UUID) -> MediaObject:
    """Live or not. Raises ResultNotFound."""
    picture = scope.select(MediaObject.objects.filter(pk=media_id)).first()
    if picture is None:
        raise ResultNotFound(f"no such picture of {scope.key}")
    return picture


def decide(scope: Scope, media_id: uuid.UUID, decision: Decision, *, seen: str) -> bool:
    """Whether it is done; ``seen``: the state that the page showed.

    False: somebody else has hidden it since, and an older page does not put it on show. Raises
    ResultNotFound, ResultExpired, StorageError.
    """
    picture = find_picture(scope, media_id)
    assert picture.job_id is not None
    if decision == "restore":
        _restore(picture, picture.job_id)
    elif decision == "delete":
        delete_result(picture.job_id, by="approval", can_be_undone=True)
        MediaObject.objects.filter(pk=picture.pk).update(review=Review.REMOVED)
    elif not _set_review(picture, REVIEWS[decision], seen=seen):
        return False
    log.info("slots.approval.decided", scope=scope.key, media=str(media_id), decision=decision)
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


def list_deleted(scope: Scope) -> list[MediaObject]:
    """Pictures that were deleted here and can still come back, newest first."""
    since = clock.now() - HELD_FOR
    deleted = MediaObject.objects.filter(review=Review.REMOVED, cleaned_at__gt=since)
    newest = scope.select(deleted).order_by("-cleaned_at")[:PER_PAGE]
    return [picture for picture in newest if find_held(picture)]
