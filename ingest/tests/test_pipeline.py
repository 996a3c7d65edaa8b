"""A booth that hangs up between two steps, which no test over HTTP could time."""

import asyncio
import io
import secrets
import threading
from dataclasses import replace

from PIL import Image

from ingest.models import Job
from ingest.pipeline.order import Deadline, Order
from ingest.pipeline.process import process_photo
from ingest.refusals.errors import PhotoQueueFull
from ingest.tests.support import IngestTestCase, jpeg
from media.models import MediaObject
from media.services import select_listed_results
from photochanger.db import in_db
from photochanger.errors import SlotNotFound
from photochanger.pictures import JPEG, Photo
from photochanger.pictures.header import Header
from photochanger.tasks import DEAR, MAX_DECODES, run_in_worker
from photochanger.testing.marks import both_databases
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
