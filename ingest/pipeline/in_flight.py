"""How many photos are in work: one count for admission and for those that go on to a reserve."""

from typing import NamedTuple
from uuid import UUID

from django.db import connection

from ingest.models import Job
from photochanger.db import clock

FULL_RETRY_AFTER_S = 3
# Photos whose deadline has passed do not count: their process died. Those of the lab do not count
# for a booth. Written by hand: it runs for every photo.
COUNT_JOBS = """
    SELECT count(*) FILTER (WHERE slot_id = %s AND source <> 'lab'),
        count(*) FILTER (WHERE provider = %s AND source <> 'lab'),
        count(*) FILTER (WHERE slot_id = %s AND source = 'lab'),
        count(*) FILTER (WHERE provider = %s AND source = 'lab'),
        (SELECT holder.job_id FROM job_history AS holder WHERE holder.replay_key = %s)
    FROM job_history WHERE status = 'processing' AND deadline > %s AND job_id <> %s
"""


class InFlight(NamedTuple):
    """Photos in work, of a slot and of a provider; those of the lab apart."""

    in_slot: int
    in_provider: int
    lab_in_slot: int
    lab_in_provider: int


def count_in_flight(
    slot_id: str, provider: str, *, besides: UUID, replay_key: str | None = None
) -> tuple[InFlight, UUID | None]:
    """Without the job ``besides``, who asks; and whose job has the replay key. One query."""
    now = connection.ops.adapt_datetimefield_value(clock.now())
    own = Job._meta.pk.get_db_prep_value(besides, connection)
    with connection.cursor() as cursor:
        cursor.execute(COUNT_JOBS, [*[slot_id, provider] * 2, replay_key, now, own])
        *counts, holder_id = cursor.fetchone()
    return InFlight(*counts), holder_id
