"""A slot with reserves: who is asked when its own service fails, and what that may cost."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.contrib.auth.models import User
from django.test import override_settings
from django.utils import timezone

from ingest.models import Attempt, Job
from ingest.pipeline.order import Deadline
from ingest.pipeline.sources import may_go_on
from ingest.tests.support import IngestTestCase
from media.models import MediaObject
from media.uploads import store_upload
from photochanger.db import in_db
from photochanger.errors import ProviderAuth
from photochanger.testing.marks import both_databases
from providers import simulator
from slots.models import ReserveSource, Slot, SlotTemplateMedia, SourceCircuit
from slots.reserve.circuits import MAX_FAILURES, claim_try
from slots.reserve.sources import plan_sources
from slots.secrets import encrypt

pytestmark = both_databases

PROMPT = "As an oil painting"


@contextmanager
def released_soon(service: simulator.Simulator, after_s: float = 0.3) -> Iterator[None]:
    """The calls that it holds are answered a little later."""
    timer = threading.Timer(after_s, service.release)
    timer.start()
    try:
        yield
    finally:
        timer.join()


class ReserveTestCase(IngestTestCase):
    """``slot-001`` has a reserve: the same service at another address, with a key of its own."""

    def setUp(self) -> None:
        super().setUp()
        self.relay = self.enterContext(simulator.running(latency=0.0))
        self.reserve = ReserveSource.objects.create(
            slot_id="slot-001",
            position=1,
            provider=self.slot.provider,
            operation=self.slot.operation,
            settings={"prompt": PROMPT},
            base_url=self.relay.url,
            api_key=encrypt("key-of-the-relay"),
        )

    def change(self, **columns: Any) -> None:
        Slot.objects.filter(pk="slot-001").update(**columns)

    def let_time_pass(self) -> None:
        """Until the source may be tried again; the database's clock cannot be moved."""
        past = timezone.now() - timedelta(minutes=5)
        SourceCircuit.objects.filter(slot="slot-001").update(retry_at=past)

    async def ask(self) -> tuple[int, list[tuple[int, str]]]:
        """The status of one photo, and its calls: the source's position and the failure."""
        self.answer = await self.post()
        self.job = await Job.objects.alatest("started_at")
        calls = Attempt.objects.filter(job=self.job).order_by("number")
        return self.answer.status_code, [(c.reserve, c.failure_reason) async for c in calls]

    async def circuit(self, position: int = 0) -> SourceCircuit | None:
        return await SourceCircuit.objects.filter(slot="slot-001", position=position).afirst()


