from slots.models import Slot
from stats.services import dashboard
from stats.tests.support import StatsTestCase, job, open_job


class DashboardTests(StatsTestCase):
    def state(self) -> str:
        return dashboard()[0].state

    def test_a_slot_without_a_recipe_is_not_configured(self) -> None:
        self.assertEqual(dashboard()[2].state, "not_configured")
        Slot.objects.filter(pk="slot-001").update(settings={"no such field": 1})
        self.assertEqual(self.state(), "not_configured")

    def test_a_slot_that_is_switched_off_is_off_whatever_failed(self) -> None:
        self.keep(job(reason="quota"))
        Slot.objects.filter(pk="slot-001").update(is_active=False)
        self.assertEqual(self.state(), "off")

    def test_a_failure_is_shown_until_a_photo_succeeds(self) -> None:
        self.keep(job(ago_s=600, reason="quota"))
        card = dashboard()[0]
        self.assertEqual((card.state, card.last_error_reason), ("errors", "quota"))
        self.keep(job(ago_s=10))
        card = dashboard()[0]
        self.assertEqual((card.state, card.last_error_reason), ("active", None))

    def test_a_failure_is_old_after_an_hour(self) -> None:
        self.keep(job(ago_s=3700, reason="quota"))
        self.assertEqual(self.state(), "active")

    def test_pictures_that_take_most_of_the_waiting_time_are_delayed(self) -> None:
        self.keep(*(job(took_ms=37_000) for _ in range(3)), job(took_ms=2000))
        self.assertEqual(self.state(), "delayed")
        Slot.objects.filter(pk="slot-001").update(sync_response_seconds=60)
        self.assertEqual(self.state(), "active")

    def test_the_last_photo_and_those_in_flight_are_told(self) -> None:
        photo = open_job(ago_s=3)
        self.keep(job(), photo, open_job(ago_s=4))
        card = dashboard()[0]
        self.assertEqual((card.in_flight, card.last_photo_at), (2, photo.started_at))

    def test_three_queries_are_enough(self) -> None:
        self.keep(*(job(f"slot-{n % 15 + 1:03}") for n in range(60)))
        with self.assertNumQueries(3):
            dashboard()
