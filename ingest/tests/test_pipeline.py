"""A booth that hangs up between two steps, which no test over HTTP could time."""

import asyncio
import io
import secrets
import threading
from dataclasses import replace
from unittest import mock
from uuid import uuid4

from PIL import Image

from ingest.models import Job
from ingest.pipeline import receive, replay
from ingest.pipeline.admission import take_turn_of_equals
from ingest.pipeline.order import Deadline, Order
from ingest.pipeline.outcome import PhotoResult
from ingest.pipeline.process import process_photo
from ingest.refusals.errors import PhotoQueueFull
from ingest.tests.support import IngestTestCase, jpeg
from media.models import MediaObject
from media.services import select_listed_results
from photochanger.db import in_db
from photochanger.errors import InvalidImage, SlotNotFound
from photochanger.pictures import JPEG, Photo, prepare_photo
from photochanger.pictures.header import Header
from photochanger.tasks import DEAR, MAX_DECODES, run_in_worker
from photochanger.testing.marks import both_databases
from photochanger.threads.pace import Pace
from slots.platform_settings import load_platform_settings

pytestmark = both_databases


class OrderTestCase(IngestTestCase):
    async def order(self) -> Order:
        photo = jpeg()
        return Order(
            slot=self.slot,
            platform=await in_db(load_platform_settings),
            photo=Photo(
                file=io.BytesIO(photo),
                size_bytes=len(photo),
                sha256=secrets.token_hex(32),
                mime=JPEG,
                header=Header(width=320, height=240),
            ),
            deadline=Deadline.from_now(48),
        )


class HangUpTests(OrderTestCase):
    async def test_a_booth_that_hangs_up_at_any_moment_leaves_no_open_job(self) -> None:
        for pause_s in (0, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128):
            task = asyncio.ensure_future(process_photo(await self.order()))
            await asyncio.sleep(pause_s)
            task.cancel()
            await asyncio.wait([task])
            with self.subTest(pause_s=pause_s):
                self.assertFalse(await Job.objects.filter(status="processing").aexists())
        content = {job.failure_reason async for job in Job.objects.exclude(status="done")}
        self.assertLessEqual(content, {"client_gone"})
        kept = [job.result_path async for job in Job.objects.filter(status="done")]
        self.assertEqual([name for name in self.files() if "preview" not in name], sorted(kept))


class LostSlotTests(OrderTestCase):
    async def test_a_slot_that_is_gone_is_told_as_that(self) -> None:
        order = await self.order()
        await in_db(self.slot.delete)
        order.slot.pk = "slot-001"
        with self.assertRaises(SlotNotFound):
            await process_photo(order)


class TrialTests(OrderTestCase):
    async def test_a_trials_result_is_in_no_public_list_but_has_a_link(self) -> None:
        order = replace(await self.order(), source=Job.Source.UI_TEST)
        outcome = await process_photo(order)
        self.assertFalse((await MediaObject.objects.aget(job_id=outcome.job.pk)).is_listed)
        self.assertFalse(await in_db(select_listed_results().exists))
        answer = await self.async_client.get(f"/public/results/{outcome.job.pk}")
        self.assertEqual(answer.status_code, 200)
        listed = await process_photo(await self.order())
        self.assertTrue(
            await in_db(select_listed_results("slot-001").filter(job_id=listed.job.pk).exists)
        )


