"""Who makes a slot's pictures: on the dashboard, by its buttons, for the watch and the metrics."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client, TestCase

from ingest.models import Job
from photochanger.testing.marks import both_databases
from providers.registry import DRIVERS
from slots.models import ReserveSource, Slot, SourceCircuit
from slots.reserve.circuits import MAX_FAILURES, note_failure
from stats.metrics import STATE
from stats.models import Severity
from stats.services import load_board
from stats.slot_state import State
from stats.tests.support import job
from stats.watch.findings import Finding
from stats.watch.rules.reserve import find_on_reserve
from stats.watch.wording import word_alert

pytestmark = both_databases

OWN, OTHER = DRIVERS


class ReserveTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.serg = User.objects.create_superuser("serg", password="x")
        Slot.objects.filter(pk__in=["slot-001", "slot-002"]).update(
            is_active=True, settings={"prompt": "Oil"}
        )
        ReserveSource.objects.create(
            slot_id="slot-001", position=1, provider=OTHER, operation="image_edit"
        )

    def setUp(self) -> None:
        self.client.force_login(self.serg)

    def break_down(self, reason: str = "network") -> None:
        for _ in range(MAX_FAILURES):
            note_failure("slot-001", 0, reason)

    def card(self, slot_id: str = "slot-001") -> Any:
        return next(card for card in load_board().cards if card.slot.pk == slot_id)

    def read(self) -> str:
        page = self.client.get("/admin/board/", headers={"Accept-Language": "en"})
        return " ".join(page.content.decode().split())


class CardTests(ReserveTestCase):
    def test_a_slot_without_a_reserve_says_nothing_of_one(self) -> None:
        self.assertIsNone(self.card("slot-002").source)
        self.assertNotIn("to-reserve-slot-002", self.read())

    def test_while_the_service_works_the_card_names_the_reserve_and_can_switch(self) -> None:
        page = self.read()
        self.assertIn("Reserve: Turbotext", page)
        self.assertIn('id="to-reserve-slot-001"', page)
        self.assertNotIn('id="to-main-slot-001"', page)
        self.assertEqual(self.card().state, State.ACTIVE)

    def test_when_it_fails_the_card_says_since_when_the_reserve_works_and_why(self) -> None:
        Job.objects.bulk_create(job(ago_s=n, reserve=1, provider=OTHER) for n in range(1, 5))
        self.break_down()
        card = self.card()
        (problem,) = card.problems
        self.assertEqual((card.state, problem.is_grave), (State.RESERVE, False))
        page = self.read()
        self.assertIn("The main service failed 3 times; the reserve works since", page)
        self.assertIn("cannot be reached", page)
        self.assertIn("Stay on the reserve", page)
        self.assertIn('id="to-main-slot-001"', page)

    def test_photos_that_are_lost_all_the_same_are_worse_than_that(self) -> None:
        Job.objects.bulk_create(job(ago_s=n, reason="network", reserve=1) for n in range(1, 5))
        self.break_down()
        self.assertEqual(self.card().state, State.ERRORS)


class SwitchTests(ReserveTestCase):
    def press(self, action: str, *, client: Client | None = None, **data: str) -> Any:
        path = f"/admin/board/slot-001/{action}/"
        return (client or self.client).post(path, data, headers={"Accept-Language": "en"})

    def test_it_asks_first_and_is_audited(self) -> None:
        asked = self.press("reserve")
        self.assertContains(asked, "to the reserve?")
        self.assertFalse(Slot.objects.get(pk="slot-001").on_reserve)
        self.press("reserve", confirmed="1")
        slot = Slot.objects.get(pk="slot-001")
        self.assertTrue(slot.on_reserve)
        self.assertEqual(LogEntry.objects.latest("pk").user, self.serg)
        self.assertIn("on_reserve", LogEntry.objects.latest("pk").change_message)
        page = self.read()
        self.assertIn("set by hand", page)
        self.assertIn("On the reserve", page)
        self.assertNotIn('id="to-reserve-slot-001"', page)
        self.assertContains(self.press("main"), "back to its main service?")
        self.press("main", confirmed="1")
        self.assertFalse(Slot.objects.get(pk="slot-001").on_reserve)

    def test_back_to_the_service_that_failed_gives_it_a_new_chance(self) -> None:
        self.break_down()
        self.press("main", confirmed="1")
        self.assertFalse(SourceCircuit.objects.exists())
        self.assertEqual(self.card().state, State.ACTIVE)

    def test_without_a_reserve_the_button_says_why_not(self) -> None:
        ReserveSource.objects.all().delete()
        self.press("reserve", confirmed="1")
        self.assertIn("no reserve that is switched on", self.client.get("/admin/").content.decode())
        self.assertFalse(Slot.objects.get(pk="slot-001").on_reserve)

    def test_only_by_post_with_a_token_and_only_by_administrators(self) -> None:
        self.assertEqual(self.client.get("/admin/board/slot-001/reserve/").status_code, 405)
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.serg)
        self.assertEqual(self.press("reserve", client=strict, confirmed="1").status_code, 403)
        User.objects.create_user("guest", password="x", is_staff=True)
        guest = Client()
        guest.force_login(User.objects.get(username="guest"))
        self.assertEqual(self.press("reserve", client=guest, confirmed="1").status_code, 302)
        self.assertFalse(Slot.objects.get(pk="slot-001").on_reserve)


class WatchTests(ReserveTestCase):
    def find(self) -> list[Finding]:
        return list(find_on_reserve())

    def test_somebody_is_told_once_for_all_slots_that_a_service_fails(self) -> None:
        self.assertEqual(self.find(), [])
        ReserveSource.objects.create(
            slot_id="slot-002", position=1, provider=OTHER, operation="image_edit"
        )
        self.break_down()
        for _ in range(MAX_FAILURES):
            note_failure("slot-002", 0, "quota")
        (found,) = self.find()
        self.assertEqual((found.subject, found.severity), (OWN, Severity.WARNING))
        self.assertEqual(found.facts["slots"], ["slot-001", "slot-002"])
        wording = word_alert(found)
        self.assertIn("Turbotext", wording.words)
        self.assertTrue(wording.remedy)

    def test_whoever_switched_by_hand_is_not_told(self) -> None:
        self.break_down()
        slot = Slot.objects.get(pk="slot-001")
        slot.on_reserve = True
        slot.save()
        self.assertEqual(self.find(), [])

    def test_the_metrics_tell_circuits_and_switches(self) -> None:
        self.break_down()
        Slot.objects.filter(pk="slot-001").update(on_reserve_since="2026-11-27T20:00Z")
        STATE.clear()
        self.addCleanup(STATE.clear)
        text = self.client.get("/metrics").content.decode()
        self.assertIn('photochanger_source_circuit_open{position="0",slot="slot-001"} 1.0', text)
        self.assertIn('photochanger_slot_on_reserve{slot="slot-001"} 1.0', text)
        self.assertIn('photochanger_slot_on_reserve{slot="slot-002"} 0.0', text)
