"""The retry rule on a clock of its own, and over the wire."""

import random
from datetime import timedelta
from typing import Any

from django.test import SimpleTestCase
from django.utils import timezone

from ingest.models import Attempt, Job
from ingest.pipeline.retry_policy import (
    FLOOR_S,
    MAX_CALLS,
    choose_retry,
    estimate_call_s,
    is_known_unpaid,
    pause_before_retry,
)
from ingest.tests.support import IngestTestCase
from photochanger.db import in_db
from photochanger.errors import (
    BadResponse,
    ContentBlocked,
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderNetwork,
    ProviderQuota,
    ProviderUnavailable,
)
from photochanger.testing.marks import both_databases
from providers import simulator
from providers.base import SECOND_MODEL_TURN
from slots.models import Slot


def pause(
    error: ProviderError, *, calls_made: int = 1, left_s: float = 40, typical_s: float = 10
) -> float | None:
    return pause_before_retry(error, calls_made=calls_made, left_s=left_s, typical_s=typical_s)


class PaymentTests(SimpleTestCase):
    def test_a_refusal_before_the_order_was_taken_has_cost_nothing(self) -> None:
        free = (ProviderAuth(), ProviderConfig(), ProviderQuota())
        for error in (*free, ProviderUnavailable(retryable=True)):
            self.assertTrue(is_known_unpaid(error, is_accepted=False), error)
        unknown = (ProviderNetwork(), BadResponse(), ContentBlocked(), ProviderUnavailable())
        self.assertFalse(any(is_known_unpaid(error, is_accepted=False) for error in unknown))

    def test_a_refusal_after_it_was_taken_may_have_been_paid_for(self) -> None:
        self.assertFalse(is_known_unpaid(ProviderAuth(), is_accepted=True))

    def test_before_a_reserve_only_an_empty_answer_is_asked_for_again(self) -> None:
        more = {"left_s": 40.0, "typical_s": 10.0, "has_second_model": False}
        for error, is_repeated in (
            (BadResponse(retryable=True), True),
            (ProviderUnavailable(retryable=True), False),
            (ProviderNetwork(retryable=True), False),
        ):
            retry = choose_retry(error, turn=1, has_next_source=True, **more)  # type: ignore[arg-type]
            self.assertEqual(retry is not None, is_repeated, error)
        again = choose_retry(BadResponse(retryable=True), turn=2, has_next_source=True, **more)  # type: ignore[arg-type]
        self.assertIsNone(again)


class RuleTests(SimpleTestCase):
    def test_an_empty_answer_is_asked_again_at_once(self) -> None:
        self.assertEqual(pause(BadResponse(retryable=True)), 0)

    def test_an_overloaded_provider_is_not_asked_by_all_booths_at_once(self) -> None:
        error = ProviderUnavailable(retryable=True)
        first = {pause(error) for _ in range(50)}
        self.assertGreater(len(first), 40)
        self.assertTrue(all(p is not None and 0.5 <= p <= 1.5 for p in first))
        later = pause(error, calls_made=3)
        assert later is not None
        self.assertGreaterEqual(later, 1.5)

    def test_the_providers_own_delay_is_used_when_it_fits(self) -> None:
        error = ProviderQuota(retryable=True, retry_after_s=7.5)
        self.assertEqual(pause(error), 7.5)
        self.assertIsNone(pause(error, left_s=17))

    def test_shared_capacity_is_asked_again_after_a_second_or_two_twice_at_most(self) -> None:
        error = ProviderQuota(retryable=True)
        for calls_made in (1, 2):
            pauses = {pause(error, calls_made=calls_made) for _ in range(50)}
            self.assertGreater(len(pauses), 40)
            self.assertTrue(all(p is not None and 1 <= p <= 2 for p in pauses))
        self.assertIsNone(pause(error, calls_made=3))
        self.assertIsNone(pause(error, left_s=11, typical_s=10))

    def test_a_hint_of_nothing_is_none(self) -> None:
        first = pause(ProviderQuota(retryable=True, retry_after_s=0))
        assert first is not None
        self.assertGreaterEqual(first, 1)

    def test_a_second_model_is_asked_where_the_first_is_busy_for_long(self) -> None:
        error = ProviderQuota(retryable=True, retry_after_s=33)

        def choose(turn: int, left_s: float, *, second: bool, kind: ProviderError = error) -> Any:
            more = {"left_s": left_s, "typical_s": 10.0, "has_second_model": second}
            retry = choose_retry(kind, turn=turn, **more)
            return retry and (retry.pause_s, retry.turn)

        self.assertEqual(choose(1, 44, second=True), (33, 2))
        self.assertEqual(choose(1, 43, second=True), (0, SECOND_MODEL_TURN))
        self.assertIsNone(choose(1, 43, second=False))
        self.assertIsNone(choose(1, 10, second=True))
        self.assertIsNone(choose(SECOND_MODEL_TURN, 43, second=True))
        self.assertIsNone(choose(1, 43, second=True, kind=ProviderQuota(retry_after_s=33)))
        self.assertIsNone(
            choose(1, 43, second=True, kind=ProviderUnavailable(retryable=True, retry_after_s=40))
        )

    def test_what_will_not_change_is_not_asked_again(self) -> None:
        for error in (ProviderAuth(), BadResponse(), ContentBlocked(), ProviderQuota()):
            self.assertIsNone(pause(error))

    def test_some_failures_are_asked_again_only_once(self) -> None:
        for error in (ProviderNetwork(retryable=True), ContentBlocked(retryable=True)):
            self.assertIsNotNone(pause(error, calls_made=1))
            self.assertIsNone(pause(error, calls_made=2))

    def test_four_calls_are_enough(self) -> None:
        error = BadResponse(retryable=True)
        self.assertIsNotNone(pause(error, calls_made=MAX_CALLS - 1))
        self.assertIsNone(pause(error, calls_made=MAX_CALLS))

    def test_a_call_that_cannot_end_in_time_is_not_begun(self) -> None:
        error = BadResponse(retryable=True)
        self.assertIsNotNone(pause(error, left_s=10.1, typical_s=10))
        self.assertIsNone(pause(error, left_s=10, typical_s=10))
        self.assertIsNone(pause(error, left_s=FLOOR_S, typical_s=0))
        self.assertIsNone(pause(error, left_s=-1, typical_s=0))

    def test_thirty_percent_of_empty_answers_cost_less_than_one_photo_in_a_hundred(self) -> None:
        """1.2 s per empty answer, 12 s per good one, 48 s in all, on a clock that only adds up."""
        dice, done = random.Random(7), 0
        for _ in range(20_000):
            left, calls = 47.5, 0
            while True:
                calls += 1
                if dice.random() >= 0.3:
                    done += left >= 12
                    break
                left -= 1.2
                wait = pause(
                    BadResponse(retryable=True), calls_made=calls, left_s=left, typical_s=12
                )
                if wait is None:
                    break
                left -= wait
        self.assertGreaterEqual(done / 20_000, 0.99)


