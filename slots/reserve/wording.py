"""A reserve as people read it."""

from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from providers.base import ProviderDriver
from providers.registry import DRIVERS
from slots.models import ReserveSource


def name_reserve(row: ReserveSource) -> str:
    """``Google Gemini (Nano Banana 2)``, ``Google Gemini (relay.example.com)``, or by its number.

    Never the bare name of a service: it may be the one that fails.
    """
    driver = DRIVERS.get(row.provider)
    if driver is None:
        return row.provider
    host = urlsplit(row.base_url).hostname
    number = _("Reserve %(number)s") % {"number": row.position}
    more = ", ".join(filter(None, (_name_model(driver, row), host))) or number
    return f"{driver.title} ({more})"


def _name_model(driver: ProviderDriver[Any], row: ReserveSource) -> str:
    titles = {model.id: model.title for model in driver.models}
    chosen = next((row.settings.get(name) for name in driver.Settings.MODEL_FIELDS), None)
    return titles.get(str(chosen), str(chosen)) if chosen else ""
