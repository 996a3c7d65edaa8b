"""A real site for tests and the benchmark: server processes, a database, a provider simulator.

    with live.site("postgresql") as site, site.simulator(latency_s=0.5) as provider:
        site.configure(prompt="Paint the people as astronauts")
        with site.server() as server:
            ...  # POST to server.url + "/ingest/slot-001" with site.password

Nothing here needs Django or pytest in the calling process; the site lives in its own processes.
"""

import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.fernet import Fernet

from photochanger.testing.databases import (
    DatabaseKind,
    execute,
    new_database,
    quote,
    rows,
    shared_database,
)
from photochanger.testing.processes import SIMULATOR, run
from photochanger.testing.server_process import Server, free_port, serving, uvicorn_command
from photochanger.testing.shared import make_once


@dataclass(frozen=True)
class Simulator(Server):
    """The provider simulator as its own process."""

    def state(self) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(f"{self.url}/_sim/state", timeout=60).json()
        return answer

    def reset(self) -> None:
        self._order("reset")

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Answers wait until the block ends: its callers are all here at one time."""
        self._order("hold")
        try:
            yield
        finally:
            self._order("release")

    def _order(self, name: str) -> None:
        httpx.post(f"{self.url}/_sim/{name}", timeout=60).raise_for_status()


SET_SLOT = "UPDATE slot SET {columns} WHERE id = {slot_id}"
SET_SETTING = """
    INSERT INTO settings (key, value, version, updated_at, updated_by)
    VALUES ({key}, {value}, 1, CURRENT_TIMESTAMP, 'live')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""


