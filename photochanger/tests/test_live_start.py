"""deploy/start.sh as it runs in an image, and gunicorn's workers when their time has come."""

import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import unittest
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

import httpx
from django.test import SimpleTestCase

from ingest.tests.life_support import LifeTestCase
from ingest.tests.support import jpeg
from photochanger.testing import server_process
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.marks import only_postgresql

NOBODYS = 10001  # the image's user
# Files, root and all, are read-only for it. It may look everywhere: this machine's packages can be
# in a folder that is closed to others. What an image would hide from it: ImageTreeTests.
AS_IN_AN_IMAGE = (
    "mount --bind {tree} {tree} && mount -o remount,ro,bind {tree} && cd {tree} && "
    f"exec setpriv --reuid {NOBODYS} --regid {NOBODYS} --clear-groups "
    "--inh-caps -all,+dac_read_search --ambient-caps +dac_read_search {command}"
)


def can_mount() -> bool:
    return not subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode


@contextmanager
def image_tree() -> Iterator[Path]:
    """The files that the Dockerfile's first stage makes, without the Python packages' copy.

    They come as git writes them for a user who shows his files to nobody else.
    """
    ignored = (BASE_DIR / ".dockerignore").read_text().split()
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=BASE_DIR, capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory(prefix="pc-image-") as folder:
        tree = Path(folder)
        for name in names.stdout.splitlines():
            parts = [str(path) for path in (Path(name), *Path(name).parents)]
            patterns = [
                p
                for p in ignored
                if any(
                    fnmatch(f"/{x}", f"*/{p[3:]}") if p.startswith("**/") else x == p for x in parts
                )
            ]
            if not patterns and (BASE_DIR / name).is_file():
                (tree / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copy(BASE_DIR / name, tree / name)
                (tree / name).chmod(0o700 if os.access(BASE_DIR / name, os.X_OK) else 0o600)
        (tree / ".venv").symlink_to(BASE_DIR / ".venv")
        for command in build_steps():
            env = {"PATH": os.environ["PATH"]}
            subprocess.run(["sh", "-ec", command], cwd=tree, env=env, check=True, timeout=300)
        yield tree


def build_steps() -> list[str]:
    """What the Dockerfile runs after it has copied the files, but for compiling all of them."""
    text = (BASE_DIR / "Dockerfile").read_text().replace("\\\n", " ")
    after = text.partition("\nCOPY . .\n")[2].partition("\nFROM ")[0]
    steps = re.findall(r"^RUN (.*)$", after, re.MULTILINE)[0].split(" && ")
    return [step for step in map(str.strip, steps) if "compileall" not in step]


def find_hidden(folder: Path) -> Iterator[str]:
    """What another user than the owner cannot open; what a link leads to is not looked at."""
    for path in folder.rglob("*"):
        needed = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
        if not path.is_symlink() and path.stat().st_mode & needed != needed:
            yield str(path)


def health_check() -> list[str]:
    text = (BASE_DIR / "Dockerfile").read_text()
    found = re.search(r"HEALTHCHECK[^\[]*CMD (\[.*\])", text)
    assert found
    command: list[str] = json.loads(found[1])
    return command


class ImageTreeTests(SimpleTestCase):
    def test_the_user_that_runs_it_can_read_what_was_made_when_it_was_built(self) -> None:
        """manage.py writes for its own user and group alone, and the build is root's."""
        with image_tree() as tree:
            self.assertTrue(list((tree / "var/static").rglob("*.css")))
            self.assertEqual(list(find_hidden(tree)), [])


@only_postgresql("the start is tried on PostgreSQL")
class StartTests(LifeTestCase):
    def as_in_an_image(self, tree: Path, *command: str) -> list[str]:
        script = AS_IN_AN_IMAGE.format(tree=tree, command=shlex.join(command))
        return ["unshare", "--mount", "sh", "-c", script]

    @unittest.skipUnless(os.geteuid() == 0 and can_mount(), "only root may make a disk read-only")
    def test_nobody_serves_from_files_that_cannot_be_written(self) -> None:
        port = server_process.free_port()
        for folder in (self.site.media_root, self.site.tmp):
            shutil.chown(folder, NOBODYS, NOBODYS)
        env = self.site.env | {
            "BIND": f"127.0.0.1:{port}",
            "ALLOWED_HOSTS": "photos.example.com",
            "WEB_CONCURRENCY": "1",
            "WORKER_MAX_REQUESTS": "1",  # but a worker alone never makes room
        }
        env.pop("STATIC_ROOT")
        with image_tree() as tree:
            prepare = self.as_in_an_image(tree, "deploy/start.sh", "prepare")
            done = subprocess.run(prepare, env=env, capture_output=True, text=True, timeout=300)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            command = self.as_in_an_image(tree, "deploy/start.sh")
            log = self.site.logs / "image.log"
            with server_process.serving(
                command, port=port, env=env, log=log, ready="/livez"
            ) as server:
                self.assertEqual({p.uids().effective for p in server.tree()}, {NOBODYS})
                check = [part.replace(":8000", f":{port}") for part in health_check()]
                subprocess.run(check, cwd=BASE_DIR, check=True, timeout=90)
                host = {"Host": "photos.example.com"}
                page = httpx.get(f"{server.url}/admin/login/", headers=host).text
                style = re.search(r'href="(/static/[^"]+\.css)"', page)
                assert style, page[:3000]
                self.assertTrue(httpx.get(f"{server.url}{style[1]}", headers=host).is_success)
                with self.provider.holding():
                    sent = self.workers.submit(self.post, server, jpeg(2000, 2000), headers=host)
                    self.eventually(lambda: self.provider.state()["in_flight"] == 1)
                    server.process.terminate()
                self.assert_all_well([sent.result()])
                self.assertEqual(server.process.wait(90), 0)
            self.assertNotIn("Traceback", log.read_text())
            self.assertEqual(log.read_text().count("Booting worker"), 1)

    def test_workers_go_and_no_photo_goes_with_them(self) -> None:
        with self.site.server(gunicorn=2, env={"WORKER_MAX_REQUESTS": "30"}) as server:
            # One at a time, when it has served for long enough.
            self.assert_all_well(self.photos_until_others_serve(server))
            self.assertGreaterEqual(server.log_text().count("server.worker.retired"), 2)
            # All of them, when systemd is told to reload.
            server.process.send_signal(signal.SIGHUP)
            self.assert_all_well(self.photos_until_others_serve(server))

    def photos_until_others_serve(self, server: server_process.Server) -> list[httpx.Response]:
        """Answers to the photos sent until none of the processes of now is left."""
        first = {worker.pid for worker in server.process.children()}
        sent: list[Future[httpx.Response]] = []
        give_up = time.monotonic() + 300
        while first & {worker.pid for worker in server.process.children()}:
            self.assertLess(time.monotonic(), give_up)
            if sum(not photo.done() for photo in sent) < 6:
                sent.append(self.workers.submit(self.post, server, jpeg()))
            for _ in range(8):  # so that each of them has soon served for long enough
                self.workers.submit(httpx.get, f"{server.url}/livez")
            time.sleep(0.3)
        return [photo.result() for photo in sent]
