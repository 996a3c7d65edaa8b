"""Shared by the tests of servers and databases that stop or crash while photos are in flight."""

import os
import subprocess
import tempfile
import time
import unittest
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx

from ingest.tests.live_support import LiveTestCase
from ingest.tests.support import jpeg
from photochanger.testing import live, server_process

T_SYNC_S, SLOT_LIMIT = 60, 10
DISK_BYTES = 64 * 1024 * 1024
PROMPT = {"prompt": "As an oil painting"}


@dataclass(frozen=True)
class SmallDisk:
    """A disk of its own under ``folder``."""

    folder: Path

    def remount(self, mode: str) -> None:
        """Read-only (``ro``), or as before (``rw``)."""
        subprocess.run(["mount", "-o", f"remount,{mode}", self.folder], check=True)

    @contextmanager
    def fill(self, *, but_bytes: int = 0) -> Iterator[None]:
        """Leave only ``but_bytes`` free on the disk while the block runs."""
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass
        os.truncate(filler, max(0, filler.stat().st_size - but_bytes))
        try:
            yield
        finally:
            filler.unlink()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[SmallDisk]:
    """Mount a small disk there, or skip the test where that is not allowed."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        raise unittest.SkipTest(f"a small disk needs the right to mount one: {done.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:  # lazily: nothing may stay mounted, whoever still holds a file there
        subprocess.run(["umount", "--lazy", folder], check=True)


@dataclass(frozen=True)
class FreezableDisk:
    """A disk of its own under ``folder``, which may hang as one whose machine is gone."""

    folder: Path

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Whoever writes there, or frees what it had written, waits until the block ends."""
        subprocess.run(["fsfreeze", "--freeze", self.folder], check=True)
        try:
            yield
        finally:
            subprocess.run(["fsfreeze", "--unfreeze", self.folder], check=True)


@contextmanager
def freezable_disk(folder: Path) -> Iterator[FreezableDisk]:
    """Mount a disk of 64 MB there, or skip the test where that is not allowed."""
    folder.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix="pc-disk-") as image:
        image.truncate(DISK_BYTES)
        _run_or_skip("mkfs.ext4", "-q", "-F", image.name)
        _run_or_skip("mount", "-o", "loop", image.name, folder)
        try:
            _run_or_skip("fsfreeze", "--freeze", folder)
            _run_or_skip("fsfreeze", "--unfreeze", folder)
            yield FreezableDisk(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def _run_or_skip(*command: str | Path) -> None:
    try:
        subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as exc:
        why = getattr(exc, "stderr", None) or exc
        raise unittest.SkipTest(f"a disk that hangs needs {command[0]}: {why}") from exc


class LifeTestCase(LiveTestCase):
    """Each photo may wait for a minute; ten go in at once."""

    workers: ThreadPoolExecutor
    simulated: ClassVar[dict[str, Any]] = {"plain": True}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.workers = cls.enterClassContext(ThreadPoolExecutor(24))
        cls.make_ready(cls.site)

    @classmethod
    def make_ready(cls, site: live.LiveSite) -> None:
        slot = {"settings": PROMPT, "sync_response_seconds": T_SYNC_S}
        site.configure_all({"slot-001": slot}, limits={"max_jobs_per_slot": SLOT_LIMIT})

    def send(
        self, server: server_process.Server, photos: Sequence[bytes]
    ) -> list[Future[httpx.Response]]:
        return [self.workers.submit(self.post, server, photo) for photo in photos]

    @contextmanager
    def in_flight(
        self, server: server_process.Server, photos: Sequence[bytes] | int
    ) -> Iterator[list[Future[httpx.Response]]]:
        """Photos, or so many new ones, that their provider works on until the block ends."""
        photos = [jpeg() for _ in range(photos)] if isinstance(photos, int) else photos
        with self.provider.holding():
            sent = self.send(server, photos)
            self.eventually(lambda: self.provider.state()["in_flight"] == len(photos))
            yield sent

    def assert_all_well(self, answers: Sequence[httpx.Response]) -> None:
        outcomes = [(a.status_code, a.text if a.is_error else "") for a in answers]
        self.assertEqual(outcomes, [(200, "")] * len(answers))
        for answer in answers:
            self.assertEqual(len(answer.content), int(answer.headers["content-length"]))

    def assert_storage_error(self, answer: httpx.Response) -> None:
        self.assertEqual(answer.status_code, 500, answer.text)
        self.assertEqual(answer.headers["content-type"], "application/json; charset=utf-8")
        content = answer.json()
        self.assertEqual((content["status"], content["failure_reason"]), ("error", "storage_error"))
        self.assertTrue(content["details"])

    def measure_refusal_s(self, server: server_process.Server, photo: bytes | None = None) -> float:
        """Seconds until the photo was refused with ``storage_error``."""
        begun = time.monotonic()
        self.assert_storage_error(self.post(server, photo))
        return time.monotonic() - begun

    def open_jobs(self) -> list[str]:
        sql = "select job_id from job_history where status = 'processing'"
        return [str(uuid.UUID(str(job_id))) for (job_id,) in self.site.rows(sql)]

    def get_job(self, server: server_process.Server, job_id: str) -> Any:
        return httpx.get(f"{server.url}/api/jobs/{job_id}", timeout=90).json()
