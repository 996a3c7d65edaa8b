"""Pictures that a guest has deleted, out of everybody's reach for an hour: an operator may undo it.

Whoever deletes somebody else's picture by a link that was passed on has done no lasting harm. All
that undoing needs is in the file's name, so that no row has to remember a deleted picture.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from media import storage
from media.models import MediaObject
from photochanger.db import clock
from photochanger.errors import StorageError

log = structlog.get_logger()

FOLDER = "held/"
HELD_FOR = timedelta(hours=1)
NO_END = "0"


@dataclass(frozen=True, slots=True)
class HeldPicture:
    """``held/<slot>/<row>.<expiry, in seconds>``"""

    path: str
    deleted_at: datetime

    @property
    def until(self) -> datetime:
        return self.deleted_at + HELD_FOR

    @property
    def expires_at(self) -> datetime | None:
        """The end that the picture had before it was deleted."""
        stamp = self.path.rpartition("/")[2].partition(".")[2]
        return None if stamp == NO_END else datetime.fromtimestamp(int(stamp), UTC)


def hold(result: MediaObject) -> None:
    """Keep a copy of a result that is about to be deleted. Never raises: deleting comes first."""
    stamp = NO_END if result.expires_at is None else str(int(result.expires_at.timestamp()))
    try:
        storage.write(f"{_build_stem(result)}.{stamp}", storage.read(result.path))
    except (OSError, StorageError) as exc:
        log.warning("media.held.write_failed", detail=str(exc))


def find_held(result: MediaObject) -> HeldPicture | None:
    """What can still be brought back. Raises StorageError."""
    held = _iter_held(_build_stem(result) + ".")
    return next((one for one in held if one.until > clock.now()), None)


def remove_held(slot_id: str | None = None, *, is_purge: bool = False) -> int:
    """Erase what was held for an hour; with ``is_purge`` all of it. Raises nothing."""
    removed = 0
    try:
        for held in list(_iter_held(FOLDER if slot_id is None else f"{FOLDER}{slot_id}/")):
            if is_purge or held.until <= clock.now():
                storage.remove(held.path)
                removed += 1
    except (OSError, StorageError) as exc:
        log.error("media.held.delete_failed", detail=str(exc))
    return removed


def iter_held_rows() -> Iterator[tuple[uuid.UUID, str]]:
    """The row of each result that is held, and the path of its copy. Raises StorageError."""
    for file in storage.iter_files(FOLDER):
        yield uuid.UUID(file.path.rpartition("/")[2].partition(".")[0]), file.path


def _iter_held(prefix: str) -> Iterator[HeldPicture]:
    for file in storage.iter_files(prefix):
        yield HeldPicture(file.path, file.modified_at)


def _build_stem(result: MediaObject) -> str:
    row: uuid.UUID = result.pk
    return f"{FOLDER}{result.slot_id}/{row}"
