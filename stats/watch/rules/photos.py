"""Rules on the booths' last photos. One query for all of them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max, Q

from ingest.models import Job
from ingest.refusals.causes import BUSY, name_failure
from photochanger.errors import (
    ClientGone,
    Interrupted,
    ProviderAuth,
    ProviderNetwork,
    ProviderQuota,
    ProviderTimeout,
    ProviderUnavailable,
)
from slots.models import Event, Slot
from slots.platform_settings import load_platform_settings
from stats.models import Severity
from stats.outcomes import BOOTH, PROVIDER_REASONS
from stats.watch.findings import AlertSettings, Finding

LOOK_BACK = timedelta(hours=1)  # an older photo says nothing about now
SHARE_WINDOW, SHARE_OF = timedelta(minutes=15), 10
MOST_PHOTOS = 3000
GONE_IN_ROW = 3
# What a service does to all of its slots at once; the rest is a slot's own trouble.
OF_THE_SERVICE = {
    *(ProviderNetwork.reason, ProviderUnavailable.reason, ProviderTimeout.reason),
    *(ProviderQuota.reason, ProviderAuth.reason, BUSY),
}
BLOCKING = {"quota": ProviderQuota.reason, "key_refused": ProviderAuth.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """``reason`` is the failure's word (``name_failure``), "" for a picture that was made."""

    slot_id: str
    provider: str
    reason: str
    started_at: datetime
    waited_ms: int

    @property
    def is_gone(self) -> bool:
        return self.reason == ClientGone.reason


def find_in_photos(slots: list[Slot], limits: AlertSettings, now: datetime) -> list[Finding]:
    """Of slots that are switched on. Two queries."""
    photos = [photo for photo in _load_photos(now) if photo.slot_id in {s.pk for s in slots}]
    by_slot: dict[str, list[Photo]] = defaultdict(list)
    for photo in photos:  # newest first
        by_slot[photo.slot_id].append(photo)
    blocked = list(_find_blocked(photos))
    causes = {BLOCKING[found.rule]: found for found in blocked}
    failing = _select_failing(by_slot, limits, set(causes))
    uneven = _select_uneven(by_slot, limits, now, except_for={p.slot_id for p in failing})
    return [
        *blocked,
        *_group("failures_in_row", failing, by_slot),
        *_group("failed_share", uneven, by_slot),
        *_find_gone(slots, by_slot),
    ]


def _load_photos(now: datetime) -> Iterator[Photo]:
    """The last hour's that are over, newest first."""
    jobs = Job.objects.filter(BOOTH, started_at__gte=now - LOOK_BACK).order_by("-started_at")
    columns = ("slot_id", "provider", "status", "started_at", "deadline", "duration_ms")
    rows = jobs.values_list(*columns, "failure_reason", "failure_detail")
    for slot_id, provider, status, started_at, deadline, took_ms, reason, detail in rows[
        :MOST_PHOTOS
    ]:
        if status == Job.Status.PROCESSING:
            if now <= deadline:
                continue
            reason = Interrupted.reason
        elif status != Job.Status.DONE and not reason:
            reason = ProviderTimeout.reason
        yield Photo(
            slot_id=slot_id,
            provider=provider,
            reason="" if status == Job.Status.DONE else name_failure(reason, detail),
            started_at=started_at,
            waited_ms=took_ms or 0,
        )


def _find_blocked(photos: list[Photo]) -> Iterator[Finding]:
    """A service that refuses everything, for quota or for the key: one photo says it all."""
    for rule, reason in BLOCKING.items():
        for provider in sorted({photo.provider for photo in photos if photo.reason == reason}):
            newest = next(
                (p for p in photos if p.provider == provider and p.reason in ("", reason)), None
            )
            if newest and newest.reason == reason:
                facts = {"provider": provider, "slots": _list_slots(photos, provider, reason)}
                yield Finding(rule=rule, subject=provider, severity=Severity.CRITICAL, facts=facts)


def _list_slots(photos: list[Photo], provider: str, reason: str) -> list[str]:
    return sorted({p.slot_id for p in photos if p.provider == provider and p.reason == reason})


def _select_failing(
    by_slot: dict[str, list[Photo]], limits: AlertSettings, known: set[str]
) -> list[Photo]:
    """The newest photo of each slot whose last ones failed, unless a graver rule tells why."""
    found = []
    for photos in by_slot.values():
        last = [photo for photo in photos if not photo.is_gone][: limits.failures_in_row]
        if len(last) < limits.failures_in_row or not all(photo.reason for photo in last):
            continue
        if last[0].reason not in known:
            found.append(last[0])
    return found


