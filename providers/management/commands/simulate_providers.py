import contextlib
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand, CommandError

from providers.simulator.gemini import scenarios as gemini_scenarios
from providers.simulator.options import Options
from providers.simulator.server import Simulator, make_config
from providers.simulator.turbotext import scenarios as turbotext_scenarios

HOW_TO = """\
Gemini: GEMINI_BASE_URL={url}  with any key that does not begin with "bad-key".
A scenario is chosen by a marker in the prompt, [sim:no-image] or [sim:slow=5], by the model's
name, sim-no-image, or by the key, sim-no-image. [sim:latency=3] sets only the time.
Turbotext: TURBOTEXT_BASE_URL={url}/api_ai  with any such key. It gets the pictures from the links
it is given. A marker stands in `content`; the key serves the methods without one.
All scenarios: simulate_providers --list. Counters: {url}/_sim/state
POST {url}/_sim/hold keeps all answers back until POST {url}/_sim/release."""

TABLES: dict[str, Mapping[str, gemini_scenarios.Scenario | turbotext_scenarios.Scenario]] = {
    "Gemini": gemini_scenarios.SCENARIOS,
    "Turbotext": turbotext_scenarios.SCENARIOS,
}


class Command(BaseCommand):
    help = "Runs AI services that cost nothing: they check requests strictly and alter the photo."
    requires_system_checks = ()  # it needs none of the installation's secrets

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=9911)
        parser.add_argument(
            "--latency", type=float, default=2.0, help="seconds until a good result is there"
        )
        parser.add_argument("--jitter", type=float, default=0.0, help="plus or minus so many")
        parser.add_argument(
            "--plain",
            action="store_true",
            help="one prepared picture, nothing checked: for benchmarks",
        )
        parser.add_argument(
            "--fail-share", type=float, default=0.0, help="this share of the calls gets no picture"
        )
        parser.add_argument("--seed", type=int, default=0, help="order of the failures")
        parser.add_argument(
            "--max-request-mb", type=float, default=20.0, help="a larger body is a 413"
        )
        parser.add_argument("--list", action="store_true", help="list the scenarios and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            self._list_scenarios()
            return
        if not 0 <= options["fail_share"] <= 1:
            raise CommandError("--fail-share is between 0 and 1")
        names = ("latency", "jitter", "plain", "fail_share", "seed", "max_request_mb")
        chosen = Options(**{name: options[name] for name in names})
        host, port = options["host"], options["port"]
        url = f"http://{host}:{port}"
        server = uvicorn.Server(make_config(Simulator(chosen, url=url), host=host, port=port))
        self.stdout.write(HOW_TO.format(url=url))
        self.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            server.run()

    def _list_scenarios(self) -> None:
        width = max(len(name) for table in TABLES.values() for name in table)
        for service, table in TABLES.items():
            self.stdout.write(f"{service}:")
            for name, scenario in table.items():
                self.stdout.write(f"  {name:{width}}  {scenario.description}")
