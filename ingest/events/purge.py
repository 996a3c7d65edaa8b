"""Delete what is personal of a closed event; what stays is counts, and the proof of what went.

May be killed anywhere and run again: of each batch files go first, then one transaction marks
their rows and adds to the counts. Cleanup finishes what was left, and purges again what a restore
brings back.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_noop

from ingest.events.personal import (
    delete_captured,
    delete_refused_captures,
    delete_trials,
    empty_jobs,
    empty_refusals,
    iterate_jobs,
)
from ingest.events.steps import run_purge_steps
from ingest.models import Job
from ingest.pipeline.closing import CLOSED_AFTER
from ingest.pipeline.late_closings import settle_stored
from media import storage
from media.deletion import expire_rows, try_remove_file
from media.erasure.held import iter_held_rows
from media.erasure.tombstones import list_deletions, name_event, record_purge
from media.models import MediaObject
from photochanger.db import clock
from slots.events.logos import delete_unused_logo
from slots.events.models import Event, EventPurge, EventTemplate
from slots.events.recipes import forget_recipe
from slots.events.running import close_event, lock_event
from slots.events.trail import rename_in_trail, was_made_before, write_event_entry

log = structlog.get_logger()

ENTRY = gettext_noop("purge of the event")
RESTORED = "manage.py cleanup_media"  # who, when a restored database has brought an event back
PHOTOS, REQUESTS, TRIALS, BYTES = "photos", "requests", "trials", "bytes"


def count_unsettled(event: Event) -> int:
    """Photos that are still in work, or were a minute ago: until then nothing is purged."""
    since = clock.now() - CLOSED_AFTER
    jobs = Job.objects.filter(event=event, status=Job.Status.PROCESSING, deadline__gte=since)
    return jobs.count()


def purge_event(
    event_id: int, *, by: str, name: str = "", with_recipes: bool = False
) -> EventPurge | None:
    """Everything that is personal, for good; None for an event that is not over.

    ``name``: what it is called from now on. ``with_recipes``: with the logo and the template
    pictures that nothing else uses. Unfinished when files could not be deleted: the log names
    them, and cleanup tries again. Blocking. Raises OSError, StorageError, then it is unfinished.
    """
    purge = _open_purge(event_id, by=by, name=name, with_recipes=with_recipes)
    return None if purge is None else _run(purge)


@transaction.atomic
def _open_purge(event_id: int, *, by: str, name: str, with_recipes: bool) -> EventPurge | None:
    """One that was killed goes on. What people have typed about the event goes at once."""
    event = lock_event(event_id)
    if event.closed_at is None or count_unsettled(event):
        return None
    event.name, event.public_title, event.note = name or event.name, "", ""
    event.save(update_fields=["name", "public_title", "note"])
    rename_in_trail(event)
    purge = event.purges.filter(finished_at__isnull=True).first()
    if purge is None:
        purge = EventPurge(event=event, by=by, began_at=clock.now())
    purge.with_pictures_of_recipe |= with_recipes
    purge.save()
    return purge


def _run(purge: EventPurge) -> EventPurge:
    event = purge.event
    _purge_the_rest(purge)  # addresses and names go whatever the disk does
    record_purge(name_event(event.pk))  # before any file: no restored row brings anything back
    settle_stored()
    _remove_held(event)
    failed = sum(_purge_batch(purge, batch) for batch in iterate_jobs(event))
    _purge_the_rest(purge)  # what has come meanwhile
    if failed == 0:
        _finish(purge)
    purge.refresh_from_db()
    level = log.warning if failed else log.info
    level("ingest.event.purged", event_id=event.pk, by=purge.by, failed=failed, **purge.counts)
    return purge


def _remove_held(event: Event) -> None:
    """What guests have deleted, and an operator could bring back for an hour."""
    held = dict(iter_held_rows())
    theirs = MediaObject.objects.filter(pk__in=held, event_id=event.pk)
    for key in theirs.values_list("pk", flat=True):
        storage.remove(held[key])


def _purge_batch(purge: EventPurge, jobs: list[Job]) -> int:
    """Returns how many files could not be deleted."""
    ids = [job.pk for job in jobs]
    files = MediaObject.objects.filter(job_id__in=ids)
    expire_rows(files.filter(cleaned_at__isnull=True))
    kept = list(files.filter(cleaned_at__isnull=True))
    gone = [media for media in kept if try_remove_file(media)]
    for job in jobs:
        if job.is_overdue():  # its process died: perhaps between the file and its row
            _remove_orphans(job)
    with transaction.atomic():
        counts = _mark_gone([media.pk for media in gone])
        files.filter(cleaned_at__isnull=False).exclude(sha256="").update(sha256="")
        counts[PHOTOS] += empty_jobs(ids)
        counts[REQUESTS] += delete_captured(ids)
        counts[TRIALS] += delete_trials(ids)
        _add_to_proof(purge, counts)
    return len(kept) - len(gone)


def _remove_orphans(job: Job) -> None:
    for file in list(storage.iter_files(f"results/{job.slot_id}/{job.pk}/")):
        storage.remove(file.path)


def _mark_gone(ids: list[UUID]) -> Counter[str]:
    """Counted by kind, each once, whoever else deletes at this moment."""
    rows = MediaObject.objects.filter(pk__in=ids, cleaned_at__isnull=True)
    ours = list(rows.order_by("pk").select_for_update(no_key=True))
    MediaObject.objects.filter(pk__in=[media.pk for media in ours]).update(
        cleaned_at=clock.now(), sha256=""
    )
    counts = Counter(str(media.kind) for media in ours)
    counts[BYTES] = sum(media.size_bytes for media in ours)
    return counts


def _add_to_proof(purge: EventPurge, counts: Counter[str]) -> None:
    """In the transaction that makes it true."""
    if counts := +counts:
        row = EventPurge.objects.select_for_update(no_key=True).get(pk=purge.pk)
        row.counts = dict(Counter(row.counts) + counts)
        row.save(update_fields=["counts"])


@transaction.atomic
def _purge_the_rest(purge: EventPurge) -> None:
    """What hangs on no photo: requests that were refused, the recipes, what rooms above keep."""
    event = purge.event
    counts = run_purge_steps(event)
    counts[REQUESTS] += empty_refusals(event)
    counts[REQUESTS] += delete_refused_captures(event)
    if purge.with_pictures_of_recipe:
        counts += _drop_recipes(event)
    _add_to_proof(purge, counts)


def _drop_recipes(event: Event) -> Counter[str]:
    pictures = EventTemplate.objects.filter(event_slot__event=event).values("media_object")
    kept = MediaObject.objects.filter(cleaned_at__isnull=True)
    used = kept.filter(pk__in=list(pictures.values_list("media_object", flat=True)))
    for link in event.event_slots.all():
        forget_recipe(link)
    unused = used.filter(slottemplatemedia__isnull=True, event_templates__isnull=True)
    counts = Counter({str(MediaObject.Kind.TEMPLATE): unused.count()})
    if (logo := event.logo) is not None:
        Event.objects.filter(pk=event.pk).update(logo=None)
        counts[str(logo.kind)] += delete_unused_logo(logo)
    return counts


@transaction.atomic
def _finish(purge: EventPurge) -> None:
    """Of two that run it at once, one."""
    now = clock.now()
    unfinished = EventPurge.objects.filter(pk=purge.pk, finished_at__isnull=True)
    if not unfinished.update(finished_at=now):
        return
    Event.objects.filter(pk=purge.event_id, purged_at__isnull=True).update(purged_at=now)
    write_event_entry(purge.event, ENTRY, by=purge.by)


def finish_purges() -> None:
    """Go on with those that were killed; purge again what came late, or out of a backup.

    Raises StorageError, OSError when the list of purges cannot be read.
    """
    for purge in EventPurge.objects.filter(finished_at__isnull=True).select_related("event"):
        with _go_on_after_failure(purge.event_id):
            _run(purge)
    live = MediaObject.objects.filter(kind=MediaObject.Kind.RESULT, cleaned_at__isnull=True)
    purged = Event.objects.filter(purged_at__isnull=False)
    late = live.filter(event_id__in=purged.values("pk")).values_list("event_id", flat=True)
    for event_id in {*late.order_by(), *_list_restored()}:
        if event_id is not None:
            with _go_on_after_failure(event_id):
                _begin_as_planned(event_id)
                close_event(event_id, by=RESTORED, switches_off=False)
                purge_event(event_id, by=RESTORED)


@contextmanager
def _go_on_after_failure(event_id: int) -> Iterator[None]:
    try:
        yield
    except Exception:  # the other events are purged all the same; the next cleanup tries again
        log.exception("ingest.event.purge_failed", event_id=event_id)


@transaction.atomic
def _begin_as_planned(event_id: int) -> None:
    """A restored database may be of before its start: when that was, only the plan tells."""
    planned = Event.objects.filter(pk=event_id, started_at__isnull=True)
    planned.update(started_at=F("starts_at"))


def _list_restored() -> list[int]:
    """Events that were purged once, and of which a restored database knows nothing of that: also
    of a time when they were only planned. Of a newer one with the same number nothing is told:
    it was made after that purge."""
    _jobs, purges = list_deletions()
    found: list[int] = []
    for whose, at in purges:
        event_id = whose.removeprefix("event-")
        if event_id != whose and event_id.isdecimal():
            event = Event.objects.filter(pk=event_id, purged_at__isnull=True).first()
            if event is not None and _is_older(event, at):
                found.append(event.pk)
    return found


def _is_older(event: Event, at: datetime) -> bool:
    return event.started_at < at if event.started_at else was_made_before(event, at)
