"""Let results go on show that look safe; the others wait for somebody's approval."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import structlog
from django.conf import settings
from PIL import Image

from media.services import let_on_show
from media.sorter.loading import sorter_nets
from media.sorter.rule import SAFE_BELOW
from photochanger import metrics
from photochanger.db import in_db
from photochanger.threads.priority import lower_priority

log = structlog.get_logger()

MOST_WAITING = 50  # pictures of 0.2 MB; one takes 50 ms, so that is what a crowd brings
_executor = ThreadPoolExecutor(1, thread_name_prefix="sorter", initializer=lower_priority)
_places = threading.Semaphore(MOST_WAITING)


async def sort_result(job_id: UUID, small: Image.Image) -> None:
    """Look at a result as ``shrink_for_sorting`` makes it, and let it on show where it looks safe.

    Never raises. Whatever hinders that, the picture waits for approval: none goes on show unseen.
    """
    outcome = "waits"
    try:
        if await _looks_safe(small) and await in_db(let_on_show, job_id):
            outcome = "shown"
    except Exception as exc:  # of onnxruntime, Pillow, the database
        log.warning("ingest.sorting.failed", job=str(job_id), detail=type(exc).__name__)
    metrics.count_sorted(outcome)


async def _looks_safe(small: Image.Image) -> bool:
    if not _places.acquire(blocking=False):
        return False
    try:
        return await asyncio.get_running_loop().run_in_executor(_executor, _judge, small)
    finally:
        _places.release()


def _judge(small: Image.Image) -> bool:
    sorter = sorter_nets.load(settings.FACES_DIR)
    return sorter is not None and sorter.judge(small) < SAFE_BELOW
