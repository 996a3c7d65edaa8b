"""What a question about readiness is answered with, and whom it is asked about."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from photochanger.errors import Text
from providers.registry import DRIVERS
from slots.models import Slot

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question: how it is, and what to do about it."""

    level: str
    words: Text
    to_do: Text = ""


def when(moment: datetime) -> str:
    """Day and time of the day as people here read them; fits in front of a full stop."""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M}"


def active_slots() -> list[Slot]:
    return list(Slot.objects.filter(is_active=True).order_by("pk"))


def used_providers() -> list[str]:
    used = {slot.provider for slot in active_slots()}
    return [name for name in DRIVERS if name in used]
