"""Disks that hang, of temporary files and of pictures: time is kept, and nobody else waits."""

import io
import time
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import httpx
from PIL import Image

from ingest.tests.life_support import T_SYNC_S, FreezableDisk, LifeTestCase, freezable_disk
from ingest.tests.support import jpeg
from ingest.tests.test_live_disk import large_photo
from photochanger.testing import server_process

ABOUT_S = 30  # what a busy machine adds, where nothing would answer


class FrozenDiskTests(LifeTestCase):
    simulated: ClassVar[dict[str, Any]] = {"plain": True}
    disk: FreezableDisk
    server: server_process.Server

    @classmethod
    def get_folder(cls) -> Path:
        """Where the disk lies."""
        raise NotImplementedError

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.disk = cls.enterClassContext(freezable_disk(cls.get_folder()))
        cls.server = cls.enterClassContext(cls.site.server())
        cls.post(cls(), cls.server, large_photo())  # it looks once where temporary files may go

    def assert_lives(self) -> None:
        for _ in range(3):
            answer = httpx.get(f"{self.server.url}/livez", timeout=ABOUT_S)
            self.assertEqual(answer.status_code, 200)

    def assert_answered_in_time(self, sent: list[Future[httpx.Response]]) -> list[httpx.Response]:
        begun = time.monotonic()
        answers = [photo.result(timeout=T_SYNC_S + ABOUT_S) for photo in sent]
        self.assertLess(time.monotonic() - begun, T_SYNC_S + ABOUT_S)
        return answers

    def assert_works_again(self) -> None:
        """Once the threads that hung are back."""
        self.eventually(lambda: self.post(self.server, large_photo()).status_code == 200)
        self.assert_all_well([self.post(self.server, large_photo()) for _ in range(8)])

    def assert_paid_photos_are_answered(self) -> None:
        with ExitStack() as freezing:
            with self.in_flight(self.server, [large_photo() for _ in range(6)]) as sent:
                freezing.enter_context(self.disk.frozen())
            self.assert_all_well(self.assert_answered_in_time(sent))
            self.assert_lives()
        self.assert_works_again()


class FrozenTemporaryFilesTests(FrozenDiskTests):
    @classmethod
    def get_folder(cls) -> Path:
        return cls.site.tmp

    def test_photos_that_arrive(self) -> None:
        with self.disk.frozen():
            large = self.send(self.server, [large_photo() for _ in range(12)])
            # The last one is small as a file only, and sent as a copy that fewer pixels make.
            small = self.send(self.server, [*(jpeg() for _ in range(3)), smooth_photo()])
            self.assert_lives()
            for answer in self.assert_answered_in_time(large):
                self.assert_storage_error(answer)
            self.assert_all_well(self.assert_answered_in_time(small))
        self.assertIn("files.temporary.kept_in_memory", self.server.log_text())
        self.assert_works_again()

    def test_photos_that_a_service_works_on(self) -> None:
        self.assert_paid_photos_are_answered()


def smooth_photo() -> bytes:
    """Of many pixels in few bytes."""
    out = io.BytesIO()
    Image.effect_noise((40, 30), 50).convert("RGB").resize((4000, 3000)).save(out, "JPEG")
    return out.getvalue()


class FrozenPicturesTests(FrozenDiskTests):
    @classmethod
    def get_folder(cls) -> Path:
        return cls.site.media_root

    def test_photos_that_a_service_works_on(self) -> None:
        self.assert_paid_photos_are_answered()
