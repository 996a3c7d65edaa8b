"""What photos cost, against the bill that the simulated service keeps by itself."""

import os
from decimal import ROUND_HALF_UP, Decimal
from unittest import mock

from django.test import TestCase, override_settings
from django.utils import timezone

from ingest.costs.models import Payment
from ingest.costs.price_table import add_price
from ingest.costs.pricing import PriceEntry
from ingest.models import Attempt, Job
from ingest.tests.support import IngestTestCase, jpeg
from photochanger.db import in_db
from photochanger.testing.marks import both_databases
from providers.simulator import Call
from providers.simulator.gemini.scenarios import SCENARIOS
from slots.models import Slot

PHOTOS = int(os.environ.get("COST_PHOTOS", "40"))
SLOW = {"slow"}
# Dollars for a million tokens, written down a second time: text in, picture in, out, thoughts.
BILL_RATES = {
    "gemini-nano-banana-2.1": ("1.5", "1.5", "30", "7.5"),
    "gemini-3-pro-image": ("2", "2", "120", "12"),
    "gemini-3.1-flash-lite-image": ("0.25", "0.25", "30", "1.5"),
    "gemini-2.5-flash-image": ("0.3", "0.3", "30", "2.5"),
}
MODELS = list(BILL_RATES)


def calculate_bill(call: Call) -> int:
    """Micro-dollars that the service charges for a call, in decimals and not in integers."""
    if not call.bill:
        return 0
    counts = [call.bill[kind] for kind in ("text", "photos", "made", "thoughts")]
    rates = [Decimal(rate) for rate in BILL_RATES[call.billed_model]]
    dollars = sum((n * r for n, r in zip(counts, rates, strict=True)), Decimal(0)) / 1_000_000
    return int((dollars * 1_000_000).quantize(Decimal(1), ROUND_HALF_UP))


@both_databases
class CostTests(IngestTestCase):
    def use(self, scenario: str, model: str = MODELS[0]) -> None:
        recipe = {"prompt": f"As an oil painting [sim:{scenario}]", "model": model}
        Slot.objects.filter(pk="slot-001").update(settings=recipe)

    async def send(self, scenario: str, model: str = MODELS[0]) -> tuple[Job, list[Attempt]]:
        await in_db(self.use, scenario, model)
        await self.post(jpeg())
        job = await Job.objects.order_by("-started_at").afirst()
        assert job is not None
        return job, [one async for one in Attempt.objects.filter(job=job).order_by("number")]

    async def test_photos_of_every_scenario_cost_what_the_service_bills(self) -> None:
        """``COST_PHOTOS=1000`` takes all scenarios in turn, with all models."""
        names = [name for name in SCENARIOS if name not in SLOW]
        step = max(1, len(names) // PHOTOS)
        total = billed = 0
        for number in range(PHOTOS):
            model = MODELS[number % len(MODELS)]
            name = names[number * step % len(names)]
            before = len(self.provider.calls)
            job, attempts = await self.send(name, model)
            calls = self.provider.calls[before:]
            with self.subTest(scenario=name, model=model):
                assert len(calls) == len(attempts)
                for call, attempt in zip(calls, attempts, strict=True):
                    if attempt.payment == Payment.PAID:
                        assert attempt.cost_micros == calculate_bill(call)
                    elif attempt.payment == Payment.PROBABLE:
                        assert (attempt.cost_micros or 0) >= calculate_bill(call)
                    else:
                        assert (attempt.payment, calculate_bill(call)) == (Payment.FREE, 0)
                certain = [a.payment != Payment.PROBABLE for a in attempts]
                known = sum(
                    calculate_bill(c) for c, is_sure in zip(calls, certain, strict=True) if is_sure
                )
                assert (job.cost_micros, job.unpriced_calls) == (known, 0)
                total, billed = total + (job.cost_micros or 0), billed + known
        assert total == billed > 0

    async def test_an_empty_answer_is_paid_and_its_retry_too(self) -> None:
        job, attempts = await self.send("no-image-then-ok")
        assert [one.payment for one in attempts] == [Payment.PAID, Payment.PAID]
        assert job.cost_micros == sum(one.cost_micros or 0 for one in attempts)
        assert (attempts[0].cost_micros or 0) > 1000

    async def test_what_was_refused_costs_nothing(self) -> None:
        for name in ("429-daily", "400-key", "503", "404-retired"):
            job, attempts = await self.send(name)
            assert {one.payment for one in attempts} == {Payment.FREE}, name
            assert (job.cost_micros, job.probable_micros, job.unpriced_calls) == (0, 0, 0)

    async def test_what_was_cut_after_sending_is_probably_paid_and_stands_apart(self) -> None:
        job, (attempt,) = await self.send("drop-connection")
        assert attempt.payment == Payment.PROBABLE
        assert (job.cost_micros, job.probable_micros) == (0, attempt.cost_micros)
        assert job.probable_micros > 33_000

    async def test_a_service_that_nobody_reaches_is_paid_nothing(self) -> None:
        with override_settings(GEMINI_BASE_URL="http://127.0.0.1:9"):
            job, attempts = await self.send("ok")
        assert {one.payment for one in attempts} == {Payment.FREE}
        assert job.probable_micros == 0

    async def test_a_price_that_is_not_known_is_never_nothing(self) -> None:
        await in_db(self.enter_price, model=MODELS[0])
        job, (attempt,) = await self.send("ok")
        assert (attempt.payment, attempt.cost_micros) == (Payment.PAID, None)
        assert (job.cost_micros, job.unpriced_calls) == (0, 1)

    async def test_a_price_that_is_entered_holds_from_the_next_photo_on(self) -> None:
        _job, (before,) = await self.send("ok")
        await in_db(self.enter_price, model=MODELS[0], per_picture=50_000)
        _job, (after,) = await self.send("ok")
        assert before.cost_micros != after.cost_micros == 50_000

    async def test_a_bug_in_the_arithmetic_costs_no_picture(self) -> None:
        with mock.patch("ingest.costs.payment.compute_cost", side_effect=ZeroDivisionError):
            job, (attempt,) = await self.send("ok")
        assert (job.status, attempt.payment, attempt.cost_micros) == ("done", "probable", None)
        assert (job.cost_micros, job.unpriced_calls) == (0, 1)

    async def test_without_prices_of_their_own_photos_ask_for_none(self) -> None:
        """The table that came with the release takes no query."""
        await self.send("ok")
        with mock.patch("ingest.costs.price_table.Price.objects") as rows:
            await self.send("ok")
        assert not rows.mock_calls

    def enter_price(self, model: str, **amounts: int) -> None:
        today = timezone.localdate()
        entry = PriceEntry(provider="gemini", model=model, valid_from=today, **amounts)
        add_price(entry, by="serg")


class PaymentColumnsTests(TestCase):
    def test_a_job_of_an_earlier_release_has_no_cost(self) -> None:
        assert Job().cost_micros is None and Attempt().payment == ""
