"""The API held to its own description by a foreign tool, schemathesis, on a throw-away site.

    .venv/bin/python -m photochanger.testing.fuzz --only api --cases 200 --seed 7

It reads the description, makes requests up that keep to it and that do not, follows its links from
answer to request, and reports every answer that the description does not promise. What it needs to
get far on our site (photos, the booth's password) is in ``hooks.py``, its rules in
``schemathesis.toml``.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from photochanger.testing import live, server_process
from photochanger.testing.databases import BASE_DIR, DatabaseKind

HERE = Path(__file__).parent
# The other phases, examples and limits of each value, take as many as the description gives.
CONFIG = """{rules}
[phases.fuzzing.generation]
max-examples = {n}
[phases.stateful.generation]
max-examples = {chains}
"""
READY_SLOTS = ("slot-001", "slot-002", "slot-003")


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a run: whether all was well, and the tool's own words."""

    is_well: bool
    report: str
    server_log: str


@contextmanager
def open_site(
    database: DatabaseKind,
) -> Iterator[tuple[live.LiveSite, server_process.Server, dict[str, str]]]:
    """A site with three slots ready for photos, its server, and what opens its doors."""
    with live.site(database) as site, site.simulator():
        said = site.manage("sync_admins", "--generate", "--usernames", "serg")
        password = said.split("serg")[1].split()[0]
        recipe = {"settings": {"prompt": "Make it a beach"}, "gallery_mode": "open"}
        site.configure_all({slot_id: recipe for slot_id in READY_SLOTS})
        site.manage("collectstatic", "--noinput", "--verbosity", "0")  # the gallery has a style
        # Each request comes from an address of its own, so that no lock or limit for one
        # address, which have tests of their own, ends the run.
        with site.server(env={"TRUSTED_PROXIES": "127.0.0.1"}) as server:
            credentials = {"username": "serg", "password": password}
            answer = httpx.post(f"{server.url}/api/login", json=credentials, timeout=30)
            token = answer.raise_for_status().json()["access_token"]
            keys = {"ADMIN_TOKEN": token, "ADMIN_PASSWORD": password}
            yield site, server, {**keys, "BOOTH_PASSWORD": site.password}


def check(
    *, cases: int, seed: int, database: DatabaseKind = "sqlite", arguments: tuple[str, ...] = ()
) -> Checked:
    """Run schemathesis: up to ``cases`` made-up requests and chains for each operation."""
    with open_site(database) as (site, server, secrets):
        config = site.tmp / "schemathesis.toml"
        config.write_text(
            CONFIG.format(
                rules=(HERE / "schemathesis.toml").read_text(), n=cases, chains=15 * cases
            )
        )
        command = [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(config)),
            *("run", f"{server.url}/api/openapi.json", "--no-color"),
            *("--seed", str(seed), *arguments),
        ]
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "PYTHONPATH": str(BASE_DIR),
            "SCHEMATHESIS_HOOKS": "photochanger.testing.fuzz.hooks",
            **secrets,
            "TMPDIR": str(site.tmp),
        }
        done = subprocess.run(
            command, cwd=site.tmp, env=environment, capture_output=True, text=True
        )
        report = done.stdout + done.stderr
        for name, secret in secrets.items():
            report = report.replace(secret, f"${name}")
        return Checked(done.returncode == 0, report, server.log_text())
