import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import httpx
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ingest.costs.comparison import Difference, compare_prices
from ingest.costs.price_table import load_price_table
from slots.platform_settings import load_platform_settings

DEFAULT = (
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
)


class Command(BaseCommand):
    help = "Compare the prices of the AI services with LiteLLM's price map; 1 when they differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", nargs="?", default=DEFAULT, help="a file, or an address")

    def handle(self, *, source: str, **options: Any) -> None:
        prices = load_price_table(load_platform_settings().prices_version)
        try:
            price_map = json.loads(_read(source))
            common, found = compare_prices(prices, price_map, timezone.localdate())
        except (OSError, httpx.HTTPError, ValueError) as exc:
            raise CommandError(f"{source}: no price map could be read there: {exc}") from exc
        if not common:
            raise CommandError(f"{source} knows none of our models")
        self.stdout.write(f"{len(common)} models in both: {', '.join(common)}")
        for one in found:
            self.stdout.write(_describe(one))
        if found:
            raise CommandError(
                "Prices differ. Look at the service's own page, then enter the right one in the "
                "console under “Costs”, and for the next release in ingest/costs/prices.json."
            )
        self.stdout.write("No price differs.")


def _read(source: str) -> str:
    if source.startswith(("http://", "https://")):
        return httpx.get(source, timeout=30.0, follow_redirects=True).raise_for_status().text
    return Path(source).read_text(encoding="utf-8")


def _describe(one: Difference) -> str:
    ours, theirs = (
        "not known" if amount is None else f"${amount.normalize():f}"
        for amount in (one.ours, one.theirs)
    )
    return f"{one.model}, {one.kind}, a million tokens: ours {ours}, theirs {theirs}"
