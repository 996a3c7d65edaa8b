"""The result of a readiness check, and the slots and providers that are checked."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from photochanger.errors import Text
from providers.registry import DRIVERS
from slots.models import Slot
from slots.reserve.in_use import list_providers_by_key

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found (``words``), and what to do about it."""

    level: str
    words: Text
    to_do: Text = ""


def format_moment(moment: datetime) -> str:
    """Date and time as the operator's locale writes them; fits in front of a full stop."""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M}"


def list_active_slots() -> list[Slot]:
    return list(Slot.objects.filter(is_active=True).order_by("pk"))


def list_used_providers() -> list[str]:
    """Of active slots and their reserves, as far as they are asked with the key of the settings."""
    used = list_providers_by_key(list_active_slots())
    return [name for name in DRIVERS if name in used]
