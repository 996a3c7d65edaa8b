"""Forget what in a photo's row could tell of a person, once nobody needs it any more.

The rest of the row is history: when, how long, what came of it. The schedule is in
``spec/privacy.md``.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils.dateparse import parse_datetime

from ingest.models import Job
from media.services import select_live_results
from photochanger.db import clock
from slots.setting_rows import load_fact, replace_fact

KEPT_FOR = timedelta(days=30)
DONE_UNTIL = "privacy.forgotten_until"
FORGOTTEN = {
    **{"photo_sha256": "", "idempotency_key": "", "booth_id": "", "booth_name": ""},
    "replay_key": None,
}
# Of a photo without a picture: so long an operator may look at what its guest had typed.
TEXTS_KEPT_FOR = timedelta(hours=1)
BATCH = 2000
# Rows are found by when they began; what comes from a clock that is wrong is found the next time.
OVERLAP = timedelta(days=2)


def forget_people() -> int:
    """Hashes of photos, keys and names of booths; returns how many rows. May be killed anywhere."""
    until = clock.now() - KEPT_FOR
    rows = Job.objects.filter(started_at__lt=until).exclude(photo_sha256="")
    if since := _load_progress():
        rows = rows.filter(started_at__gte=since - OVERLAP)
    forgotten = 0
    while keys := list(rows.order_by("started_at").values_list("pk", flat=True)[:BATCH]):
        forgotten += Job.objects.filter(pk__in=keys).update(**FORGOTTEN)
    replace_fact(DONE_UNTIL, {"at": until.isoformat()})
    return forgotten


def forget_guest_texts() -> int:
    """What guests typed goes with its picture; returns how many rows. May be killed anywhere."""
    has_result = Exists(select_live_results().filter(job_id=OuterRef("pk")))
    rows = Job.objects.filter(
        guest_texts__isnull=False, started_at__lt=clock.now() - TEXTS_KEPT_FOR
    ).exclude(has_result)
    forgotten = 0
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        forgotten += Job.objects.filter(pk__in=keys).update(guest_texts=None)
    return forgotten


def _load_progress() -> datetime | None:
    stored = load_fact(DONE_UNTIL)
    return parse_datetime(stored["at"]) if stored else None
