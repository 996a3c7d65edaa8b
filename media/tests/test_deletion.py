"""How results go: by their guest, by an administrator, by a new setting."""

import os
import uuid
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from media import storage
from media.deletion import (
    delete_file,
    delete_result,
    expire_result,
    forget_deleted,
    purge,
    undo_deletion,
)
from media.erasure.held import remove_held
from media.models import MediaObject
from media.previews import _upsert_preview, write_preview
from media.services import select_listed_results, set_results_ttl
from media.tests.support import ResultsTestCase, make_picture
from photochanger.errors import ResultExpired, StorageError
from photochanger.testing.marks import both_databases

pytestmark = both_databases

Kind = MediaObject.Kind


class DeleteTests(ResultsTestCase):
    def test_whoever_has_the_link_may_delete_the_picture_for_ever(self) -> None:
        media, other = self.store_result(), self.store_result()
        with capture_logs() as logs:
            answer = self.get(media, method="delete")
        self.assertEqual((answer.status_code, answer.body), (204, b""))
        self.assertEqual(len(self.list_result_files()), 2)
        for tail in ("", "/preview"):
            said = self.get(media, tail)
            self.assertEqual(
                (said.status_code, said.json()["failure_reason"]), (410, "result_expired")
            )
        self.assertEqual(self.get(other).status_code, 200)
        line = next(line for line in logs if line["event"] == "media.result.deleted")
        self.assertEqual((line["job"], line["by"]), (str(media.job_id), "guest"))
        rows = MediaObject.objects.filter(job_id=media.job_id)
        self.assertEqual([row.cleaned_at is None for row in rows], [False, False])

    def test_deleting_twice_is_410_and_an_unknown_picture_is_404(self) -> None:
        media = self.store_result()
        statuses = [
            self.get(which, method="delete").status_code
            for which in (media, media, uuid.uuid4(), "nonsense")
        ]
        self.assertEqual(statuses, [204, 410, 404, 404])

    def test_a_file_that_cannot_be_deleted_is_not_served_any_more(self) -> None:
        media = self.store_result(has_preview=False)
        stuck(media)
        with capture_logs() as logs:
            self.assertEqual(self.get(media, method="delete").status_code, 204)
        self.assertIn("media.file.delete_failed", [line["event"] for line in logs])
        self.assertEqual(self.get(media).status_code, 410)
        media.refresh_from_db()
        self.assertIsNone(media.cleaned_at)  # cleanup will try again
        set_results_ttl(1000)
        self.assertEqual(self.get(media).status_code, 410)

    def test_a_preview_made_during_the_deletion_is_deleted_too(self) -> None:
        media = self.store_result(result := make_picture(), has_preview=False)
        assert media.job_id is not None
        stored = write_preview(media.slot_id, media.job_id, result.image)
        left = [media]

        def made_meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
            if sql.startswith("UPDATE") and left:
                _upsert_preview(left.pop(), stored)
            return execute(sql, *rest)

        with connection.execute_wrapper(made_meanwhile):
            expire_result(media.job_id)
        self.assertEqual(self.list_result_files(), [])
        self.assertFalse(MediaObject.objects.filter(cleaned_at=None).exists())


def stuck(media: MediaObject) -> None:
    """A folder with something in it in place of the file: nobody can delete it as a file."""
    path = Path(default_storage.path(media.path))
    path.unlink()
    (path / "inside").mkdir(parents=True)


class UndoTests(ResultsTestCase):
    """A guest's deletion may be undone for an hour; an administrator's may not."""

    def delete(self, media: MediaObject) -> None:
        self.assertEqual(self.get(media, method="delete").status_code, 204)

    def undo(self, media: MediaObject) -> None:
        assert media.job_id
        undo_deletion(media.job_id, by="serg")

    def test_a_deletion_is_undone_with_the_picture_and_its_end_as_they_were(self) -> None:
        media = self.store_result(result := make_picture())
        self.delete(media)
        self.assertEqual(self.get(media).status_code, 410)
        self.undo(media)
        self.assertEqual(self.get(media).body, result.body)
        self.assertEqual(self.get(media, "/preview").status_code, 200)
        again = MediaObject.objects.get(pk=media.pk)
        assert again.expires_at and media.expires_at
        self.assertLess(abs(again.expires_at - media.expires_at), timedelta(seconds=1))
        self.assertEqual(list(storage.iter_files("held/")), [])
        forget_deleted()
        self.assertEqual(self.get(media).status_code, 200)  # it is no deleted picture any more
        with self.assertRaises(ResultExpired):
            self.undo(media)

    def test_a_picture_without_an_end_comes_back_without_one(self) -> None:
        media = self.store_result()
        MediaObject.objects.filter(pk=media.pk).update(expires_at=None)
        self.delete(media)
        self.undo(media)
        self.assertIsNone(MediaObject.objects.get(pk=media.pk).expires_at)

    def test_after_an_hour_it_is_erased_and_cannot_be_undone(self) -> None:
        media = self.store_result()
        self.delete(media)
        self.assertEqual(remove_held(), 0)
        (held,) = storage.iter_files("held/")
        old = (timezone.now() - timedelta(minutes=61)).timestamp()
        os.utime(default_storage.path(held.path), (old, old))
        with self.assertRaises(ResultExpired):
            self.undo(media)
        self.assertEqual(remove_held(), 1)
        self.assertEqual(list(storage.iter_files("held/")), [])
        self.assertEqual(self.get(media).status_code, 410)

    def test_what_an_administrator_deletes_or_purges_is_gone_at_once(self) -> None:
        media, other = self.store_result(), self.store_result()
        self.delete(other)
        assert media.job_id
        delete_result(media.job_id, by="serg")
        self.assertEqual(len(list(storage.iter_files("held/"))), 1)  # the guest's
        with self.assertRaises(ResultExpired):
            self.undo(media)
        purge(None, by="serg")
        self.assertEqual(list(storage.iter_files("held/")), [])

    def test_a_disk_that_is_full_keeps_nobody_from_deleting(self) -> None:
        media = self.store_result()
        with mock.patch("media.storage.write", side_effect=StorageError("full")):
            self.delete(media)
        self.assertEqual(self.get(media).status_code, 410)
        self.assertEqual(self.list_result_files(), [])


