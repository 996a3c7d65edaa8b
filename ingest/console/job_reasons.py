"""Why photos failed in the time that the log shows: the reasons there are, with their counts."""

from datetime import datetime, timedelta

from django.db.models import Count

from ingest.console.messages import get_failure_sentence
from ingest.models import Job
from photochanger.errors import Interrupted

COUNTED = timedelta(days=7)  # where the log shows no shorter time; an index holds all it takes


def count_reasons(
    now: datetime, since: datetime | None = None, until: datetime | None = None
) -> dict[str, int]:
    """The most frequent first. Two queries; a dead row counts as interrupted, as for all."""
    jobs = Job.objects.filter(started_at__gte=since or now - COUNTED).order_by()
    if until:
        jobs = jobs.filter(started_at__lt=until)
    failed = jobs.filter(status__in=[Job.Status.TIMEOUT, Job.Status.FAILED])
    found = dict(failed.values_list("failure_reason").annotate(count=Count("pk")))
    if dead := jobs.filter(status=Job.Status.PROCESSING, deadline__lt=now).count():
        found[Interrupted.reason] = found.get(Interrupted.reason, 0) + dead
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def list_choices(counts: dict[str, int], chosen: str) -> list[tuple[str, str]]:
    """For a list to choose from; what is chosen stays in it also when it no longer occurs."""
    named = counts if chosen in counts or not chosen else counts | {chosen: 0}
    return [(word, f"{get_failure_sentence(word)} ({count})") for word, count in named.items()]
