"""What operators change at run time for the whole platform, and its reading by the photo's path."""

from typing import Annotated, Any, Literal

from django.conf import settings as django_settings
from django.db import transaction
from pydantic import AwareDatetime, BaseModel, Field

from media.services import set_results_ttl
from slots.models import Setting
from slots.setting_rows import store_row

WaitSeconds = Annotated[int, Field(ge=10, le=60, strict=True)]
TtlHours = Annotated[int, Field(ge=1, le=24 * 365, strict=True)]
JobLimit = Annotated[int, Field(ge=1, le=1000, strict=True)]
GallerySize = Annotated[int, Field(ge=1, le=100, strict=True)]
HashCheck = Literal["off", "warn", "strict"]
Galleries = Literal["open", "secret", "closed"]
FacesLevel = Literal["off", "count", "likeness"]
CAPTURE_KEY = "capture"


class CaptureOrder(BaseModel, frozen=True):
    """The order to record next requests. There is one at a time, for all processes."""

    id: int
    slot_id: str  # "" for all slots
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
    faces: FacesLevel = "count"
    gallery_size: GallerySize = 10
    galleries: Galleries = "open"  # the widest that any slot's gallery may be
    ingest_password_hash: str = ""
    # No settings, but read where the settings are.
    capture: CaptureOrder | None = None
    prices_version: int = 0  # of the operators' prices; 0: there are none


def load_platform_settings() -> PlatformSettings:
    """One query."""
    rows = Setting.objects.filter(key__in=PlatformSettings.model_fields)
    return PlatformSettings.model_validate(dict(rows.values_list("key", "value")))


@transaction.atomic
def change_settings(changes: dict[str, Any], *, by: str) -> PlatformSettings:
    """Change some settings at once, for all processes from their next photo on.

    A new time to keep results holds for those that exist too.
    Raises pydantic's ValidationError for an unknown name or a value out of bounds.
    """
    now = PlatformSettings.model_validate(
        load_platform_settings().model_dump(exclude_unset=True) | changes
    )
    for key in changes:
        store_row(key, getattr(now, key), by=by)
    if "result_ttl_hours" in changes:
        set_results_ttl(now.result_ttl_hours)
    return now


def store_capture_order(order: CaptureOrder | None, *, instead_of: int | None = None) -> None:
    """Store the capture that is on, or end it; with ``instead_of`` only if it is still that one."""
    row = Setting.objects.filter(key=CAPTURE_KEY)
    if instead_of is not None:
        row = row.filter(value__id=instead_of)
    if order is None:
        row.delete()
    else:
        store_row(CAPTURE_KEY, order.model_dump(mode="json"), by="")
