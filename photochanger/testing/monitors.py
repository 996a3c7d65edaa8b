"""Prometheus and Alertmanager of the machine, for the tests of what we give them."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from unittest import SkipTest

import yaml

from photochanger.testing.databases import BASE_DIR

DEPLOY = BASE_DIR / "deploy"
RULES = DEPLOY / "prometheus/rules.yml"
DASHBOARD = DEPLOY / "grafana/dashboards/photochanger.json"


def tool(name: str) -> str:
    """Where it is. Skips, or with MONITORING_TESTS=required fails, when it is nowhere."""
    if found := shutil.which(name):
        return found
    words = (
        f"NO {name.upper()}: alerts and dashboard were not tested; `make monitoring` installs it"
    )
    if os.environ.get("MONITORING_TESTS") == "required":
        raise RuntimeError(words)
    raise SkipTest(words)


def run(*command: str | Path) -> None:
    """Fails with what the tool said."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def rules() -> list[dict[str, Any]]:
    loaded = yaml.safe_load(RULES.read_text())
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def panel_queries() -> dict[str, str]:
    """Of every panel, its questions as Grafana asks them with nothing chosen."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return {
        f"{panel['title']} {target['refId']}": as_asked(target["expr"])
        for panel in panels
        for target in panel.get("targets", ())
    }


def as_asked(query: str) -> str:
    return query.replace("$slot", ".*").replace("$__rate_interval", "1m")


def names_in(query: str) -> set[str]:
    """The series a query reads; a histogram's by the name it has in an answer."""
    return set(re.findall(r"\b(?:photochanger|django)_[a-z0-9_]+", query))
