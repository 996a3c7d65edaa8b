import json
from argparse import ArgumentParser
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from photochanger.openapi_compat import (
    LEVELS,
    Change,
    Document,
    bump_version,
    compare,
    compute_digest,
)
from photochanger.web.api_description import describe_api

CONTRACT = settings.BASE_DIR / "spec/contracts/openapi.yaml"
VERSION = settings.BASE_DIR / "spec/contracts/VERSION.json"


class Command(BaseCommand):
    help = "Write the API's description, spec/contracts/openapi.yaml, from the code."
    requires_system_checks: list[str] = []  # noqa: RUF012  it needs no installation

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only say whether file and code agree"
        )
        parser.add_argument(
            "--bump",
            choices=LEVELS[1:],
            help="what of the version goes up; the command says what a change asks for at least",
        )

    def handle(self, *args: Any, check: bool, bump: Change | None, **options: Any) -> None:
        name = CONTRACT.relative_to(settings.BASE_DIR)
        old, new = yaml.safe_load(CONTRACT.read_text()), describe_api()
        needed, places = compare(old, new)
        if check:
            if CONTRACT.read_text() != dump_yaml(new) or read_version() != make_version_record(new):
                raise CommandError(f"{name} differs from the code: run manage.py export_openapi")
            self.stdout.write(f"{name} and the code agree.")
            return
        if needed != "none" and LEVELS.index(bump or "none") < LEVELS.index(needed):
            self.stderr.write("\n".join(places[:20]))
            raise CommandError(f"{name} has a {needed} change: --bump {needed} raises its version")
        new["info"]["version"] = bump_version(old["info"]["version"], bump or "none")
        CONTRACT.write_text(dump_yaml(new))
        VERSION.write_text(json.dumps(make_version_record(new), indent=2) + "\n")
        self.stdout.write(f"Wrote {name}, version {new['info']['version']}.")


class _Dumper(yaml.SafeDumper):
    """Writes multi-line texts as blocks."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def dump_yaml(document: Document) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def make_version_record(document: Document) -> dict[str, str]:
    return {"version": document["info"]["version"], "sha256": compute_digest(document)}


def read_version() -> dict[str, str]:
    found: dict[str, str] = json.loads(VERSION.read_text())
    return found
