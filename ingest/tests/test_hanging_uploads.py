"""Temporary files of photos whose disk hangs or fails: who waits, who closes what."""

import asyncio
import errno
import io
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock
from weakref import WeakSet

from django.test import RequestFactory, SimpleTestCase

from ingest.pipeline import upload, uploaded_form
from ingest.pipeline.order import Deadline
from ingest.pipeline.uploaded_form import MAX_IN_MEMORY, UploadedForm
from photochanger.errors import StorageError
from photochanger.testing.waiting import PATIENCE_S, wait_until
from photochanger.threads import temporary_files
from photochanger.threads.temporary_files import close_soon, move_to_disk

MB = 1024 * 1024
DEADLINE_S = 3.0  # less than a hanging step may take
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'


class HangingFile(io.BytesIO):
    """Each write waits until ``gate`` is open."""

    def __init__(self, gate: threading.Event) -> None:
        super().__init__()
        self.gate = gate

    def write(self, data: Any) -> int:
        self.gate.wait(PATIENCE_S)
        return super().write(data)


class HangingDisk:
    def __init__(self) -> None:
        self.gate, self.files = threading.Event(), list[HangingFile]()

    def make_file(self) -> HangingFile:
        self.files.append(HangingFile(self.gate))
        return self.files[-1]


class HangingUploadTests(SimpleTestCase):
    disk: HangingDisk
    parser: upload.FormParser

    def setUp(self) -> None:
        self.disk = HangingDisk()
        self.addCleanup(self.disk.gate.set)
        self.enterContext(mock.patch.object(tempfile, "TemporaryFile", self.disk.make_file))

    def read(self, deadline_s: float, batches: int) -> None:
        """Read a large photo of so many batches; raises what its booth would hear."""
        request = RequestFactory().post(
            "/", PART, content_type="multipart/form-data; boundary=b", CONTENT_LENGTH=str(9 * MB)
        )
        parser = self.parser = upload.FormParser.of(request, max_file_bytes=9 * MB)

        async def iter_batches(*_: Any) -> Any:
            yield PART
            for _number in range(batches):
                yield bytes(MB)

        async def receive() -> None:
            now = asyncio.get_running_loop().time()
            deadline = Deadline.from_arrival(now, wait_s=deadline_s)
            with deadline.limit_waits():
                async with upload.read_form(request, parser, deadline):
                    pass

        with mock.patch.object(upload, "_iter_batches", iter_batches):
            asyncio.run(receive())

    def test_the_booth_hears_of_the_disk_also_where_its_deadline_comes_first(self) -> None:
        for batches in (1, 3):  # the last one is waited for, or there is another one already
            with self.subTest(batches=batches), self.assertRaises(StorageError):
                self.read(DEADLINE_S, batches)

    def test_the_thread_that_hung_closes_the_file_when_it_comes_back(self) -> None:
        with self.assertRaises(StorageError):
            self.read(DEADLINE_S, 2)
        (file,) = self.disk.files
        self.assertFalse(file.closed)
        self.disk.gate.set()
        wait_until(lambda: file.closed)

    def test_a_healthy_disk_is_read_to_the_end_and_closed(self) -> None:
        self.disk.gate.set()
        with self.assertRaises(upload.InvalidRequest):  # it is cut off
            self.read(PATIENCE_S, 2)
        self.assertEqual(self.parser.form.size_bytes, 2 * MB)
        wait_until(lambda: self.disk.files[0].closed)


class PlaceTests(SimpleTestCase):
    def test_a_place_in_memory_is_taken_by_the_first_bytes_and_given_back(self) -> None:
        places: WeakSet[UploadedForm] = WeakSet()
        self.enterContext(mock.patch.object(uploaded_form, "_in_memory", places))
        silent = [UploadedForm() for _ in range(MAX_IN_MEMORY)]
        self.assertEqual(len(places), 0)
        for form in silent:
            self.assertFalse(form.may_write_to_disk(MB // 2))
        self.assertEqual(len(places), MAX_IN_MEMORY)
        self.assertTrue(UploadedForm().may_write_to_disk(), "there was a place left")
        for form in silent:
            form.close()
        self.assertEqual(len(places), 0)

    def test_a_large_one_and_one_that_grows_go_to_the_disk(self) -> None:
        form = UploadedForm()
        self.addCleanup(form.close)
        self.assertTrue(UploadedForm(is_large=True).may_write_to_disk())
        self.assertFalse(form.may_write_to_disk(MB // 2))
        self.assertTrue(form.may_write_to_disk(2 * MB))


class MovingTests(SimpleTestCase):
    def move(self, make_file: Callable[..., Any]) -> tuple[Any, Any]:
        file = io.BytesIO(b"picture")
        with mock.patch.object(tempfile, "TemporaryFile", make_file):
            moved = asyncio.run(self._move(file))
        return file, moved

    async def _move(self, file: io.BytesIO) -> Any:
        return await move_to_disk(file)

    def test_what_waits_long_is_moved_to_the_disk(self) -> None:
        self.enterContext(mock.patch.object(temporary_files, "MOVE_LIMIT_S", PATIENCE_S))
        file, moved = self.move(tempfile.TemporaryFile)
        moved.seek(0)
        self.assertEqual(moved.read(), b"picture")
        self.assertTrue(file.closed)
        close_soon(moved)
        wait_until(lambda: moved.closed)

    def test_it_stays_in_memory_where_no_file_can_be_made(self) -> None:
        for number in (errno.ENOSPC, errno.EROFS, errno.EMFILE):
            with self.subTest(errno.errorcode[number]):
                file, moved = self.move(mock.Mock(side_effect=OSError(number, "no")))
                self.assertIs(moved, file)
                self.assertEqual(moved.getvalue(), b"picture")

    def test_it_stays_there_in_time_where_the_disk_hangs(self) -> None:
        disk = HangingDisk()
        self.addCleanup(disk.gate.set)
        file, moved = self.move(disk.make_file)
        self.assertIs(moved, file)
        file.seek(3)
        disk.gate.set()
        wait_until(lambda: disk.files[0].closed or disk.files[0].tell() == len(b"picture"))
        self.assertEqual(file.read(), b"ture", "somebody else has read in it")

    def test_closing_waits_for_nobody(self) -> None:
        gate = threading.Event()
        self.addCleanup(gate.set)
        hanging, other = mock.Mock(close=gate.wait), io.BytesIO()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(close_soon, hanging).result(PATIENCE_S)
        close_soon(other)
        self.assertTrue(other.closed, "what lies in memory waits for no disk")
        gate.set()
        last = mock.Mock()
        close_soon(last)
        wait_until(lambda: last.close.called)