class EqualPhotosTests(OrderTestCase):
    def setUp(self) -> None:
        super().setUp()
        watched = mock.patch.object(receive, "prepare_photo", wraps=prepare_photo)
        self.decoded = self.enterContext(watched)

    async def send_at_once(self, photo: Photo, times: int = 5) -> list[PhotoResult | BaseException]:
        orders = [replace(await self.order(), photo=photo) for _ in range(times)]
        works = [process_photo(order) for order in orders]
        return await asyncio.gather(*works, return_exceptions=True)

    async def test_equal_photos_that_come_at_once_are_decoded_once_and_are_one_job(self) -> None:
        answers = await self.send_at_once((await self.order()).photo)
        results = [each for each in answers if isinstance(each, PhotoResult)]
        self.assertEqual(sorted(each.is_replay for each in results), [False, *[True] * 4])
        self.assertEqual((len({each.job.pk for each in results}), self.decoded.call_count), (1, 1))

    async def test_a_torn_photo_that_is_sent_again_is_decoded_once_and_a_whole_one_passes(
        self,
    ) -> None:
        whole = (await self.order()).photo
        body = whole.file.read(whole.size_bytes // 2)
        torn = replace(whole, file=io.BytesIO(body), sha256=secrets.token_hex(32))
        refused = await self.send_at_once(torn)
        self.assertEqual({type(each) for each in refused}, {InvalidImage})
        self.assertEqual((self.decoded.call_count, await Job.objects.acount()), (1, 0))
        self.assertFalse((await process_photo(replace(await self.order(), photo=whole))).is_replay)
        with mock.patch.object(receive, "UNREADABLE_KEPT_S", -1.0):
            await self.send_at_once(replace(torn, sha256=secrets.token_hex(32)), times=2)
        self.assertEqual(self.decoded.call_count, 1 + 1 + 2)

    async def test_an_equal_photo_waits_for_its_turn_no_longer_than_its_deadline(self) -> None:
        order = await self.order()
        late = replace(order, job_id=uuid4(), deadline=Deadline.from_now(0.2))
        trial = replace(order, job_id=uuid4(), source=Job.Source.UI_TEST)
        async with take_turn_of_equals(order):
            with late.deadline.limit_waits(), self.assertRaises(PhotoQueueFull):
                await process_photo(late)
            self.assertFalse((await process_photo(trial)).is_replay, "it waits for no booth")
            waiting = asyncio.create_task(process_photo(replace(order, job_id=uuid4())))
            await asyncio.sleep(0)
            self.assertFalse(waiting.done())
        self.assertFalse((await waiting).is_replay)

    async def test_a_booth_that_hangs_up_gives_its_turn_to_the_next_equal_photo(self) -> None:
        order = await self.order()
        is_decoding = asyncio.Event()

        async def decode_without_end(*_args: object, **_options: object) -> None:
            is_decoding.set()
            await asyncio.Event().wait()

        with mock.patch.object(receive, "run_in_worker", decode_without_end):
            first = asyncio.create_task(process_photo(order))
            await is_decoding.wait()
        second = asyncio.create_task(process_photo(replace(order, job_id=uuid4())))
        await asyncio.sleep(0)
        first.cancel()
        self.assertFalse((await second).is_replay)
        self.assertTrue(first.cancelled())

    async def test_one_picture_asked_for_without_end_is_answered_ever_more_slowly(self) -> None:
        photo = (await self.order()).photo
        slept: list[float] = []
        really_sleep = asyncio.sleep

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            await really_sleep(0)

        with mock.patch.object(replay, "pace", Pace(burst=2, per_second=0.1)):
            await self.send_at_once(photo, times=3)
            with mock.patch.object(asyncio, "sleep", sleep):
                await self.send_at_once(photo, times=1)
                self.assertAlmostEqual(max(slept), 10, places=0)
                slept.clear()
                await process_photo(
                    replace(await self.order(), photo=photo, deadline=Deadline.from_now(5))
                )
                self.assertTrue(1 < max(slept) < 5, "it ends with the deadline")
                slept.clear()
                await process_photo(await self.order())
        self.assertLess(max(slept, default=0), 1, "another photo")


class CrowdTests(OrderTestCase):
    async def test_a_photo_whose_turn_to_be_decoded_never_comes_is_refused_in_time(self) -> None:
        """It had 429 and no job: nobody is told that the photo or the service was at fault."""
        may_end = threading.Event()
        decoding = [
            asyncio.create_task(run_in_worker("slot-002", may_end.wait)) for _ in range(MAX_DECODES)
        ]
        order = replace(await self.order(), deadline=Deadline.from_now(0.3))
        with self.assertRaises(PhotoQueueFull):
            await process_photo(order)
        self.assertFalse(await Job.objects.aexists())
        may_end.set()
        await asyncio.gather(*decoding)

    async def test_dear_photos_leave_a_lane_to_ordinary_ones(self) -> None:
        may_end = threading.Event()
        dear = [asyncio.create_task(run_in_worker(DEAR, may_end.wait)) for _ in range(5)]
        await asyncio.sleep(0)
        try:
            processed = await process_photo(await self.order())
            still_waiting = [one for one in dear if not one.done()]
        finally:
            may_end.set()
        await asyncio.gather(*dear)
        self.assertEqual(len(still_waiting), len(dear))
        job = await Job.objects.aget(pk=processed.job.pk)
        self.assertEqual(job.status, Job.Status.DONE)

    async def test_which_photos_are_dear(self) -> None:
        for kind, size, options, is_dear in (
            ("JPEG", (6000, 4000), {}, False),
            ("JPEG", (8192, 5464), {}, False),
            ("JPEG", (10_000, 8_000), {}, True),
            ("JPEG", (6000, 4000), {"progressive": True}, True),
            ("PNG", (4000, 3000), {}, False),
            ("PNG", (6000, 4000), {}, True),
        ):
            with self.subTest(kind=kind, size=size, **options):
                file = io.BytesIO()
                Image.new("L", size).save(file, kind, **options)
                self.assertEqual(Photo.open(file, max_megapixels=80).is_dear, is_dear)
