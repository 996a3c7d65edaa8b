"""How the people of photos were kept: by slot, and for one slot by version and model."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Avg, F, Q

from ingest.faces.words import WRONG
from ingest.models import Attempt, Job
from media.faces.verdict import Verdict
from stats.outcomes import BOOTH, count_photos
from stats.percentiles import Percentile

MEASURED = ~Q(faces="")
# Of the others nothing can be said: there was nobody, or nobody could be found in a drawing.
JUDGED = Q(faces__in=[Verdict.KEPT, *WRONG])
SHOWN_PICTURES = 8
SHOWN_VERSIONS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFigures:
    """Of booths' photos whose people were looked at; shares and middles are None without any."""

    name: str  # a slot's id, or a version and a model
    measured: int
    judged: int
    kept: int
    likeness_p50: float | None
    people_mean: float | None

    @property
    def kept_percent(self) -> float | None:
        return 100 * self.kept / self.judged if self.judged else None


def load_figures_by_slot(
    since: datetime, *, until: datetime | None = None, event_id: int | None = None
) -> list[FaceFigures]:
    """Slots with measured photos, in their order. One query."""
    jobs = Job.objects.filter(BOOTH, MEASURED, _narrow(until, event_id), started_at__gte=since)
    rows = jobs.order_by("slot_id").values("slot_id").annotate(**_make_aggregates("source"))
    return [_make_figures(row, str(row["slot_id"])) for row in rows]


def load_figures_by_version(
    since: datetime, slot_id: str, *, until: datetime | None = None, event_id: int | None = None
) -> list[FaceFigures]:
    """A slot's versions and models, the newest first: two prompts compared by number. One query."""
    calls = Attempt.objects.filter(
        MEASURED, job__slot=slot_id, job__started_at__gte=since, job__source=Job.Source.INGEST
    ).filter(_narrow(until, event_id, of="job__"))
    rows = (
        calls.values("model", version=F("job__slot_version"))
        .annotate(**_make_aggregates("provider"))
        .order_by("-version", "model")
    )
    return [
        _make_figures(row, f"{row['version']} · {row['model']}") for row in rows[:SHOWN_VERSIONS]
    ]


def load_last_wrong(
    since: datetime,
    now: datetime,
    slot_id: str = "",
    *,
    until: datetime | None = None,
    event_id: int | None = None,
) -> list[Job]:
    """The last pictures whose people were not kept, and that can still be seen. One query."""
    jobs = Job.objects.filter(
        BOOTH, MEASURED, faces__in=WRONG, started_at__gte=since, result_expires_at__gt=now
    ).filter(_narrow(until, event_id))
    if slot_id:
        jobs = jobs.filter(slot=slot_id)
    return list(jobs.select_related("slot").order_by("-started_at")[:SHOWN_PICTURES])


def _narrow(until: datetime | None, event_id: int | None, *, of: str = "") -> Q:
    """``of``: how a job is reached from the row."""
    found = Q(**{f"{of}started_at__lte": until}) if until else Q()
    return found if event_id is None else found & Q(**{f"{of}event": event_id})


def _make_aggregates(never_null: str) -> dict[str, Any]:
    """``never_null``: a column to count by."""
    return {
        "measured": count_photos(Q(), by=never_null),
        "judged": count_photos(JUDGED, by=never_null),
        "kept": count_photos(Q(faces=Verdict.KEPT), by=never_null),
        "likeness_p50": Percentile("likeness", 0.5),
        "people_mean": Avg("people_in"),
    }


def _make_figures(row: Mapping[str, Any], name: str) -> FaceFigures:
    names = ("measured", "judged", "kept", "likeness_p50", "people_mean")
    return FaceFigures(name=name, **{key: row[key] for key in names})
