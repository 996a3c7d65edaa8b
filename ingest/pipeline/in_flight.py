"""How many photos are in work: one count for admission and for those that go on to a reserve."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from ingest.budgets.limits import Limit, Use, plan_sums, read_uses
from ingest.models import Job
from photochanger.db import clock

FULL_RETRY_AFTER_S = 3
# Photos whose deadline has passed do not count: their process died. Those of the lab do not count
# for a booth. Written by hand: it runs for every photo.
COUNT_JOBS = """
    SELECT count(*) FILTER (WHERE is_timely AND slot_id = %s AND source <> 'lab'),
        count(*) FILTER (WHERE is_timely AND provider = %s AND source <> 'lab'),
        count(*) FILTER (WHERE is_timely AND slot_id = %s AND source = 'lab'),
        count(*) FILTER (WHERE is_timely AND provider = %s AND source = 'lab'),
        (SELECT holder.job_id FROM job_history AS holder WHERE holder.replay_key = %s)
        {sums}
    FROM (
        SELECT slot_id, event_id, provider, source, deadline, reserved_micros,
            deadline > %s AS is_timely
        FROM job_history WHERE status = 'processing' AND job_id <> %s
    ) AS open_jobs
"""


class InFlight(NamedTuple):
    """Photos in work, of a slot and of a provider; those of the lab apart."""

    in_slot: int
    in_provider: int
    lab_in_slot: int
    lab_in_provider: int


class Counted(NamedTuple):
    """By one statement. ``holder_id``: whose job has the replay key."""

    in_flight: InFlight
    holder_id: UUID | None
    uses: list[Use]  # of the budgets that were asked for, the strictest first


def count_in_flight(
    slot_id: str,
    provider: str,
    *,
    besides: UUID,
    replay_key: str | None = None,
    limits: Sequence[Limit] = (),
) -> Counted:
    """``besides``: a job that is not counted; ``limits``: of the budgets to add up."""
    now = clock.now()
    own = Job._meta.pk.get_db_prep_value(besides, connection)
    columns, values = plan_sums(limits, now=now) if limits else ("", [])  # most sites have none
    timely = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        params = [*[slot_id, provider] * 2, replay_key, *values, timely, own]
        cursor.execute(COUNT_JOBS.format(sums=columns), params)
        row = cursor.fetchone()
    uses = read_uses(limits, row[5:]) if limits else []
    return Counted(InFlight(*row[:4]), row[4], uses)
