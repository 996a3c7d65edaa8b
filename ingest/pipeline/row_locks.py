"""The rows that admission holds: they let in one photo of a slot, and of a provider, at a time."""

from datetime import date
from typing import NamedTuple

from django.db import connection

from ingest.budgets.limits import SELECT_LIMITS, Limit, read_limits
from photochanger.errors import SlotNotFound
from slots.models import Slot, SlotTemplateMedia
from slots.provider_keys import make_provider_row, provider_row_key


class LockedRows(NamedTuple):
    slot_version: int
    event_id: int | None  # that the slot works for
    stored_key: object
    templates: int  # how many the slot has; most have none, and need not be asked for them
    reserves: int  # that are switched on
    limits: list[Limit]  # of the budgets that have a say in this photo


def load_templates(slot: Slot, locked: LockedRows) -> tuple[SlotTemplateMedia, ...]:
    if not locked.templates:
        return ()
    return tuple(slot.template_media.select_related("media_object"))


# Under budgets that slots of several services share, one photo is let in at a time. Its lock is
# taken when the rows are held, which the outer SELECT goes over: so no photo holds it that waits
# for its own slot. It ends with the transaction, whose next statement sees all that was let in.
BUDGET_LOCK = 0x70686F746F
READ_ROWS = """
    SELECT slot.version, slot.event_id, settings.value,
        (SELECT count(*) FROM slot_template_media WHERE slot_template_media.slot_id = slot.id),
        (SELECT count(*) FROM slot_reserve WHERE slot_reserve.slot_id = slot.id AND is_enabled),
        ({limits}) AS limits
    FROM slot JOIN settings ON settings.key = %s WHERE slot.id = %s
"""
LOCK_ROWS = f"""
    WITH held AS MATERIALIZED ({READ_ROWS} {{lock}})
    SELECT held.*, CASE WHEN limits IS NOT NULL THEN pg_advisory_xact_lock({BUDGET_LOCK}) END
    FROM held
"""  # noqa: S608  nothing but our own number


def lock_rows(slot: Slot, day: date) -> LockedRows:
    """Hold the rows of slot and provider, in this order, and then all budgets if one has a say in
    this photo, until the transaction ends. ``day``: that the photo is counted on.

    On SQLite the whole transaction holds the database already (``IMMEDIATE``). Raises SlotNotFound.
    """
    # NO KEY: plain FOR UPDATE deadlocks with the foreign keys of rows inserted meanwhile.
    can_lock = connection.features.has_select_for_update
    lock = connection.ops.for_update_sql(no_key=True) if can_lock else ""
    limits = SELECT_LIMITS[connection.vendor]
    query = (LOCK_ROWS if can_lock else READ_ROWS).format(limits=limits, lock=lock)
    with connection.cursor() as cursor:
        cursor.execute(query, [provider_row_key(slot.provider), slot.pk])
        row = cursor.fetchone()
        if row is None:  # the provider's first photo
            make_provider_row(slot.provider)
            cursor.execute(query, [provider_row_key(slot.provider), slot.pk])
            row = cursor.fetchone()
    if row is None:
        raise SlotNotFound(slot.pk)
    return LockedRows._make([*row[:5], read_limits(row[5], day) if row[5] else []])
