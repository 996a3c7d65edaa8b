"""The template pictures of a job, opened once, before any service is asked: that one of them cannot
be read says nothing of a service."""

from django.conf import settings

from ingest.pipeline.old_templates import shrink_old_templates
from ingest.pipeline.order import Deadline
from ingest.pipeline.outcome import JobRun
from ingest.pipeline.photo_print import load_frame_if_there
from media import storage
from photochanger.errors import InvalidImage, ProviderConfig, StorageError, UnsupportedMediaType
from photochanger.pictures import Photo
from providers.base import Reference
from slots.models import SlotTemplateMedia
from slots.prints.frames import FRAME, pick_frame

NO_FRAME = "printed without the slot's frame, which cannot be read: upload it again"


async def open_template_pictures(
    run: JobRun, templates: tuple[SlotTemplateMedia, ...], deadline: Deadline
) -> None:
    """Note for the job what is sent beside the photo, and its frame, which is not sent.

    Raises StorageError when one is gone, ProviderConfig when it is no picture.
    """
    if (media := pick_frame(templates)) is not None:
        run.frame = await load_frame_if_there(media, run.order.slot.paper)
        run.frame_problem = "" if run.frame else NO_FRAME
    sent = tuple(one for one in templates if one.media_kind != FRAME)
    references = await storage.in_threads(_open_all, run, sent)
    run.references = await shrink_old_templates(run, sent, references, deadline)


def _open_all(run: JobRun, templates: tuple[SlotTemplateMedia, ...]) -> tuple[Reference, ...]:
    """Blocking."""
    return tuple(Reference(one.media_kind, _open(run, one)) for one in templates)


def _open(run: JobRun, template: SlotTemplateMedia) -> Photo:
    stored = template.media_object
    try:
        file = run.files.enter_context(storage.open_file(stored.path))
    except FileNotFoundError as exc:
        raise StorageError(f"template {stored.pk} is not in storage") from exc
    try:
        return Photo.open(
            file,
            max_megapixels=settings.MAX_PHOTO_MEGAPIXELS,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
        )
    except (UnsupportedMediaType, InvalidImage) as exc:
        raise ProviderConfig(f"template {stored.pk} cannot be read: {exc}") from exc