class RestoreTests(ResultsTestCase):
    """An older database, and with it the files, is put back: what was deleted stays deleted."""

    def put_back(self, *rows: MediaObject, bodies: dict[str, bytes]) -> None:
        for row in rows:
            MediaObject.objects.filter(pk=row.pk).delete()
            row.save(force_insert=True)
        for path, body in bodies.items():
            storage.remove(path)
            storage.write(path, body)

    def remember(self) -> tuple[list[MediaObject], dict[str, bytes]]:
        rows = list(MediaObject.objects.all())
        return rows, {row.path: storage.read(row.path) for row in rows}

    def test_a_deleted_picture_answers_410_after_any_restore(self) -> None:
        deleted, kept = self.store_result(), self.store_result()
        rows, bodies = self.remember()
        self.get(deleted, method="delete")
        for is_settled in (False, True):
            with self.subTest(is_settled=is_settled):
                self.put_back(*rows, bodies=bodies)
                if is_settled:  # as the server's start and restore.sh do
                    self.assertEqual(forget_deleted(), 1)
                    listed = [media.job_id for media in select_listed_results()]
                    self.assertEqual(listed, [kept.job_id])
                    self.assertEqual(forget_deleted(), 0)
                for tail in ("", "/page", "/preview", "/share.jpg"):
                    self.assertEqual(self.get(deleted, tail).status_code, 410, tail)
                self.assertEqual(self.get(deleted.view_id or "").status_code, 410)
                self.assertEqual(self.get(kept).status_code, 200)
                self.assertFalse(default_storage.exists(deleted.path))

    def test_what_was_purged_stays_away_and_what_came_later_stays(self) -> None:
        old, neighbour = self.store_result(), self.store_result(slot_id="slot-002")
        rows, bodies = self.remember()
        purge("slot-001", by="serg")
        later = self.store_result(stored_at=timezone.now() + timedelta(seconds=1))
        self.put_back(*rows, bodies=bodies)
        self.assertEqual(forget_deleted(), 1)
        statuses = [self.get(media).status_code for media in (old, neighbour, later)]
        self.assertEqual(statuses, [410, 200, 200])

    def test_pictures_that_no_backup_holds_are_told_to_be_gone(self) -> None:
        results = [self.store_result(has_preview=False) for _ in range(12)]
        for media in results:
            default_storage.delete(media.path)
        out = StringIO()
        call_command("settle_restore", stdout=out)
        self.assertIn("12 are not kept any more", out.getvalue())
        self.assertEqual({self.get(media).status_code for media in results}, {410})

    def test_a_tombstone_says_nothing_about_whose_picture_it_was(self) -> None:
        media = self.store_result()
        self.get(media, method="delete")
        (stone,) = storage.iter_files("deleted/")
        self.assertEqual(stone.size_bytes, 0)
        self.assertNotIn(str(media.job_id), stone.path)
        self.assertNotIn(media.job_id.hex if media.job_id else "", stone.path)

    def test_old_tombstones_go(self) -> None:
        media = self.store_result()
        self.get(media, method="delete")
        (stone,) = storage.iter_files("deleted/")
        old = (timezone.now() - timedelta(days=401)).timestamp()
        os.utime(default_storage.path(stone.path), (old, old))
        forget_deleted()
        self.assertEqual(list(storage.iter_files("deleted/")), [])


