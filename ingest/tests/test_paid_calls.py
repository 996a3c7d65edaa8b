"""Over the wire: what is paid for is used, and asked again only what asking again can change."""

import json
from collections.abc import Mapping

from ingest.models import Attempt, Job
from ingest.tests.support import IngestTestCase
from providers.simulator.gemini.scenarios import SCENARIOS
from slots.models import Slot

LITE = "gemini-3.1-flash-lite-image"
# Odd answers that hold a whole picture.
READABLE = [name for name in SCENARIOS if name.startswith("ok-")]
READABLE += ["unknown-finish", "thought-only", "tier-downgraded", "cut-after-picture", "203"]


class PaidCallTests(IngestTestCase):
    body: bytes
    headers: Mapping[str, str]
    job_detail: str
    attempts: list[Attempt]

    async def outcome(self, scenario: str, **recipe: object) -> tuple[int, list[str]]:
        prompt = f"x [sim:{scenario}] [sim:latency=0]"
        await Slot.objects.filter(pk="slot-001").aupdate(settings={"prompt": prompt, **recipe})
        response = await self.post()
        self.body = response.content
        self.headers = response.headers
        job = await Job.objects.alatest("started_at")
        self.job_detail = job.failure_detail
        calls = Attempt.objects.filter(job=job).order_by("number")
        self.attempts = [attempt async for attempt in calls]
        return response.status_code, [attempt.failure_reason for attempt in self.attempts]

    async def test_what_can_be_read_is_paid_for_once(self) -> None:
        for scenario in READABLE:
            with self.subTest(scenario):
                self.assertEqual(await self.outcome(scenario), (200, [""]))
                self.assertIn(self.body[:3], (b"\xff\xd8\xff", b"\x89PN", b"RIF"))

    async def test_what_asking_again_cannot_change_is_asked_once(self) -> None:
        rows = {
            **dict.fromkeys(("html-200", "html-image", "gzip-bomb", "huge-answer"), "bad_response"),
            **dict.fromkeys(("safety-half", "img-safety", "prompt-blocked"), "content_blocked"),
            **dict.fromkeys(("400", "415", "422"), "provider_rejected"),
            **dict.fromkeys(("401", "403", "400-key"), "provider_auth"),
            **dict.fromkeys(("400-page", "403-page", "404-page", "405", "407"), "provider_config"),
            **dict.fromkeys(("402", "410", "413", "421", "451", "redirect"), "provider_config"),
            **dict.fromkeys(("429-daily", "429-monthly", "429-spend-cap"), "quota"),
            **dict.fromkeys(("429-prepaid", "429-limit-0"), "quota"),
        }
        for scenario, reason in rows.items():
            with self.subTest(scenario):
                self.assertEqual((await self.outcome(scenario))[1], [reason])

    async def test_what_passes_is_asked_again_and_brings_a_picture(self) -> None:
        rows = {
            **dict.fromkeys(("429-bare-then-ok", "429-hostile-hint"), "quota"),
            **{name: "quota" for name in SCENARIOS if SCENARIOS[name].number_is_delay},
            **dict.fromkeys(("499-then-ok", "425", "400-unavailable"), "provider_5xx"),
            "408-then-ok": "timeout",
        }
        for scenario, reason in rows.items():
            with self.subTest(scenario):
                self.assertEqual(await self.outcome(scenario), (200, [reason, ""]))

    async def test_a_busy_service_is_asked_twice_more_and_is_called_busy(self) -> None:
        self.assertEqual(await self.outcome("429-bare"), (503, ["quota"] * 3))
        self.assertIn("занят", json.loads(self.body)["details"])
        self.assertEqual(self.headers["Retry-After"], "5")
        self.assertIn("busy", self.job_detail)

    async def test_a_lasting_limit_is_called_used_up(self) -> None:
        self.assertEqual(await self.outcome("429-monthly"), (503, ["quota"]))
        self.assertIn("исчерпана", json.loads(self.body)["details"])

    async def test_the_second_model_takes_over_from_a_busy_one(self) -> None:
        await self.outcome("429-bare", fallback_model=LITE)
        self.assertEqual([one.model for one in self.attempts][2:], [LITE])
        self.assertEqual(len({one.model for one in self.attempts[:2]}), 1)

    async def test_the_second_model_is_asked_at_once_where_the_first_is_busy_for_long(self) -> None:
        await self.outcome("429-retry=3000", fallback_model=LITE)
        self.assertEqual([one.model for one in self.attempts][1:], [LITE])
        self.assertEqual(await self.outcome("429-retry=3000"), (503, ["quota"]))

    async def test_nothing_is_waited_for_that_ends_after_the_deadline(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(sync_response_seconds=10)
        for scenario in ("429-retry=9", "429-retry-after=8", "429-in-words=30"):
            with self.subTest(scenario):
                status, reasons = await self.outcome(scenario)
                self.assertEqual((status, reasons), (503, ["quota"]))
                self.assertGreaterEqual(int(self.headers["Retry-After"]), 8)

    async def test_a_hint_is_waited_for(self) -> None:
        for scenario in ("429-two-hints", "429-retry-after", "429-in-words", "429-quoted"):
            self.assertEqual((await self.outcome(f"{scenario}=1.5"))[0], 200)
            first, second = self.attempts
            begun = (second.started_at - first.started_at).total_seconds()
            self.assertGreaterEqual(begun, 1.5, scenario)

    async def test_an_attempt_keeps_usage_by_modality_and_what_was_odd(self) -> None:
        await self.outcome("thought-only")
        (attempt,) = self.attempts
        self.assertEqual(attempt.detail, "thought_only")
        self.assertEqual(attempt.usage["promptTokensDetails.IMAGE"], 1120)
        self.assertIn("candidatesTokensDetails.IMAGE", attempt.usage)
        await self.outcome("no-image")
        for attempt in self.attempts:
            self.assertIn("promptTokensDetails.IMAGE", attempt.usage)
