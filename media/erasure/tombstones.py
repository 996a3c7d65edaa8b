"""What was deleted on purpose stays deleted, also when an older database is restored.

An empty file in the storage, beside the pictures and outside the database, for each deletion: its
name is the SHA-256 of the job's id, which opens nothing. Restored rows are held against these.
"""

import hashlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from django.core.files.storage import default_storage

from media import storage
from photochanger.db import clock
from photochanger.errors import StorageError

log = structlog.get_logger()

FOLDER = "deleted/"
PURGED = "purged"
EVERY_SLOT = "all"
# Longer than any result may live (8,760 hours), so that no backup has it alive after this.
KEPT_FOR = timedelta(days=400)


def record_deletion(job_id: uuid.UUID) -> None:
    """Never raises: a full disk must not keep a guest from deleting."""
    _write(FOLDER + hash_job(job_id))


def record_purge(whose: str | None) -> None:
    """One for all results of a slot, of an event (``name_event``) or of all that are stored now."""
    _write(f"{FOLDER}{PURGED}.{whose or EVERY_SLOT}.{clock.now().timestamp():.3f}")


def name_event(event_id: int | None) -> str:
    """An event among the purges, where slots have their number."""
    return f"event-{event_id}"


def withdraw_deletion(job_id: uuid.UUID) -> None:
    """Raises OSError, StorageError."""
    storage.remove(FOLDER + hash_job(job_id))


def is_deleted(job_id: uuid.UUID) -> bool:
    """One look at the disk. A bucket is not asked for each picture: ``list_deletions`` serves it
    at each start and each cleanup."""
    return storage.is_local() and Path(default_storage.path(FOLDER + hash_job(job_id))).exists()


def hash_job(job_id: uuid.UUID) -> str:
    return hashlib.sha256(job_id.bytes).hexdigest()


def list_deletions() -> tuple[set[str], list[tuple[str, datetime]]]:
    """Hashes of single jobs, and purges: slot, event or ``EVERY_SLOT``, and when.

    Raises StorageError.
    """
    jobs, purges = set[str](), list[tuple[str, datetime]]()
    for name in _iter_names():
        kind, _, rest = name.partition(".")
        slot_id, _, moment = rest.partition(".")
        if kind == PURGED:
            purges.append((slot_id, datetime.fromtimestamp(float(moment), UTC)))
        else:
            jobs.add(name)
    return jobs, purges


def _iter_names() -> Iterator[str]:
    """The names of what still counts; what is too old is removed on the way."""
    before = clock.now() - KEPT_FOR
    for file in storage.iter_files(FOLDER):
        if file.path.endswith(".part"):
            continue
        if file.modified_at < before:
            storage.remove(file.path)
        else:
            yield file.path.removeprefix(FOLDER)


def _write(path: str) -> None:
    try:
        storage.write(path, b"")
    except (OSError, StorageError) as exc:
        if "exists already" not in str(exc):
            log.error("media.tombstone.write_failed", detail=str(exc))
