"""A slot's reserves as somebody wants them: their rows, their keys, and what is wrong with them."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from photochanger.errors import InvalidFields
from slots.models import ReserveSource, Slot
from slots.provider_keys import clean_key
from slots.reserve.schemas import ReserveIn
from slots.secrets import decrypt, encrypt
from slots.validation_messages import FieldMessages

NO_RESERVE = _("The slot has no reserve that is switched on.")


def build_reserves(
    slot: Slot, wanted: Iterable[ReserveIn]
) -> tuple[list[ReserveSource], FieldMessages]:
    """The rows, unsaved, and a sentence for each key that is none. One query.

    A key that was not sent stays as long as it goes to the same place as before.
    """
    stored = {row.position: row for row in slot.reserves.all()}
    made: list[ReserveSource] = []
    wrong: FieldMessages = {}
    for number, one in enumerate(wanted):
        row = ReserveSource(
            slot=slot,
            position=number + 1,
            is_enabled=one.is_enabled,
            provider=one.provider,
            operation=one.operation,
            settings=one.settings,
            base_url=one.base_url.strip().rstrip("/"),
        )
        try:
            row.api_key = _choose_key(one, row, stored.get(row.position))
        except InvalidFields as exc:
            wrong |= {f"reserves.{number}.api_key": words for words in exc.fields.values()}
        made.append(row)
    return made, wrong


def _choose_key(wanted: ReserveIn, row: ReserveSource, before: ReserveSource | None) -> str:
    if "api_key" in wanted.model_fields_set:
        key = clean_key(row.provider, wanted.api_key)
        return encrypt(key) if key else ""
    if before is None or (before.provider, before.base_url) != (row.provider, row.base_url):
        return ""
    return str(before.api_key)


def settle_switch(slot: Slot, reserves: Iterable[ReserveSource], *, is_asked: bool) -> None:
    """Without a reserve nothing is left to be switched to. ``is_asked``: somebody wants it now.

    Raises InvalidFields.
    """
    if not slot.on_reserve or any(row.is_enabled for row in reserves):
        return
    if is_asked:
        raise InvalidFields({"on_reserve": NO_RESERVE})
    slot.on_reserve = False


def bind_reserves(slot: Slot, reserves: list[ReserveSource]) -> None:
    """From now on these are the slot's reserves."""
    slot.reserves.all().delete()
    ReserveSource.objects.bulk_create(reserves)


def read_reserves(slot: Slot) -> list[dict[str, Any]]:
    """As JSON would have them, and as ``ReserveIn`` takes them; without their keys. One query."""
    return [present_reserve(row) for row in slot.reserves.all()]


def present_reserve(row: ReserveSource) -> dict[str, Any]:
    return {
        "provider": row.provider,
        "operation": row.operation,
        "settings": row.settings,
        "base_url": row.base_url,
        "is_enabled": row.is_enabled,
        "api_key_set": bool(row.api_key),
    }


def copy_reserves(slot: Slot) -> list[dict[str, Any]]:
    """For another slot, with their keys. Raises ProviderConfig for a key that nobody can open."""
    return [
        {**present_reserve(row), "api_key": decrypt(row.api_key) if row.api_key else ""}
        for row in slot.reserves.all()
    ]
