"""What is spent and in work of each budget, by one statement: one snapshot of the database.

A photo is in it once, as in work or as spent, since the transaction that closes its job writes
both. So nobody has to lock what closing photos write.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from ingest.pipeline.closing import CLOSED_AFTER

# Read once, each: the handful of open photos, and the days of spending from a budget's first on,
# by the index of its days.
#
# A dead server's photo gives its picture back once nobody can write its outcome any more. Its money
# is not given back, since the service may have been paid: cleanup books it as probably paid.
STATES = """
    WITH work AS (
        SELECT slot_id, event_id, reserved_micros, source, deadline
        FROM job_history WHERE status = 'processing'
    )
    SELECT budget.id, budget.hard_micros, budget.hard_pictures, budget.at_limit,
        coalesce(sum(spending.known_micros + spending.probable_micros), 0),
        coalesce(sum(spending.pictures), 0),
        coalesce(sum(spending.unpriced_calls), 0),
        (SELECT coalesce(sum(work.reserved_micros), 0) FROM work WHERE {in_work}),
        (SELECT count(*) FROM work WHERE {in_work}
            AND work.source = 'ingest' AND work.deadline > %s)
    FROM budget LEFT JOIN spending
        ON spending.day >= CASE WHEN budget.is_daily THEN %s ELSE budget.counts_from END
        AND (NOT budget.is_daily OR spending.day = %s)
        AND (budget.slot_id IS NULL OR spending.slot_id = budget.slot_id)
        AND (budget.event_id IS NULL OR spending.event_number = budget.event_id)
    GROUP BY budget.id
"""
_IN_WORK = """
    (budget.slot_id IS NULL OR work.slot_id = budget.slot_id)
    AND (budget.event_id IS NULL OR work.event_id = budget.event_id)
"""


@dataclass(frozen=True, slots=True)
class BudgetState:
    """Money in micro-dollars; what is in work counts at most what it may cost."""

    budget_id: int
    hard_micros: int | None
    hard_pictures: int | None
    at_limit: str
    spent_micros: int
    spent_pictures: int
    unpriced_calls: int  # that were paid, and are in no sum of money
    reserved_micros: int
    reserved_pictures: int

    def has_room(self, *, micros: int, pictures: int) -> bool:
        """For a photo that may cost so much."""
        money = self.spent_micros + self.reserved_micros + micros
        if self.hard_micros is not None and money > self.hard_micros:
            return False
        made = self.spent_pictures + self.reserved_pictures + pictures
        return self.hard_pictures is None or made <= self.hard_pictures

    def is_spent(self, photo_micros: int) -> bool:
        """Whether a photo that may cost so much is not let in; of one that only tells, whether its
        limit is reached."""
        if self.at_limit == "alarm":
            return self.used_percent >= 100
        return not self.has_room(micros=photo_micros, pictures=1)

    @property
    def used_percent(self) -> int:
        """Of the limit that is nearer; what is in work is in it."""
        return max(self.used_percents, default=0)

    @property
    def used_percents(self) -> list[int]:
        """Of money, then of pictures, where they are limited."""
        return [
            100 * used // limit if limit else 100
            for used, limit in (
                (self.spent_micros + self.reserved_micros, self.hard_micros),
                (self.spent_pictures + self.reserved_pictures, self.hard_pictures),
            )
            if limit is not None
        ]


def load_all_states(*, day: date, now: datetime) -> dict[int, BudgetState]:
    """Of all budgets, by their number. One query."""
    over_since = connection.ops.adapt_datetimefield_value(now - CLOSED_AFTER)
    with connection.cursor() as cursor:
        values = [over_since, day.isoformat(), day.isoformat()]
        cursor.execute(STATES.format(in_work=_IN_WORK), values)
        states = [BudgetState(*map(_to_int, row)) for row in cursor.fetchall()]
    return {state.budget_id: state for state in states}


def _to_int(value: Any) -> Any:
    """PostgreSQL adds up whole numbers to a decimal."""
    return value if value is None or isinstance(value, str) else int(value)
