"""Slots and platform settings: what the photo's path asks, what operators change."""

import json
from functools import cache
from typing import Any, Literal, NamedTuple

from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import F
from pydantic import BaseModel, Field

from media.services import keep_results_for
from photochanger.errors import SlotDisabled, SlotNotFound
from slots.models import Setting, Slot
from slots.secrets import decrypt, encrypt, hash_password

PASSWORD_KEY = "ingest_password_hash"  # noqa: S105  the name of a setting


class PlatformSettings(BaseModel, extra="forbid", hide_input_in_errors=True):
    """What operators change at run time. A field without a row has the default given here."""

    sync_response_seconds: int = Field(
        default_factory=lambda: django_settings.SYNC_RESPONSE_SECONDS, ge=10, le=60
    )
    result_ttl_hours: int = Field(
        default_factory=lambda: django_settings.RESULT_TTL_HOURS, ge=1, le=24 * 365
    )
    max_jobs_per_slot: int = Field(4, ge=1, le=1000)
    max_jobs_per_provider: int = Field(30, ge=1, le=1000)
    hash_check: Literal["off", "warn", "strict"] = "warn"
    replay_by_hash: bool = True
    gallery_size: int = Field(10, ge=1, le=100)
    ingest_password_hash: str = ""


def platform_settings() -> PlatformSettings:
    rows = Setting.objects.filter(key__in=PlatformSettings.model_fields)
    return PlatformSettings.model_validate(dict(rows.values_list("key", "value")))


@transaction.atomic
def change_settings(changes: dict[str, Any], *, by: str) -> PlatformSettings:
    """Change some settings at once, for all processes from their next photo on.

    A new time to keep results holds for those that exist too.
    Raises pydantic's ValidationError for an unknown name or a value out of bounds.
    """
    now = PlatformSettings.model_validate(
        platform_settings().model_dump(exclude_unset=True) | changes
    )
    for key in changes:
        _write(key, getattr(now, key), by=by)
    if "result_ttl_hours" in changes:
        keep_results_for(now.result_ttl_hours)
    return now


def _write(key: str, value: Any, *, by: str) -> None:
    row, is_new = Setting.objects.get_or_create(
        key=key, defaults={"value": value, "updated_by": by}
    )
    if not is_new:
        row.value, row.updated_by, row.version = value, by, F("version") + 1
        row.save()


def set_ingest_password(password: str, *, by: str) -> None:
    """Set the password every booth must send. Blocking (bcrypt)."""
    _write(PASSWORD_KEY, hash_password(password), by=by)


def password_hash_for(slot: Slot, platform: PlatformSettings) -> str:
    """The hash a booth's password must match: the slot's own, else the global one; "" is closed."""
    return slot.ingest_password_hash or platform.ingest_password_hash or _first_password_hash()


def _first_password_hash() -> str:
    """``INGEST_PASSWORD`` serves until an operator sets a password."""
    return _hash_once(django_settings.INGEST_PASSWORD) if django_settings.INGEST_PASSWORD else ""


_hash_once = cache(hash_password)


class OpenSlot(NamedTuple):
    slot: Slot
    platform: PlatformSettings
    password_hash: str  # what the booth's password must match; "" is closed


def open_slot(slot_id: str) -> OpenSlot:
    """The slot behind a link, if photos may be sent to it. Raises SlotNotFound, SlotDisabled.

    Blocking, also by bcrypt, once per process, while ``INGEST_PASSWORD`` serves.
    """
    slot = Slot.objects.filter(pk=slot_id).first()
    if slot is None:
        raise SlotNotFound(slot_id[:40])
    if not slot.is_active:
        raise SlotDisabled(slot.pk)
    platform = platform_settings()
    return OpenSlot(slot, platform, password_hash_for(slot, platform))


def save_slot(slot: Slot, *, by: str) -> Slot:
    """Validate and store a changed slot as its next version; photos see it at once.

    Raises Django's ValidationError, field by field.
    """
    slot.full_clean()
    slot.version, slot.updated_by = F("version") + 1, by
    slot.save()
    slot.refresh_from_db(fields=["version"])
    return slot


# --- Providers -----------------------------------------------------------------------------------
def provider_row_key(provider: str) -> str:
    """The settings row of a provider: it keeps the key, and admission locks it."""
    return f"provider.{provider}"


def set_provider_key(provider: str, api_key: str, *, by: str) -> None:
    """Store a provider's key encrypted; from now on it wins over the environment's."""
    _write(provider_row_key(provider), {"api_key": encrypt(api_key)}, by=by)


def make_provider_row(provider: str) -> None:
    """The row that admission locks for a provider; made at its first photo."""
    Setting.objects.get_or_create(key=provider_row_key(provider))


def provider_key(provider: str, stored: object) -> str:
    """The key to call a provider with, or "" when there is none. Raises ProviderConfig.

    ``stored`` is the value of the provider's settings row, as JSON text or read.
    """
    if isinstance(stored, str):
        stored = json.loads(stored)
    if isinstance(stored, dict):
        return decrypt(str(stored["api_key"]))
    return str(getattr(django_settings, f"{provider.upper()}_API_KEY", ""))
