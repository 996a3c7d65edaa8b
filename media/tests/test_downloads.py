"""Downloads are counted for each picture, and no download waits for it."""

import asyncio
import uuid
from collections import Counter
from typing import Any
from unittest import mock

from django.db import OperationalError

from media.download_memory import forget_downloads
from media.downloads import counting
from media.downloads.counting import DownloadWriter, add_counts, count_download
from media.downloads.models import DownloadCount
from media.models import MediaObject
from media.tests.support import ResultsTestCase
from photochanger.db import in_db
from photochanger.testing.marks import both_databases


class CountingTests(ResultsTestCase):
    def setUp(self) -> None:
        counting._counted.clear()
        self.addCleanup(counting._counted.clear)
        forget_downloads()
        self.media = self.store_result()
        MediaObject.objects.filter(pk=self.media.pk).update(event_id=7)

    def counted(self) -> int:
        return sum(counting._counted.values())

    def test_a_download_counts_and_what_a_page_shows_does_not(self) -> None:
        with self.assertNumQueries(1):
            self.get(self.media)
        self.get(self.media, "?inline=1")
        self.get(self.media, "/preview")
        self.get(self.media, "/page")
        self.get(self.media, method="head")
        self.get(self.media, If_None_Match=f'"{self.media.sha256}"')
        self.assertEqual(self.counted(), 1)

    def test_a_download_in_parts_is_one(self) -> None:
        for part in ("0-99", "100-199", "200-"):
            self.assertEqual(self.get(self.media, Range=f"bytes={part}").status_code, 206)
        self.assertEqual(self.counted(), 1)

    def test_whoever_has_either_link_counts_for_the_same_picture(self) -> None:
        self.get(self.media)
        self.get(self.media.view_id)
        self.assertEqual(list(counting._counted.values()), [2])

    def test_a_picture_of_a_test_run_is_not_counted(self) -> None:
        self.get(self.store_result(is_listed=False))
        self.assertEqual(self.counted(), 0)

    async def test_the_writer_adds_and_a_sick_database_loses_nothing(self) -> None:
        media = await MediaObject.objects.aget(pk=self.media.pk)
        for _ in range(3):
            count_download(media)
        writer = DownloadWriter()
        with mock.patch.object(counting, "add_counts", side_effect=OperationalError("away")):
            await writer.write()
        self.assertEqual(self.counted(), 3)
        await writer.write()
        count_download(media)
        await writer.stop()
        row = await DownloadCount.objects.aget()
        self.assertEqual((row.pk, row.event_id, row.count), (media.job_id, 7, 4))

    async def test_much_is_written_in_short_writes(self) -> None:
        keys = [uuid.uuid4() for _ in range(7)]
        for key in keys:
            count_download(MediaObject(job_id=key))
        sizes: list[int] = []

        def add(counts: Counter[counting.Key], real: Any = add_counts) -> None:
            sizes.append(len(counts))
            real(counts)

        with (
            mock.patch.object(counting, "MOST_AT_ONCE", 3),
            mock.patch.object(counting, "add_counts", add),
        ):
            await DownloadWriter().write()
        self.assertEqual(sizes, [3, 3, 1])
        self.assertEqual(await DownloadCount.objects.acount(), 7)

    async def test_stopping_in_the_middle_of_a_write_counts_once(self) -> None:
        media = await MediaObject.objects.aget(pk=self.media.pk)
        count_download(media)
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def write(step: Any, counts: Any) -> None:
            begun.set()
            await go_on.wait()
            await in_db(step, counts)

        with (
            mock.patch.object(counting, "EVERY_S", 0.001),
            mock.patch.object(counting, "in_db_apart", write),
        ):
            writer = DownloadWriter()
            writer.start()
            await begun.wait()
            stopping = asyncio.create_task(writer.stop())
            await asyncio.sleep(0)
            go_on.set()
            await stopping
        self.assertEqual((await DownloadCount.objects.aget()).count, 1)

    def test_what_is_put_back_is_bounded_too(self) -> None:
        taken = Counter({(uuid.uuid4(), None): 1 for _ in range(3)})
        with mock.patch.object(counting, "MAX_PICTURES", 2):
            counting._put_back(taken)
        self.assertEqual(len(counting._counted), 2)

    def test_memory_is_bounded(self) -> None:
        with mock.patch.object(counting, "MAX_PICTURES", 2):
            for _ in range(3):
                count_download(MediaObject(job_id=uuid.uuid4()))
        self.assertEqual(len(counting._counted), 2)


@both_databases
class AddingTests(ResultsTestCase):
    def test_two_processes_add_to_the_same_number(self) -> None:
        job_id = uuid.uuid4()
        for _ in range(2):
            add_counts(Counter({(job_id, None): 5, (uuid.uuid4(), 3): 1}))
        self.assertEqual(DownloadCount.objects.get(pk=job_id).count, 10)
        with self.assertNumQueries(1):
            add_counts(Counter({(job_id, None): 1, (job_id, 3): 1}))
        self.assertEqual(DownloadCount.objects.get(pk=job_id).count, 12)
        self.assertEqual(DownloadCount.objects.filter(event_id=3).count(), 2)
