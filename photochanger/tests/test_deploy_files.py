"""deploy/ and the Dockerfile, checked by the tools for their formats."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import yaml
from compose_spec import PyCompose
from cryptography.fernet import Fernet
from django.core.validators import MaxValueValidator
from django.db import connection
from django.test import SimpleTestCase, TestCase

from ingest.management.commands.cleanup_media import Command as CleanupCommand
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.marks import only_postgresql
from slots.models import Slot

DEPLOY = BASE_DIR / "deploy"
BIN = Path(sys.executable).parent
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^${}]*))?\}")


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def new_env(folder: str, address: str = "photos.example.com") -> dict[str, str]:
    """What new-env.sh writes."""
    env = {"PATH": "/usr/bin:/bin", "ENV_OUT": folder}
    done = run(DEPLOY / "new-env.sh", address, env=env)
    assert not done.returncode, done.stderr
    return read_variables(Path(folder, ".env"))


def read_variables(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines()
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
        scripts = sorted([*DEPLOY.glob("*.sh"), *DEPLOY.glob("postgres/*.sh")])
        done = run(BIN / "shellcheck", *scripts)
        self.assertEqual(done.stdout + done.stderr, "")
        for script in scripts:
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
            "S3_BUCKET": "photos",
            "FRONT_ADDRESS": "10.0.0.11",
            "MACHINE_ADDRESS": "10.0.0.12",
        }
        found = compose(variables, "compose.machine.yaml")
        PyCompose.from_yaml(yaml.safe_dump(found)).validate()
        app, one = found["services"]["app"], compose(variables)["services"]["app"]
        self.assertEqual(
            app["secrets"], ["database_url", "s3_secret_key", "app.env", "metrics_token"]
        )
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

    def test_no_container_may_more_than_it_needs(self) -> None:
        added = {"caddy": ["NET_BIND_SERVICE"]}
        for name, service in compose(new_env(self.folder))["services"].items():
            with self.subTest(name):
                self.assertTrue(service["read_only"])
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertEqual(service.get("cap_add", []), added.get(name, []))
                self.assertEqual(service["security_opt"], ["no-new-privileges:true"])
                self.assertTrue(service["mem_limit"] and service["pids_limit"])
                self.assertNotIn("env_file", service)

    def test_each_container_has_the_secrets_that_it_reads_and_no_others(self) -> None:
        new_env(self.folder)
        found = compose(read_variables(Path(self.folder, ".env")))
        server = {"app.env", "database_url", "metrics_token", "s3_secret_key"}
        expected = {
            **dict.fromkeys(("app", "prepare", "watch"), server),
            **dict.fromkeys(("cleanup", "backup"), {"database_url", "s3_secret_key"}),
            **{"db": {"database_password", "postgres_password"}, "caddy": set()},
            **{"prometheus": {"metrics_token"}, "grafana": {"grafana_password"}},
            "alertmanager": set(),
        }
        for name, service in found["services"].items():
            self.assertEqual(set(service.get("secrets", ())), expected[name], name)
            for variable, value in service.get("environment", {}).items():
                if "secrets/" in str(value):
                    self.assertIn(value.removeprefix("/run/secrets/"), expected[name], variable)
        for name, secret in found["secrets"].items():
            self.assertTrue(Path(self.folder, secret["file"]).is_file(), name)

    def test_only_caddy_may_say_for_whom_it_asks(self) -> None:
        found = compose(new_env(self.folder))
        services = found["services"]
        address = services["caddy"]["networks"]["front"]["ipv4_address"]
        self.assertEqual(services["app"]["environment"]["TRUSTED_PROXIES"], address)
        pool = found["networks"]["front"]["ipam"]["config"][0]
        self.assertIn(ip_address(address), ip_network(pool["subnet"]))
        self.assertNotIn(ip_address(address), ip_network(pool["ip_range"]))  # given to others
        in_front = {name for name, one in services.items() if "front" in one["networks"]}
        self.assertEqual(in_front, {"app", "caddy", "watch"})
        with_database = {name for name, one in services.items() if "inside" in one["networks"]}
        self.assertEqual(with_database & {"caddy", "prometheus", "grafana", "alertmanager"}, set())

    def test_a_new_env_is_complete_and_private(self) -> None:
        variables = new_env(self.folder)
        secrets = Path(self.folder, "secrets")
        app = read_variables(secrets / "app.env")
        Fernet(app["FIELD_ENCRYPTION_KEY"])
        random = [app["SECRET_KEY"], app["JWT_SIGNING_KEY"]]
        names = ("metrics_token", "postgres_password", "database_password")
        for value in (*random, *((secrets / name).read_text() for name in names)):
            self.assertRegex(value, r"^[A-Za-z0-9_=-]{32,}$")
            self.assertNotIn(value, Path(self.folder, ".env").read_text())
        self.assertEqual(Path(self.folder, ".env").stat().st_mode & 0o777, 0o600)
        self.assertEqual(secrets.stat().st_mode & 0o777, 0o700)
        before = (secrets / "app.env").read_bytes()
        self.assertEqual(new_env(self.folder), variables)  # a second time nothing changes
        self.assertEqual((secrets / "app.env").read_bytes(), before)

    def test_secrets_of_an_earlier_env_move_to_their_files(self) -> None:
        Path(self.folder, ".env").write_text(
            "SITE_ADDRESS=photos.example.com\nPOSTGRES_PASSWORD=p-word\nSECRET_KEY=s-key\n"
            "METRICS_TOKEN=m-token\n"
            "LOG_LEVEL=DEBUG\nGEMINI_API_KEY=g-key\nBACKUP_KEEP=7\n"
        )
        variables, secrets = new_env(self.folder), Path(self.folder, "secrets")
        self.assertEqual(variables, {"SITE_ADDRESS": "photos.example.com", "BACKUP_KEEP": "7"})
        app = read_variables(secrets / "app.env")
        kept = (app["SECRET_KEY"], app["GEMINI_API_KEY"], app["LOG_LEVEL"])
        self.assertEqual(kept, ("s-key", "g-key", "DEBUG"))
        self.assertNotIn("METRICS_TOKEN", app)
        self.assertEqual((secrets / "metrics_token").read_text(), "m-token")
        url = (secrets / "database_url").read_text()
        self.assertEqual(url.split("@"), ["postgres://photochanger:p-word", "db:5432/photochanger"])

    def test_cleanup_and_backup_know_their_places_without_any_secret_of_the_server(self) -> None:
        env = {"PATH": os.environ["PATH"], "ENV_FILE": "", "DATABASE_URL": "sqlite:///nowhere/x"}
        for command in (("manage.py", "cleanup_media", "--help"), ("deploy/database_env.py",)):
            done = run(sys.executable, *command, cwd=BASE_DIR, env=env)
            self.assertNotIn("SECRET_KEY", done.stderr)
            self.assertNotIn("photochanger.E001", done.stderr)
        self.assertEqual(list(CleanupCommand.requires_system_checks), [])

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


@only_postgresql("it is about its roles")
class RoleTests(TestCase):
    """deploy/postgres/role.sh, as the image runs it on an empty volume."""

    def psql(self, sql: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = ("psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--command", sql)
        return run(*command, env=self.env | env)

    def setUp(self) -> None:
        found = connection.settings_dict
        names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
        given = {name: str(found[key]) for key, name in names.items() if found.get(key)}
        host = found.get("OPTIONS", {}).get("host")
        word = Path(self.enterContext(tempfile.TemporaryDirectory()), "word")
        word.write_text("a word with ' and spaces")
        self.env = {"PATH": os.environ["PATH"], "PGDATABASE": "postgres", **given}
        self.env |= {"PGHOST": str(host)} if host else {}
        self.env |= {"POSTGRES_USER": given["PGUSER"], "PASSWORD_FILE": str(word)}
        self.ours = {"PGUSER": "photochanger", "PGDATABASE": "photochanger"}
        self.ours["PGPASSWORD"] = word.read_text()

    def test_the_servers_role_owns_its_database_and_is_nothing_else(self) -> None:
        self.addCleanup(self.psql, "drop role if exists photochanger")
        self.addCleanup(self.psql, "drop database if exists photochanger")
        done = run("sh", DEPLOY / "postgres/role.sh", env=self.env)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for sql in (
            "create table x (id int)",
            "drop schema public cascade; create schema public",  # restore.sh does
        ):
            self.assertEqual(self.psql(sql, **self.ours).returncode, 0, sql)
        for sql in (
            "copy (select 1) to program 'true'",
            "select pg_read_file('/etc/passwd')",
            "create database more",
            "create role more",
            "alter role photochanger superuser",
        ):
            self.assertIn("ERROR", self.psql(sql, **self.ours).stderr, sql)
        self.assertIn(
            "FATAL", self.psql("select 1", **self.ours | {"PGDATABASE": "postgres"}).stderr
        )
