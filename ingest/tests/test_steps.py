"""Where a photo's time went is on its row, whatever came of it."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast
from unittest import TestCase

from ingest.console.step_bar import WIDTH, draw_step_bar
from ingest.models import Job
from ingest.pipeline.order import Order
from ingest.pipeline.steps import STEPS, Stopwatch
from ingest.tests.support import IngestTestCase
from photochanger import metrics
from photochanger.db import in_db
from photochanger.testing.marks import both_databases
from providers import http
from providers.traffic import Traffic, measure_traffic


def order(*, arrived: float, received: float) -> Order:
    found = SimpleNamespace(deadline=SimpleNamespace(arrived_at=arrived), received_at=received)
    return cast(Order, found)


class StopwatchTests(TestCase):
    def test_the_steps_of_a_picture_add_up_to_its_time(self) -> None:
        watch = Stopwatch(traffic=Traffic(send_s=0.5, receive_s=0.25))
        watch.note_call(13, 20)
        watch.note_call(21, 30)  # it was called twice
        found = watch.measure(order(arrived=10, received=12), closed=30.125)
        expected = [2000, 1000, 500, 16250, 250, 125]
        self.assertEqual(list(found.items()), list(zip(STEPS[:-1], expected, strict=True)))
        self.assertEqual(sum(found.values()), 20125)

    def test_a_photo_that_came_to_no_call_has_upload_and_preparing(self) -> None:
        found = Stopwatch().measure(order(arrived=10, received=12), closed=12.5)
        self.assertEqual(found, {"upload": 2000, "prepare": 500})

    def test_an_order_that_came_whole_has_no_upload(self) -> None:
        found = Stopwatch().measure(order(arrived=10, received=0), closed=10.5)
        self.assertEqual(found, {"upload": 0, "prepare": 500})

    def test_the_bar_is_filled_by_what_is_known(self) -> None:
        bar = draw_step_bar({"provider": 3.0, "upload": 1.0})
        self.assertEqual([(one.step, one.x, one.width) for one in bar], EXPECTED_BAR)
        self.assertEqual(sum(one.width for one in draw_step_bar(dict.fromkeys(STEPS, 0.1))), WIDTH)
        self.assertEqual(draw_step_bar({}), [])


EXPECTED_BAR = [("upload", 0, 250), ("provider", 250, 750)]


@both_databases
class JobStepsTests(IngestTestCase):
    async def steps(self) -> dict[str, int]:
        job = await Job.objects.alatest("started_at")
        return job.steps_ms or {}

    async def test_a_picture_has_every_step_and_the_service_the_time_that_it_took(self) -> None:
        await in_db(self.scenario, "latency=0.4")
        before = metrics.steps.labels("answer")._sum.get()
        self.assertEqual((await self.post()).status_code, 200)
        found = await self.steps()
        self.assertEqual(set(found), set(STEPS))
        self.assertGreaterEqual(found["provider"], 300)
        job = await Job.objects.aget()
        assert job.duration_ms is not None
        in_job = sum(took for step, took in found.items() if step != "answer")
        self.assertAlmostEqual(in_job, job.duration_ms, delta=20 + job.duration_ms // 5)
        self.assertGreaterEqual(metrics.steps.labels("answer")._sum.get(), before)

    async def test_a_failure_has_its_steps_too_and_no_answer(self) -> None:
        await in_db(self.scenario, "404-retired")
        self.assertEqual((await self.post()).status_code, 503)
        self.assertEqual(set(await self.steps()), set(STEPS) - {"answer"})


class TrafficTests(IngestTestCase):
    async def test_a_slow_body_is_sending_and_nobody_elses(self) -> None:
        """The service answers at once: what is slow is our side of the connection."""

        async def drip() -> AsyncIterator[bytes]:
            for _ in range(3):
                await asyncio.sleep(0.1)
                yield b" "

        async def post(body: Any, traffic: Traffic) -> None:
            with measure_traffic(traffic):
                await http.post(f"{self.provider.url}/v1beta/models/x", headers={}, content=body)

        slow, quick = Traffic(), Traffic()
        await asyncio.gather(post(drip(), slow), post(b"{}", quick))
        await http.close()
        self.assertGreaterEqual(slow.send_s, 0.29)
        self.assertLess(quick.send_s, slow.send_s)
