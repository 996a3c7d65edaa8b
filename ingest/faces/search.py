"""Search a photo for faces while its provider works."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import structlog
from django.conf import settings

from ingest.faces.detector import Detection, detector
from media.faces.decoding import open_for_detection, view_file
from media.faces.loading import face_nets
from media.faces.verdict import DRAWN, PHOTO, Rules
from photochanger import metrics
from photochanger.pictures import Photo
from slots.models import Slot
from slots.platform_settings import PlatformSettings, load_platform_settings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FaceSearch:
    """A photo's detection, under way, and how its result is to be judged.

    What it finds lives in memory until the result is judged, and goes nowhere else.
    """

    detection: Detection
    describe: bool  # likeness is judged too
    rules: Rules


async def start_face_search(
    photo: Photo, slot: Slot, platform: PlatformSettings, job_files: ExitStack
) -> FaceSearch | None:
    """Search a photo for faces; None where that is off, cannot be, or would wait too long.

    Call it before anybody else reads the photo. A search that has not begun when ``job_files``
    are closed is given up: the result is there, and nobody waits. Never raises.
    """
    if platform.faces == "off" or slot.faces == Slot.Faces.OFF:
        return None
    if not face_nets.are_files_there(settings.FACES_DIR):
        return None
    try:
        return await asyncio.to_thread(_start_detection, photo, slot, platform, job_files)
    except Exception as exc:
        log.warning("faces.search.failed", detail=type(exc).__name__)
        return None


def _start_detection(
    photo: Photo, slot: Slot, platform: PlatformSettings, job_files: ExitStack
) -> FaceSearch | None:
    """Blocking for as long as it takes to copy what is in memory (1 MB)."""
    describe = platform.faces == "likeness"
    view = view_file(
        photo.file, size_bytes=photo.size_bytes, in_memory_bytes=settings.UPLOAD_SPOOL_BYTES
    )
    detection = detector.start(partial(open_for_detection, view), describe=describe)
    if detection is None:
        view.close()
        metrics.count_faces_skipped()
        return None
    detection.add_done_callback(lambda _: view.close())
    job_files.callback(detection.cancel)
    is_drawn = slot.face_style == Slot.FaceStyle.DRAWN
    return FaceSearch(detection, describe, DRAWN if is_drawn else PHOTO)


def warm_up() -> None:
    """Load the engine, or say in the log that there is none, unless it is off. One query.

    Blocking, 0.5 s. Raises DatabaseError.
    """
    if load_platform_settings().faces != "off":
        face_nets.load(settings.FACES_DIR)
