"""Changes of a slot by administrators: from a form or an API call, another slot or its history."""

import uuid
from collections.abc import Iterable
from typing import NamedTuple

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from media.deletion import drop_file
from media.models import MediaObject
from media.uploads import find_upload, read_upload, store_upload
from photochanger.db import clock
from photochanger.errors import InvalidFields, StorageError, VersionConflict
from photochanger.pictures import EXTENSIONS
from slots.gallery.modes import switch_gallery
from slots.history.records import (
    COLUMNS,
    history_entry,
)
from slots.models import ReserveSource, Slot, SlotTemplateMedia
from slots.passwords import StoredPassword, prepare_new_password
from slots.prints.frames import find_frame_mistakes
from slots.reserve.circuits import reset_circuits
from slots.reserve.editing import bind_reserves, build_reserves, copy_reserves, settle_switch
from slots.reserve.recipes import find_reserve_misfits
from slots.schemas import SlotIn, TemplateMediaIn
from slots.services import find_misfits, find_slot, lock_slot, store_slot
from slots.uploads import UNUSED_TEMPLATE_LIVES
from slots.validation_messages import FieldMessages, model_messages_by_field

log = structlog.get_logger()


def change_slot(
    slot_id: str,
    change: SlotIn,
    *,
    by: str,
    restores: int | None = None,
    lab_run: int | None = None,
) -> Slot:
    """Store the changed slot; photos see it at once. Blocking, by bcrypt for a new password.

    For the history: ``restores``, the earlier version whose values these are; ``lab_run``, the
    run of the lab whose recipe it is.
    Raises SlotNotFound, VersionConflict, InvalidFields; then nothing is changed.
    """
    find_slot(slot_id)
    password = change.get_sent("ingest_password").get("ingest_password")
    stored = prepare_new_password(password) if password else StoredPassword()
    with transaction.atomic():
        slot = lock_slot(slot_id)
        if change.version not in (None, slot.version):
            raise VersionConflict(slot_id, version=slot.version)
        before = _read_sources(slot)
        templates, reserves = apply_change(change, slot)
        if password is not None:
            slot.ingest_password_hash = stored.hashed
            slot.ingest_password_sealed = stored.sealed
        with history_entry(slot_id, by=by, restores=restores, lab_run=lab_run):
            store_slot(slot, by=by)
            if templates is not None:
                _bind_templates(slot, templates)
            if reserves is not None:
                bind_reserves(slot, reserves)
        if reserves is not None or _read_sources(slot) != before:
            reset_circuits(slot_id)  # what failed was another recipe
    return slot


def _read_sources(slot: Slot) -> tuple[object, ...]:
    return slot.provider, slot.operation, slot.settings, slot.on_reserve


class Draft(NamedTuple):
    """A slot as a form has it, not saved and never to be."""

    slot: Slot
    templates: tuple[SlotTemplateMedia, ...]


def build_draft(slot_id: str, change: SlotIn) -> Draft:
    """The slot with these changes, ready for a photo, switched on or not.

    Raises SlotNotFound, InvalidFields.
    """
    slot = find_slot(slot_id)
    slot.is_active = True  # for us; and an empty recipe is an error now
    templates = apply_change(change.model_copy(update={"is_active": True}), slot).templates
    if templates is None:
        templates = list(slot.template_media.select_related("media_object"))
    return Draft(slot, tuple(templates))


class NewRows(NamedTuple):
    """What a change puts beside the slot, unsaved; None: as it is."""

    templates: list[SlotTemplateMedia] | None = None
    reserves: list[ReserveSource] | None = None


def apply_change(change: SlotIn, slot: Slot) -> NewRows:
    """Put the changes into ``slot``, without saving, and check the whole of it.

    Raises InvalidFields.
    """
    for name, value in change.get_sent(*COLUMNS).items():
        setattr(slot, name, value)
    switch = change.get_sent("gallery_enabled").values()
    if switch and "gallery_mode" not in change.model_fields_set:
        switch_gallery(slot, is_on=all(switch))
    fields: FieldMessages = {}
    try:
        slot.full_clean()
    except ValidationError as exc:
        fields |= model_messages_by_field(exc)
    templates = reserves = None
    if "template_media" in change.model_fields_set:
        templates, missing = _resolve_templates(slot, change.template_media)
        fields |= missing
    if "reserves" in change.model_fields_set:
        reserves, wrong = build_reserves(slot, change.reserves)
        fields |= wrong
    new = NewRows(templates, reserves)
    if fields := fields or _find_conflicts(slot, new) or _find_frame_mistakes(slot, templates):
        raise InvalidFields(fields)
    used = slot.reserves.all() if slot.on_reserve and reserves is None else reserves or ()
    settle_switch(slot, used, is_asked=bool(change.get_sent("on_reserve").get("on_reserve")))
    return new


def _find_conflicts(slot: Slot, new: NewRows) -> FieldMessages:
    """Of a slot that is on, its reserves included: a booth must not be the first to hear of it."""
    if not slot.is_active and new.reserves is None:
        return {}
    used = slot.template_media.all() if new.templates is None else new.templates
    kinds = [one.media_kind for one in used]
    reserves = slot.reserves.all() if new.reserves is None else new.reserves
    fields = find_misfits(slot, kinds) if slot.is_active else {}
    return fields | find_reserve_misfits(slot, reserves, kinds)


