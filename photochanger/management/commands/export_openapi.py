import json
from argparse import ArgumentParser
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from photochanger.api import api

CONTRACT = settings.BASE_DIR / "spec/contracts/openapi.yaml"


class Command(BaseCommand):
    help = "Write the API's description, spec/contracts/openapi.yaml, from the code."
    requires_system_checks: list[str] = []  # noqa: RUF012  it needs no installation

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only say whether file and code agree"
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        name = CONTRACT.relative_to(settings.BASE_DIR)
        text = contract()
        if check:
            if not CONTRACT.exists() or CONTRACT.read_text() != text:
                raise CommandError(f"{name} differs from the code: run manage.py export_openapi")
            self.stdout.write(f"{name} and the code agree.")
            return
        CONTRACT.write_text(text)
        self.stdout.write(f"Wrote {name}.")


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def contract() -> str:
    """The description as YAML, the same on every machine."""
    with translation.override("en"):
        # By way of JSON: what is shared becomes equal, and a status becomes a string.
        document = json.loads(json.dumps(api.get_openapi_schema(path_prefix=""), default=str))
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