class OnePhotoTests(ReserveTestCase):
    async def test_the_reserve_is_not_asked_while_the_service_works(self) -> None:
        self.assertEqual(await self.ask(), (200, [(0, "")]))
        self.assertEqual((self.job.reserve, len(self.relay.calls)), (0, 0))
        self.assertIsNone(await self.circuit())

    async def test_after_failures_that_cost_nothing_the_reserve_makes_the_picture(self) -> None:
        rows = {
            **dict.fromkeys(("429-daily", "429-spend-cap"), ["quota"]),
            **dict.fromkeys(("401", "403", "400-key"), ["provider_auth"]),
            **dict.fromkeys(("404-retired", "402", "407", "redirect"), ["provider_config"]),
            **dict.fromkeys(("503", "500"), ["provider_5xx"]),
            "429-retry": ["quota"],  # waiting for it would cost the guest more
            "no-image": ["bad_response"] * 2,  # the dice are thrown once more
        }
        for scenario, failures in rows.items():
            with self.subTest(scenario):
                await in_db(self.scenario, scenario)
                await SourceCircuit.objects.all().adelete()
                calls = [*((0, reason) for reason in failures), (1, "")]
                self.assertEqual(await self.ask(), (200, calls))
                self.assertEqual((self.job.reserve, self.job.status), (1, "done"))

    async def test_a_closed_port_costs_a_guest_nothing(self) -> None:
        with override_settings(GEMINI_BASE_URL="http://127.0.0.1:1"):
            self.assertEqual(await self.ask(), (200, [(0, "network"), (1, "")]))

    async def test_a_missing_key_is_no_reason_to_lose_a_photo(self) -> None:
        with override_settings(GEMINI_API_KEY=""):
            self.assertEqual(await self.ask(), (200, [(1, "")]))

    async def test_what_may_have_been_paid_is_paid_twice_only_where_the_slot_allows_it(
        self,
    ) -> None:
        for scenario, reason in {
            "drop-connection": "network",
            "html-200": "bad_response",
            "img-safety": "content_blocked",
            "400": "provider_rejected",
        }.items():
            with self.subTest(scenario):
                await in_db(self.scenario, scenario)
                await in_db(self.change, reserve_may_cost_twice=False)
                status, calls = await self.ask()
                self.assertEqual((status >= 500, calls), (True, [(0, reason)]))
                self.assertEqual(len(self.relay.calls), 0)
                await in_db(self.change, reserve_may_cost_twice=True)
                self.assertEqual(await self.ask(), (200, [(0, reason), (1, "")]))
                self.relay.reset()

    async def test_a_service_that_hangs_leaves_the_reserve_its_time(self) -> None:
        await in_db(self.scenario, "slow")
        await in_db(self.change, reserve_may_cost_twice=True, sync_response_seconds=9)
        self.assertEqual(await self.ask(), (200, [(0, "timeout"), (1, "")]))

    async def test_without_leave_to_pay_twice_a_slow_service_has_the_whole_time(self) -> None:
        await in_db(self.change, sync_response_seconds=6)
        await in_db(self.scenario, "slow=4")  # longer than its share would be
        self.assertEqual(await self.ask(), (200, [(0, "")]))

    async def test_the_reserve_has_the_slots_prompt_as_it_is_now(self) -> None:
        await ReserveSource.objects.aupdate(settings={"aspect_ratio": "3:4"})
        await in_db(self.scenario, "401")
        with override_settings(GEMINI_API_KEY="bad-key-of-nobody"):
            await self.ask()
        self.assertIn(PROMPT, self.relay.calls[0].prompt)

    async def test_the_reserve_has_the_booths_words_of_its_own_prompt(self) -> None:
        words = [{"name": "guest"}, {"name": "city"}, {"name": "unused"}]
        await ReserveSource.objects.aupdate(settings={"prompt": "Of {city}"})
        await in_db(self.change, settings={"prompt": "For {guest} [sim:401]"}, variables=words)
        answer = await self.post(guest="Anna", city="Rome", unused="x")
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(self.provider.calls[0].prompt.split("\n")[0], "For «Anna» [sim:401]")
        self.assertEqual(self.relay.calls[0].prompt.split("\n")[0], "Of «Rome»")
        job = await Job.objects.aget()
        self.assertEqual(job.guest_texts, {"guest": "Anna", "city": "Rome"})

    async def test_when_all_fail_the_booth_hears_of_the_last_one(self) -> None:
        await in_db(self.scenario, "503")
        await ReserveSource.objects.aupdate(settings={"prompt": "[sim:429-daily]"})
        calls = [(0, "provider_5xx"), (1, "quota")]
        self.assertEqual(await self.ask(), (503, calls))
        self.assertEqual(json.loads(self.answer.content)["failure_reason"], "quota")
        self.assertEqual((self.job.status, self.job.reserve), ("failed", 1))
        await in_db(self.change, on_failure="original")
        self.assertEqual((await self.ask())[0], 200)
        self.assertEqual(self.answer.headers["X-PhotoChanger-Fallback"], "original")

    async def test_the_second_reserve_follows_the_first(self) -> None:
        await in_db(self.scenario, "503")
        await ReserveSource.objects.aupdate(settings={"prompt": "[sim:503]"})
        await ReserveSource.objects.acreate(
            slot_id="slot-001",
            position=2,
            provider=self.slot.provider,
            operation=self.slot.operation,
            settings={"prompt": PROMPT},
        )
        self.assertEqual((await self.ask())[1][-1], (2, ""))
        self.assertEqual(self.job.reserve, 2)

    async def test_a_reserve_that_is_switched_off_is_not_asked(self) -> None:
        await ReserveSource.objects.aupdate(is_enabled=False)
        await in_db(self.scenario, "401")
        self.assertEqual(await self.ask(), (503, [(0, "provider_auth")]))

    async def test_the_key_of_the_settings_never_goes_to_another_address(self) -> None:
        await ReserveSource.objects.aupdate(api_key="")
        await in_db(self.scenario, "401")
        self.assertEqual((await self.ask())[0], 503)
        self.assertEqual(len(self.relay.calls), 0)


