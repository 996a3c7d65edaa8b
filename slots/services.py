"""Slots: finding them, storing them, and deleting the pictures that were made by them."""

import time
from collections.abc import Collection
from typing import NamedTuple

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError as RecipeError

from media import deletion
from media.deletion import PurgeReport
from photochanger.db import clock
from photochanger.errors import SlotDisabled, SlotNotFound, VersionConflict
from providers.base import ALL_TEMPLATE_KINDS
from providers.registry import DRIVERS
from slots.history.records import history_entry, write_removal
from slots.models import Slot
from slots.passwords import get_password_hash
from slots.platform_settings import PlatformSettings, load_platform_settings
from slots.validation_messages import FieldMessages, messages_by_field

log = structlog.get_logger()

MAX_SLOT_ID = 16


class OpenSlot(NamedTuple):
    slot: Slot
    platform: PlatformSettings
    password_hash: str  # what the booth's password must match; "" is closed


def find_slot(slot_id: str, among: QuerySet[Slot] | None = None) -> Slot:
    """Raises SlotNotFound."""
    slots = Slot.objects.all() if among is None else among
    # Whatever a link may hold: PostgreSQL takes no NUL, for one.
    is_possible = len(slot_id) <= MAX_SLOT_ID and slot_id.isprintable()
    slot = slots.filter(pk=slot_id).first() if is_possible else None
    if slot is None:
        raise SlotNotFound(slot_id[:40])
    return slot


def lock_slot(slot_id: str) -> Slot:
    """Until the transaction ends nobody else changes this slot, nor is a photo let in."""
    # NO KEY: see ingest.pipeline.admission.
    return Slot.objects.select_for_update(no_key=True).get(pk=slot_id)


def open_slot(slot_id: str) -> OpenSlot:
    """The slot behind a link, if photos may be sent to it. Raises SlotNotFound, SlotDisabled.

    Blocking.
    """
    asked_at = time.monotonic()
    slot = find_slot(slot_id, Slot.objects.annotate(seen_at=clock.DatabaseTime()))
    clock.note_reading(slot.seen_at, asked_at=asked_at)  # type: ignore[attr-defined]
    if not slot.is_active:
        raise SlotDisabled(slot.pk)
    platform = load_platform_settings()
    return OpenSlot(slot, platform, get_password_hash(slot, platform))


def find_misfits(slot: Slot, kinds: Collection[str] | None = None) -> FieldMessages:
    """What the slot's driver could not honour, by field; of a slot whose recipe is valid.

    ``kinds``: of its template pictures, where those are not the stored ones.
    """
    if kinds is None:
        kinds = [one.media_kind for one in slot.template_media.all()]
    sent = [kind for kind in kinds if kind in ALL_TEMPLATE_KINDS]  # a frame is not
    found = slot.driver.find_conflicts(slot.operation, slot.recipe(), sent)
    return {name: _(words) for name, words in found.items()}


def find_obstacles(slot: Slot, kinds: Collection[str] | None = None) -> FieldMessages:
    """Why no photo could be made by it, by field; nothing of a slot that is complete."""
    if slot.provider not in DRIVERS:
        return {"provider": _("There is no such provider.")}
    if slot.operation not in slot.driver.operations:
        return {"operation": _("The provider has no such operation.")}
    try:
        return find_misfits(slot, kinds)
    except RecipeError as exc:
        found = exc.errors(include_url=False, include_input=False)
        return messages_by_field(found, prefix="settings")


def is_complete(slot: Slot, kinds: Collection[str] | None = None) -> bool:
    """Could a photo be made by it? The driver alone knows; the one rule of every page and door."""
    return not find_obstacles(slot, kinds)


def save_slot(slot: Slot, *, by: str) -> Slot:
    """``store_slot``, with an entry in the slot's history; a slot that is on must be complete."""
    slot.full_clean()
    if slot.is_active and (misfits := find_misfits(slot)):
        raise ValidationError({name: [str(words)] for name, words in misfits.items()})
    with transaction.atomic(), history_entry(slot.pk, by=by):
        return store_slot(slot, by=by)


SET_ELSEWHERE = ("event",)  # by ``slots.events`` alone, also between a form and its answer


def store_slot(slot: Slot, *, by: str) -> Slot:
    """Validate and store a changed slot as its next version; photos see it at once.

    Raises Django's ValidationError, field by field, and VersionConflict when somebody else has
    stored it since it was read.
    """
    slot.full_clean()
    read_version = slot.version
    slot.version, slot.updated_by, slot.updated_at = read_version + 1, by, clock.now()
    columns = {
        field.attname: getattr(slot, field.attname)
        for field in Slot._meta.concrete_fields
        if not field.primary_key and field.name not in SET_ELSEWHERE
    }
    # Only the version that was read: of two at once, one is the later and must look again.
    if not Slot.objects.filter(pk=slot.pk, version=read_version).update(**columns):
        slot.version = read_version
        raise VersionConflict(slot.pk, version=Slot.objects.get(pk=slot.pk).version)
    log.info("slots.slot.saved", slot=slot.pk, version=slot.version, by=by)
    return slot


def purge_pictures(slot_id: str | None, *, by: str) -> PurgeReport:
    """Delete all results, previews and test photos of a slot, or of all; the history has it.

    Raises SlotNotFound.
    """
    slot = find_slot(slot_id) if slot_id is not None else None
    removed = deletion.purge(slot_id, by=by)
    write_removal(slot, removed.files, by=by)
    return removed
