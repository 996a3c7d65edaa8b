"""deploy/ and the Dockerfile, checked by the tools for their formats."""

import re
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from compose_spec import PyCompose
from cryptography.fernet import Fernet
from django.core.validators import MaxValueValidator
from django.test import SimpleTestCase

from photochanger.testing.databases import BASE_DIR
from slots.models import Slot

DEPLOY = BASE_DIR / "deploy"
BIN = Path(sys.executable).parent
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^${}]*))?\}")


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def new_env(folder: str, address: str = "photos.example.com") -> dict[str, str]:
    """What new-env.sh writes."""
    env = {"PATH": "/usr/bin:/bin", "ENV_OUT": f"{folder}/.env"}
    done = run(DEPLOY / "new-env.sh", address, env=env)
    assert not done.returncode, done.stderr
    lines = (Path(folder) / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def compose(variables: dict[str, str], file: str = "compose.yaml") -> Any:
    """The compose file as Docker sees it: variables filled in, aliases resolved."""

    def filled(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        assert kind == "-" or name in variables, name
        return variables.get(name, rest)

    text = (DEPLOY / file).read_text()
    while VARIABLE.search(text):  # the innermost first
        text = VARIABLE.sub(filled, text)
    return yaml.safe_load(text)


class DeployFileTests(SimpleTestCase):
    def setUp(self) -> None:
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def test_the_scripts_pass_shellcheck(self) -> None:
        done = run(BIN / "shellcheck", *sorted(DEPLOY.glob("*.sh")))
        self.assertEqual(done.stdout + done.stderr, "")
        for script in DEPLOY.glob("*.sh"):
            self.assertTrue(script.stat().st_mode & 0o111, script)
            self.assertIn("\nset -eu\n", script.read_text())

    def test_the_dockerfile_passes_hadolint(self) -> None:
        done = run(BIN / "hadolint", BASE_DIR / "Dockerfile")
        self.assertEqual(done.stdout + done.stderr, "")

    def test_the_image_does_not_run_as_root_and_builds_nothing(self) -> None:
        last = (BASE_DIR / "Dockerfile").read_text().rpartition("\nFROM ")[2]
        self.assertIn("\nUSER 10001:10001\n", last)
        self.assertIn("uninstall", last)
        self.assertNotIn("requirements", last)
        self.assertIn("/livez", last)

    def test_the_compose_file_is_valid(self) -> None:
        found = compose(new_env(self.folder))
        PyCompose.from_yaml(yaml.safe_dump(found)).validate()
        for name, service in found["services"].items():
            for volume in service.get("volumes", ()):
                source = volume.split(":")[0]
                if source.startswith("."):
                    self.assertTrue((DEPLOY / source).exists(), f"{name}: {source}")
                else:
                    self.assertIn(source, found["volumes"])

    def test_the_compose_file_of_one_more_machine_is_valid(self) -> None:
        variables = new_env(self.folder) | {
            "DATABASE_URL": "postgres://photochanger:word@10.0.0.10:5432/photochanger",
            "S3_BUCKET": "photos",
            "FRONT_ADDRESS": "10.0.0.11",
            "MACHINE_ADDRESS": "10.0.0.12",
        }
        found = compose(variables, "compose.machine.yaml")
        PyCompose.from_yaml(yaml.safe_dump(found)).validate()
        app, one = found["services"]["app"], compose(variables)["services"]["app"]
        self.assertEqual(one["environment"]["DATABASE_URL"], variables["DATABASE_URL"])
        self.assertEqual(app["ports"], ["10.0.0.12:8000:8000"])
        for name in ("image", "read_only", "cap_drop", "stop_grace_period", "command", "init"):
            self.assertEqual(app[name], one[name], name)

    def test_only_the_front_server_and_what_is_local_can_be_reached(self) -> None:
        services = compose(new_env(self.folder))["services"]
        open_ports = {
            name
            for name, service in services.items()
            if any(not port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        }
        self.assertEqual(open_ports, {"caddy"})

    def test_our_containers_cannot_write_but_to_their_volumes(self) -> None:
        for name, service in compose(new_env(self.folder))["services"].items():
            if service["image"].startswith("photochanger:"):
                self.assertTrue(service["read_only"], name)
                self.assertEqual(service["cap_drop"], ["ALL"], name)

    def test_a_new_env_is_complete_and_private(self) -> None:
        variables = new_env(self.folder)
        Fernet(variables["FIELD_ENCRYPTION_KEY"])
        for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "METRICS_TOKEN", "POSTGRES_PASSWORD"):
            self.assertRegex(variables[name], r"^[A-Za-z0-9_=-]{32,}$")
        path = Path(self.folder, ".env")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(new_env(self.folder), variables)  # a second time nothing changes

    def test_no_time_out_is_shorter_than_a_photos_deadline(self) -> None:
        limits = [
            v.limit_value
            for v in Slot._meta.get_field("sync_response_seconds").validators
            if isinstance(v, MaxValueValidator)
        ]
        gunicorn = runpy.run_path(str(BASE_DIR / "gunicorn.conf.py"))
        app = compose(new_env(self.folder))["services"]["app"]
        service = (DEPLOY / "systemd/photochanger.service").read_text()
        nginx = (DEPLOY / "nginx/photochanger.conf").read_text()
        caddy = (DEPLOY / "Caddyfile").read_text()
        graceful = gunicorn["graceful_timeout"]
        self.assertGreaterEqual(graceful, limits[0] + 10)
        self.assertGreaterEqual(gunicorn["timeout"], graceful)
        for text, pattern in (
            (app["stop_grace_period"], r"^(\d+)s$"),
            (service, r"TimeoutStopSec=(\d+)"),
            (nginx, r"proxy_read_timeout (\d+)s"),
            (caddy, r"response_header_timeout (\d+)s"),
        ):
            found = re.search(pattern, text)
            assert found, pattern
            self.assertGreater(int(found[1]), graceful, pattern)

    def test_the_systemd_units_are_valid(self) -> None:
        program = shutil.which("systemd-analyze")
        if not program:
            self.skipTest("no systemd-analyze here")
        for unit in (DEPLOY / "systemd").iterdir():
            text = unit.read_text().replace("/srv/photochanger", str(BASE_DIR))
            Path(self.folder, unit.name).write_text(text)
        units = [str(path) for path in Path(self.folder).glob("photochanger*")]
        done = run(program, "verify", "--man=no", *units)
        ours = [line for line in done.stderr.splitlines() if "photochanger" in line]
        self.assertEqual(ours, [])

    def test_every_keeps_its_interval_and_ends_on_sigterm(self) -> None:
        out = Path(self.folder, "out")
        command = [DEPLOY / "every.sh", "1", "sh", "-c", f"date +%s >> {out}; exit 3"]
        repeating = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            while not out.exists() or len(out.read_text().splitlines()) < 2:
                self.assertIsNone(repeating.poll())
                time.sleep(0.05)
        finally:
            repeating.terminate()
        errors = repeating.communicate(timeout=60)[1]
        self.assertEqual(repeating.returncode, 0)
        self.assertIn("sh ended with status 3", errors)