class SwitchTests(ReserveTestCase):
    async def test_by_hand_only_the_reserve_is_asked(self) -> None:
        await in_db(self.change, on_reserve_since=timezone.now())
        self.assertEqual(await self.ask(), (200, [(1, "")]))
        self.assertEqual(len(self.provider.calls), 0)
        await ReserveSource.objects.aupdate(settings={"prompt": "[sim:401]"})
        self.assertEqual(await self.ask(), (503, [(1, "provider_auth")]))


class TrialTests(ReserveTestCase):
    async def try_out(self, query: str = "") -> list[tuple[int, str]]:
        serg = await User.objects.acreate(username="serg", is_staff=True, is_superuser=True)
        await self.async_client.aforce_login(serg)
        await self.async_client.post(f"/admin/event/try/slot-001/{query}")
        await serg.adelete()
        calls = Attempt.objects.order_by("pk")
        return [(call.reserve, call.failure_reason) async for call in calls]

    async def test_an_operator_tries_the_reserve_before_it_is_needed(self) -> None:
        self.assertEqual(await self.try_out("?reserve=1"), [(1, "")])
        job = await Job.objects.aget()
        self.assertEqual((job.source, job.reserve, job.status), ("ui_test", 1, "done"))

    async def test_a_trial_that_fails_says_nothing_of_what_booths_get(self) -> None:
        await ReserveSource.objects.aupdate(settings={"prompt": "[sim:401]"})
        self.assertEqual(await self.try_out("?reserve=1"), [(1, "provider_auth")])
        self.assertIsNone(await self.circuit(1))

    async def test_a_trial_goes_where_photos_go(self) -> None:
        self.assertEqual(await self.try_out(), [(0, "")])
        await in_db(self.change, on_reserve_since=timezone.now())
        self.assertEqual(await self.try_out(), [(0, ""), (1, "")])

    async def test_a_reserve_that_there_is_not_is_not_tried(self) -> None:
        self.assertEqual(await self.try_out("?reserve=2"), [])


