from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand

from providers.simulator import command_line
from providers.simulator.gemini import scenarios as gemini_scenarios
from providers.simulator.turbotext import scenarios as turbotext_scenarios

TABLES: dict[str, Mapping[str, gemini_scenarios.Scenario | turbotext_scenarios.Scenario]] = {
    "Gemini": gemini_scenarios.SCENARIOS,
    "Turbotext": turbotext_scenarios.SCENARIOS,
}


class Command(BaseCommand):
    help = "Runs AI services that cost nothing: they check requests strictly and alter the photo."
    requires_system_checks = ()  # it needs none of the installation's secrets

    def add_arguments(self, parser: ArgumentParser) -> None:
        command_line.add_arguments(parser)
        parser.add_argument("--list", action="store_true", help="list the scenarios and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            self._list_scenarios()
        else:
            command_line.serve(Namespace(**options))

    def _list_scenarios(self) -> None:
        width = max(len(name) for table in TABLES.values() for name in table)
        for service, table in TABLES.items():
            self.stdout.write(f"{service}:")
            for name, scenario in table.items():
                self.stdout.write(f"  {name:{width}}  {scenario.description}")