@dataclass
class LiveSite:
    """One installation: folders, database, secrets; servers and commands run in its ``env``."""

    root: Path
    database_url: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    env: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        for folder in (self.media_root, self.tmp, self.logs):
            folder.mkdir()
        # The caller's environment stays outside: only what a process needs to run at all.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.env = kept | {
            "DJANGO_SETTINGS_MODULE": "photochanger.testing.settings",
            "PYTHONUNBUFFERED": "1",
            "ENV_FILE": "",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
            "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode(),
            "ADMIN_CREDENTIALS_PATH": str(self.root / "admins.json"),
            "ALLOWED_HOSTS": "*",
            "INGEST_PASSWORD": self.password,
            "GEMINI_API_KEY": "sim-key",
            "GEMINI_BASE_URL": "http://127.0.0.1:1",  # nobody, until a simulator runs
            "FACES_DIR": "none",  # who tests faces names the folder
            "MEDIA_ROOT": str(self.media_root),
            "STATIC_ROOT": str(self.static_root),
            "TMPDIR": str(self.tmp),
            "DATABASE_URL": self.database_url,
            "LOG_FORMAT": "json",
        }

    @property
    def media_root(self) -> Path:
        return self.root / "media"

    @property
    def static_root(self) -> Path:
        """The site's own, empty until a test runs ``collectstatic``."""
        return self.root / "static"

    def share_static_files(self) -> None:
        """Serve files that are collected once for a whole test run, since it takes seconds."""

        def collect(folder: Path) -> None:
            self.env["STATIC_ROOT"] = str(folder)
            self.manage("collectstatic", "--noinput", "--verbosity", "0")

        self.env["STATIC_ROOT"] = str(make_once("static", collect))

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py`` in the site's environment and return what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        status, output, errors = run(command, env=self.env, timeout_s=300)
        if status:
            raise RuntimeError(f"manage.py {arguments[0]} failed:\n{errors[-4000:]}")
        return output

    def migrate(self) -> None:
        self.manage("migrate", "--verbosity", "0")

    def configure(
        self,
        *,
        prompt: str = "Keep the faces; make the background a beach.",
        slot_id: str = "slot-001",
        slot: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        """Make a slot ready for Gemini; the arguments are those of ``configure_all``."""
        recipe = {"prompt": prompt, **(settings or {})}
        self.configure_all({slot_id: {"settings": recipe, **(slot or {})}}, limits=limits)

    def configure_all(
        self,
        slots: Mapping[str, Mapping[str, Any]],
        *,
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        """Make several slots ready for Gemini at once.

        ``slots`` holds what each one's columns shall be besides, ``limits`` the platform
        settings; by default the limits are far above what a test sends. By hand, since starting
        ``manage.py`` takes seconds.
        """
        ready = {"provider": "gemini", "operation": "image_edit", "is_active": True}
        roomy = {
            "max_jobs_per_slot": 500,
            "max_jobs_per_provider": 500,
            "sync_response_seconds": 48,
        }
        known = {slot_id for (slot_id,) in self.rows("SELECT id FROM slot")}
        assert known.issuperset(slots), f"no such slot: {set(slots) - known}"
        for slot_id, columns in slots.items():
            values = {name: quote(value) for name, value in {**ready, **columns}.items()}
            pairs = ", ".join(f"{name} = {value}" for name, value in values.items())
            self.execute(SET_SLOT.format(columns=pairs, slot_id=quote(slot_id)))
        for name, value in {**roomy, **(limits or {})}.items():
            row = {"key": quote(name), "value": quote(json.dumps(value))}
            self.execute(SET_SETTING.format(**row))

    @contextmanager
    def server(
        self,
        *,
        port: int | None = None,
        gunicorn: int = 0,
        env: Mapping[str, str] | None = None,
        is_fresh: bool = False,
    ) -> Iterator[Server]:
        """One uvicorn process, or gunicorn with that many workers and the root's own config.

        Who measures its memory wants it ``is_fresh``: see ``photochanger.testing.processes``.
        """
        port = port or free_port()
        if gunicorn:  # it would collect its own
            self.share_static_files()
        environment = self.env | dict(env or {})
        if gunicorn:
            command = [sys.executable, "-m", "gunicorn"]
            environment |= {"BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": str(gunicorn)}
        else:
            command = uvicorn_command("photochanger.asgi:application", port)
        log = self.logs / f"server-{port}.log"
        with serving(
            command, port=port, env=environment, log=log, ready="/livez", is_fresh=is_fresh
        ) as server:
            yield server

    @contextmanager
    def simulator(
        self, *extra: str, latency_s: float = 0.0, plain: bool = True, port: int | None = None
    ) -> Iterator[Simulator]:
        """The provider simulator; servers started inside the block talk to it."""
        port = port or free_port()
        command = [sys.executable, "-m", SIMULATOR, *extra]
        command += ["--port", str(port), "--latency", str(latency_s), *(["--plain"] * plain)]
        log = self.logs / f"simulator-{port}.log"
        before = self.env["GEMINI_BASE_URL"]
        with serving(command, port=port, env=self.env, log=log, ready="/_sim/state") as server:
            self.env["GEMINI_BASE_URL"] = server.url
            try:
                yield Simulator(server.url, server.process, server.log)
            finally:
                self.env["GEMINI_BASE_URL"] = before

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.database_url, sql)

    def execute(self, sql: str) -> None:
        execute(self.database_url, sql)

    def temp_bytes(self, server: Server) -> int:
        """What uploads hold on disk now: named files in TMPDIR and unlinked ones still open."""
        named = sum(file.stat().st_size for file in self.tmp.rglob("*") if file.is_file())
        return named + server.open_bytes(self.tmp)


@contextmanager
def site(
    kind: DatabaseKind = "sqlite", *, prepare: Callable[["LiveSite"], None] | None = None
) -> Iterator[LiveSite]:
    """A migrated site on a fresh database; everything it wrote is gone at the end.

    ``prepare`` fills the database, once for all sites of a test run that name it: starting
    ``manage.py`` takes seconds. Files that it writes are lost.
    """
    template = _prepared(kind, prepare) if prepare else migrated_database(kind)
    with new_database(kind, like=template) as url, _site_in_a_folder(url) as live:
        yield live


@contextmanager
def site_on(database_url: str) -> Iterator[LiveSite]:
    """A site that migrates a database of the caller's."""
    with _site_in_a_folder(database_url) as live:
        live.migrate()
        yield live


def migrated_database(kind: DatabaseKind) -> str:
    """A database to copy: each site or worker would take seconds to migrate its own."""

    def migrate(url: str) -> None:
        with site_on(url):
            pass

    return shared_database(kind, "migrated", migrate)


def _prepared(kind: DatabaseKind, prepare: Callable[["LiveSite"], None]) -> str:
    def fill(url: str) -> None:
        with _site_in_a_folder(url) as live:
            prepare(live)

    name = f"{prepare.__module__}.{prepare.__qualname__}"
    return shared_database(kind, name, fill, like=migrated_database(kind))


@contextmanager
def _site_in_a_folder(database_url: str) -> Iterator[LiveSite]:
    root = Path(tempfile.mkdtemp(prefix="pc-live-"))
    try:
        yield LiveSite(root, database_url)
    finally:
        shutil.rmtree(root, ignore_errors=True)
