"""What is wrong at each slot and at the links that none has, with cause and remedy in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ingest.refusals.causes import Page, find_cause, get_title
from ingest.refusals.queries import RefusalGroup
from photochanger.errors import ClientGone
from slots.models import Slot
from slots.services import is_complete
from stats.now.last_photos import Fate, LastPhoto, LastPhotos
from stats.now.sources import describe_source

NOT_KEPT, ON_RESERVE, PEOPLE_CHANGED = "not_kept", "on_reserve", "people_changed"
BOOTH_MARGIN_S = 10  # how much longer than the slot a booth should wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """``slot_id`` is empty for what belongs to no slot. ``word`` is the cause's."""

    word: str
    title: str
    facts: str  # how often, from whom
    remedy: str
    page: Page
    is_grave: bool
    slot_id: str = ""
    at: datetime | None = None
    job_id: str = ""


def find_problems(
    slot: Slot, photos: LastPhotos, refusals: Iterable[RefusalGroup], *, wait_s: int
) -> list[Problem]:
    """Of one slot, the worst first; ``refusals`` are the recent ones of its link."""
    found = [
        *_find_incomplete(slot),
        *_find_absent_service(slot),
        *(describe_refusal(group, wait_s=wait_s) for group in refusals if not group.is_over),
        *_find_lost_photos(slot, photos, wait_s),
        *_find_changed_people(slot, photos),
    ]
    return sorted(found, key=lambda problem: not problem.is_grave)


def _find_incomplete(slot: Slot) -> list[Problem]:
    if not slot.is_active or is_complete(slot):
        return []
    incomplete = Problem(
        word="incomplete",
        title=_("The slot is switched on and not set up completely"),
        facts="",
        remedy=_("Open the slot and fill in what is marked."),
        page=Page.SLOT,
        is_grave=True,
        slot_id=slot.pk,
    )
    return [incomplete]


def _find_absent_service(slot: Slot) -> list[Problem]:
    """Its reserve works because it fails; whoever switched by hand knows that."""
    source = describe_source(slot) if slot.is_active else None
    if source is None or source.since is None or source.is_by_hand:
        return []
    words = {"count": source.failures, "at": f"{localtime(source.since):%H:%M}"}
    absent = Problem(
        word=ON_RESERVE,
        title=_("The main service failed %(count)s times; the reserve works since %(at)s") % words,
        facts=str(get_title(source.reason, of_photo=True)).rstrip("."),
        remedy=_("Guests get their pictures. The main service is tried again by itself."),
        page=find_cause(source.reason, of_photo=True).page,
        is_grave=False,
        slot_id=slot.pk,
        at=source.since,
    )
    return [absent]


def describe_refusal(group: RefusalGroup, *, wait_s: int) -> Problem:
    cause = group.cause
    is_hangup = group.word == ClientGone.reason and group.waited_s is not None
    return Problem(
        word=group.word,
        title=_describe_hangup(group.waited_s or 0) if is_hangup else str(group.title),
        facts=_describe_group(group),
        remedy=_advise_timeout(wait_s) if is_hangup else str(cause.remedy),
        page=cause.page,
        is_grave=cause.is_grave,
        slot_id=group.slot_asked if group.is_of_slot else "",
        at=group.last_at,
    )


def _describe_group(group: RefusalGroup) -> str:
    times = ngettext("%(count)s time", "%(count)s times", group.count) % {"count": group.count}
    link = "" if group.is_of_slot else f"«{group.slot_asked}»" if group.slot_asked else ""
    return ", ".join(part for part in (link, times, group.who) if part)


def _find_lost_photos(slot: Slot, photos: LastPhotos, wait_s: int) -> list[Problem]:
    """One for each reason among the photos that are judged, the newest first."""
    if not slot.is_active:
        return []
    by_reason: dict[str, list[LastPhoto]] = {NOT_KEPT: photos.unkept} if photos.unkept else {}
    for photo in photos.lost if photos.is_poor else ():
        by_reason.setdefault(photo.reason, []).append(photo)
    return [
        _describe_lost(
            slot, word, same, photos=photos, wait_s=wait_s if same[0].fate == Fate.GONE else None
        )
        for word, same in by_reason.items()
    ]


def _find_changed_people(slot: Slot, photos: LastPhotos) -> list[Problem]:
    wrong = photos.changed_people
    if not slot.is_active or not wrong:
        return []
    cause = find_cause(PEOPLE_CHANGED, of_photo=True)
    counts = {"wrong": len(wrong), "count": len(photos.seen)}
    changed = Problem(
        word=PEOPLE_CHANGED,
        title=str(cause.title),
        facts=_("%(wrong)s of the last %(count)s pictures") % counts,
        remedy=str(cause.remedy),
        page=cause.page,
        is_grave=False,
        slot_id=slot.pk,
        at=wrong[0].started_at,
        job_id=str(wrong[0].job_id),
    )
    return [changed]


def _describe_lost(
    slot: Slot, word: str, same: list[LastPhoto], *, photos: LastPhotos, wait_s: int | None
) -> Problem:
    """``wait_s``: of the slot, where the booth gave up."""
    cause = find_cause(word, of_photo=True)
    waited = [photo.duration_ms for photo in same if photo.duration_ms is not None]
    is_hangup = wait_s is not None and bool(waited)
    title = _describe_hangup(median(waited) / 1000) if is_hangup else ""
    facts = _("%(lost)s of the last %(count)s photos") % {
        "lost": len(same),
        "count": len(photos.judged),
    }
    who = {photo.booth_name for photo in same if photo.booth_name}
    return Problem(
        word=word,
        title=title or str(get_title(word, of_photo=True)).rstrip("."),
        facts=", ".join([facts, *who] if len(who) == 1 else [facts]),
        remedy=_advise_timeout(wait_s) if is_hangup else str(cause.remedy),
        page=cause.page,
        is_grave=photos.is_bad or word == NOT_KEPT,
        slot_id=slot.pk,
        at=same[0].started_at,
        job_id=str(same[0].job_id),
    )


def _describe_hangup(waited_s: float) -> str:
    return _("The booth gave up after %(waited)s s") % {"waited": max(1, round(waited_s))}


def _advise_timeout(wait_s: int | None) -> str:
    return _("Set the time-out in the booth to %(seconds)s s.") % {
        "seconds": (wait_s or 0) + BOOTH_MARGIN_S
    }
