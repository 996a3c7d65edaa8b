"""What came in a booth's form: its text fields, and the photo's file with its digests."""

import errno
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any
from weakref import WeakSet

from django.conf import settings

from ingest.refusals.errors import DiskFull
from photochanger.errors import StorageError
from photochanger.threads.temporary_files import close_soon

# Recipes a booth's hash is compared with; told apart by the number of hex digits.
HASH_RECIPES = {32: "md5", 40: "sha1", 64: "sha256"}
MAX_IN_MEMORY = 16
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
_in_memory: WeakSet["UploadedForm"] = WeakSet()


class UploadedForm:
    """What came in one form: text fields, and the file with its digests. ``close`` frees it.

    A small photo waits in memory, but not a flood of them: the others go to the disk at once.
    """

    def __init__(self, *, is_large: bool = False) -> None:
        self._is_large = is_large  # said by Content-Length: not worth a start in memory
        self._starts_in_memory: bool | None = None
        self.fields: dict[str, str] = {}
        self.file: IO[bytes] | None = None
        self.size_bytes = 0
        self.received_at = 0.0  # its last byte, in the event loop's time
        self.hash_recipe = ""  # which one the booth's ``hash`` follows, once that is known
        self.has_photo_field = False  # with or without anything in it
        self.has_other_file = False
        self._digests: dict[str, Any] = {}
        self._is_in_use = self._is_closed = False

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Around what a thread does with the file, which cannot be closed while that hangs.

        Raises StorageError.
        """
        self._is_in_use = True
        try:
            yield
        except OSError as exc:
            kind = DiskFull if exc.errno in FULL_DISK else StorageError
            raise kind(f"upload cannot be spooled: {exc.strerror}") from exc
        finally:
            self._is_in_use = False
            if self._is_closed:
                self.close()

    def close(self) -> None:
        """Never blocks: a thread that was left behind in the file closes it when it comes back."""
        self._is_closed = True
        if self.file is not None and not self._is_in_use:
            if self.may_write_to_disk():
                close_soon(self.file)
            else:
                self.file.close()
        _in_memory.discard(self)

    def forget_file(self) -> None:
        if self.file is not None:
            close_soon(self.file)
        self.file, self.size_bytes = None, 0

    def may_write_to_disk(self, more_bytes: int = 0) -> bool:
        """Whether the file is there, or may be after so many bytes.

        Where it starts is decided with its first bytes: who sends none takes nobody's place.
        """
        if self._starts_in_memory is None:
            self._starts_in_memory = not self._is_large and len(_in_memory) < MAX_IN_MEMORY
            if self._starts_in_memory:
                _in_memory.add(self)
        size_bytes = self.size_bytes + more_bytes
        return not self._starts_in_memory or size_bytes > settings.UPLOAD_SPOOL_BYTES

    def open_file(self) -> None:
        """Start the file, instead of an earlier one.

        It is hashed by SHA-256, and by the booth's recipe if that is known yet.
        """
        if self.file is not None:
            self.forget_file()
        self.file = (
            tempfile.TemporaryFile()  # noqa: SIM115  close() ends both
            if self.may_write_to_disk()
            else tempfile.SpooledTemporaryFile(max_size=settings.UPLOAD_SPOOL_BYTES)  # noqa: SIM115
        )
        recipes = {"sha256", HASH_RECIPES.get(len(self.fields.get("hash", "")), "sha256")}
        self._digests = {name: hashlib.new(name, usedforsecurity=False) for name in recipes}

    def write_file(self, data: bytes) -> None:
        assert self.file is not None
        self.size_bytes += len(data)
        self.file.write(data)
        for digest in self._digests.values():
            digest.update(data)

    def compute_sha256(self) -> str:
        return str(self._digests["sha256"].hexdigest())

    def match_recipe(self) -> str:
        """Which recipe the booth's ``hash`` follows: "" without a hash, "none" for no known one.

        Blocking when the hash came after the file: the file is read once more.
        """
        claimed = self.fields.get("hash", "").strip().lower()
        if not claimed:
            return ""
        recipe = HASH_RECIPES.get(len(claimed))
        if recipe is None or self.file is None:
            return "none"
        if recipe not in self._digests:
            self.file.seek(0)
            self._digests[recipe] = hashlib.file_digest(self.file, recipe)  # type: ignore[arg-type]
        return recipe if self._digests[recipe].hexdigest() == claimed else "none"
