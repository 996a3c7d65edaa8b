"""The providers there are. A new one is one file and one line here."""

from typing import Any

from providers.base import ProviderDriver
from providers.gemini.driver import GeminiDriver
from providers.turbotext.driver import TurbotextDriver

DRIVERS: dict[str, ProviderDriver[Any]] = {
    driver.name: driver for driver in (GeminiDriver(), TurbotextDriver())
}