class CircuitTests(ReserveTestCase):
    async def fail_photos(self, times: int, scenario: str = "401") -> None:
        await in_db(self.scenario, scenario)
        for _ in range(times):
            self.assertEqual((await self.ask())[0], 200)

    async def test_a_dead_service_is_asked_by_the_first_photos_only(self) -> None:
        await self.fail_photos(MAX_FAILURES + 3)
        self.assertEqual(len(self.provider.calls), MAX_FAILURES)
        circuit = await self.circuit()
        assert circuit is not None
        self.assertEqual((circuit.failures, circuit.reason), (MAX_FAILURES, "provider_auth"))
        self.assertIsNotNone(circuit.opened_at)
        self.assertEqual(await self.ask(), (200, [(1, "")]))

    async def test_failures_longer_ago_than_a_minute_do_not_add_up(self) -> None:
        await self.fail_photos(MAX_FAILURES - 1)
        await SourceCircuit.objects.aupdate(window_from=timezone.now() - timedelta(minutes=2))
        await self.fail_photos(1)
        circuit = await self.circuit()
        assert circuit is not None
        self.assertEqual((circuit.failures, circuit.opened_at), (1, None))

    async def test_two_time_outs_are_enough(self) -> None:
        await in_db(self.change, reserve_may_cost_twice=True, sync_response_seconds=9)
        await self.fail_photos(2, "slow")
        self.assertEqual(await self.ask(), (200, [(1, "")]))

    async def test_what_is_wrong_with_one_photo_opens_nothing(self) -> None:
        await in_db(self.change, reserve_may_cost_twice=True)
        await self.fail_photos(MAX_FAILURES + 1, "img-safety")
        self.assertIsNone(await self.circuit())

    async def test_a_template_that_cannot_be_read_says_nothing_of_a_service(self) -> None:
        await in_db(self.add_template, b"no picture")
        for _ in range(3):
            self.assertEqual((await self.post()).status_code, 503)
        job = await Job.objects.alatest("started_at")
        self.assertEqual(job.failure_reason, "provider_config")
        self.assertIsNone(await self.circuit())
        self.assertEqual(self.provider.calls, [])

    def add_template(self, body: bytes) -> None:
        media = store_upload(
            *(MediaObject.Kind.TEMPLATE, "slot-001", body),
            mime="image/png",
            extension="png",
            expires_at=None,
        )
        SlotTemplateMedia.objects.create(slot_id="slot-001", media_kind="style", media_object=media)

    async def test_a_free_call_and_one_photo_bring_the_service_back(self) -> None:
        await self.fail_photos(MAX_FAILURES)
        await in_db(self.change, settings={"prompt": PROMPT})  # it is well again
        await in_db(self.let_time_pass)
        self.provider.reset()
        self.relay.hold()  # the reserve's picture takes longer than the free call
        with released_soon(self.relay):
            self.assertEqual(await self.ask(), (200, [(1, "")]))
        self.assertEqual([call.method for call in self.provider.calls], ["GET"])
        self.assertEqual(await self.ask(), (200, [(0, "")]))
        self.assertIsNone(await self.circuit())

    async def test_of_photos_at_one_moment_one_finds_out(self) -> None:
        await self.fail_photos(MAX_FAILURES)
        await in_db(self.let_time_pass)
        slot = await Slot.objects.aget(pk="slot-001")
        plans = [await in_db(plan_sources, slot, None) for _ in range(3)]
        checks = [[one.position for one in plan if one.needs_check] for plan in plans]
        self.assertEqual(checks, [[0], [], []])
        await in_db(self.let_time_pass)  # and of those that saw it at the same moment, too
        claims = [await in_db(claim_try, "slot-001", 0) for _ in range(2)]
        self.assertEqual(claims, [True, False])
        for plan in plans:  # until then the service is everybody's last resort
            self.assertEqual([one.position for one in plan], [1, 0])

    async def test_what_was_refused_after_it_was_accepted_may_have_been_paid(self) -> None:
        for number, may_go in (("", True), ("order-7", False)):
            run: Any = SimpleNamespace(
                job=Job(slot=self.slot), attempts=[Attempt(provider_request_id=number)]
            )
            self.assertEqual(may_go_on(run, ProviderAuth(), Deadline.from_now(40)), may_go)

    async def test_a_service_that_fails_its_trial_is_asked_more_seldom(self) -> None:
        await self.fail_photos(MAX_FAILURES)
        await SourceCircuit.objects.aupdate(is_checked=True)
        await in_db(self.let_time_pass)
        self.assertEqual(await self.ask(), (200, [(0, "provider_auth"), (1, "")]))
        circuit = await self.circuit()
        assert circuit is not None and circuit.retry_at is not None
        self.assertEqual((circuit.tries, circuit.is_checked), (1, False))
        self.assertGreater(circuit.retry_at, timezone.now())
        self.assertEqual(await self.ask(), (200, [(1, "")]))

    async def test_where_all_are_away_the_service_is_the_last_resort(self) -> None:
        await self.fail_photos(MAX_FAILURES)
        await in_db(self.change, settings={"prompt": PROMPT})
        await ReserveSource.objects.aupdate(settings={"prompt": "[sim:401]"})
        self.assertEqual(await self.ask(), (200, [(1, "provider_auth"), (0, "")]))
        self.assertIsNone(await self.circuit())  # it works again, as everybody could see
