"""Template pictures from before they were made smaller at their upload: made so when one is needed.

It is done once for all photos that follow. Whatever fails here, the photo goes on with what there
is.
"""

import asyncio
from dataclasses import replace

import structlog
from django.db import Error as AnyDatabaseError

from ingest.pipeline.order import Deadline
from ingest.pipeline.outcome import JobRun
from ingest.pipeline.retry_policy import FLOOR_S
from media import storage
from media.models import MediaObject
from photochanger.db import in_db
from photochanger.errors import AppError
from photochanger.pictures import Photo
from photochanger.tasks import run_in_worker
from photochanger.threads.temporary_files import close_soon, move_to_disk
from providers.base import Reference
from slots.models import SlotTemplateMedia
from slots.template_files import is_too_large, make_small, point_to, write_small

log = structlog.get_logger()


async def shrink_old_templates(
    run: JobRun,
    templates: tuple[SlotTemplateMedia, ...],
    references: tuple[Reference, ...],
    deadline: Deadline,
) -> tuple[Reference, ...]:
    """The references, none larger than a new upload would be, as far as there is time for it.

    Raises nothing.
    """
    made = list(references)
    try:
        async with asyncio.timeout_at(deadline.at - FLOOR_S):
            for number, row in enumerate(templates):
                made[number] = await _shrink(run, row.media_object, references[number])
    except TimeoutError:
        log.warning("ingest.template.not_shrunk", detail="no time was left")
    return tuple(made)


async def _shrink(run: JobRun, media: MediaObject, reference: Reference) -> Reference:
    if not is_too_large(reference.photo):
        return reference
    try:
        small = await run_in_worker(media.slot_id or "", make_small, reference.photo)
    except (AppError, ValueError, OSError) as exc:
        log.warning("ingest.template.not_shrunk", media=str(media.pk), detail=type(exc).__name__)
        return reference
    await _keep(media, small)
    small = replace(small, file=await move_to_disk(small.file))
    run.files.callback(close_soon, small.file)
    return replace(reference, photo=small)


async def _keep(media: MediaObject, small: Photo) -> None:
    try:
        new = await storage.in_threads(write_small, small)
        is_first = await in_db(point_to, media, new)
        # The earlier file may be open in another photo: cleanup takes it, as it has no row now.
        if not is_first:  # another process was quicker
            await storage.in_threads(storage.remove, new.path)
    except (AppError, AnyDatabaseError, OSError) as exc:
        log.warning("ingest.template.not_kept", media=str(media.pk), detail=type(exc).__name__)
