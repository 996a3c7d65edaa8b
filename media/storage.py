"""Where files live: on disk, written so that a crash never leaves half of one under its name."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage

from photochanger.errors import StorageError

COPY_BYTES = 1024 * 1024


class AtomicFileSystemStorage(FileSystemStorage):
    """Django's storage with one difference: temporary name, fsync, rename."""

    def _save(self, name: str, content: "File[bytes]") -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                shutil.copyfileobj(content, file, COPY_BYTES)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, self.file_permissions_mode or 0o644)
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return name


def write(path: str, body: bytes) -> None:
    """Store ``body`` under exactly ``path``; the file is whole on disk when this returns.

    Blocking (about 8 ms for 2 MB). Raises StorageError, and then nothing stays behind.
    """
    try:
        stored = default_storage.save(path, ContentFile(body))
    except OSError as exc:
        raise StorageError(f"{path}: {exc.strerror or exc}") from exc
    if stored != path:
        remove(stored)
        raise StorageError(f"{path} exists already")


def remove(path: str) -> None:
    """Delete a file, and its own folder if that is empty now; a file that is gone is fine.

    Never a folder above: another photo of the same slot may be about to make its own in there.
    """
    default_storage.delete(path)
    if isinstance(default_storage, FileSystemStorage):
        with contextlib.suppress(OSError):  # not empty, or somebody else removed it first
            Path(default_storage.path(path)).parent.rmdir()
