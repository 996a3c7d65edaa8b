"""After the provider was paid nothing may fail: each step on the way back is broken in turn."""

from unittest import mock

from django.db import OperationalError
from django.test import override_settings

from ingest.models import Job
from ingest.pipeline import outcome
from ingest.tests.support import IngestTestCase
from photochanger import metrics


class AfterPaymentTests(IngestTestCase):
    async def assert_picture(self, **headers: str) -> dict[str, str]:
        """The booth gets its picture; returns the answer's headers."""
        calls = len(self.provider.calls)
        answer = await self.post(headers=headers or None)
        self.assertEqual(answer.status_code, 200, answer.content[:300])
        self.assertEqual(answer["Content-Type"], "image/jpeg")
        self.assertEqual(len(self.provider.calls) - calls, 1)
        return dict(answer.headers)

    async def test_a_name_that_is_not_ours_costs_the_link_and_not_the_picture(self) -> None:
        for host in ("foto_budka", "somewhere.example", "192.168.7.7:8000", "a b"):
            with self.subTest(host=host), override_settings(ALLOWED_HOSTS=["photos.example"]):
                headers = await self.assert_picture(host=host)
                self.assertNotIn("X-Result-Url", headers)
        self.assertEqual(await Job.objects.filter(status="done").acount(), 4)

    async def test_a_broken_preview_costs_the_preview(self) -> None:
        for error in (MemoryError(), RuntimeError("bug"), OSError(28, "No space left on device")):
            broken = mock.patch("ingest.pipeline.response.write_preview", side_effect=error)
            with self.subTest(error=error), broken:
                await self.assert_picture()
        self.assertEqual(await Job.objects.filter(status="done").acount(), 3)

    async def test_broken_metrics_cost_the_figure(self) -> None:
        full = OSError(28, "No space left on device")
        for metric in (metrics.photos, metrics.calls, metrics.ingest_answers, metrics.hashes):
            with self.subTest(metric=metric), mock.patch.object(metric, "labels", side_effect=full):
                await self.assert_picture()
        self.assertEqual(await Job.objects.filter(status="done").acount(), 4)

    async def test_a_database_that_takes_no_outcome_costs_the_row(self) -> None:
        is_locked = mock.patch.object(outcome, "close_done", side_effect=OperationalError("locked"))
        with is_locked, mock.patch.object(outcome, "CLOSE_LATE_S", -60.0):
            headers = await self.assert_picture()
        self.assertIn("X-Job-Id", headers)
        job = await Job.objects.aget()
        self.assertEqual(job.status, Job.Status.PROCESSING)  # readers see it end at its deadline

    async def test_a_row_that_was_closed_meanwhile_costs_no_picture(self) -> None:
        with mock.patch.object(outcome, "close_done", return_value=False):
            await self.assert_picture()
