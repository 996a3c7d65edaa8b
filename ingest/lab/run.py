"""The next picture of a run, on the booths' own path, within the request that asked for it."""

import asyncio
from contextlib import ExitStack
from typing import NamedTuple

import structlog
from django.conf import settings

from ingest.lab.claims import Claim, Turn, claim_cell, finish_cell, release_cell
from ingest.models import Job, LabCell
from ingest.pipeline.lab_share import LabFull
from ingest.pipeline.order import Order
from ingest.pipeline.process import process_photo
from ingest.pipeline.trial import complete_result
from media import storage
from media.models import MediaObject
from media.uploads import find_upload
from photochanger.db import in_db
from photochanger.errors import AppError, MediaNotFound
from photochanger.pictures import Photo
from photochanger.tasks import run_to_completion
from slots.models import Slot, SlotTemplateMedia
from slots.platform_settings import PlatformSettings

log = structlog.get_logger()


async def run_next_cell(run_id: int) -> Turn:
    """Claim a cell and make its picture; raises nothing that its cell does not tell.

    What was begun is finished when its page is closed meanwhile: it is paid for.
    """
    claim = await in_db(claim_cell, run_id)
    if isinstance(claim, Turn):
        return claim
    return await run_to_completion(_make_picture(claim))


async def _make_picture(claim: Claim) -> Turn:
    try:
        with ExitStack() as files:
            result = await process_photo(await _open_order(claim, files))
            await complete_result(result)
            if result.closing is not None:
                await result.closing
    except LabFull:
        await in_db(release_cell, claim)
        return Turn.WAITS
    except AppError as exc:
        log.info("lab.cell.failed", run=claim.cell.run_id, cell=claim.cell.pk, reason=exc.reason)
        await in_db(finish_cell, claim, LabCell.State.FAILED, reason=exc.reason)
    else:
        await in_db(finish_cell, claim, LabCell.State.DONE)
    return Turn.MADE


class _Sources(NamedTuple):
    media: MediaObject
    slot: Slot
    templates: tuple[SlotTemplateMedia, ...]


async def _open_order(claim: Claim, files: ExitStack) -> Order:
    """Raises MediaNotFound, StorageError, UnsupportedMediaType, InvalidImage."""
    found = await in_db(_load_sources, claim)
    try:
        file = files.enter_context(await storage.in_threads(storage.open_file, found.media.path))
    except FileNotFoundError as exc:
        raise MediaNotFound(f"{found.media.path} is not there") from exc
    limit = settings.MAX_PHOTO_MEGAPIXELS
    photo = await asyncio.to_thread(Photo.open, file, max_megapixels=limit)
    return Order.for_trial(
        found.slot,
        found.templates,
        platform=_look_closer(claim.platform),
        photo=photo,
        arrived_at=asyncio.get_running_loop().time(),
        source=Job.Source.LAB,
        job_id=claim.job_id,
    )


def _load_sources(claim: Claim) -> _Sources:
    """The slot as if it had this recipe; nobody has saved it. Two queries at most."""
    recipe, slot = claim.cell.recipe, claim.cell.recipe.slot
    slot.provider, slot.operation = recipe.provider, recipe.operation
    slot.settings, slot.is_active = recipe.settings, True
    if recipe.preset:
        slot.variables, slot.face_style = recipe.variables, recipe.face_style
    slot.event = None  # it is no picture of the evening
    if slot.faces == Slot.Faces.OFF:
        slot.faces = Slot.Faces.MEASURE
    media = find_upload(MediaObject.Kind.TEST_PHOTO, claim.cell.photo.media_id)
    templates = slot.template_media.select_related("media_object") if recipe.uses_templates else ()
    return _Sources(media, slot, tuple(templates))


def _look_closer(platform: PlatformSettings) -> PlatformSettings:
    """Likeness is what recipes are compared by; where nobody looks at faces, nobody does here."""
    if platform.faces == "off":
        return platform
    return platform.model_copy(update={"faces": "likeness"})
