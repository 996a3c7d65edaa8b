"""What is spent and in work of each budget, by one statement: one snapshot of the database.

A photo is in it once, as in work or as spent, since the transaction that closes its job writes
both. So nobody has to lock what closing photos write.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

# Of the budgets that concern a photo, before anything else is asked: most sites have none.
APPLIES = """
    budget.is_active AND budget.at_limit <> 'alarm'
    AND (budget.slot_id IS NULL OR budget.slot_id = {slot})
    AND (budget.event_id IS NULL OR budget.event_id = {event})
"""
_SPENT = """
    FROM spending WHERE (budget.slot_id IS NULL OR spending.slot_id = budget.slot_id)
    AND (budget.event_id IS NULL OR spending.event_number = budget.event_id)
    AND CASE WHEN budget.is_daily THEN spending.day = %s ELSE spending.day >= budget.counts_from END
"""
_IN_WORK = """
    FROM job_history AS job WHERE job.status = 'processing'
    AND (budget.slot_id IS NULL OR job.slot_id = budget.slot_id)
    AND (budget.event_id IS NULL OR job.event_id = budget.event_id)
"""
# A dead server's photo gives its picture back at its deadline. Its money is not given back, since
# the service may have been paid: cleanup books it as probably paid.
STATES = f"""
    SELECT budget.id, budget.hard_micros, budget.hard_pictures, budget.at_limit,
        (SELECT coalesce(sum(known_micros + probable_micros), 0) {_SPENT}),
        (SELECT coalesce(sum(pictures), 0) {_SPENT}),
        (SELECT coalesce(sum(job.reserved_micros), 0) {_IN_WORK}),
        (SELECT count(*) {_IN_WORK} AND job.source = 'ingest' AND job.deadline > %s)
    FROM budget WHERE
"""  # noqa: S608  nothing but our own names


@dataclass(frozen=True, slots=True)
class BudgetState:
    """Money in micro-dollars; what is in work counts at most what it may cost."""

    budget_id: int
    hard_micros: int | None
    hard_pictures: int | None
    at_limit: str
    spent_micros: int
    spent_pictures: int
    reserved_micros: int
    reserved_pictures: int

    def has_room(self, *, micros: int, pictures: int) -> bool:
        """For a photo that may cost so much."""
        money = self.spent_micros + self.reserved_micros + micros
        if self.hard_micros is not None and money > self.hard_micros:
            return False
        made = self.spent_pictures + self.reserved_pictures + pictures
        return self.hard_pictures is None or made <= self.hard_pictures

    @property
    def used_percent(self) -> int:
        """Of the limit that is nearer; what is in work is in it."""
        shares = [
            100 * used // limit if limit else 100
            for used, limit in (
                (self.spent_micros + self.reserved_micros, self.hard_micros),
                (self.spent_pictures + self.reserved_pictures, self.hard_pictures),
            )
            if limit is not None
        ]
        return max(shares, default=0)


def load_states_of_photo(
    slot_id: str, event_id: int | None, *, day: date, now: datetime
) -> list[BudgetState]:
    """Those that concern a photo. One query."""
    where = APPLIES.format(slot="%s", event="%s")
    return _load(where, [slot_id, event_id], day=day, now=now)


def load_all_states(*, day: date, now: datetime) -> dict[int, BudgetState]:
    """Of all budgets, by their number. One query."""
    return {state.budget_id: state for state in _load("1 = 1", [], day=day, now=now)}


def _load(where: str, params: Iterable[Any], *, day: date, now: datetime) -> list[BudgetState]:
    moment = connection.ops.adapt_datetimefield_value(now)
    values = [day.isoformat(), day.isoformat(), moment, *params]
    with connection.cursor() as cursor:
        cursor.execute(STATES + where, values)
        return [BudgetState(*map(_to_int, row)) for row in cursor.fetchall()]


def _to_int(value: Any) -> Any:
    """PostgreSQL adds up whole numbers to a decimal."""
    return value if value is None or isinstance(value, str) else int(value)
