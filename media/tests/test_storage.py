import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.test import SimpleTestCase, override_settings

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

    def test_a_disk_that_takes_no_more_leaves_no_half_file(self) -> None:
        with file_size_limit(1000), self.assertRaises(StorageError) as caught:
            storage.write("a/b.jpg", b"p" * 5000)
        self.assertIn("File too large", str(caught.exception))
        self.assertEqual(self.names(), ["a"])
        storage.write("a/b.jpg", b"p" * 5000)

    def test_removing_takes_empty_folders_along_and_forgives_twice(self) -> None:
        storage.write("results/slot-001/a/payload.jpg", b"1")
        storage.write("results/slot-001/b/payload.jpg", b"2")
        storage.remove("results/slot-001/a/payload.jpg")
        storage.remove("results/slot-001/a/payload.jpg")
        self.assertEqual(
            self.names(),
            ["results", "results/slot-001", "results/slot-001/b", "results/slot-001/b/payload.jpg"],
        )
