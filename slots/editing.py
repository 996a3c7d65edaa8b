"""An administrator's changes to a slot: stored as its next version, or tried without storing."""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from media.deletion import take_away
from media.models import MediaObject
from media.uploads import find_upload
from photochanger.errors import InvalidFields, StorageError, VersionConflict
from slots.history.records import COLUMNS, recorded
from slots.models import Slot, SlotTemplateMedia
from slots.passwords import hashed_password
from slots.schemas import SlotIn, TemplateMediaIn
from slots.services import find_slot, store_slot
from slots.validation_messages import Fields, fields_of_form

log = structlog.get_logger()


def change_slot(slot_id: str, change: SlotIn, *, by: str, restores: int | None = None) -> Slot:
    """Store the changed slot; photos see it at once. Blocking, by bcrypt for a new password.

    ``restores``: the earlier version whose values these are, for the history.
    Raises SlotNotFound, VersionConflict, InvalidFields; then nothing is changed.
    """
    find_slot(slot_id)
    password = change.given("ingest_password").get("ingest_password")
    hashed = hashed_password(password) if password else ""
    with transaction.atomic():
        slot = _locked(slot_id)
        if change.version not in (None, slot.version):
            raise VersionConflict(slot_id, version=slot.version)
        templates = apply(change, slot)
        if password is not None:
            slot.ingest_password_hash = hashed
        with recorded(slot_id, by=by, restores=restores):
            store_slot(slot, by=by)
            if templates is not None:
                _bind(slot, templates)
    return slot


class Draft(NamedTuple):
    """A slot as a form has it, not saved and never to be."""

    slot: Slot
    templates: tuple[SlotTemplateMedia, ...]


def draft(slot_id: str, change: SlotIn) -> Draft:
    """The slot with these changes, ready for a photo, switched on or not.

    Raises SlotNotFound, InvalidFields.
    """
    slot = find_slot(slot_id)
    slot.is_active = True  # for us; and an empty recipe is an error now
    templates = apply(change.model_copy(update={"is_active": True}), slot)
    if templates is None:
        templates = list(slot.template_media.select_related("media_object"))
    return Draft(slot, tuple(templates))


def apply(change: SlotIn, slot: Slot) -> list[SlotTemplateMedia] | None:
    """Put the changes into ``slot``, without saving, and check the whole of it.

    The new template pictures, unsaved too; None when they stay. Raises InvalidFields.
    """
    for name, value in change.given(*COLUMNS).items():
        setattr(slot, name, value)
    fields: Fields = {}
    try:
        slot.full_clean()
    except ValidationError as exc:
        fields |= fields_of_form(exc)
    templates = None
    if "template_media" in change.model_fields_set:
        templates, missing = _templates(slot, change.template_media)
        fields |= missing
    if not fields and slot.is_active:
        fields = _misfits(slot, templates)
    if fields:
        raise InvalidFields(fields)
    return templates


def _misfits(slot: Slot, templates: list[SlotTemplateMedia] | None) -> Fields:
    """What its provider could not honour; a booth must not be the first to hear of it."""
    used = slot.template_media.all() if templates is None else templates
    kinds = [one.media_kind for one in used]
    found = slot.driver.misfits(slot.operation, slot.recipe(), kinds)
    return {name: _(words) for name, words in found.items()}


def _templates(slot: Slot, wanted: list[TemplateMediaIn]) -> tuple[list[SlotTemplateMedia], Fields]:
    """The pictures by their ids, in the order given, and a sentence for each that is not there."""
    ids = [uuid.UUID(one.media_object_id) for one in wanted]
    found = _there(slot.pk, ids)
    words = _("This slot has no such template picture. Upload it again.")
    missing: Fields = {
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


def _there(slot_id: str, ids: list[uuid.UUID]) -> dict[uuid.UUID, MediaObject]:
    is_kept = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return MediaObject.objects.filter(
        is_kept, kind=MediaObject.Kind.TEMPLATE, slot_id=slot_id, cleaned_at__isnull=True
    ).in_bulk(ids)


def lost_templates(slot_id: str, wanted: list[dict[str, str]]) -> int:
    """How many template pictures of an earlier state are no longer there."""
    ids = {uuid.UUID(one["media_object_id"]) for one in wanted}
    return len(ids - _there(slot_id, list(ids)).keys())


def _locked(slot_id: str) -> Slot:
    """Until the transaction ends nobody else changes this slot, nor is a photo let in."""
    # NO KEY: see ingest.pipeline.admission.
    return Slot.objects.select_for_update(no_key=True).get(pk=slot_id)


def _bind(slot: Slot, templates: list[SlotTemplateMedia]) -> None:
    """From now on these are the slot's template pictures; those no longer used are deleted."""
    before = {one.media_object_id for one in slot.template_media.all()}
    slot.template_media.all().delete()
    SlotTemplateMedia.objects.bulk_create(templates)
    now = {one.media_object_id for one in templates}
    MediaObject.objects.filter(pk__in=now).update(expires_at=None)
    _drop(before - now)


def _drop(ids: Iterable[uuid.UUID]) -> None:
    """Delete pictures that no slot uses. A photo that has one open already reads it to its end."""
    dropped = MediaObject.objects.filter(pk__in=ids, slottemplatemedia__isnull=True)
    dropped = MediaObject.objects.filter(pk__in=list(dropped.values_list("pk", flat=True)))
    dropped.update(expires_at=timezone.now())  # cleanup has it, whatever fails below
    for media in dropped:
        transaction.on_commit(partial(_take_away, media), robust=True)


def _take_away(media: MediaObject) -> None:
    with suppress(OSError, StorageError):  # left to cleanup: its row is over
        take_away(media)


def delete_template(media_id: str, *, by: str) -> None:
    """Unbind and delete a template picture. Raises MediaNotFound when there is none (any more)."""
    media = find_upload(MediaObject.Kind.TEMPLATE, media_id)
    with transaction.atomic():
        slot = _locked(media.slot_id)
        with recorded(slot.pk, by=by):
            used, _by_model = SlotTemplateMedia.objects.filter(media_object=media).delete()
            if used:  # another recipe: what was made before is no answer to an equal photo
                Slot.objects.filter(pk=slot.pk).update(
                    version=F("version") + 1, updated_at=timezone.now(), updated_by=by
                )
        _drop([media.pk])
    log.info(
        "slots.template.deleted", slot=slot.pk, media=str(media.pk), was_used=bool(used), by=by
    )
