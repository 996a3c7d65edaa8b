"""Statistics say which link is slow, by the newest pictures of each slot."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone, translation

from ingest.models import Job
from ingest.pipeline.steps import STEPS
from photochanger.testing.marks import both_databases
from stats.steps import load_step_medians
from stats.tests.support import StatsTestCase, job

QUICK = dict.fromkeys(STEPS, 50) | {"provider": 6000}


def picture(slot_id: str = "slot-001", *, mb: float = 1, **took_ms: int) -> Job:
    return job(slot_id, steps_ms=QUICK | took_ms, photo_bytes=int(mb * 1_000_000))


@both_databases
class StepMediansTests(StatsTestCase):
    def load(self, slot_id: str | None = None) -> dict[str, Any]:
        now = timezone.now()
        return load_step_medians(now - timedelta(hours=1), now, slot_id)

    def test_medians_are_of_booths_pictures_by_slot(self) -> None:
        self.store(picture(upload=1000), picture(upload=3000), picture(upload=2000))
        self.store(picture("slot-002"), job(reason="quota", steps_ms={"upload": 60_000}))
        self.store(job(source=Job.Source.UI_TEST, steps_ms=QUICK), job())
        found = self.load()
        self.assertEqual(list(found), ["slot-001", "slot-002"])
        self.assertEqual((found["slot-001"].seconds["upload"], found["slot-001"].pictures), (2, 3))
        self.assertEqual(list(self.load("slot-002")), ["slot-002"])

    def test_a_link_is_slow_by_its_seconds_and_by_its_share(self) -> None:
        self.store(picture(upload=6100, mb=14), picture("slot-002", send=1400))
        self.store(
            picture("slot-003", answer=3000), picture("slot-004", send=2000, provider=20_000)
        )
        found = {slot_id: medians.slow_link for slot_id, medians in self.load().items()}
        self.assertEqual(
            found, {"slot-001": "upload", "slot-002": None, "slot-003": "answer", "slot-004": None}
        )

    def test_the_page_says_what_to_set(self) -> None:
        self.client.force_login(User.objects.create_superuser("serg"))
        self.store(picture(upload=6100, mb=14), picture("slot-002", upload=6100, mb=1))
        with translation.override("en"):
            answer = self.client.get("/admin/statistics/steps/", headers={"accept-language": "en"})
        self.assertContains(answer, "The booth&#x27;s link is slow: 6.1 s of 12.4 s.", count=2)
        self.assertContains(answer, "maximum picture size to 3000 px", count=1)
        self.assertContains(answer, "Give the booth a cable", count=1)
