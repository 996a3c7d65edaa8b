"""What an event's client wants to know: counts alone, which stay when the event is purged."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from ingest.models import Job
from media.faces.verdict import Verdict
from media.models import DownloadCount
from slots.letters.models import GuestLetter
from slots.models import Event, Slot
from stats.faces import JUDGED
from stats.outcomes import BOOTH, DONE, Outcomes, Timings
from stats.series import Point, load_counts_by_interval

QUARTER_S = 15 * 60
BUSIEST = 5
MOST_BARS = 200  # of a plot; a longer event gets wider ones
LONGEST = timedelta(days=31)  # that is cut into quarters of an hour
STEPS_S = (QUARTER_S, 3600, 6 * 3600, 24 * 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One slot of the event, by its name of now."""

    title: str
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    starts_at: datetime
    ends_at: datetime
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFigures:
    """Of booths' photos alone: test runs are the operator's. None: nobody was counted."""

    photos: int
    pictures: int
    people: int | None
    kept_percent: float | None
    downloaded: int  # different pictures
    downloads: int
    letters: int
    cost_micros: int  # what the service has charged for them, as far as it is known
    probable_micros: int  # and perhaps for calls that broke off
    first_at: datetime | None
    last_at: datetime | None
    styles: list[Style]
    busiest: list[Quarter]
    points: list[Point]
    step_s: int

    @property
    def done_percent(self) -> float | None:
        return 100 * self.pictures / self.photos if self.photos else None

    @property
    def micros_per_picture(self) -> int | None:
        return self.cost_micros // self.pictures if self.pictures else None


def load_report_figures(event: Event) -> ReportFigures:
    """Six queries, by the event's own indexes."""
    jobs = Job.objects.filter(BOOTH, event=event).order_by()
    seen = jobs.aggregate(
        photos=Count("pk"),
        pictures=Count("pk", filter=DONE),
        people=Sum("people_in", filter=DONE),
        judged=Count("pk", filter=JUDGED),
        kept=Count("pk", filter=Q(faces=Verdict.KEPT)),
        first_at=Min("started_at"),
        last_at=Max("started_at"),
        cost_micros=Sum("cost_micros"),
        probable_micros=Sum("probable_micros"),
    )
    downloads = DownloadCount.objects.filter(event_id=event.pk, count__gt=0)
    fetched = downloads.aggregate(pictures=Count("pk"), times=Sum("count"))
    sent = GuestLetter.objects.filter(event_id=event.pk, status=GuestLetter.Status.SENT)
    quarters = _load_quarters(jobs, seen["first_at"], seen["last_at"])
    step_s = _choose_step(quarters)
    return ReportFigures(
        photos=seen["photos"],
        pictures=seen["pictures"],
        people=seen["people"],
        kept_percent=100 * seen["kept"] / seen["judged"] if seen["judged"] else None,
        downloaded=fetched["pictures"],
        downloads=fetched["times"] or 0,
        letters=sent.count(),
        cost_micros=seen["cost_micros"] or 0,
        probable_micros=seen["probable_micros"] or 0,
        first_at=seen["first_at"],
        last_at=seen["last_at"],
        styles=_load_styles(jobs),
        busiest=_find_busiest(quarters),
        points=_join_points(quarters, step_s),
        step_s=step_s,
    )


def _load_styles(jobs: QuerySet[Job]) -> list[Style]:
    """Two queries; the most popular first."""
    rows = jobs.filter(DONE).values_list("slot_id").annotate(pictures=Count("pk"))
    found = dict(rows)
    styles = [
        Style(title=str(slot), pictures=found[slot.pk])
        for slot in Slot.objects.filter(pk__in=found).only("pk", "display_name")
    ]
    return sorted(styles, key=lambda style: -style.pictures)


def _load_quarters(
    jobs: QuerySet[Job], first_at: datetime | None, last_at: datetime | None
) -> list[Point]:
    """From the first photo to the last; those without a photo are there too. One query."""
    if first_at is None or last_at is None:
        return []
    since = max(first_at, last_at - LONGEST)
    counts = load_counts_by_interval(jobs.filter(DONE), since, last_at, QUARTER_S)
    return [_make_point(at, count) for at, count in counts]


def _make_point(starts_at: datetime, pictures: int) -> Point:
    outcomes = Outcomes(jobs=pictures, done=pictures)
    return Point(starts_at=starts_at, outcomes=outcomes, timings=Timings())


def _find_busiest(quarters: list[Point]) -> list[Quarter]:
    """In the order of their number, the earlier first of equal ones."""
    ranked = sorted(quarters, key=lambda point: (-point.outcomes.done, point.starts_at))
    return [
        Quarter(
            starts_at=point.starts_at,
            ends_at=point.starts_at + timedelta(seconds=QUARTER_S),
            pictures=point.outcomes.done,
        )
        for point in ranked[:BUSIEST]
        if point.outcomes.done
    ]


def _choose_step(quarters: list[Point]) -> int:
    span_s = len(quarters) * QUARTER_S
    return next((step for step in STEPS_S if span_s <= step * MOST_BARS), STEPS_S[-1])


def _join_points(quarters: list[Point], step_s: int) -> list[Point]:
    """Wider bars for a long event; each begins where its first quarter does."""
    size = step_s // QUARTER_S
    return [
        _make_point(part[0].starts_at, sum(point.outcomes.done for point in part))
        for part in (quarters[n : n + size] for n in range(0, len(quarters), size))
    ]
