from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand

from ingest.costs.recount import recount_costs
from slots.console.dates import parse_day


class Command(BaseCommand):
    help = "Calculate the cost of photos again, by the prices of now; may be stopped and run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("since", type=parse_day, help="the first day: 2026-11-27")

    def handle(self, *, since: date, **options: Any) -> None:
        changed = recount_costs(since)
        self.stdout.write(f"{changed} photos have another cost now.")
