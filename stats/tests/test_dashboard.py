from photochanger.testing.marks import both_databases
from slots.models import Slot
from stats.services import load_dashboard
from stats.tests.support import StatsTestCase, job, open_job

pytestmark = both_databases


class DashboardTests(StatsTestCase):
    def state(self) -> str:
        return load_dashboard()[0].state

    def test_a_slot_without_settings_is_not_configured(self) -> None:
        self.assertEqual(load_dashboard()[2].state, "not_configured")
        Slot.objects.filter(pk="slot-001").update(settings={"no such field": 1})
        self.assertEqual(self.state(), "not_configured")

    def test_a_slot_that_is_switched_off_is_off_whatever_failed(self) -> None:
        self.store(job(reason="quota"))
        Slot.objects.filter(pk="slot-001").update(is_active=False)
        self.assertEqual(self.state(), "off")

    def test_a_failure_is_shown_until_a_photo_succeeds(self) -> None:
        self.store(job(ago_s=600, reason="quota"))
        card = load_dashboard()[0]
        self.assertEqual((card.state, card.last_error_reason), ("errors", "quota"))
        self.store(job(ago_s=10))
        card = load_dashboard()[0]
        self.assertEqual((card.state, card.last_error_reason), ("active", None))

    def test_a_failure_is_old_after_an_hour(self) -> None:
        self.store(job(ago_s=3700, reason="quota"))
        self.assertEqual(self.state(), "active")

    def test_pictures_that_take_most_of_the_waiting_time_are_delayed(self) -> None:
        self.store(*(job(took_ms=37_000) for _ in range(3)), job(took_ms=2000))
        self.assertEqual(self.state(), "delayed")
        Slot.objects.filter(pk="slot-001").update(sync_response_seconds=60)
        self.assertEqual(self.state(), "active")

    def test_the_last_photo_and_those_in_flight_are_shown(self) -> None:
        photo = open_job(ago_s=3)
        self.store(job(), photo, open_job(ago_s=4))
        card = load_dashboard()[0]
        self.assertEqual((card.in_flight, card.last_photo_at), (2, photo.started_at))

    def test_three_queries_are_enough(self) -> None:
        self.store(*(job(f"slot-{n % 15 + 1:03}") for n in range(60)))
        with self.assertNumQueries(3):
            load_dashboard()
