"""The budgets that may stop a photo, in the two statements that admission makes anyway.

Statements of their own cost each photo their planning and their way to the database, which is more
than adding up: they added 1.3 ms to an admission on PostgreSQL, one budget adds 0.1 this way.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection

from ingest.pipeline.closing import CLOSED_AFTER

_COLUMNS = """
    budget.id, budget.at_limit, budget.slot_id, budget.event_id, budget.is_daily,
    budget.counts_from, budget.hard_micros, budget.hard_pictures
"""
# Of a slot's photo, as one column beside the rows that are locked: JSON, or null without budgets.
SELECT_LIMITS = {
    vendor: f"""
        SELECT {collected} FROM budget WHERE budget.is_active AND budget.at_limit <> 'alarm'
            AND (budget.slot_id IS NULL OR budget.slot_id = slot.id)
            AND (budget.event_id IS NULL OR budget.event_id = slot.event_id)
    """  # noqa: S608  nothing but our own names
    for vendor, collected in (
        ("postgresql", f"CAST(json_agg(json_build_array({_COLUMNS})) AS text)"),
        ("sqlite", f"nullif(json_group_array(json_array({_COLUMNS})), '[]')"),
    )
}


class Limit(NamedTuple):
    """What of a budget decides on a photo. Money is in micro-dollars."""

    budget_id: int
    at_limit: str
    slot_id: str | None
    event_id: int | None
    is_daily: bool
    first_day: str  # ISO; of a daily one the only day
    hard_micros: int | None
    hard_pictures: int | None


@dataclass(frozen=True, slots=True)
class Use:
    """Spent and in work, of what a budget limits; what it does not limit is not added up."""

    limit: Limit
    micros: int
    pictures: int

    def has_room(self, *, micros: int, pictures: int) -> bool:
        """For a photo that may cost so much."""
        money, made = self.limit.hard_micros, self.limit.hard_pictures
        if money is not None and self.micros + micros > money:
            return False
        return made is None or self.pictures + pictures <= made


def read_limits(found: str, day: date) -> list[Limit]:
    """``found``: by ``SELECT_LIMITS``. ``day``: that the photo is counted on."""
    limits, today = [Limit(*row) for row in json.loads(found)], day.isoformat()
    return [one._replace(first_day=today) if one.is_daily else one for one in limits]


class Sums(NamedTuple):
    """Columns for a statement that goes over the open jobs, two for each budget; their values."""

    columns: str
    values: list[Any]


def plan_sums(limits: Iterable[Limit], *, now: datetime) -> Sums:
    """Of money and of pictures. A photo is in a sum once, as in work or as spent, since what closes
    its job writes both at once, and both are read by one statement.

    A dead server's photo gives its picture back once nobody can write its outcome any more. Its
    money is not given back, since the service may have been paid: cleanup books it as probably so.
    """
    over_since = connection.ops.adapt_datetimefield_value(now - CLOSED_AFTER)
    columns, values = "", list[Any]()
    for limit in limits:
        spent, days = _choose_spent(limit)
        work, its = _choose_scope(limit, event="event_id")
        if limit.hard_micros is None:
            columns += ", 0"
        else:
            columns += f""", coalesce((SELECT sum(known_micros + probable_micros) {spent}), 0)
                + coalesce(sum(reserved_micros) FILTER (WHERE TRUE{work}), 0)"""
            values += [*days, *its]
        if limit.hard_pictures is None:
            columns += ", 0"
        else:
            columns += f""", coalesce((SELECT sum(pictures) {spent}), 0)
                + count(*) FILTER (WHERE source = 'ingest' AND deadline > %s{work})"""
            values += [*days, over_since, *its]
    return Sums(columns, values)


def _choose_spent(limit: Limit) -> tuple[str, list[Any]]:
    scope, its = _choose_scope(limit, event="event_number")
    days = "day = %s" if limit.is_daily else "day >= %s"
    return f"FROM spending WHERE {days}{scope}", [limit.first_day, *its]


def _choose_scope(limit: Limit, *, event: str) -> tuple[str, list[Any]]:
    """Of its slot and its event; ``event``: the column that names it."""
    columns = {"slot_id": limit.slot_id, event: limit.event_id}
    asked = {name: value for name, value in columns.items() if value is not None}
    return "".join(f" AND {name} = %s" for name in asked), list(asked.values())


def read_uses(limits: Sequence[Limit], sums: Sequence[Any]) -> list[Use]:
    """The strictest first: a refusal comes before the booth's own photo, then the older budget.

    PostgreSQL adds up whole numbers to a decimal.
    """
    uses = [
        Use(limit, int(sums[2 * number]), int(sums[2 * number + 1]))
        for number, limit in enumerate(limits)
    ]
    return sorted(uses, key=lambda use: (use.limit.at_limit != "refuse", use.limit.budget_id))
