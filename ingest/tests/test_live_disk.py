"""A full disk costs no paid picture, and nothing half-written stays behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar

import httpx
import psutil

from ingest.tests.life_support import LifeTestCase, small_disk
from ingest.tests.support import jpeg
from photochanger.testing import server_process
from photochanger.testing.databases import chosen_database

MB = 1024 * 1024
SPOOLED_BYTES = 3 * MB // 2  # more than waits in memory


class DiskTests(LifeTestCase):
    simulated: ClassVar[dict[str, Any]] = {"plain": True}
    server: server_process.Server

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = cls.enterClassContext(cls.site.server())
        cls.post(cls(), cls.server, large_photo())  # it looks once where temporary files may go

    def assert_picture_is_answered_and_leaves_nothing(self) -> None:
        """The booth gets what was paid for; the guest has no link, and the row says so."""
        files = self.results()
        answer = self.post(self.server)
        self.assert_all_well([answer])
        self.assertEqual(self.last_job(), ("done", ""))
        stored = self.site.rows(
            "select result_path, failure_detail from job_history order by started_at desc limit 1"
        )
        self.assertEqual(stored[0][0], "")
        self.assertIn("sent, but not stored", stored[0][1])
        link = f"{self.server.url}/public/results/{answer.headers['X-Job-Id']}"
        self.assertEqual(httpx.get(link).status_code, 404)
        self.assertEqual(self.results(), files)
        empty = [p for p in self.site.media_root.rglob("*") if p.is_dir() and not any(p.iterdir())]
        self.assertEqual(empty, [])

    def assert_next_photo_succeeds(self, photo: bytes | None = None) -> None:
        answer = self.post(self.server, photo)
        self.assert_all_well([answer])
        job_id = answer.headers["X-Job-Id"]
        self.eventually(lambda: self.count_whole_files(job_id) == 2)

    def count_whole_files(self, job_id: str) -> int:
        return sum(job_id in path and not path.endswith(".part") for path in self.results())

    def test_a_result_that_finds_the_disk_full_is_still_answered(self) -> None:
        with small_disk(self.site.media_root, "16m") as disk:
            self.assert_next_photo_succeeds()
            for but_bytes in (0, 32 * 1024):  # no room for a folder; room for half the picture
                with self.subTest(but_bytes=but_bytes):
                    with disk.fill(but_bytes=but_bytes):
                        self.assert_picture_is_answered_and_leaves_nothing()
                    self.assert_next_photo_succeeds()

    def test_a_result_that_is_cut_off_in_the_middle_is_still_answered(self) -> None:
        """The same for those who may not mount a disk: no file may grow beyond a limit."""
        if chosen_database() == "sqlite":  # its journal is a file too, and starts anew
            self.site.rows("pragma wal_checkpoint(truncate)")
        with self.largest_file(self.server.log.stat().st_size + 64 * 1024):
            self.assert_picture_is_answered_and_leaves_nothing()
        self.assert_next_photo_succeeds()

    @contextmanager
    def largest_file(self, size_bytes: int) -> Iterator[None]:
        process, kind = self.server.process, psutil.RLIMIT_FSIZE
        before = process.rlimit(kind)
        process.rlimit(kind, (size_bytes, before[1]))
        try:
            yield
        finally:
            process.rlimit(kind, before)

    def test_a_results_folder_that_cannot_be_made_costs_no_print(self) -> None:
        results = self.site.media_root / "results"
        aside = results.rename(self.site.root / "aside")
        results.write_bytes(b"in the way")
        try:
            self.assert_picture_is_answered_and_leaves_nothing()
        finally:
            results.unlink()
            aside.rename(results)
        self.assert_next_photo_succeeds()

    def test_an_upload_that_finds_the_disk_full_is_a_clear_refusal(self) -> None:
        jobs = self.jobs()
        with small_disk(self.site.tmp, "2m") as disk:
            # Full at once; in the middle; and by the last few bytes, which wait in a buffer.
            for but_bytes in (0, MB, SPOOLED_BYTES - SPOOLED_BYTES % 4096):
                with self.subTest(but_bytes=but_bytes), disk.fill(but_bytes=but_bytes):
                    left = self.site.temp_bytes(self.server)
                    self.assert_storage_error(self.post(self.server, large_photo()))
                    self.eventually(partial(self.are_freed, but_bytes=left))
            self.assertEqual(self.jobs(), jobs)
            self.assert_next_photo_succeeds(large_photo())

    def are_freed(self, *, but_bytes: int) -> bool:
        return self.site.temp_bytes(self.server) <= but_bytes

    def test_a_picture_of_an_administrator_that_finds_it_full_is_one_too(self) -> None:
        said = self.site.manage("sync_admins", "--generate", "--usernames", "serg")
        keys = {"username": "serg", "password": said.split("serg")[1].split()[0]}
        answer = httpx.post(f"{self.server.url}/api/login", json=keys, timeout=90)
        token = answer.raise_for_status().json()["access_token"]
        with small_disk(self.site.tmp, "2m") as disk, disk.fill():
            answer = httpx.post(
                f"{self.server.url}/api/media/register",
                data={"slot_id": "slot-001"},
                files={"file": ("a.jpg", bytes(4 * MB), "image/jpeg")},
                headers={"Authorization": f"Bearer {token}"},
                timeout=90,
            )
            self.assert_storage_error(answer)


def large_photo() -> bytes:
    photo = jpeg()
    return photo + bytes(SPOOLED_BYTES + 100 - len(photo))