def _find_frame_mistakes(slot: Slot, templates: list[SlotTemplateMedia] | None) -> FieldMessages:
    """Of a slot that is on, or of new pictures: nobody is kept from switching a slot off."""
    if templates is None:
        if not slot.is_active:
            return {}
        templates = list(slot.template_media.select_related("media_object"))
    try:
        return find_frame_mistakes(templates, slot.paper)
    except StorageError:  # not a reason to keep somebody from saving the rest
        return {}


def _resolve_templates(
    slot: Slot, wanted: list[TemplateMediaIn]
) -> tuple[list[SlotTemplateMedia], FieldMessages]:
    """The pictures by their ids, in the order given, and a sentence for each that is not there."""
    ids = [uuid.UUID(one.media_object_id) for one in wanted]
    found = _find_templates(slot.pk, ids)
    words = _("This slot has no such template picture. Upload it again.")
    missing: FieldMessages = {
        f"template_media.{number}.media_object_id": words
        for number, key in enumerate(ids)
        if key not in found
    }
    templates = [
        SlotTemplateMedia(slot=slot, media_kind=one.media_kind, media_object=found[key])
        for one, key in zip(wanted, ids, strict=True)
        if key in found
    ]
    return templates, missing


def _find_templates(slot_id: str, ids: list[uuid.UUID]) -> dict[uuid.UUID, MediaObject]:
    is_kept = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    return MediaObject.objects.filter(
        is_kept, kind=MediaObject.Kind.TEMPLATE, slot_id=slot_id, cleaned_at__isnull=True
    ).in_bulk(ids)


def count_lost_templates(slot_id: str, wanted: list[dict[str, str]]) -> int:
    """How many template pictures of an earlier state are no longer there."""
    ids = {uuid.UUID(one["media_object_id"]) for one in wanted}
    return len(ids - _find_templates(slot_id, list(ids)).keys())


def _bind_templates(slot: Slot, templates: list[SlotTemplateMedia]) -> None:
    """From now on these are the slot's template pictures; those no longer used are deleted."""
    before = {one.media_object_id for one in slot.template_media.all()}
    slot.template_media.all().delete()
    SlotTemplateMedia.objects.bulk_create(templates)
    now = {one.media_object_id for one in templates}
    MediaObject.objects.filter(pk__in=now).update(expires_at=None)
    delete_unused_templates(before - now)


def delete_unused_templates(ids: Iterable[uuid.UUID]) -> None:
    """Delete pictures that neither a slot nor an event uses. In a transaction.

    A photo that has one open already reads it to its end.
    """
    dropped = MediaObject.objects.filter(
        pk__in=ids, slottemplatemedia__isnull=True, event_templates__isnull=True
    )
    for media in dropped:
        drop_file(media)


def delete_template(media_id: str, *, by: str) -> None:
    """Unbind and delete a template picture. Raises MediaNotFound when there is none (any more)."""
    media = find_upload(MediaObject.Kind.TEMPLATE, media_id)
    with transaction.atomic():
        slot = lock_slot(media.slot_id)
        with history_entry(slot.pk, by=by):
            used, _by_model = SlotTemplateMedia.objects.filter(media_object=media).delete()
            if used:  # another recipe: what was made before is no answer to an equal photo
                Slot.objects.filter(pk=slot.pk).update(
                    version=F("version") + 1, updated_at=clock.now(), updated_by=by
                )
        delete_unused_templates([media.pk])
    log.info(
        "slots.template.deleted", slot=slot.pk, media=str(media.pk), was_used=bool(used), by=by
    )


DRAWN = (
    *("frame_text", "frame_text_place", "frame_text_color", "frame_text_mm"),
    "frame_qr",
)
COPIED = (
    *("display_name", "public_title", "provider", "operation", "settings", "size_limit_mb"),
    *("sync_response_seconds", "on_failure", "faces", "face_style", "variables"),
    *("reserve_may_cost_twice", "paper", *DRAWN),
)


def copy_slot(source_id: str, target_id: str, *, version: int, by: str) -> Slot:
    """``version``: of the target, as it was when somebody agreed to lose what it has.

    Raises SlotNotFound, VersionConflict, InvalidFields, MediaNotFound, StorageError.
    """
    source = find_slot(source_id)
    values = {name: getattr(source, name) for name in COPIED}
    pictures = copy_templates(source.template_media.select_related("media_object"), target_id)
    values |= {"template_media": pictures, "reserves": copy_reserves(source)}
    change = SlotIn.model_validate(values | {"on_reserve": False, "version": version})
    return change_slot(target_id, change, by=by)


def copy_templates(templates: Iterable[SlotTemplateMedia], target_id: str) -> list[TemplateMediaIn]:
    """Raises MediaNotFound, StorageError."""
    return [
        TemplateMediaIn(
            media_kind=one.media_kind, media_object_id=_copy_file(one.media_object, target_id)
        )
        for one in templates
    ]


def _copy_file(media: MediaObject, slot_id: str) -> str:
    """A file of its own: what one slot removes, the other still has."""
    _media, body = read_upload(MediaObject.Kind.TEMPLATE, media.pk)
    copy = store_upload(
        MediaObject.Kind.TEMPLATE,
        slot_id,
        body,
        mime=media.mime,
        extension=EXTENSIONS[media.mime],
        expires_at=clock.now() + UNUSED_TEMPLATE_LIVES,
    )
    return copy.pk.hex
