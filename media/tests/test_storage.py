import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asgiref.sync import async_to_sync
from django.test import SimpleTestCase, override_settings
from django.utils import timezone

from media import storage
from photochanger.errors import StorageError


@contextmanager
def file_size_limit(size_bytes: int) -> Iterator[None]:
    """The operating system refuses to let any file of this process grow beyond the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class StorageTests(SimpleTestCase):
    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(override_settings(MEDIA_ROOT=self.root))

    def names(self) -> list[str]:
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*"))

    def test_a_file_is_stored_under_exactly_its_name(self) -> None:
        storage.write("results/slot-001/a/payload.jpg", b"picture")
        stored = self.root / "results/slot-001/a/payload.jpg"
        self.assertEqual(stored.read_bytes(), b"picture")
        self.assertEqual(list(stored.parent.iterdir()), [stored])

    def test_an_existing_file_is_not_touched(self) -> None:
        storage.write("a/b.jpg", b"first")
        with self.assertRaises(StorageError):
            storage.write("a/b.jpg", b"second")
        self.assertEqual(self.names(), ["a", "a/b.jpg"])
        self.assertEqual((self.root / "a/b.jpg").read_bytes(), b"first")

    def test_a_folder_goes_with_its_last_file_unless_all_share_it(self) -> None:
        for path in ("provider-inputs/a.jpg", "templates/a/picture.jpg"):
            storage.write(path, b"picture")
            storage.remove(path)
        self.assertEqual(self.names(), ["provider-inputs", "templates"])

    def test_a_disk_that_takes_no_more_leaves_no_half_file(self) -> None:
        with file_size_limit(1000), self.assertRaises(StorageError) as caught:
            storage.write("a/b.jpg", b"p" * 5000)
        self.assertIn("File too large", str(caught.exception))
        self.assertEqual(self.names(), ["a"])
        storage.write("a/b.jpg", b"p" * 5000)

    def test_removing_deletes_empty_folders_and_ignores_missing_files(self) -> None:
        storage.write("results/slot-001/a/payload.jpg", b"1")
        storage.write("results/slot-001/b/payload.jpg", b"2")
        storage.remove("results/slot-001/a/payload.jpg")
        storage.remove("results/slot-001/a/payload.jpg")
        self.assertEqual(
            self.names(),
            ["results", "results/slot-001", "results/slot-001/b", "results/slot-001/b/payload.jpg"],
        )

    def test_a_file_is_read_whole_or_in_part(self) -> None:
        body = bytes(range(256)) * 4000  # 1 MB: several pieces
        storage.write("a/b.jpg", body)
        self.assertEqual(storage.read("a/b.jpg"), body)
        for start, length in ((0, None), (300_000, None), (300_000, 500_000), (5, 1), (0, 0)):
            chunks = async_to_sync(self.read_chunks)("a/b.jpg", start, length)
            end = len(body) if length is None else start + length
            self.assertEqual(b"".join(chunks), body[start:end])
        with self.assertRaises(FileNotFoundError):
            storage.read("a/none.jpg")

    async def read_chunks(self, path: str, start: int, length: int | None) -> list[bytes]:
        opened = await storage.open_chunks(path, start=start, length=length)
        chunks = [chunk async for chunk in opened]
        self.assertTrue(opened._file.closed)
        return chunks

    async def test_a_missing_file_raises_before_anything_is_sent(self) -> None:
        with self.assertRaises(FileNotFoundError):
            await storage.open_chunks("a/none.jpg")

    def test_files_are_listed_by_prefix(self) -> None:
        for path in ("results/slot-001/a/1.jpg", "results/slot-002/b/2.jpg", "templates/3.png"):
            storage.write(path, b"123")
        (self.root / "results/slot-001/a/.x.part").write_bytes(b"12")

        def found(prefix: str = "") -> list[str]:
            return sorted(file.path for file in storage.iter_files(prefix))

        self.assertEqual(len(found()), 4)
        self.assertEqual(
            found("results/slot-001"), ["results/slot-001/a/.x.part", "results/slot-001/a/1.jpg"]
        )
        self.assertEqual(found("results/slot-00"), found("results/"))
        self.assertEqual(found("templates/3"), ["templates/3.png"])
        self.assertEqual(found("provider-inputs/"), [])
        one = next(storage.iter_files("templates/"))
        self.assertEqual(one.size_bytes, 3)
        self.assertLess(abs((timezone.now() - one.modified_at).total_seconds()), 600)
