"""Clean up stored files and their rows. A run may be killed anywhere and started again.

The file is deleted first, then its row is marked, so that no file is forgotten. No lock is held
while files are deleted: of two runs at once both may delete a file, but only one marks its row,
and only that one counts it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import structlog
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from media import storage
from media.models import MediaObject
from media.services import set_results_ttl
from media.storage import StoredFile
from photochanger.db import clock
from photochanger.errors import StorageError

log = structlog.get_logger()

Kind = MediaObject.Kind
T = TypeVar("T")
Progress = Callable[[str, int, int | None], None]  # step, done so far, of how many if that is known

# The folders and names that we use in the storage: all other files belong to somebody else and
# are not touched. Other programs have a folder named `templates` too.
FOLDERS = ("results/", "provider-inputs/", "templates/", "test-photos/")
_PARTIAL_FILE = r"\.\w+\.part"
OWN_FILES = re.compile(
    rf"results/[\w-]+/[\w-]+/(payload\.\w+|preview\.webp|{_PARTIAL_FILE})"
    rf"|(templates|test-photos)/[\w-]+/(picture\.\w+|{_PARTIAL_FILE})"
    rf"|provider-inputs/([\w-]+\.\w+|{_PARTIAL_FILE})",
    re.ASCII,
)
ORPHAN, LEFTOVER = "orphan", "leftover"
TEMPORARY = (Kind.RESULT, Kind.PREVIEW, Kind.PROVIDER_INPUT, Kind.TEST_PHOTO, Kind.SAMPLE)
KEPT = (Kind.TEMPLATE, Kind.LOGO)  # until nothing uses them
KINDS = (*Kind.values, ORPHAN, LEFTOVER)
BATCH = 500
# A file is older than its row by a minute at most: the longest job takes that long.
ORPHAN_AFTER = timedelta(hours=1)
# As long as the row exists, a link answers 410, not 404. Guests try their links for weeks; a late
# provider or a console that was left open, for hours.
ROW_RETENTION = {
    Kind.RESULT: timedelta(days=30),
    Kind.PREVIEW: timedelta(days=30),
    Kind.PROVIDER_INPUT: timedelta(days=3),
    Kind.TEST_PHOTO: timedelta(days=3),
    Kind.SAMPLE: timedelta(days=3),
}  # rows of template pictures are few, and a recipe might still refer to one
# So many rows without a file, or files without a row, are no accident: a disk is not mounted (new
# photos may be stored in its mount point), or this is another installation's database.
SUSPICIOUS_COUNT = 10


@dataclass(slots=True, kw_only=True)
class Sweep:
    """One run over the files of a slot, or of all; ``dry_run``: it counts and touches nothing."""

    slot_id: str | None = None
    dry_run: bool = False
    # After a restore: the default backup holds no results, so rows without files are no accident.
    expects_loss: bool = False
    progress: Progress = lambda step, done, total: None
    # A bucket that refuses so many files in a row is unavailable: each more would cost seconds.
    give_up_after: int = 10
    now: datetime = field(default_factory=clock.now)
    removed: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(KINDS, 0)))
    moved_results: int = 0  # given another expiry, as the setting has changed
    lost_files: int = 0  # rows whose file was missing
    forgotten_rows: int = 0
    freed_bytes: int = 0
    failures: int = 0
    _failed_in_a_row: int = 0
    # In a bucket, what `remove_orphans` has seen: to ask for each picture by itself would take
    # minutes and be billed one by one. None: nobody has looked.
    _listed: set[str] | None = None

    def apply_ttl(self, ttl_hours: int) -> None:
        """Give results of all slots the time to live of the settings.

        Changing the setting does it too; a photo that closed at that very moment may have missed
        it. A dry run counts here what would then be expired, and rolls the change back.
        """
        if not self.dry_run:
            self.moved_results = set_results_ttl(ttl_hours)
            return
        with transaction.atomic():
            self.moved_results = set_results_ttl(ttl_hours)
            self._count_expired()
            transaction.set_rollback(True)

    def _select_rows(self) -> QuerySet[MediaObject]:
        rows = MediaObject.objects.all()
        return rows if self.slot_id is None else rows.filter(slot_id=self.slot_id)

    def _select_due_rows(self) -> QuerySet[MediaObject]:
        """A template picture expires only while no recipe uses it. One may be about to, so it
        gets an hour longer."""
        is_over = Q(kind__in=TEMPORARY, expires_at__lte=self.now)
        is_over |= Q(kind__in=KEPT, expires_at__lte=self.now - ORPHAN_AFTER)
        return self._select_rows().filter(is_over, cleaned_at__isnull=True)

    def _count_expired(self) -> None:
        counted = (
            self._select_due_rows().values("kind").annotate(n=Count("pk"), size=Sum("size_bytes"))
        )
        for row in counted.order_by():
            self.removed[row["kind"]] += row["n"]
            self.freed_bytes += row["size"]

    def remove_expired(self) -> None:
        if self.dry_run:  # counted in ``apply_ttl``
            return
        rows, done, total = self._select_due_rows(), 0, self._select_due_rows().count()
        after = Q()
        while batch := list(rows.filter(after).order_by("expires_at", "pk")[:BATCH]):
            last = batch[-1]
            later = Q(expires_at__gt=last.expires_at) | Q(pk__gt=last.pk)
            after = Q(expires_at__gte=last.expires_at) & later  # in this form an index serves it
            self._remove_batch(batch)
            done += len(batch)
            self.progress("expired", done, total)
            if self._is_storage_unavailable():
                log.error("media.cleanup.aborted", left=total - done)
                return

    def _remove_batch(self, batch: list[MediaObject]) -> None:
        gone = []
        for media in batch:
            if self._is_storage_unavailable():
                break
            if self._try_remove(media.path, media.kind):
                gone.append(media)
        for media in self._mark_cleaned(gone):
            self.removed[media.kind] += 1
            self.freed_bytes += media.size_bytes

    def _is_storage_unavailable(self) -> bool:
        return self._failed_in_a_row >= self.give_up_after and not storage.is_local()

    def _mark_cleaned(self, gone: list[MediaObject]) -> list[MediaObject]:
        """Mark the rows whose files are gone; returns those that no other run had marked yet."""
        with transaction.atomic():
            rows = MediaObject.objects.filter(
                pk__in=[media.pk for media in gone], cleaned_at__isnull=True
            )
            ours = list(rows.order_by("pk").select_for_update(no_key=True))
            rows.filter(pk__in=[media.pk for media in ours]).update(cleaned_at=clock.now())
        return ours

    def _try_remove(self, path: str, kind: str) -> bool:
        try:
            storage.remove(path)
        except Exception as exc:  # one bad file must not save the others
            self._failed_in_a_row += 1
            self._record_failure(path, kind, exc)
            return False
        self._failed_in_a_row = 0
        return True

    def _record_failure(self, path: str, kind: str, exc: Exception) -> None:
        self.failures += 1
        log.error(
            "media.file.delete_failed", path=path, kind=kind, detail=f"{type(exc).__name__}: {exc}"
        )

    def mark_lost(self) -> None:
        """Mark rows whose file was deleted by somebody else, so that their links answer 410.

        A missing template picture is a failure: only an operator can bring it back. So is the
        loss of most pictures: no row is marked then, or their files would be removed as orphans
        once they are back.
        """
        is_live = Q(expires_at__isnull=True) | Q(expires_at__gt=self.now)
        live = self._select_rows().filter(is_live, cleaned_at__isnull=True)
        live = live.exclude(kind=Kind.PROVIDER_INPUT)  # expires in a minute anyway
        total, done = live.count(), 0
        try:
            seen = self._list_files()
            for batch in _iter_by_key(live):  # keys are random, so each batch is a fair sample
                missing = [m for m in batch if m.path not in seen and not _is_stored(m.path)]
                is_odd = len(missing) >= max(SUSPICIOUS_COUNT, len(batch) / 2)
                if is_odd and not self.expects_loss:
                    raise StorageError(f"{len(missing)} of {len(batch)} pictures are not there")
                self._count_lost(missing)
                done += len(batch)
                self.progress("rows without files", done, total)
        except (OSError, StorageError) as exc:
            self._record_failure("the storage", "any", exc)

    def _list_files(self) -> set[str]:
        """Paths that are there for sure; those that are not in it are to be asked for.

        Empty on a disk, where asking costs nothing.
        """
        if storage.is_local():
            return set()
        if self._listed is None:
            self._listed = {file.path for folder in FOLDERS for file in storage.iter_files(folder)}
        return self._listed

    def _count_lost(self, missing: list[MediaObject]) -> None:
        for media in missing:
            if media.kind in KEPT:
                self._record_failure(media.path, media.kind, FileNotFoundError("upload it again"))
        lost = [media for media in missing if media.kind not in KEPT]
        for media in lost if self.dry_run else self._mark_cleaned(lost):
            self.lost_files += 1
            log.warning("media.file.lost", path=media.path, kind=media.kind, dry_run=self.dry_run)

    def remove_orphans(self) -> None:
        """Files without a row, left by a crash or a restored backup, and half-written files."""
        seen, self._listed = 0, set()
        for folder in FOLDERS if self.slot_id is None else (f"results/{self.slot_id}/",):
            try:
                for batch in _iter_batches(storage.iter_files(folder)):
                    self._remove_orphan_batch(batch)
                    seen += len(batch)
                    if not storage.is_local():
                        self._listed |= {file.path for file in batch}
                    self.progress("files without rows", seen, None)
            except (OSError, StorageError) as exc:
                self._record_failure(folder, "folder", exc)

    def _remove_orphan_batch(self, batch: list[StoredFile]) -> None:
        before = self.now - ORPHAN_AFTER
        old = [f for f in batch if f.modified_at < before and OWN_FILES.fullmatch(f.path)]
        paths = [file.path for file in old]
        rows = MediaObject.objects.filter(path__in=paths, cleaned_at__isnull=True)
        known = set(rows.values_list("path", flat=True))
        unknown = [file for file in old if file.path not in known]
        if len(unknown) >= SUSPICIOUS_COUNT and not MediaObject.objects.exists():
            raise StorageError(f"{len(unknown)} files, and the database knows of no picture at all")
        for file in unknown:
            kind = LEFTOVER if file.path.endswith(".part") else ORPHAN
            if self.dry_run or self._try_remove_orphan(file.path, kind):
                self.removed[kind] += 1
                self.freed_bytes += file.size_bytes

    def _try_remove_orphan(self, path: str, kind: str) -> bool:
        """Whether this run removed it. Without a row only the file system knows; S3 does not."""
        try:
            if storage.is_local():
                Path(default_storage.path(path)).unlink()
        except FileNotFoundError:
            return False
        except OSError as exc:
            self._record_failure(path, kind, exc)
            return False
        return self._try_remove(path, kind)  # its folder too

    def delete_old_rows(self) -> None:
        for kind, kept_for in ROW_RETENTION.items():
            old = self._select_rows().filter(kind=kind, cleaned_at__lt=self.now - kept_for)
            if self.dry_run:
                self.forgotten_rows += old.count()
                continue
            while keys := list(old.values_list("pk", flat=True)[:BATCH]):
                self.forgotten_rows += MediaObject.objects.filter(pk__in=keys).delete()[0]
                self.progress("old rows", self.forgotten_rows, None)


def _iter_by_key(rows: QuerySet[MediaObject]) -> Iterator[list[MediaObject]]:
    """In batches by primary key: rows may change or disappear between two of them."""
    after = Q()
    while batch := list(rows.filter(after).order_by("pk")[:BATCH]):
        yield batch
        after = Q(pk__gt=batch[-1].pk)


def _iter_batches(things: Iterable[T]) -> Iterator[list[T]]:
    batch: list[T] = []
    for thing in things:
        batch.append(thing)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _is_stored(path: str) -> bool:
    return any(file.path == path for file in storage.iter_files(path))
