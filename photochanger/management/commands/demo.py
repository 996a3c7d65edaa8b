import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from providers.simulator.people import make_group
from slots.passwords import generate_password

FOLDER = settings.VAR_DIR / "demo"
PHOTO = settings.BASE_DIR / "ingest/sample/portrait.jpg"
PROMPT = "An oil painting of an explorer in front of a nebula, warm evening light"
SLOTS = {  # one on each provider
    "slot-001": ["--name=Nebula", "--set", f"prompt={PROMPT}"],
    "slot-002": [
        *("--name=Watercolour", "--provider=turbotext", "--operation=image_edit"),
        *("--set", "prompt=A watercolour in soft colours"),
    ],
}
# The service forgets one of three friends, and does better when it is told who is there.
GROUP_SLOT, GROUP = "slot-003", ("biden", "obama", "collins")
GROUP_PROMPT = (
    "A warm poster of {people: a hero | a pair of heroes | {people} heroes} "
    "[sim:lose-face-unless-told=3]"
)
GROUP_RECIPE = ["--name=Friends", "--faces=retry", "--set", f"prompt={GROUP_PROMPT}"]
SHOW_FACES = f"""
from django.utils.translation import override
from ingest.faces.words import describe_faces
from ingest.models import Job
with override("en"):
    for call in Job.objects.filter(slot="{GROUP_SLOT}").latest("started_at").attempts.all():
        words = [describe_faces(call) or "not looked at (make faces)", call.detail]
        print(f"  picture {{call.number}}:", "; ".join(filter(None, words)))
"""
# The people of the simulator's own photos: nobody has to be asked.
COMPARE_FACES = (
    "from slots.platform_settings import change_settings;"
    "change_settings({'faces': 'likeness'}, by='demo')"
)
START_TIMEOUT_S = 30


class Command(BaseCommand):
    help = (
        "Show the product on this machine: a fresh installation on SQLite, a simulated AI "
        "service, one photo sent as a booth sends it. Serves until Ctrl-C."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012  the demo brings its own secrets

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="end after the first photo")
        parser.add_argument("--port", type=int, default=8000, help="another one when it is taken")
        parser.add_argument(
            "--no-drills", action="store_true", help="do not try every way a provider can fail"
        )
        parser.add_argument("--latency", type=float, default=2.0, help="of the simulator, seconds")

    def handle(
        self, *args: Any, once: bool, port: int, latency: float, no_drills: bool, **options: Any
    ) -> None:
        # A polite end, too, must stop the servers: as an exception it passes through ExitStack.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        password = generate_password()
        port, simulator_port = _find_free_port(port), _find_free_port(0)
        url = f"http://127.0.0.1:{port}"
        env = _make_environment(password, port=port, simulator_port=simulator_port)
        self._set_up(env)
        with ExitStack() as servers:
            command = ["simulate_providers", f"--port={simulator_port}", f"--latency={latency}"]
            servers.enter_context(_Server([*MANAGE, *command], env, "simulator"))
            server = servers.enter_context(_Server(GUNICORN, env, "server"))
            servers.enter_context(_Server([*MANAGE, "watch"], env, "watch"))
            server.wait_until_ready(f"{url}/livez")
            is_fine = all([self._send_photo(env, url, slot_id) for slot_id in SLOTS])
            is_fine = all([is_fine, self._send_group(env, url)])
            if not no_drills:
                is_fine = all([is_fine, *(self._run_drill(env, url, slot_id) for slot_id in SLOTS)])
                is_fine &= self._run_outage(env, url, next(iter(SLOTS)))
            self._show_instructions(url, password)
            if once:
                sys.exit(0 if is_fine else 1)
            self.stdout.write("\nServing until Ctrl-C.")
            server.wait()

    def _set_up(self, env: dict[str, str]) -> None:
        self.stdout.write("Setting up a fresh installation in var/demo ...")
        self.stdout.flush()
        for step in (
            ["migrate", "-v0"],
            ["collectstatic", "--noinput", "-v0"],
            *(["slot", slot_id, *recipe, "--on"] for slot_id, recipe in SLOTS.items()),
            ["slot", GROUP_SLOT, *GROUP_RECIPE, "--on"],
            ["shell", "-v0", "-c", COMPARE_FACES],
            ["sync_admins", "--generate"],
        ):
            done = subprocess.run([*MANAGE, *step], env=env, capture_output=True, text=True)  # noqa: S603
            if done.returncode:
                raise CommandError(f"{step[0]} failed:\n{done.stderr[-2000:]}")
            if step[0] == "sync_admins":
                self.stdout.write(done.stdout)

    def _send_photo(self, env: dict[str, str], url: str, slot_id: str) -> bool:
        self._print_heading(f"Sending {PHOTO.name} to {url}/ingest/{slot_id} as a booth does ...")
        return self._run_booth(env, url, slot_id, f"--out={FOLDER / 'out'}")

    def _send_group(self, env: dict[str, str], url: str) -> bool:
        """A lost face is noticed before the booth has its answer, and mended."""
        self._print_heading(f"Three friends to {GROUP_SLOT}, of whom the AI service loses one ...")
        photo = FOLDER / "friends.jpg"
        make_group(GROUP).save(photo, quality=92)
        is_fine = self._run_booth(env, url, GROUP_SLOT, f"--out={FOLDER / 'out'}", photo=photo)
        subprocess.run([*MANAGE, "shell", "-v0", "-c", SHOW_FACES], env=env)  # noqa: S603
        return is_fine

    def _run_drill(self, env: dict[str, str], url: str, slot_id: str) -> bool:
        self._print_heading(
            f"Every way the provider of {slot_id} can fail, and what the booth gets:"
        )
        return self._run_booth(env, url, slot_id, "--scenario", "all")

    def _run_outage(self, env: dict[str, str], url: str, slot_id: str) -> bool:
        self._print_heading(
            f"The first service of {slot_id} is down for an hour, and its reserve takes over:"
        )
        return self._run_booth(env, url, slot_id, "--outage")

    def _print_heading(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _run_booth(
        self, env: dict[str, str], url: str, slot_id: str, *more: str, photo: Path = PHOTO
    ) -> bool:
        booth = ["booth", str(photo), f"--slot={slot_id}", f"--url={url}", *more]
        return subprocess.run([*MANAGE, *booth], env=env).returncode == 0  # noqa: S603

    def _show_instructions(self, url: str, password: str) -> None:
        for picture in sorted((FOLDER / "out").glob("slot-*")):
            self.stdout.write(f"Picture:   {picture}")
        self.stdout.write(f"Console:   {url}/admin/  (log-ins above)")
        self.stdout.write(f"API docs:  {url}/api/docs")
        for slot_id in (*SLOTS, GROUP_SLOT):
            self.stdout.write(f"Booth:     {url}/ingest/{slot_id}  password {password}")
            self.stdout.write(f"Gallery:   {url}/public/slots/{slot_id}  (/slideshow for a hall)")
        self.stdout.write(
            f"Again:     BOOTH_PASSWORD={password} .venv/bin/python manage.py booth PHOTO "
            f"--slot slot-001 --url {url} --count 20 --parallel 4"
        )
        self.stdout.flush()


MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]
GUNICORN = [sys.executable, "-m", "gunicorn"]


