"""The frame of a slot's prints: a template picture with a hole, which no AI service ever sees."""

import io
from collections.abc import Iterable
from functools import lru_cache

from django.utils.translation import gettext_lazy as _
from PIL import Image

from media import storage
from media.models import MediaObject
from photochanger.errors import ProviderConfig, StorageError, Text
from photochanger.pictures import UnreadablePicture, decode_file
from photochanger.pictures.paper import PAPERS_PX, Size
from photochanger.pictures.printing import Frame, read_frame
from slots.models import Slot, SlotTemplateMedia
from slots.schemas import TemplateMediaIn
from slots.template_files import TEMPLATE_SIDE_PX
from slots.validation_messages import FieldMessages

FRAME = SlotTemplateMedia.MediaKind.FRAME
MAX_FRAME_SIDE_PX = max(max(size) for size in PAPERS_PX.values())
MAX_MEGAPIXELS = 40
SAME_SHAPE = 0.03  # so far a frame may be stretched
KEPT_FRAMES = 4  # decoded, up to 23 MB each


def choose_template_side_px(kind: str) -> int:
    """The longest side that is kept of an upload: a frame is printed, and others are sent."""
    return MAX_FRAME_SIDE_PX if kind == FRAME else TEMPLATE_SIDE_PX


def pick_frame(templates: Iterable[SlotTemplateMedia]) -> MediaObject | None:
    """The slot's frame, if it has one."""
    return next((one.media_object for one in templates if one.media_kind == FRAME), None)


def list_sent_templates(slot: Slot) -> list[SlotTemplateMedia]:
    """Those that belong to its recipe: all but the frame. One query."""
    return [one for one in slot.template_media.all() if one.media_kind != FRAME]


def list_frames(slot: Slot) -> list[TemplateMediaIn]:
    """What a change of the slot's recipe keeps. One query."""
    return [
        TemplateMediaIn(media_kind=FRAME, media_object_id=one.media_object_id.hex)
        for one in slot.template_media.all()
        if one.media_kind == FRAME
    ]


def find_slot_frame(slot_id: str) -> MediaObject | None:
    """One query."""
    frames = SlotTemplateMedia.objects.filter(slot=slot_id, media_kind=FRAME)
    return pick_frame(frames.select_related("media_object"))


def load_frame(media: MediaObject, paper: str) -> Frame:
    """The frame in the paper's size, or without a paper in its own. Blocking, 50 ms once.

    Raises StorageError when its file is gone, ProviderConfig when it cannot be a frame.
    """
    frame = _load(media.path, PAPERS_PX.get(paper))
    if frame is None:
        raise ProviderConfig(f"too little shows through the frame {media.pk}")
    return frame


@lru_cache(maxsize=KEPT_FRAMES)  # a path never gets another file
def _load(path: str, size: Size | None) -> Frame | None:
    return read_frame(_decode(path), size)


def _decode(path: str) -> Image.Image:
    try:
        body = io.BytesIO(storage.read(path))
        found = decode_file(
            body,
            max_megapixels=MAX_MEGAPIXELS,
            max_side_px=MAX_FRAME_SIDE_PX,
            keep_alpha=True,
        )
    except FileNotFoundError as exc:
        raise StorageError(f"the frame {path} is not in storage") from exc
    except UnreadablePicture as exc:
        raise ProviderConfig(f"the frame {path} {exc}") from exc
    return found.image


def find_frame_mistakes(templates: Iterable[SlotTemplateMedia], paper: str) -> FieldMessages:
    """Why the frame would spoil every print, by the field. Blocking. Raises StorageError."""
    frames = [one.media_object for one in templates if one.media_kind == FRAME]
    if not frames:
        return {}
    if len(frames) > 1:
        return {"template_media": _("A slot has one frame at most. Remove the others.")}
    try:
        words = _judge(_decode(frames[0].path), PAPERS_PX.get(paper))
    except ProviderConfig:
        words = _("This frame cannot be read. Remove it, or upload it again.")
    return {"template_media": words} if words else {}


def _judge(image: Image.Image, size: Size | None) -> Text:
    if read_frame(image) is None:
        return _(
            "Too little shows through this frame. It must be a PNG with a transparent part of at"
            " least a fifth of its sides."
        )
    if size is None:
        return ""
    shape = image.width / image.height * size[1] / size[0]
    if abs(shape - 1) <= SAME_SHAPE:
        return ""
    return _("The frame has another shape than the paper. Make it as large as the paper's pixels.")
