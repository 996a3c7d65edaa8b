"""Files on disk, written atomically: a crash never leaves half of one under its name."""

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from media.storage import StoredFile

COPY_BYTES = 1024 * 1024
FILE_MODE = 0o640  # faces: for a front server in our group, and for nobody else of the machine


class AtomicFileSystemStorage(FileSystemStorage):
    """Django's storage with one difference: temporary name, fsync, rename."""

    is_local = True

    def warm_up(self) -> None:
        """Nothing to connect to."""

    def _save(self, name: str, content: "File[bytes]") -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        # What ``tempfile`` looks up for a name costs a photo half as much as writing it.
        temporary = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            handle = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE
            )
            with os.fdopen(handle, "wb") as file:
                os.fchmod(handle, FILE_MODE)  # whatever the process takes away of a new file's
                shutil.copyfileobj(content, file, COPY_BYTES)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return name

    def delete_empty_folder(self, name: str) -> None:
        if name.count("/") < 2:
            return  # a folder that all share: another file may be written there now
        with contextlib.suppress(OSError):  # not empty, or somebody else removed it first
            Path(self.path(name)).parent.rmdir()

    def open_at(self, name: str, *, start: int, length: int | None) -> IO[bytes]:
        file = open(self.path(name), "rb", opener=_open_at_once)  # noqa: SIM115  the caller closes it
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise OSError(errno.EINVAL, "it is not a file")
        file.seek(start)
        return file

    def iter_files(self, prefix: str) -> Iterator[StoredFile]:
        top = prefix.rpartition("/")[0]
        yield from self._walk(Path(self.path(top)), prefix)

    def _walk(self, folder: Path, prefix: str) -> Iterator[StoredFile]:
        """Entry by entry: a slot may have a hundred thousand folders. A missing folder is empty."""
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                path = Path(entry.path).relative_to(self.base_location).as_posix()
                if entry.is_dir(follow_symlinks=False):
                    if f"{path}/".startswith(prefix) or prefix.startswith(f"{path}/"):
                        yield from self._walk(Path(entry.path), prefix)
                elif path.startswith(prefix):
                    yield from _stat_file(path, entry)


def _open_at_once(path: str, flags: int) -> int:
    """A pipe under a picture's name would keep the event loop until somebody writes to it."""
    return os.open(path, flags | os.O_NONBLOCK)


def _stat_file(path: str, entry: "os.DirEntry[str]") -> Iterator[StoredFile]:
    with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
        found = entry.stat()
        modified_at = datetime.fromtimestamp(found.st_mtime, UTC)
        yield StoredFile(path=path, size_bytes=found.st_size, modified_at=modified_at)