def _make_environment(password: str, *, port: int, simulator_port: int) -> dict[str, str]:
    """The demo's own installation; the one in .env is not touched."""
    return os.environ | {
        "ENV_FILE": "",
        "DEBUG": "0",
        "DATABASE_URL": f"sqlite:///{FOLDER / 'photochanger.sqlite3'}",
        "MEDIA_ROOT": str(FOLDER / "media"),
        "ADMIN_CREDENTIALS_PATH": str(FOLDER / "admins.json"),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
        "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode(),
        "INGEST_PASSWORD": password,
        "BOOTH_PASSWORD": password,
        "GEMINI_API_KEY": "demo-key",
        "GEMINI_BASE_URL": f"http://127.0.0.1:{simulator_port}",
        "TURBOTEXT_API_KEY": "demo-key",
        "TURBOTEXT_BASE_URL": f"http://127.0.0.1:{simulator_port}/api_ai",
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "PUBLIC_MEDIA_BASE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "private",
        "BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": "2",
        "LOG_FORMAT": "console",
    }


def _find_free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Server:
    """A server process with its log in var/demo; stopped, and waited for, when the block ends."""

    def __init__(self, command: list[str], env: dict[str, str], name: str) -> None:
        self.command, self.env = command, env
        self.log: Path = FOLDER / f"{name}.log"

    def __enter__(self) -> "_Server":
        with self.log.open("wb") as log:
            # A session of its own: Ctrl-C is ours to hand on, once.
            self.process = subprocess.Popen(  # noqa: S603
                self.command,
                env=self.env,
                cwd=settings.BASE_DIR,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def wait_until_ready(self, url: str) -> None:
        until = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until and self.process.poll() is None:
            try:
                urllib.request.urlopen(url, timeout=2).close()  # noqa: S310
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise CommandError(f"The server did not start; its log:\n{self.log.read_text()[-2000:]}")

    def wait(self) -> None:
        try:
            self.process.wait()
        except KeyboardInterrupt:
            return
