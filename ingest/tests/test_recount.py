"""Calculating again gives back no money that nobody knows to be free."""

from datetime import timedelta
from typing import Any

from django.test import TestCase
from django.utils import timezone

from ingest.cleanup import close_overdue
from ingest.costs.models import Payment
from ingest.costs.price_table import add_price
from ingest.costs.pricing import TOKEN_KINDS, PriceEntry
from ingest.costs.recount import recount_costs
from ingest.costs.spending import Amounts, add_spending, choose_day, load_slots
from ingest.models import Attempt, Job
from media.models import MediaObject
from photochanger.db import clock
from photochanger.testing.marks import both_databases
from providers.gemini.token_counts import UNKNOWN_INPUT_TOKENS
from slots.models import Slot, SlotTemplateMedia

MODEL = "gemini-nano-banana-2.1"


@both_databases
class RecountTests(TestCase):
    def setUp(self) -> None:
        Slot.objects.filter(pk="slot-001").update(settings={"prompt": "A nebula", "model": MODEL})
        self.slot = Slot.objects.get(pk="slot-001")

    def make_job(self, **more: Any) -> Job:
        now = clock.now()
        values: dict[str, Any] = {
            "slot": self.slot,
            "slot_version": self.slot.version,
            "source": Job.Source.INGEST,
            "status": Job.Status.FAILED,
            "provider": "gemini",
            "operation": "image_edit",
            "started_at": now,
            "deadline": now + timedelta(seconds=48),
            "photo_sha256": "0" * 64,
            "photo_bytes": 1,
        }
        return Job.objects.create(**values | more)

    def make_cut_call(self, job: Job, **more: Any) -> Attempt:
        """That nobody counted the tokens of; its job's cost is that of the call."""
        values: dict[str, Any] = {
            "job": job,
            "number": 1,
            "provider": "gemini",
            "model": MODEL,
            "started_at": job.started_at,
            "duration_ms": 5,
            "payment": Payment.PROBABLE,
            "failure_reason": "provider_timeout",
        }
        attempt = Attempt.objects.create(**values | more)
        micros = attempt.cost_micros
        job.cost_micros, job.probable_micros = 0, micros or 0
        job.unpriced_calls = int(micros is None)
        job.save()
        add_spending(job, Amounts.of_job(job))
        return attempt

    def test_what_cleanup_has_booked_for_a_dead_server_stays(self) -> None:
        long_ago = clock.now() - timedelta(minutes=5)
        job = self.make_job(
            status=Job.Status.PROCESSING,
            started_at=long_ago,
            deadline=long_ago + timedelta(seconds=48),
            reserved_micros=200_000,
        )
        self.assertEqual(close_overdue(), 1)
        day = choose_day(job.started_at)
        self.assertEqual(recount_costs(day), 0)
        self.assertEqual(
            load_slots(day), [("slot-001", Amounts(photos=1, probable_micros=200_000))]
        )

    def test_a_call_of_a_reserve_keeps_what_it_has_cost_at_most(self) -> None:
        job = self.make_job()
        self.make_cut_call(job, reserve=1, cost_micros=90_000)
        self.assertEqual(recount_costs(choose_day(job.started_at)), 0)

    def test_a_recipe_that_was_changed_since_tells_nothing_of_a_call(self) -> None:
        job = self.make_job(slot_version=self.slot.version + 1)
        self.make_cut_call(job, cost_micros=90_000)
        self.assertEqual(recount_costs(choose_day(job.started_at)), 0)

    def test_a_call_without_a_price_is_estimated_with_the_template_pictures(self) -> None:
        for number, kind in enumerate(("style", "frame")):  # a frame is not sent
            media = MediaObject.objects.create(
                slot_id="slot-001",
                kind=MediaObject.Kind.TEMPLATE,
                path=f"{number}.png",
                size_bytes=1,
            )
            SlotTemplateMedia.objects.create(slot=self.slot, media_kind=kind, media_object=media)
        attempt = self.make_cut_call(self.make_job(), model="another")
        free = dict.fromkeys(TOKEN_KINDS, 0)
        add_price(
            PriceEntry(
                provider="gemini",
                model="another",
                valid_from=timezone.localdate() - timedelta(days=2),
                **free | {"picture_in": 1_000_000},
            ),
            by="serg",
        )
        self.assertEqual(recount_costs(choose_day(attempt.started_at)), 1)
        attempt.refresh_from_db()
        self.assertEqual(attempt.cost_micros, 2 * UNKNOWN_INPUT_TOKENS)
