"""After the provider was paid nothing may fail: each step on the way back is broken in turn."""

from datetime import timedelta
from unittest import mock

from django.core.files.storage import default_storage
from django.db import DataError, OperationalError
from django.test import override_settings

from ingest.cleanup import clean_up, close_overdue
from ingest.models import Job
from ingest.pipeline import admission, closing, late_closings, outcome
from ingest.pipeline.admission import Admission
from ingest.pipeline.order import Order
from ingest.tests.support import IngestTestCase
from photochanger import metrics
from photochanger.db import in_db


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

    async def test_a_preview_that_no_row_will_name_leaves_no_file(self) -> None:
        is_frozen = mock.patch(
            "ingest.pipeline.response.record_preview", side_effect=OperationalError("frozen")
        )
        with is_frozen:
            headers = await self.assert_picture()
        await self.assert_done(headers["X-Job-Id"])
        job = await Job.objects.aget()
        folder = f"results/{job.slot_id}/{job.pk}"
        _folders, files = default_storage.listdir(folder)
        self.assertEqual([name.split(".")[0] for name in files], ["payload"])

    async def test_broken_metrics_cost_the_figure(self) -> None:
        full = OSError(28, "No space left on device")
        for metric in (metrics.photos, metrics.calls, metrics.ingest_answers, metrics.hashes):
            with self.subTest(metric=metric), mock.patch.object(metric, "labels", side_effect=full):
                await self.assert_picture()
        self.assertEqual(await Job.objects.filter(status="done").acount(), 4)

    async def test_a_database_that_takes_no_outcome_costs_the_row(self) -> None:
        is_locked = mock.patch.object(outcome, "close_done", side_effect=OperationalError("locked"))
        with is_locked, mock.patch.object(outcome, "CLOSE_PATIENCE_S", 0.0):
            headers = await self.assert_picture()
        job = await Job.objects.aget()
        self.assertEqual(job.status, Job.Status.PROCESSING)
        self.assertTrue(await in_db(late_closings.write_kept))
        await self.assert_done(headers["X-Job-Id"])

    async def assert_done(self, job_id: str) -> None:
        """The row says what the booth got, and its link leads to it."""
        job = await Job.objects.prefetch_related("attempts").aget(pk=job_id)
        self.assertEqual((job.status, job.failure_reason), (Job.Status.DONE, ""))
        self.assertEqual(len(job.attempts.all()), 1)
        answer = await self.async_client.get(f"/public/results/{job_id}")
        self.assertEqual(answer.status_code, 200)

    async def test_a_long_outage_and_the_end_of_the_process_cost_the_row_nothing(self) -> None:
        is_away = mock.patch.object(closing.Closing, "write", side_effect=OperationalError("away"))
        with is_away, mock.patch.object(outcome, "CLOSE_PATIENCE_S", 0.0):
            headers = await self.assert_picture()
            self.assertFalse(await in_db(late_closings.write_kept))
        self.assertEqual(late_closings._kept, {})  # it is on the disk: the process may end
        job_id = headers["X-Job-Id"]
        # Cleanup elsewhere has given the photo up meanwhile.
        job = await Job.objects.aget(pk=job_id)
        await Job.objects.filter(pk=job_id).aupdate(deadline=job.started_at - timedelta(hours=1))
        self.assertEqual(await in_db(close_overdue), 1)
        await in_db(clean_up, by="test")
        await self.assert_done(job_id)
        self.assertEqual([file for file in self.files() if "closings" in file], [])

    async def test_rows_that_will_never_fit_stand_in_nobodys_way(self) -> None:
        is_away = mock.patch.object(closing.Closing, "write", side_effect=OperationalError("away"))
        with is_away, mock.patch.object(outcome, "CLOSE_PATIENCE_S", 0.0):
            for key in ("a", "b"):
                await self.assert_picture(**{"Idempotency-Key": key})
            self.assertFalse(await in_db(late_closings.write_kept))
        first, write = iter([DataError("too long")]), closing.Closing.write

        def refuse_once(one: closing.Closing) -> bool:
            for error in first:
                raise error
            return write(one)

        with mock.patch.object(closing.Closing, "write", refuse_once):
            self.assertEqual(await in_db(late_closings.settle_stored), 1)
        self.assertEqual([file for file in self.files() if "closings" in file], [])
        self.assertEqual(await Job.objects.filter(status=Job.Status.DONE).acount(), 1)

    async def test_a_job_that_was_opened_unknown_to_us_is_no_riddle(self) -> None:
        def admit(order: Order) -> Admission:
            admission._admit_locked(order)
            raise OperationalError("no answer")

        with mock.patch.object(admission, "admit", admit):
            answer = await self.post()
        self.assertEqual(answer.status_code, 500)
        self.assertTrue(await in_db(late_closings.write_kept))
        job = await Job.objects.aget()
        self.assertEqual((job.status, job.failure_reason), (Job.Status.FAILED, "storage_error"))

    async def test_a_row_that_was_closed_meanwhile_costs_no_picture(self) -> None:
        with mock.patch.object(outcome, "close_done", return_value=False):
            await self.assert_picture()
