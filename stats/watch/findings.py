"""What a rule has found, and the limits that operators set."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from slots.setting_rows import load_fact, store_fact
from stats.models import Severity

SETTINGS_KEY = "alerts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong now. ``facts`` are what its sentences are made of, as JSON."""

    rule: str
    severity: Severity
    subject: str = ""  # of two findings of one rule, what tells them apart
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        return self.rule, self.subject


class AlertSettings(BaseModel, extra="ignore"):
    """When photos are an alert. An event is the time in which booths must not be silent."""

    failures_in_row: int = Field(3, ge=1, le=20)
    failed_share_percent: int = Field(30, ge=5, le=100)
    silent_minutes: int = Field(20, ge=2, le=240)
    event_from: AwareDatetime | None = None
    event_until: AwareDatetime | None = None

    def is_event(self, now: datetime) -> bool:
        begins, ends = self.event_from, self.event_until
        return begins is not None and ends is not None and begins <= now < ends


def load_alert_settings() -> AlertSettings:
    """One query."""
    return AlertSettings.model_validate(load_fact(SETTINGS_KEY) or {})


def save_alert_settings(settings: AlertSettings, *, by: str) -> None:
    store_fact(SETTINGS_KEY, settings.model_dump(mode="json"), by=by)
