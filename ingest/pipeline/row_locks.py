"""The rows that admission holds: they let in one photo of a slot, and of a provider, at a time."""

from typing import NamedTuple

from django.db import connection

from ingest.budgets.queries import APPLIES
from photochanger.errors import SlotNotFound
from slots.models import Slot, SlotTemplateMedia
from slots.provider_keys import make_provider_row, provider_row_key


class LockedRows(NamedTuple):
    slot_version: int
    event_id: int | None  # that the slot works for
    stored_key: object
    templates: int  # how many the slot has; most have none, and need not be asked for them
    reserves: int  # that are switched on
    budgets: int  # that have a say in this photo


def load_templates(slot: Slot, locked: LockedRows) -> tuple[SlotTemplateMedia, ...]:
    if not locked.templates:
        return ()
    return tuple(slot.template_media.select_related("media_object"))


# Under budgets that slots of several services share, one photo is let in at a time.
BUDGET_LOCK = 0x70686F746F
LOCK_ROWS = """
    SELECT slot.version, slot.event_id, settings.value,
        (SELECT count(*) FROM slot_template_media WHERE slot_template_media.slot_id = slot.id),
        (SELECT count(*) FROM slot_reserve WHERE slot_reserve.slot_id = slot.id AND is_enabled),
        (SELECT count(*) FROM budget WHERE {applies})
    FROM slot JOIN settings ON settings.key = %s WHERE slot.id = %s
"""


def lock_rows(slot: Slot) -> LockedRows:
    """Hold the rows of slot and provider, in this order, until the transaction ends.

    On SQLite the whole transaction holds the database already (``IMMEDIATE``). Raises SlotNotFound.
    """
    # NO KEY: plain FOR UPDATE deadlocks with the foreign keys of rows inserted meanwhile.
    can_lock = connection.features.has_select_for_update
    tail = connection.ops.for_update_sql(no_key=True) if can_lock else ""
    applies = APPLIES.format(slot="slot.id", event="slot.event_id")
    query = LOCK_ROWS.format(applies=applies)
    with connection.cursor() as cursor:
        cursor.execute(query + tail, [provider_row_key(slot.provider), slot.pk])
        row = cursor.fetchone()
        if row is None:  # the provider's first photo
            make_provider_row(slot.provider)
            cursor.execute(query + tail, [provider_row_key(slot.provider), slot.pk])
            row = cursor.fetchone()
    if row is None:
        raise SlotNotFound(slot.pk)
    return LockedRows(*row)


def lock_budgets() -> None:
    """Hold all budgets until the transaction ends: after the rows of slot and provider, and only
    where a budget has a say, so that no photo waits here that waits for its own slot.

    A statement of its own: the next one sees all that was let in before. On SQLite the whole
    transaction holds the database already.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [BUDGET_LOCK])
