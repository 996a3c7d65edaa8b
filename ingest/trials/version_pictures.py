"""What each version of a slot has made: the last result of a booth, else a kept test's."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db.models import Max

from ingest.models import Job
from ingest.trials.records import list_trials
from media.services import select_live_results
from slots.history.records import Record

RECIPE = ("provider", "operation", "settings")


def find_version_pictures(slot_id: str, records: Sequence[Record]) -> dict[int, UUID]:
    """By version; at most five queries. A test was made before its recipe was saved: it belongs to
    the versions that have that very recipe."""
    return dict(_iter_tests(slot_id, records)) | _find_results(slot_id, records)


def _iter_tests(slot_id: str, records: Sequence[Record]) -> Iterator[tuple[int, UUID]]:
    tests = [one for one in list_trials(slot_id) if one.has_picture]
    for record in records:
        recipe = [record.now.get(name) for name in RECIPE]
        same = [t for t in tests if [getattr(t.record, name) for name in RECIPE] == recipe]
        if record.version is not None and same:
            yield record.version, same[0].record.job_id


def _find_results(slot_id: str, records: Sequence[Record]) -> dict[int, UUID]:
    live = select_live_results().filter(slot_id=slot_id, is_listed=True).values("job_id")
    made = Job.objects.filter(
        slot_id=slot_id,
        slot_version__in=[record.version for record in records if record.version],
        source=Job.Source.INGEST,
        reserve=0,  # a reserve's picture shows another recipe
        pk__in=live,
    )
    lasts = [row["last"] for row in made.values("slot_version").annotate(last=Max("started_at"))]
    newest = made.filter(started_at__in=lasts).order_by("started_at")
    return dict(newest.values_list("slot_version", "pk"))
