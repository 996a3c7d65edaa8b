"""Where the heads are in a picture that is to be cropped for its paper."""

from concurrent.futures import CancelledError
from functools import partial
from typing import Final

import structlog
from django.conf import settings
from PIL import Image

from ingest.faces.detector import detector
from media.faces.decoding import shrink_for_detection
from media.faces.face import Face
from media.faces.loading import face_nets
from media.faces.verdict import PHOTO, find_people
from photochanger import metrics
from photochanger.pictures.cropping import Box

log = structlog.get_logger()

# A head is more than the face that is found: hair, ears and chin, in shares of the face.
HAIR: Final = 0.45
EARS: Final = 0.25
CHIN: Final = 0.15


def find_heads(image: Image.Image, *, wait_s: float) -> list[Box]:
    """The heads of a picture's people, in its pixels; none where they cannot be found in time.

    Blocking, mostly 0.1 s: call it in a thread that is not the detector's. Never raises: a print is
    not lost to this.
    """
    if wait_s <= 0 or not face_nets.are_files_there(settings.FACES_DIR):
        return []
    try:
        detection = detector.start(partial(shrink_for_detection, image), describe=False)
        if detection is None:
            metrics.count_faces_skipped()
            return []
        try:
            faces = detection.result(timeout=wait_s) or []
        except (TimeoutError, CancelledError):
            detection.cancel()
            return []
    except Exception as exc:
        log.warning("faces.heads.failed", detail=type(exc).__name__)
        return []
    return [outline_head(face, image.size) for face in find_people(faces, PHOTO)]


def outline_head(face: Face, size: tuple[int, int]) -> Box:
    """In pixels of a picture of that size, and within it."""
    longest = max(size)
    x, y = (share * longest for share in face.centre)
    width, height = face.width * longest, face.height * longest
    return Box(
        x - width * (0.5 + EARS),
        y - height * (0.5 + HAIR),
        x + width * (0.5 + EARS),
        y + height * (0.5 + CHIN),
    ).clip(size)
