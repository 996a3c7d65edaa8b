"""The providers there are. A new one is one file and one line here."""

from typing import Any

from photochanger.redaction import remember_key_pattern
from providers.base import ProviderDriver
from providers.gemini.driver import GeminiDriver
from providers.turbotext.driver import TurbotextDriver

DRIVERS: dict[str, ProviderDriver[Any]] = {
    driver.name: driver for driver in (GeminiDriver(), TurbotextDriver())
}
for _driver in DRIVERS.values():
    if _driver.key_pattern:
        remember_key_pattern(_driver.key_pattern)