class TakeAwayTests(ResultsTestCase):
    def test_it_frees_the_bytes_and_marks_the_row_also_when_the_file_is_gone(self) -> None:
        media, lost = self.store_result(has_preview=False), self.store_result(has_preview=False)
        default_storage.delete(lost.path)
        for each in (media, lost):
            self.assertEqual(delete_file(each), each.size_bytes)
            each.refresh_from_db()
            self.assertIsNotNone(each.cleaned_at)
        self.assertEqual(self.list_result_files(), [])

    def test_a_file_that_cannot_be_deleted_leaves_its_row_unmarked(self) -> None:
        media = self.store_result(has_preview=False)
        stuck(media)
        with self.assertRaises(OSError):
            delete_file(media)
        media.refresh_from_db()
        self.assertIsNone(media.cleaned_at)


class PurgeTests(ResultsTestCase):
    def other(self, kind: Kind, path: str) -> MediaObject:
        storage.write(path, b"picture")
        return MediaObject.objects.create(
            slot_id="slot-001", kind=kind, path=path, mime="image/jpeg", size_bytes=7
        )

    def test_a_slot_is_emptied_but_for_its_template_pictures(self) -> None:
        mine, neighbour = self.store_result(), self.store_result(slot_id="slot-002")
        template = self.other(Kind.TEMPLATE, "templates/a.jpg")
        self.other(Kind.TEST_PHOTO, "test-photos/b.jpg")
        with capture_logs() as logs:
            removed = purge("slot-001", by="serg")
        self.assertEqual((removed.files, removed.failed), (3, 0))
        self.assertGreater(removed.bytes, mine.size_bytes)
        self.assertEqual(self.get(mine).status_code, 410)
        self.assertEqual(self.get(neighbour).status_code, 200)
        self.assertTrue(default_storage.exists(template.path))
        self.assertFalse(default_storage.exists("test-photos/b.jpg"))
        line = next(line for line in logs if line["event"] == "media.purged")
        self.assertEqual((line["slot"], line["by"], line["files"]), ("slot-001", "serg", 3))
        self.assertEqual(purge("slot-001", by="serg").files, 0)

    def test_purging_all_slots_continues_after_a_file_that_cannot_be_deleted(self) -> None:
        kept = [self.store_result(has_preview=False, slot_id=f"slot-00{n}") for n in range(1, 6)]
        stuck(kept[2])
        removed = purge(None, by="igor")
        self.assertEqual((removed.files, removed.failed), (4, 1))
        self.assertEqual([self.get(media).status_code for media in kept], [410] * 5)
        self.assertEqual(list(MediaObject.objects.filter(cleaned_at=None)), [kept[2]])

    def test_a_thousand_files_are_purged_in_few_queries(self) -> None:
        MediaObject.objects.bulk_create(
            MediaObject(
                slot_id="slot-001", kind=Kind.RESULT, path=f"results/gone/{n}", size_bytes=2
            )
            for n in range(450)
        )
        with self.assertNumQueries(3 * 3 + 1):
            removed = purge(None, by="serg")
        self.assertEqual((removed.files, removed.bytes), (450, 900))


class KeptForTests(ResultsTestCase):
    def test_a_new_ttl_lengthens_and_shortens_existing_results(self) -> None:
        old = self.store_result(stored_at=timezone.now() - timedelta(hours=10))
        new = self.store_result()
        for hours, statuses in ((20, [200, 200]), (100, [200, 200]), (5, [410, 200])):
            set_results_ttl(hours)
            for media in (old, new):
                media.refresh_from_db()
                self.assertEqual(media.expires_at, media.created_at + timedelta(hours=hours))
                preview = MediaObject.objects.get(job_id=media.job_id, kind=Kind.PREVIEW)
                self.assertEqual(preview.expires_at, media.expires_at)
            answered = [self.get(media).status_code for media in (old, new)]
            self.assertEqual(answered, statuses, hours)

    def test_an_expired_result_stays_expired(self) -> None:
        over = self.store_result(ttl=timedelta(seconds=-1))
        self.assertEqual(set_results_ttl(1000), 0)
        self.assertEqual(self.get(over).status_code, 410)

    def test_applying_the_same_ttl_again_changes_nothing(self) -> None:
        self.store_result(), self.store_result()
        self.assertEqual([set_results_ttl(9), set_results_ttl(9)], [2, 0])


class VisibleTests(ResultsTestCase):
    def test_lists_are_newest_first_without_test_runs_expired_and_deleted_results(self) -> None:
        now = timezone.now()
        first = self.store_result(stored_at=now - timedelta(hours=2))
        second = self.store_result(stored_at=now - timedelta(hours=1))
        elsewhere = self.store_result(slot_id="slot-002", stored_at=now)
        self.store_result(is_listed=False)
        self.store_result(ttl=timedelta(seconds=-1))
        delete_file(self.store_result())
        self.assertEqual(list(select_listed_results("slot-001")), [second, first])
        self.assertEqual(list(select_listed_results()), [elsewhere, second, first])

    def test_a_test_runs_result_opens_by_its_link(self) -> None:
        self.assertEqual(self.get(self.store_result(is_listed=False)).status_code, 200)
