"""A reserve as people read it."""

from typing import Any
from urllib.parse import urlsplit

from providers.base import ProviderDriver
from providers.registry import DRIVERS
from slots.models import ReserveSource


def name_reserve(row: ReserveSource) -> str:
    """``Turbotext``, ``Google Gemini (Nano Banana 2)``, ``Google Gemini (relay.example.com)``."""
    driver = DRIVERS.get(row.provider)
    if driver is None:
        return row.provider
    host = urlsplit(row.base_url).hostname
    more = ", ".join(filter(None, (_name_model(driver, row), host)))
    return f"{driver.title} ({more})" if more else str(driver.title)


def _name_model(driver: ProviderDriver[Any], row: ReserveSource) -> str:
    titles = {model.id: model.title for model in driver.models}
    chosen = next((row.settings.get(name) for name in driver.Settings.MODEL_FIELDS), None)
    return titles.get(str(chosen), str(chosen)) if chosen else ""
