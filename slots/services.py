"""Slots and platform settings: what the photo's path asks, what operators change."""

import json
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

import structlog
from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from pydantic import AwareDatetime, BaseModel, Field, StrictBool

from media.services import keep_results_for
from photochanger.errors import SlotDisabled, SlotNotFound, VersionConflict
from slots.history.records import recorded
from slots.models import Setting, Slot
from slots.secrets import decrypt, encrypt, hash_password

log = structlog.get_logger()

MAX_SLOT_ID = 16

CAPTURE_KEY = "capture"
PASSWORD_KEY = "ingest_password_hash"  # noqa: S105  the name of a setting


MIN_PASSWORD, MAX_PASSWORD_BYTES = 6, 72  # bcrypt looks no further

WaitSeconds = Annotated[int, Field(ge=10, le=60, strict=True)]
TtlHours = Annotated[int, Field(ge=1, le=24 * 365, strict=True)]
JobLimit = Annotated[int, Field(ge=1, le=1000, strict=True)]
GallerySize = Annotated[int, Field(ge=1, le=100, strict=True)]
HashCheck = Literal["off", "warn", "strict"]


class CaptureOrder(BaseModel, frozen=True):
    """Whose next requests are to be noted, for an administrator who looks into a strange booth."""

    id: int
    slot_id: str
    until: AwareDatetime


class PlatformSettings(BaseModel, extra="forbid", hide_input_in_errors=True):
    """What operators change at run time. A field without a row has the default given here."""

    sync_response_seconds: WaitSeconds = Field(
        default_factory=lambda: django_settings.SYNC_RESPONSE_SECONDS
    )
    result_ttl_hours: TtlHours = Field(default_factory=lambda: django_settings.RESULT_TTL_HOURS)
    max_jobs_per_slot: JobLimit = 4
    max_jobs_per_provider: JobLimit = 30
    hash_check: HashCheck = "warn"
    replay_by_hash: bool = True
    gallery_size: GallerySize = 10
    galleries_open: StrictBool = True
    ingest_password_hash: str = ""
    capture: CaptureOrder | None = None  # no setting, but read where the settings are


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


def remember(key: str, value: Any, *, by: str) -> None:
    """Keep a fact of the platform that is no setting, such as when cleanup ran last."""
    _write(key, value, by=by)


def recall(key: str) -> Any:
    """What ``remember`` kept, or None."""
    return Setting.objects.filter(key=key).values_list("value", flat=True).first()


def order_capture(order: CaptureOrder | None, *, instead_of: int | None = None) -> None:
    """Set the capture that is on, or end it; with ``instead_of`` only if it is still that one."""
    row = Setting.objects.filter(key=CAPTURE_KEY)
    if instead_of is not None:
        row = row.filter(value__id=instead_of)
    if order is None:
        row.delete()
    else:
        _write(CAPTURE_KEY, order.model_dump(mode="json"), by="")


def set_ingest_password(password: str, *, by: str) -> None:
    """Set the password every booth must send. Blocking (bcrypt)."""
    set_ingest_password_hash(hash_password(password), by=by)


def set_ingest_password_hash(hashed: str, *, by: str) -> None:
    _write(PASSWORD_KEY, hashed, by=by)


def password_hash_for(slot: Slot, platform: PlatformSettings) -> str:
    """The hash a booth's password must match: the slot's own, else the global one; "" is closed."""
    return slot.ingest_password_hash or platform.ingest_password_hash or _first_password_hash()


def _first_password_hash() -> str:
    """``INGEST_PASSWORD`` serves until an operator sets a password."""
    return _hash_once(django_settings.INGEST_PASSWORD) if django_settings.INGEST_PASSWORD else ""


_hash_once = cache(hash_password)


def gallery_is_open(slot: Slot, platform: PlatformSettings) -> bool:
    """Whether anybody who knows the slot's name may look at its results now."""
    is_over = slot.gallery_until is not None and slot.gallery_until <= timezone.now()
    return platform.galleries_open and slot.is_active and slot.gallery_enabled and not is_over


class OpenSlot(NamedTuple):
    slot: Slot
    platform: PlatformSettings
    password_hash: str  # what the booth's password must match; "" is closed


def find_slot(slot_id: str) -> Slot:
    """Raises SlotNotFound."""
    # Whatever a link may hold: PostgreSQL takes no NUL, for one.
    is_possible = len(slot_id) <= MAX_SLOT_ID and slot_id.isprintable()
    slot = Slot.objects.filter(pk=slot_id).first() if is_possible else None
    if slot is None:
        raise SlotNotFound(slot_id[:40])
    return slot


def open_slot(slot_id: str) -> OpenSlot:
    """The slot behind a link, if photos may be sent to it. Raises SlotNotFound, SlotDisabled.

    Blocking, also by bcrypt, once per process, while ``INGEST_PASSWORD`` serves.
    """
    slot = find_slot(slot_id)
    if not slot.is_active:
        raise SlotDisabled(slot.pk)
    platform = platform_settings()
    return OpenSlot(slot, platform, password_hash_for(slot, platform))


def save_slot(slot: Slot, *, by: str) -> Slot:
    """``store_slot``, with an entry in the slot's history."""
    with transaction.atomic(), recorded(slot.pk, by=by):
        return store_slot(slot, by=by)


def store_slot(slot: Slot, *, by: str) -> Slot:
    """Validate and store a changed slot as its next version; photos see it at once.

    Raises Django's ValidationError, field by field, and VersionConflict when somebody else has
    stored it since it was read.
    """
    slot.full_clean()
    read_version = slot.version
    slot.version, slot.updated_by, slot.updated_at = read_version + 1, by, timezone.now()
    columns = {
        field.attname: getattr(slot, field.attname)
        for field in Slot._meta.concrete_fields
        if not field.primary_key
    }
    # Only the version that was read: of two at once, one is the later and must look again.
    if not Slot.objects.filter(pk=slot.pk, version=read_version).update(**columns):
        slot.version = read_version
        raise VersionConflict(slot.pk, version=Slot.objects.get(pk=slot.pk).version)
    log.info("slots.slot.saved", slot=slot.pk, version=slot.version, by=by)
    return slot


# --- Providers -----------------------------------------------------------------------------------
def provider_row_key(provider: str) -> str:
    """The settings row of a provider: it keeps the key, and admission locks it."""
    return f"provider.{provider}"


def set_provider_key(provider: str, api_key: str, *, by: str) -> None:
    """Store a provider's key encrypted; from now on it wins over the environment's.

    An empty one takes the stored key away again.
    """
    value = {"api_key": encrypt(api_key)} if api_key else None
    _write(provider_row_key(provider), value, by=by)


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
    return environment_key(provider)


def environment_key(provider: str) -> str:
    return str(getattr(django_settings, f"{provider.upper()}_API_KEY", ""))