def _select_uneven(
    by_slot: dict[str, list[Photo]],
    limits: AlertSettings,
    now: datetime,
    *,
    except_for: set[str],
) -> list[Photo]:
    """The newest failure of each slot that fails too often, and whose last photos are not good."""
    found = []
    for slot_id, photos in by_slot.items():
        recent = [p for p in photos if now - p.started_at <= SHARE_WINDOW and not p.is_gone]
        last = recent[:SHARE_OF]
        failed = [photo for photo in last if photo.reason]
        has_recovered = not any(photo.reason for photo in last[: limits.failures_in_row])
        if slot_id in except_for or len(last) < SHARE_OF or has_recovered:
            continue
        if 100 * len(failed) >= limits.failed_share_percent * len(last):
            found.append(failed[0])
    return found


def _group(rule: str, failures: list[Photo], by_slot: dict[str, list[Photo]]) -> Iterator[Finding]:
    """One finding for all slots that a service or this server fails: a storm has one cause."""
    groups: dict[str, list[Photo]] = defaultdict(list)
    for photo in failures:
        groups[_name_cause(photo)].append(photo)
    for subject, group in groups.items():
        newest = max(group, key=lambda photo: photo.started_at)
        counted = [
            photo
            for one in group
            for photo in [p for p in by_slot[one.slot_id] if not p.is_gone][:SHARE_OF]
        ]
        facts = {
            "slots": sorted(photo.slot_id for photo in group),
            "provider": newest.provider,
            "reason": newest.reason,
            "failed": sum(bool(photo.reason) for photo in counted),
            "photos": len(counted),
        }
        is_all = rule == "failures_in_row"
        severity = Severity.CRITICAL if is_all else Severity.WARNING
        yield Finding(rule=rule, subject=subject, severity=severity, facts=facts)


def _name_cause(photo: Photo) -> str:
    if photo.reason in OF_THE_SERVICE:
        return photo.provider
    return photo.slot_id if photo.reason in PROVIDER_REASONS else "server"


def _find_gone(slots: list[Slot], by_slot: dict[str, list[Photo]]) -> Iterator[Finding]:
    """A booth that hangs up on one photo after the other: its own time-out is too short."""
    wait_s = load_platform_settings().sync_response_seconds
    for slot in slots:
        last = by_slot.get(slot.pk, [])[:GONE_IN_ROW]
        if len(last) == GONE_IN_ROW and all(photo.is_gone for photo in last):
            facts = {
                "slots": [slot.pk],
                "waited_s": round(max(photo.waited_ms for photo in last) / 1000),
                "needed_s": slot.wait_s(wait_s) + 10,
            }
            yield Finding(
                rule="booth_gone", subject=slot.pk, severity=Severity.CRITICAL, facts=facts
            )


def find_silent_booths(
    slots: list[Slot], limits: AlertSettings, now: datetime
) -> Iterator[Finding]:
    """During an event: slots that took photos and have had none for a while.

    One query for each event that runs, and one for them.
    """
    silent = timedelta(minutes=limits.silent_minutes)
    for event in _list_running(slots, limits, now):
        jobs = Job.objects.filter(event.photos, BOOTH, started_at__gte=event.since).order_by()
        rows = jobs.values("slot_id").annotate(at=Max("started_at"))
        last = dict(rows.values_list("slot_id", "at"))
        for slot_id in event.slot_ids:
            at = last.get(slot_id)
            if at is not None and now - at > silent:
                yield _make_silence(slot_id, [slot_id], now - at)
        if not last and event.slot_ids and now - event.since > silent:
            yield _make_silence(event.subject, event.named, now - event.since)


@dataclass(frozen=True, slots=True)
class _Running:
    """A time in which the booths of some slots must not be silent."""

    since: datetime
    slot_ids: list[str]
    photos: Q = Q()
    subject: str = ""
    named: list[str] = field(default_factory=list)  # in the words of it; none: all of them


def _list_running(slots: list[Slot], limits: AlertSettings, now: datetime) -> Iterator[_Running]:
    """The time that stands among the limits, and the events that somebody has started."""
    if limits.is_event(now) and limits.event_from is not None:
        yield _Running(limits.event_from, [slot.pk for slot in slots if slot.event_id is None])
    ids = {slot.event_id for slot in slots if slot.event_id is not None}
    for event in Event.objects.filter(pk__in=ids, ends_at__gt=now) if ids else ():
        names = [slot.pk for slot in slots if slot.event_id == event.pk]
        if event.started_at is not None:
            photos = Q(event=event)
            yield _Running(event.started_at, names, photos, f"event-{event.pk}", names)


def _make_silence(subject: str, slot_ids: list[str], silence: timedelta) -> Finding:
    facts = {"slots": slot_ids, "minutes": round(silence.total_seconds() / 60)}
    return Finding(rule="booth_silent", subject=subject, severity=Severity.CRITICAL, facts=facts)
