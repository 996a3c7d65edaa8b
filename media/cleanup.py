"""What cleanup does with stored files and their rows. It may be killed anywhere and run again.

The file goes first, then its row is marked, so that nothing is lost track of. No lock is held
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
from django.utils import timezone

from media import storage
from media.models import MediaObject
from media.services import keep_results_for
from media.storage import StoredFile
from photochanger.errors import StorageError

log = structlog.get_logger()

Kind = MediaObject.Kind
T = TypeVar("T")
Progress = Callable[[str, int, int | None], None]  # step, done so far, of how many if that is known

# What we may own in the storage, and how we name it: anything else there was put by somebody
# else, and is let be. A folder named `templates` other programs have too.
FOLDERS = ("results/", "provider-inputs/", "templates/", "test-photos/")
_HALF = r"\.\w+\.part"
OURS = re.compile(
    rf"results/[\w-]+/[\w-]+/(payload\.\w+|preview\.webp|{_HALF})"
    rf"|(templates|test-photos)/[\w-]+/(picture\.\w+|{_HALF})"
    rf"|provider-inputs/([\w-]+\.\w+|{_HALF})",
    re.ASCII,
)
ORPHAN, LEFTOVER = "orphan", "leftover"
TEMPORARY = (Kind.RESULT, Kind.PREVIEW, Kind.PROVIDER_INPUT, Kind.TEST_PHOTO)
KINDS = (*Kind.values, ORPHAN, LEFTOVER)
BATCH = 500
# A file is younger than its row, by a minute at most: so long does the longest job take.
ORPHAN_AFTER = timedelta(hours=1)
# As long as the row is there, a link answers "its time is over", not "never existed". Guests try
# their links for weeks; a provider that is late or a console that was left open, for hours.
ROWS_KEPT = {
    Kind.RESULT: timedelta(days=30),
    Kind.PREVIEW: timedelta(days=30),
    Kind.PROVIDER_INPUT: timedelta(days=3),
    Kind.TEST_PHOTO: timedelta(days=3),
}  # rows of template pictures are few, and a recipe might still name one
# So many without a file, or without a row, is no accident: a disk that is not mounted (photos that
# came since may lie in its place), or somebody else's database.
TOO_MANY = 10


@dataclass(slots=True, kw_only=True)
class Sweep:
    """One run over the files of a slot, or of all; ``dry_run``: it counts and touches nothing."""

    slot_id: str | None = None
    dry_run: bool = False
    progress: Progress = lambda step, done, total: None
    # A bucket that refuses so many files in a row is away: each would cost seconds.
    give_up_after: int = 10
    now: datetime = field(default_factory=timezone.now)
    removed: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(KINDS, 0)))
    moved_results: int = 0  # given another time, as the setting has changed meanwhile
    lost_files: int = 0  # rows that had no file any more
    forgotten_rows: int = 0
    freed_bytes: int = 0
    failures: int = 0
    _failed_in_a_row: int = 0

    def align(self, ttl_hours: int) -> None:
        """Give results of all slots the time that the settings say.

        Changing the setting does it too; a photo that closed at that very moment may have missed
        it. A dry run counts here what will be over then, and takes the change back.
        """
        if not self.dry_run:
            self.moved_results = keep_results_for(ttl_hours)
            return
        with transaction.atomic():
            self.moved_results = keep_results_for(ttl_hours)
            self._count_expired()
            transaction.set_rollback(True)

    def _rows(self) -> QuerySet[MediaObject]:
        rows = MediaObject.objects.all()
        return rows if self.slot_id is None else rows.filter(slot_id=self.slot_id)

    # --- Files whose time is over ----------------------------------------------------------------
    def _expired(self) -> QuerySet[MediaObject]:
        """A template picture has a time only while no recipe uses it. It may be about to: so it
        gets a while longer."""
        is_over = Q(kind__in=TEMPORARY, expires_at__lte=self.now)
        is_over |= Q(kind=Kind.TEMPLATE, expires_at__lte=self.now - ORPHAN_AFTER)
        return self._rows().filter(is_over, cleaned_at__isnull=True)

    def _count_expired(self) -> None:
        counted = self._expired().values("kind").annotate(n=Count("pk"), size=Sum("size_bytes"))
        for row in counted.order_by():
            self.removed[row["kind"]] += row["n"]
            self.freed_bytes += row["size"]

    def remove_expired(self) -> None:
        if self.dry_run:  # counted in ``align``
            return
        rows, done, total = self._expired(), 0, self._expired().count()
        after = Q()
        while batch := list(rows.filter(after).order_by("expires_at", "pk")[:BATCH]):
            last = batch[-1]
            later = Q(expires_at__gt=last.expires_at) | Q(pk__gt=last.pk)
            after = Q(expires_at__gte=last.expires_at) & later  # in this form an index serves it
            self._remove_batch(batch)
            done += len(batch)
            self.progress("expired", done, total)
            if self._storage_is_away():
                log.error("media.cleanup.given_up", left=total - done)
                return

    def _remove_batch(self, batch: list[MediaObject]) -> None:
        gone = []
        for media in batch:
            if self._storage_is_away():
                break
            if self._is_removed(media.path, media.kind):
                gone.append(media)
        for media in self._mark(gone):
            self.removed[media.kind] += 1
            self.freed_bytes += media.size_bytes

    def _storage_is_away(self) -> bool:
        return self._failed_in_a_row >= self.give_up_after and not storage.is_local()

    def _mark(self, gone: list[MediaObject]) -> list[MediaObject]:
        """Say in the rows that their files are gone; returns those nobody else had marked yet."""
        with transaction.atomic():
            rows = MediaObject.objects.filter(
                pk__in=[media.pk for media in gone], cleaned_at__isnull=True
            )
            ours = list(rows.order_by("pk").select_for_update(no_key=True))
            rows.filter(pk__in=[media.pk for media in ours]).update(cleaned_at=timezone.now())
        return ours

    def _is_removed(self, path: str, kind: str) -> bool:
        try:
            storage.remove(path)
        except Exception as exc:  # one bad file must not save the others
            self._failed_in_a_row += 1
            self._failed(path, kind, exc)
            return False
        self._failed_in_a_row = 0
        return True

    def _failed(self, path: str, kind: str, exc: Exception) -> None:
        self.failures += 1
        log.error("media.file.left", path=path, kind=kind, detail=f"{type(exc).__name__}: {exc}")

    # --- Rows without files ----------------------------------------------------------------------
    def mark_lost(self) -> None:
        """A picture that somebody deleted behind our back: its link says that it is over.

        A template picture that is gone is a failure: only an operator can bring it back. So is
        the loss of most pictures: no row is marked then, or the orphans' turn would come for files
        that are back.
        """
        is_live = Q(expires_at__isnull=True) | Q(expires_at__gt=self.now)
        live = self._rows().filter(is_live, cleaned_at__isnull=True)
        live = live.exclude(kind=Kind.PROVIDER_INPUT)  # over in a minute anyway
        total, done = live.count(), 0
        try:
            for batch in _keyset(live):  # keys are random, so each batch is a fair sample
                missing = [media for media in batch if not _is_there(media.path)]
                if len(missing) >= max(TOO_MANY, len(batch) / 2):
                    raise StorageError(f"{len(missing)} of {len(batch)} pictures are not there")
                self._count_lost(missing)
                done += len(batch)
                self.progress("rows without files", done, total)
        except (OSError, StorageError) as exc:
            self._failed("the storage", "any", exc)

    def _count_lost(self, missing: list[MediaObject]) -> None:
        for media in missing:
            if media.kind == Kind.TEMPLATE:
                self._failed(media.path, media.kind, FileNotFoundError("upload it again"))
        lost = [media for media in missing if media.kind != Kind.TEMPLATE]
        for media in lost if self.dry_run else self._mark(lost):
            self.lost_files += 1
            log.warning("media.file.lost", path=media.path, kind=media.kind, dry_run=self.dry_run)

    # --- Files without rows ----------------------------------------------------------------------
    def remove_orphans(self) -> None:
        """What a crash or a restored backup has left, and half-written files."""
        seen = 0
        for folder in FOLDERS if self.slot_id is None else (f"results/{self.slot_id}/",):
            try:
                for batch in _iter_batches(storage.every_file(folder)):
                    self._remove_unknown(batch)
                    seen += len(batch)
                    self.progress("files without rows", seen, None)
            except (OSError, StorageError) as exc:
                self._failed(folder, "folder", exc)

    def _remove_unknown(self, batch: list[StoredFile]) -> None:
        before = self.now - ORPHAN_AFTER
        old = [f for f in batch if f.modified_at < before and OURS.fullmatch(f.path)]
        paths = [file.path for file in old]
        rows = MediaObject.objects.filter(path__in=paths, cleaned_at__isnull=True)
        known = set(rows.values_list("path", flat=True))
        unknown = [file for file in old if file.path not in known]
        if len(unknown) >= TOO_MANY and not MediaObject.objects.exists():
            raise StorageError(f"{len(unknown)} files, and the database knows of no picture at all")
        for file in unknown:
            kind = LEFTOVER if file.path.endswith(".part") else ORPHAN
            if self.dry_run or self._is_taken(file.path, kind):
                self.removed[kind] += 1
                self.freed_bytes += file.size_bytes

    def _is_taken(self, path: str, kind: str) -> bool:
        """Was it us who removed it? No row tells, so the file system must; S3 cannot tell."""
        try:
            if storage.is_local():
                Path(default_storage.path(path)).unlink()
        except FileNotFoundError:
            return False
        except OSError as exc:
            self._failed(path, kind, exc)
            return False
        return self._is_removed(path, kind)  # its folder too

    # --- Old rows --------------------------------------------------------------------------------
    def forget_rows(self) -> None:
        for kind, kept_for in ROWS_KEPT.items():
            old = self._rows().filter(kind=kind, cleaned_at__lt=self.now - kept_for)
            if self.dry_run:
                self.forgotten_rows += old.count()
                continue
            while keys := list(old.values_list("pk", flat=True)[:BATCH]):
                self.forgotten_rows += MediaObject.objects.filter(pk__in=keys).delete()[0]
                self.progress("old rows", self.forgotten_rows, None)


def _keyset(rows: QuerySet[MediaObject]) -> Iterator[list[MediaObject]]:
    """In batches by primary key: rows may change or go between two of them."""
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


def _is_there(path: str) -> bool:
    return any(file.path == path for file in storage.every_file(path))
