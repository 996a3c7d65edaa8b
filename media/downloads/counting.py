"""Count downloads in memory, and write them down now and then: no download waits for it.

What a process has counted since it last wrote is lost when it is killed: ten seconds of it.
"""

import asyncio
import uuid
from collections import Counter

import structlog
from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.db.models import F
from django.http import HttpResponseBase

from media.downloads.models import DownloadCount
from media.models import MediaObject
from photochanger.db.threads import in_db_apart

log = structlog.get_logger()

EVERY_S = 10.0
MAX_PICTURES = 10_000  # in memory, while the database is away; others are not counted then

Key = tuple[uuid.UUID, int | None]  # the job and its event
_counted: Counter[Key] = Counter()  # changed on the event loop only


def count_download(media: MediaObject) -> None:
    """Costs a microsecond."""
    if media.job_id is None or not media.is_listed:
        return  # a test run's is no guest's
    key = (media.job_id, media.event_id)
    if key in _counted or len(_counted) < MAX_PICTURES:
        _counted[key] += 1


def is_start_of_download(response: HttpResponseBase) -> bool:
    """A whole picture, or its first part: what goes on with a broken one is the same download."""
    if response.status_code == 206:
        return response.headers.get("Content-Range", "").startswith("bytes 0-")
    return response.status_code == 200


@transaction.atomic
def add_counts(counts: Counter[Key]) -> None:
    """Two queries, and one for each picture. In one order, so that two processes never wait for
    each other in a ring."""
    keys = sorted(counts, key=lambda key: key[0].bytes)
    new = [DownloadCount(job_id=job_id, event_id=event_id) for job_id, event_id in keys]
    DownloadCount.objects.bulk_create(new, ignore_conflicts=True)
    for key in keys:
        row = DownloadCount.objects.filter(pk=key[0])
        row.update(count=F("count") + counts[key])


class DownloadWriter:
    """Writes what this process has counted, until it is stopped."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._write_regularly())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.write()

    async def _write_regularly(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self.write()

    async def write(self) -> None:
        """What cannot be written now is written the next time."""
        if not _counted:
            return
        taken = Counter(_counted)
        _counted.clear()
        try:
            await in_db_apart(add_counts, taken)
        except AnyDatabaseError as exc:
            _counted.update(taken)
            log.warning("media.downloads.not_written", detail=type(exc).__name__)
        except asyncio.CancelledError:
            _counted.update(taken)
            raise
