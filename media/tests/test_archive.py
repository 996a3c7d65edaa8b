"""The ZIP of a slot's results."""

import io
import zipfile
from datetime import UTC, datetime, timedelta

from asgiref.sync import async_to_sync
from django.core.files.storage import default_storage
from django.test import override_settings

from media.archive import ZipDownload, build_zip
from media.tests.support import ResultsTestCase, make_picture
from photochanger.testing.marks import both_databases

pytestmark = both_databases

NOON = datetime(2099, 6, 1, 12, 0, 0, tzinfo=UTC)


async def read(archive: ZipDownload) -> bytes:
    return b"".join([chunk async for chunk in archive.chunks])


@override_settings(TIME_ZONE="Europe/Moscow")
class ArchiveTests(ResultsTestCase):
    def test_a_zip_has_the_announced_length_and_readable_names(self) -> None:
        results = [
            make_picture("image/jpeg"),
            make_picture("image/png", side_px=900),
            make_picture("image/webp"),
        ]
        kept = [
            self.store_result(result, stored_at=NOON + timedelta(minutes=n))
            for n, result in enumerate(results)
        ]
        archive = build_zip("slot-001")
        body = async_to_sync(read)(archive)
        self.assertEqual((archive.files, archive.size_bytes), (3, len(body)))
        self.assertRegex(archive.name, r"^slot-001_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.zip$")
        with zipfile.ZipFile(io.BytesIO(body)) as opened:
            self.assertIsNone(opened.testzip())
            self.assertEqual(
                opened.namelist(),
                [
                    f"slot-001_2099-06-01_15-0{n}-00_{str(media.job_id)[:8]}.{suffix}"
                    for n, (media, suffix) in enumerate(
                        zip(kept, ("jpg", "png", "webp"), strict=True)
                    )
                ],
            )
            for name, result in zip(opened.namelist(), results, strict=True):
                self.assertEqual(opened.read(name), result.body)
                self.assertEqual(opened.getinfo(name).compress_type, zipfile.ZIP_STORED)

    def test_a_zip_holds_only_the_slots_listed_results_of_the_period(self) -> None:
        for minutes in (0, 1, 2):
            self.store_result(stored_at=NOON + timedelta(minutes=minutes), has_preview=False)
        self.store_result(slot_id="slot-002")
        self.store_result(is_listed=False, stored_at=NOON)
        self.store_result(ttl=timedelta(seconds=-1))
        self.assertEqual(build_zip("slot-001").files, 3)
        minute = timedelta(minutes=1)
        self.assertEqual(build_zip("slot-001", since=NOON + minute).files, 2)
        self.assertEqual(build_zip("slot-001", until=NOON + minute).files, 1)
        self.assertEqual(
            build_zip("slot-001", since=NOON + minute, until=NOON + 2 * minute).files, 1
        )

    def test_without_results_it_is_an_empty_archive(self) -> None:
        archive = build_zip("slot-001")
        body = async_to_sync(read)(archive)
        self.assertEqual((archive.files, archive.size_bytes), (0, len(body)))
        self.assertEqual(zipfile.ZipFile(io.BytesIO(body)).namelist(), [])

    def test_a_vanished_file_aborts_the_zip_and_is_omitted_the_next_time(self) -> None:
        kept = [self.store_result(stored_at=NOON + timedelta(minutes=n)) for n in range(3)]
        archive = build_zip("slot-001")
        default_storage.delete(kept[1].path)
        with self.assertRaises(FileNotFoundError):
            async_to_sync(read)(archive)
        again = build_zip("slot-001")
        body = async_to_sync(read)(again)
        self.assertEqual((again.files, again.size_bytes), (2, len(body)))

    def test_a_file_of_another_length_aborts_the_zip(self) -> None:
        media = self.store_result(has_preview=False)
        for body in (b"short", b"x" * (media.size_bytes + 1)):
            archive = build_zip("slot-001")
            with default_storage.open(media.path, "wb") as file:
                file.write(body)
            with self.assertRaises(RuntimeError):
                async_to_sync(read)(archive)
