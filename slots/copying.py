"""One slot's work, given to another: its recipe and pictures, not its link, switch or password."""

from django.utils import timezone

from media.models import MediaObject
from media.uploads import read_upload, store_upload
from providers.pictures import EXTENSIONS
from slots.editing import change_slot
from slots.models import Slot
from slots.schemas import SlotIn, TemplateMediaIn
from slots.services import find_slot
from slots.uploads import UNUSED_TEMPLATE_LIVES

COPIED = (
    *("display_name", "provider", "operation", "settings", "size_limit_mb"),
    *("sync_response_seconds", "on_failure"),
)


def copy_slot(source_id: str, target_id: str, *, version: int, by: str) -> Slot:
    """``version``: of the target, as it was when somebody agreed to lose what it has.

    Raises SlotNotFound, VersionConflict, InvalidFields, MediaNotFound, StorageError.
    """
    source = find_slot(source_id)
    values = {name: getattr(source, name) for name in COPIED}
    pictures = [
        TemplateMediaIn(
            media_kind=one.media_kind, media_object_id=_again(one.media_object, target_id)
        )
        for one in source.template_media.select_related("media_object")
    ]
    change = SlotIn.model_validate(values | {"template_media": pictures, "version": version})
    return change_slot(target_id, change, by=by)


def _again(media: MediaObject, slot_id: str) -> str:
    """A file of its own: what one slot removes, the other still has."""
    _media, body = read_upload(MediaObject.Kind.TEMPLATE, media.pk)
    copy = store_upload(
        MediaObject.Kind.TEMPLATE,
        slot_id,
        body,
        mime=media.mime,
        extension=EXTENSIONS[media.mime],
        expires_at=timezone.now() + UNUSED_TEMPLATE_LIVES,
    )
    return copy.pk.hex
