import os
import tempfile
import tracemalloc
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync
from django.test import TestCase, override_settings
from django.utils import timezone

from media import storage
from media.cleanup import BATCH, ORPHAN_AFTER, Sweep
from media.models import MediaObject
from media.previews import build_preview_path
from media.provider_inputs import publish_input
from media.services import build_result_path
from media.uploads import store_upload
from photochanger.testing.marks import both_databases

pytestmark = both_databases

Kind = MediaObject.Kind
HOUR = timedelta(hours=1)
FOLDERS = {
    Kind.PROVIDER_INPUT: "provider-inputs",
    Kind.TEMPLATE: "templates",
    Kind.TEST_PHOTO: "test-photos",
}


def sweep(**options: Any) -> Sweep:
    run = Sweep(**options)
    run.apply_ttl(72)
    run.remove_expired()
    run.remove_orphans()
    run.mark_lost()
    run.delete_old_rows()
    return run


def facts(run: Sweep) -> dict[str, Any]:
    names = ("removed", "lost_files", "forgotten_rows", "freed_bytes", "failures", "moved_results")
    return {name: getattr(run, name) for name in names}


class MediaFolder:
    """A folder of the test's own, and things put into it."""

    root: Path
    enterContext: Callable[..., Any]

    def use_own_folder(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(override_settings(MEDIA_ROOT=self.root))

    def media(
        self,
        kind: Kind = Kind.RESULT,
        *,
        expires_in: timedelta | None = -HOUR,
        slot_id: str = "slot-001",
        file: bytes | None = b"picture",
        **columns: Any,
    ) -> MediaObject:
        now, job_id = timezone.now(), uuid.uuid4()
        folder = f"{FOLDERS[kind]}/{job_id}" if kind in FOLDERS else f"results/{slot_id}/{job_id}"
        media = MediaObject.objects.create(
            job_id=job_id,
            slot_id=slot_id,
            kind=kind,
            path=f"{folder}/payload.jpg",
            mime="image/jpeg",
            size_bytes=len(file or b"picture"),
            expires_at=None if expires_in is None else now + expires_in,
            # As long ago as a result's time takes, so that nothing has to be aligned.
            **{"created_at": now + (expires_in or HOUR) - 72 * HOUR, **columns},
        )
        if file is not None:
            storage.write(media.path, file)
        return media

    def file(self, path: str, *, age: timedelta = 2 * ORPHAN_AFTER, body: bytes = b"file") -> Path:
        storage.write(path, body)
        stamp = (timezone.now() - age).timestamp()
        os.utime(self.root / path, (stamp, stamp))
        return self.root / path

    def is_there(self, media: MediaObject) -> bool:
        return (self.root / media.path).exists()


class SweepTests(MediaFolder, TestCase):
    def setUp(self) -> None:
        self.use_own_folder()

    def assert_gone(self, media: MediaObject) -> None:
        media.refresh_from_db()
        self.assertFalse((self.root / media.path).parent.exists(), media.path)
        self.assertIsNotNone(media.cleaned_at)

    def test_an_expired_file_is_deleted_and_its_row_remains_for_the_410(self) -> None:
        kinds = (Kind.RESULT, Kind.PREVIEW, Kind.PROVIDER_INPUT, Kind.TEST_PHOTO)
        over = [self.media(kind) for kind in kinds]
        kept = [self.media(kind, expires_in=HOUR) for kind in kinds]
        run = sweep()
        for media in over:
            self.assert_gone(media)
        for media in kept:
            self.assertTrue(self.is_there(media))
        self.assertEqual({kind: run.removed[kind] for kind in kinds}, dict.fromkeys(kinds, 1))
        self.assertEqual((run.freed_bytes, run.failures), (4 * len(b"picture"), 0))

    def test_a_second_run_finds_nothing(self) -> None:
        self.media()
        self.file("results/slot-001/x/payload.jpg")
        sweep()
        self.assertEqual(facts(sweep()), facts(Sweep()))

    def test_an_unused_template_picture_is_deleted_after_an_hour(self) -> None:
        used = self.media(Kind.TEMPLATE, expires_in=None)
        fresh = self.media(Kind.TEMPLATE, expires_in=-ORPHAN_AFTER / 2)
        unused = self.media(Kind.TEMPLATE, expires_in=-2 * ORPHAN_AFTER)
        run = sweep()
        self.assertTrue(self.is_there(used))
        self.assertTrue(self.is_there(fresh))
        self.assert_gone(unused)
        self.assertEqual((run.removed["template"], run.failures), (1, 0))

    def test_results_that_missed_a_changed_ttl_get_it(self) -> None:
        media = self.media(expires_in=HOUR, created_at=timezone.now() - 73 * HOUR)
        run = sweep()
        self.assertEqual((run.moved_results, run.removed["result"]), (1, 1))
        self.assert_gone(media)

    def test_a_dry_run_counts_the_same_and_touches_nothing(self) -> None:
        self.media()
        self.media(expires_in=HOUR, created_at=timezone.now() - 73 * HOUR)
        self.media(Kind.PREVIEW)
        self.media(expires_in=HOUR, file=None)
        self.media(file=None, cleaned_at=timezone.now() - timedelta(days=40))
        self.file("results/slot-001/x/payload.jpg")
        self.file("results/slot-001/x/.abc.part")

        def state() -> tuple[object, object]:
            files = sorted((p, p.stat().st_mtime_ns) for p in self.root.rglob("*"))
            return files, list(MediaObject.objects.order_by("pk").values())

        before = state()
        dry = sweep(dry_run=True)
        self.assertEqual(state(), before)
        self.assertEqual(facts(dry), facts(sweep()))
        self.assertEqual(dry.removed.total(), 5)

    def test_orphans_are_deleted_once_no_job_can_still_write_their_row(self) -> None:
        old = self.file("results/slot-001/a/payload.jpg")
        half = self.file("provider-inputs/.abc.part")
        young = self.file("results/slot-001/b/payload.jpg", age=ORPHAN_AFTER / 2)
        known = self.media(expires_in=HOUR)
        os.utime(self.root / known.path, (1, 1))
        run = sweep()
        self.assertFalse(old.parent.exists() or half.exists())
        self.assertTrue(young.exists() and self.is_there(known))
        self.assertEqual((run.removed["orphan"], run.removed["leftover"]), (1, 1))
        self.assertEqual(run.freed_bytes, 2 * len(b"file"))

    def test_a_file_that_came_back_from_a_backup_goes_again(self) -> None:
        media = self.media(cleaned_at=timezone.now() - HOUR)
        os.utime(self.root / media.path, (1, 1))
        self.assertEqual(sweep().removed["orphan"], 1)
        self.assertFalse(self.is_there(media))

    def test_files_of_other_programs_in_the_same_folder_are_not_touched(self) -> None:
        theirs = self.file("backups/dump.sql")
        self.assertEqual(sweep().removed.total(), 0)
        self.assertTrue(theirs.exists())

    def test_files_of_other_programs_in_folders_named_like_ours_are_not_touched(self) -> None:
        theirs = [
            self.file("templates/media/guest_page.html"),
            self.file("templates/picture.jpg"),
            self.file("results/payload.jpg"),
            self.file("results/2026/march/table.csv"),
            self.file("provider-inputs/notes/a.txt"),
        ]
        bad_name = os.fsdecode(bytes(self.root) + b"/results/2026/march/\xff.jpg")
        theirs.append(self.file("results/2026/march/b.jpg").rename(bad_name))
        run = sweep()
        self.assertEqual((run.removed.total(), run.failures), (0, 0))
        for path in theirs:
            self.assertTrue(path.exists(), path)

    def test_a_slots_folder_that_was_moved_to_another_disk_stays_linked(self) -> None:
        media = self.media(expires_in=HOUR)
        folder, elsewhere = self.root / "results/slot-001", self.root / "elsewhere"
        folder.rename(elsewhere)
        folder.symlink_to(elsewhere)
        os.utime(folder, (1, 1), follow_symlinks=False)
        os.utime(elsewhere, (1, 1))
        run = sweep()
        self.assertEqual((run.removed.total(), run.lost_files, run.failures), (0, 0, 0))
        self.assertTrue(self.is_there(media))

    def test_every_file_that_we_write_matches_the_pattern_of_own_files(self) -> None:
        png, now = {"mime": "image/png", "extension": "png"}, timezone.now()
        for kind in (Kind.TEMPLATE, Kind.TEST_PHOTO):
            store_upload(kind, "slot-001", b"x", **png, expires_at=now)
        publish = async_to_sync(publish_input)
        publish(uuid.uuid4(), "slot-001", b"picture", **png, expires_at=now)
        self.file(build_result_path("slot-001", uuid.uuid4(), "webp"))
        self.file(build_preview_path("slot-001", uuid.uuid4()))
        MediaObject.objects.all().delete()
        for path in self.root.rglob("*.*"):
            os.utime(path, (1, 1))
        self.assertEqual(sweep().removed["orphan"], 5)
        self.assertEqual([path for path in self.root.rglob("*") if path.is_file()], [])

    def test_files_of_another_database_are_not_touched(self) -> None:
        for _ in range(20):
            self.media(expires_in=HOUR)
        for path in self.root.rglob("*.jpg"):
            os.utime(path, (1, 1))
        MediaObject.objects.all().delete()
        with self.assertLogs("media.cleanup", "ERROR"):
            run = sweep()
        self.assertEqual((run.removed.total(), run.failures), (0, 1))
        self.assertEqual(len(list(self.root.rglob("*.jpg"))), 20)

    def test_a_row_without_its_file_is_marked(self) -> None:
        media = self.media(expires_in=HOUR, file=None)
        self.assertEqual(sweep().lost_files, 1)
        media.refresh_from_db()
        self.assertIsNotNone(media.cleaned_at)

    def test_a_missing_template_picture_is_reported_as_a_failure(
        self,
    ) -> None:
        media = self.media(Kind.TEMPLATE, expires_in=None, file=None)
        with self.assertLogs("media.cleanup", "ERROR"):
            run = sweep()
        media.refresh_from_db()
        self.assertEqual((run.failures, run.lost_files, media.cleaned_at), (1, 0, None))

    def test_a_disk_that_is_not_mounted_loses_no_picture(self) -> None:
        for _ in range(20):
            self.media(expires_in=HOUR, file=None)
        self.media(expires_in=HOUR)  # taken since, and kept in the empty folder
        with self.assertLogs("media.cleanup", "ERROR") as logged:
            run = sweep()
        self.assertIn("20 of 21 pictures are not there", str(logged.output))
        self.assertEqual((run.failures, run.lost_files), (1, 0))
        self.assertFalse(MediaObject.objects.filter(cleaned_at__isnull=False).exists())

    def test_a_file_that_cannot_be_deleted_is_logged_and_the_rest_goes_on(self) -> None:
        bad = self.media(file=None, expires_in=-2 * HOUR)
        (self.root / bad.path / "inside").mkdir(parents=True)  # a folder where a file should be
        good = self.media()
        with self.assertLogs("media.cleanup", "ERROR") as logged:
            run = sweep()
        self.assert_gone(good)
        bad.refresh_from_db()
        self.assertIsNone(bad.cleaned_at)
        self.assertEqual((run.failures, run.removed["result"]), (1, 1))
        self.assertIn(bad.path, str(logged.output))

    def test_a_slot_alone(self) -> None:
        other = self.media(slot_id="slot-002")
        orphan = self.file("results/slot-002/a/payload.jpg")
        mine = self.media(slot_id="slot-003")
        self.file("results/slot-003/a/payload.jpg")
        run = sweep(slot_id="slot-003")
        self.assert_gone(mine)
        self.assertTrue(self.is_there(other) and orphan.exists())
        self.assertEqual(run.removed.total(), 2)

    def test_rows_are_deleted_after_their_retention(self) -> None:
        now = timezone.now()
        result = self.media(file=None, cleaned_at=now - timedelta(days=29))
        self.media(file=None, cleaned_at=now - timedelta(days=31))
        self.media(Kind.PROVIDER_INPUT, file=None, cleaned_at=now - timedelta(days=4))
        self.assertEqual(sweep().forgotten_rows, 2)
        self.assertEqual(MediaObject.objects.get(), result)

    def test_a_run_killed_after_deleting_a_file_is_completed_by_the_next(self) -> None:
        media = self.media()
        storage.remove(media.path)  # so far it came
        self.assertEqual(sweep().removed["result"], 1)
        self.assert_gone(media)


class ManyFilesTests(MediaFolder, TestCase):
    def test_thousands_of_files_take_no_more_memory_than_hundreds(self) -> None:
        self.use_own_folder()
        rows = 4 * BATCH
        MediaObject.objects.bulk_create(
            [
                MediaObject(
                    slot_id="slot-001",
                    kind=Kind.RESULT,
                    path=f"results/slot-001/{number}/payload.jpg",
                    mime="image/jpeg",
                    size_bytes=1,
                    expires_at=timezone.now() - HOUR * (number % 7),
                )
                for number in range(rows)
            ]
        )
        for number in range(2 * rows):  # half of them are orphans
            path = self.root / f"results/slot-001/{number}/payload.jpg"
            path.parent.mkdir(parents=True)
            path.touch()
            os.utime(path, (1, 1))
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        run = sweep()
        _, peak_bytes = tracemalloc.get_traced_memory()
        self.assertEqual((run.removed["result"], run.removed["orphan"]), (rows, rows))
        self.assertEqual(list((self.root / "results/slot-001").iterdir()), [])
        self.assertLess(peak_bytes, 8_000_000)
