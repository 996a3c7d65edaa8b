"""Template pictures from before they were made smaller at their upload: made so when one is needed.

It is done once for all photos that follow. Whatever fails here, the photo goes on with what there
is.
"""

from dataclasses import replace

import structlog
from django.db import Error as AnyDatabaseError

from ingest.pipeline.outcome import JobRun
from media import storage
from media.models import MediaObject
from photochanger.db import in_db
from photochanger.errors import AppError
from photochanger.pictures import Photo
from photochanger.tasks import run_in_worker
from providers.base import Reference
from slots.models import SlotTemplateMedia
from slots.template_files import is_too_large, make_small, point_to, write_small

log = structlog.get_logger()


async def shrink_old_templates(
    run: JobRun, templates: tuple[SlotTemplateMedia, ...], references: tuple[Reference, ...]
) -> tuple[Reference, ...]:
    """The references, none larger than a new upload would be. Raises nothing."""
    if not any(is_too_large(one.photo) for one in references):
        return references
    pairs = zip(templates, references, strict=True)
    return tuple([await _shrink(run, row.media_object, one) for row, one in pairs])


async def _shrink(run: JobRun, media: MediaObject, reference: Reference) -> Reference:
    if not is_too_large(reference.photo):
        return reference
    try:
        small = await run_in_worker(make_small, reference.photo)
    except (AppError, ValueError, OSError) as exc:
        log.warning("ingest.template.not_shrunk", media=str(media.pk), detail=type(exc).__name__)
        return reference
    if small is reference.photo:  # fewer pixels would have more bytes
        return reference
    run.files.callback(small.file.close)
    await _keep(media, small)
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
