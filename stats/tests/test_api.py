from typing import Any

from django.contrib.auth.models import User

from ingest.models import Job
from photochanger.testing.marks import both_databases
from photochanger.web.tokens import AdminToken
from slots.models import Slot
from stats.openapi import OVERVIEW, STATISTICS
from stats.schemas import OverviewOut, SlotStatisticsOut
from stats.tests.support import StatsTestCase, job

pytestmark = both_databases

SPECIFIED_SYSTEM = {
    *("jobs_total", "jobs_last_window", "timeouts_last_window"),
    *("provider_errors_last_window", "storage_usage_mb"),
}
SPECIFIED_SLOT = {
    *("slot_id", "display_name", "is_active", "jobs_last_window", "timeouts_last_window"),
    *("provider_errors_last_window", "last_success_at", "last_error_reason"),
}


class StatsApiTests(StatsTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.serg = User.objects.create_superuser("serg", password="correct-horse-battery")

    def get(self, path: str, **query: Any) -> Any:
        token = AdminToken.for_user(self.serg)
        return self.client.get(
            f"/api/stats/{path}", query, headers={"Authorization": f"Bearer {token}"}
        )

    def test_the_overview_has_every_specified_field(self) -> None:
        Slot.objects.filter(pk="slot-001").update(display_name="Slot 1 (Gemini)")
        Slot.objects.filter(pk="slot-002").update(display_name="")
        self.store(job(ago_s=40, reason="timeout"), job(ago_s=30), job("slot-002", reason="quota"))
        answer = self.get("overview").json()
        self.assertEqual(answer["window_minutes"], 60)
        self.assertLessEqual(SPECIFIED_SYSTEM, set(answer["system"]))
        self.assertEqual(answer["system"]["jobs_total"], 3)
        self.assertEqual(answer["system"]["provider_errors_last_window"], 1)
        self.assertEqual(len(answer["slots"]), 15)
        first, second = answer["slots"][:2]
        self.assertLessEqual(SPECIFIED_SLOT, set(first))
        self.assertEqual(first["display_name"], "Slot 1 (Gemini)")
        self.assertEqual((first["jobs_last_window"], first["timeouts_last_window"]), (2, 1))
        self.assertRegex(first["last_success_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        self.assertIsNone(first["last_error_reason"])
        self.assertEqual((second["display_name"], second["state"]), ("slot-002", "errors"))

    def test_the_examples_of_the_description_are_valid(self) -> None:
        for schema, example in ((OverviewOut, OVERVIEW), (SlotStatisticsOut, STATISTICS)):
            read = schema.model_validate(example).model_dump(mode="json")
            self.assertEqual(read, example)

    def test_the_overview_can_be_narrowed_to_one_slot(self) -> None:
        answer = self.get("overview", slot="slot-004", window_minutes=5).json()
        self.assertEqual([slot["slot_id"] for slot in answer["slots"]], ["slot-004"])
        self.assertEqual(answer["window_minutes"], 5)

    def test_the_statistics_of_a_slot(self) -> None:
        self.store(job(), job(ago_s=20, reason="timeout"))
        answer = self.get("slots/slot-001", window_minutes=1440).json()
        self.assertEqual(sum(point["jobs"] for point in answer["points"]), 2)
        self.assertEqual(answer["failures"][0]["failure_reason"], "timeout")
        self.assertEqual(answer["slot"]["slot_id"], "slot-001")

    def test_a_window_of_a_week_is_cached_and_one_of_a_day_is_not(self) -> None:
        for minutes, jobs in ((7 * 24 * 60, 1), (24 * 60, 2)):
            Job.objects.all().delete()
            for _ in range(2):
                self.store(job())
                seen = self.get("overview", window_minutes=minutes).json()["system"]
                slot = self.get("slots/slot-001", window_minutes=minutes).json()
            self.assertEqual(seen["jobs_last_window"], jobs)
            self.assertEqual(sum(point["jobs"] for point in slot["points"]), jobs)

    def test_an_unknown_slot_is_not_found(self) -> None:
        for path, query in (
            ("slots/slot-099", {}),
            ("overview", {"slot": "slot-099"}),
            ("slots/slot-001%00", {}),
            ("overview", {"slot": "slot-001\0"}),
            ("overview", {"slot": ""}),
        ):
            answer = self.get(path, **query)
            self.assertEqual(answer.status_code, 404)
            self.assertEqual(answer.json()["failure_reason"], "slot_not_found")

    def test_a_window_out_of_bounds_is_refused(self) -> None:
        for path in ("overview", "slots/slot-001"):
            for minutes in (0, -1, 60 * 24 * 31 + 1, "hour"):
                answer = self.get(path, window_minutes=minutes)
                self.assertEqual(answer.status_code, 400, (path, minutes))
            self.assertEqual(self.get(path, window_minutes=60 * 24 * 31).status_code, 200)

    def test_only_administrators_may_read(self) -> None:
        for path in ("overview", "slots/slot-001"):
            self.assertEqual(self.client.get(f"/api/stats/{path}").status_code, 401)
