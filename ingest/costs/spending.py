"""The spending of slots, days and events, kept with each job that closes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from ingest.costs.models import Spending
from ingest.models import Job

AMOUNTS = ("photos", "pictures", "tests", "known_micros", "probable_micros", "unpriced_calls")
# By hand, as in admission: it runs for every photo, between its picture and the booth's answer.
ADD = f"""
    INSERT INTO spending (day, slot_id, event_number, {", ".join(AMOUNTS)})
    VALUES (%s, %s, %s{", %s" * len(AMOUNTS)})
    ON CONFLICT (day, slot_id, event_number) DO UPDATE SET
    {", ".join(f"{name} = spending.{name} + excluded.{name}" for name in AMOUNTS)}
"""  # noqa: S608  nothing but our own names


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Money in micro-dollars; ``pictures`` are of booths' ``photos``."""

    photos: int = 0
    pictures: int = 0
    tests: int = 0
    known_micros: int = 0
    probable_micros: int = 0
    unpriced_calls: int = 0

    @classmethod
    def of_job(cls, job: Job) -> "Amounts":
        """Of one that is closed."""
        is_guest = job.source == Job.Source.INGEST
        return cls(
            photos=int(is_guest),
            pictures=int(is_guest and job.status == Job.Status.DONE),
            tests=int(not is_guest),
            known_micros=job.cost_micros or 0,
            probable_micros=job.probable_micros,
            unpriced_calls=job.unpriced_calls,
        )

    @classmethod
    def add_up(cls, many: Iterable["Amounts"]) -> "Amounts":
        rows = list(many)
        return cls(**{name: sum(getattr(row, name) for row in rows) for name in AMOUNTS})

    def __sub__(self, other: "Amounts") -> "Amounts":
        return Amounts(**{name: getattr(self, name) - getattr(other, name) for name in AMOUNTS})


def choose_day(moment: datetime) -> date:
    """That a photo, or a call, of this moment is counted on: by the calendar of the server."""
    return timezone.localtime(moment).date()


def add_spending(job: Job, amounts: Amounts) -> None:
    """One query. In the transaction that closes the job, or changes what is known of its cost."""
    values = [getattr(amounts, name) for name in AMOUNTS]
    with connection.cursor() as cursor:
        place = (choose_day(job.started_at).isoformat(), job.slot_id, job.event_id or 0)
        cursor.execute(ADD, [*place, *values])


def add_spendings(changes: Iterable[tuple[Job, Amounts]]) -> None:
    """Of many jobs, in one order, so that two who do so wait for each other and not in a circle."""
    first: dict[tuple[date, str, int], Job] = {}
    by_place: dict[tuple[date, str, int], list[Amounts]] = {}
    for job, amounts in changes:
        place = choose_day(job.started_at), job.slot_id, job.event_id or 0
        first.setdefault(place, job)
        by_place.setdefault(place, []).append(amounts)
    for place in sorted(by_place):
        add_spending(first[place], Amounts.add_up(by_place[place]))


def load_days(since: date) -> list[tuple[date, Amounts]]:
    """Newest first; days without photos are left out. One query."""
    return _load("-day", since)


def load_slots(since: date) -> list[tuple[str, Amounts]]:
    """By their number. One query."""
    return _load("slot_id", since)


def load_events(since: date) -> list[tuple[int, Amounts]]:
    """By their number, newest first; without photos of no event. One query."""
    return [(number, sums) for number, sums in _load("-event_number", since) if number]


def _load(order: str, since: date) -> list[tuple[Any, Amounts]]:
    key = order.removeprefix("-")
    sums = {f"sum_{name}": Sum(name) for name in AMOUNTS}
    rows = Spending.objects.filter(day__gte=since).values(key).annotate(**sums).order_by(order)
    return [(row[key], Amounts(**{n: row[f"sum_{n}"] for n in AMOUNTS})) for row in rows]
