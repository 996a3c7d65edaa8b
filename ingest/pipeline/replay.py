"""Answer an equal photo with the earlier job's picture, instead of paying for a second one."""

import asyncio
import time

from ingest.models import Job
from ingest.pipeline.order import Deadline
from ingest.pipeline.outcome import PhotoResult
from media import storage
from media.deletion import expire_result
from photochanger import metrics
from photochanger.db import in_db
from photochanger.errors import (
    ERROR_BY_REASON,
    ClientGone,
    InternalError,
    Interrupted,
    ProviderTimeout,
)
from photochanger.pictures import Picture
from photochanger.threads.pace import Pace

POLL_FIRST_S, POLL_MAX_S = 0.1, 1.0
# Of one picture. A booth asks again once or twice; a program that never stops costs 17 ms of CPU
# each time, and kept good photos waiting three times as long as usual.
pace = Pace(burst=5, per_second=4.0)


async def replay_result(job: Job, deadline: Deadline) -> PhotoResult | None:
    """The picture of an equal photo's job, waited for until the deadline.

    A job that failed fails this order alike: it is one order, sent twice. None when nobody waited
    for that job any more, or its picture has just been deleted, so that this order must take its
    place.
    """
    job = await _wait_until_closed(job, deadline)
    status, reason = job.outcome
    if reason in (ClientGone.reason, Interrupted.reason):
        return None
    if status != Job.Status.DONE:
        error = ERROR_BY_REASON.get(reason, InternalError)(f"as the equal photo's job {job.pk}")
        error.job_id = str(job.pk)
        raise error
    if wait_s := min(pace.take(str(job.pk), time.monotonic()), deadline.left_s):
        await asyncio.sleep(wait_s)
    try:
        picture = await storage.in_threads(_read_result, job)
    except FileNotFoundError:  # deleted since admission, or lost with a disk
        await in_db(expire_result, job.pk)  # so that no row promises it to the next order
        return None
    metrics.count_replay(slot=job.slot_id)
    return PhotoResult(job=job, picture=picture, is_replay=True)


async def _wait_until_closed(job: Job, deadline: Deadline) -> Job:
    pause = POLL_FIRST_S
    try:
        async with asyncio.timeout_at(deadline.at):
            while job.outcome[0] == Job.Status.PROCESSING:
                await asyncio.sleep(pause)
                pause = min(POLL_MAX_S, pause * 1.5)
                job = await in_db(Job.objects.get, pk=job.pk)
    except TimeoutError as exc:
        late = ProviderTimeout("an equal photo is still being worked on")
        late.job_id = str(job.pk)
        raise late from exc
    return job


def _read_result(job: Job) -> Picture:
    return Picture(body=storage.read(job.result_path), mime=job.result_mime)