class ThirtyPercentTests(IngestTestCase):
    async def test_a_provider_that_often_answers_nothing_is_hardly_noticed(self) -> None:
        with (
            simulator.running(plain=True, fail_share=0.3, seed=3) as provider,
            self.settings(GEMINI_BASE_URL=provider.url),
        ):
            statuses = [(await self.post()).status_code for _ in range(20)]
        self.assertEqual(statuses, [200] * 20)
        self.assertGreater(len(provider.calls), 24)


@both_databases
class OverTheWireTests(IngestTestCase):
    async def with_scenario(self, name: str, **recipe: object) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(
            settings={"prompt": f"x [sim:{name}]", **recipe}
        )

    async def outcome(self) -> tuple[int, list[str]]:
        response = await self.post()
        job = await Job.objects.alatest("started_at")
        reasons = [a.failure_reason async for a in Attempt.objects.filter(job=job)]
        return response.status_code, reasons

    async def test_an_empty_answer_is_followed_by_a_picture(self) -> None:
        await self.with_scenario("no-image-then-ok")
        self.assertEqual(await self.outcome(), (200, ["bad_response", ""]))

    async def test_recitation_is_tried_once_more(self) -> None:
        await self.with_scenario("recitation-then-ok")
        self.assertEqual(await self.outcome(), (200, ["content_blocked", ""]))

    async def test_an_overload_passes(self) -> None:
        await self.with_scenario("503-then-ok")
        self.assertEqual(await self.outcome(), (200, ["provider_5xx", ""]))

    async def test_the_providers_delay_is_waited_for(self) -> None:
        await self.with_scenario("429-short=0.2")
        self.assertEqual(await self.outcome(), (200, ["quota", ""]))

    async def test_a_daily_quota_is_final(self) -> None:
        await self.with_scenario("429-daily")
        self.assertEqual(await self.outcome(), (503, ["quota"]))

    async def test_after_four_empty_answers_the_booth_gets_the_failure(self) -> None:
        await self.with_scenario("no-image")
        self.assertEqual(await self.outcome(), (502, ["bad_response"] * 4))

    async def test_the_second_model_takes_over_from_the_third_call(self) -> None:
        await self.with_scenario("no-image", fallback_model="gemini-3.1-flash-lite-image")
        await self.outcome()
        models = [call.model for call in self.provider.calls]
        first, second = "gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image"
        self.assertEqual(models, [first, first, second, second])

    async def test_a_call_keeps_what_the_provider_said(self) -> None:
        await self.with_scenario("400-location")
        await self.outcome()
        attempt = await Attempt.objects.aget()
        self.assertIn("User location is not supported", attempt.detail)
        self.assertNotIn("sim-key", attempt.detail)

    async def test_the_typical_call_is_the_median_of_the_good_ones(self) -> None:
        await self.post()
        job = await Job.objects.aget()
        await Attempt.objects.all().adelete()
        for number, (ms, reason) in enumerate(
            [(1000, ""), (9000, ""), (3000, ""), (99_000, "bad_response")], start=1
        ):
            await Attempt.objects.acreate(
                job=job,
                number=number,
                provider="gemini",
                started_at=timezone.now() - timedelta(hours=1),
                duration_ms=ms,
                failure_reason=reason,
            )
        self.assertEqual(await in_db(estimate_call_s, "slot-001", "gemini"), 3.0)
        self.assertEqual(await in_db(estimate_call_s, "slot-002", "gemini"), 0.0)
