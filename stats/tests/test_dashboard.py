from datetime import timedelta
from typing import Any

from django.utils import timezone

from ingest.models import Refusal
from media.models import MediaObject
from photochanger.testing.marks import both_databases
from providers.meanings import BUSY_MARK
from slots.models import Slot
from stats.dashboard import SlotCard
from stats.services import load_board
from stats.tests.support import StatsTestCase, job, open_job

pytestmark = both_databases


class BoardTestCase(StatsTestCase):
    def card(self, slot_id: str = "slot-001") -> SlotCard:
        return next(card for card in load_board().cards if card.slot.pk == slot_id)

    def state(self, slot_id: str = "slot-001") -> str:
        return self.card(slot_id).state

    def words(self, slot_id: str = "slot-001") -> list[str]:
        return [f"{p.title}: {p.facts}. {p.remedy}" for p in self.card(slot_id).problems]

    def refuse(self, slot: str, cause: str, *, ago_s: float = 10, **columns: Any) -> None:
        at = timezone.now() - timedelta(seconds=ago_s)
        values = {"address": "10.0.0.7", "booth_name": "DESKTOP-K968T3F", "count": 3} | columns
        Refusal.objects.create(
            minute=at.replace(second=0, microsecond=0),
            cause=cause,
            place=Refusal.objects.count(),
            slot_asked=slot,
            reason=cause,
            status=400,
            first_at=at,
            last_at=at,
            **values,
        )


class PeopleTests(BoardTestCase):
    """The state says when a slot does not keep people."""

    def make(self, *verdicts: str, slot_id: str = "slot-001") -> None:
        for number, verdict in enumerate(verdicts):
            self.store(job(slot_id, ago_s=60 + number, faces=verdict))

    def test_a_slot_that_changes_people_says_so(self) -> None:
        self.make("kept", "lost", "kept", "stranger", "kept", "", "nobody")
        self.assertEqual(self.state(), "unsteady")
        (words,) = self.words()
        self.assertIn("Люди меняются", words)
        self.assertIn("2 из последних 5", words)
        problem = self.card().problems[0]
        self.assertTrue(problem.job_id)
        self.assertFalse(problem.is_grave)

    def test_an_accident_is_none(self) -> None:
        self.make("lost", "kept", "kept", "kept", "kept")  # one of five
        self.assertEqual((self.state(), self.words()), ("active", []))
        self.make("lost", "lost", "lost", "kept", slot_id="slot-002")  # too few to tell
        self.assertEqual(self.words("slot-002"), [])

    def test_what_is_an_hour_old_says_nothing_about_now(self) -> None:
        for number in range(6):
            self.store(job(ago_s=3700 + number, faces="lost"))
        self.assertEqual(self.words(), [])

    def test_nothing_is_said_of_a_slot_that_is_off(self) -> None:
        self.make(*["lost"] * 6)
        Slot.objects.filter(pk="slot-001").update(is_active=False)
        self.assertEqual(self.words(), [])


class StateTests(BoardTestCase):
    def test_a_slot_that_is_off_and_not_whole_is_not_configured(self) -> None:
        self.assertEqual(self.state("slot-003"), "not_configured")
        wrong = {"settings": {"no such field": 1}, "is_active": False}
        Slot.objects.filter(pk="slot-001").update(**wrong)
        self.assertEqual(self.state(), "not_configured")

    def test_a_slot_that_is_on_and_not_whole_fails(self) -> None:
        for settings in ({}, {"no such field": 1}):
            Slot.objects.filter(pk="slot-001").update(settings=settings)
            self.assertEqual(self.state(), "errors")
        self.assertIn("настроен не до конца", self.words()[0])

    def test_a_recipe_without_settings_is_whole_where_the_driver_says_so(self) -> None:
        """Operations of one service need a template picture and no prompt."""
        live = {"provider": "turbotext", "operation": "style_transfer", "settings": {}}
        Slot.objects.filter(pk="slot-001").update(**live)
        self.assertEqual(self.state(), "errors")
        slot = Slot.objects.get(pk="slot-001")
        media = MediaObject.objects.create(
            slot_id=slot.pk, kind="template", path="t/1", mime="image/png", size_bytes=1
        )
        slot.template_media.create(media_kind="style", media_object=media)
        self.assertEqual(self.state(), "active")

    def test_a_slot_that_is_switched_off_is_off_whatever_failed(self) -> None:
        self.store(job(reason="quota"))
        Slot.objects.filter(pk="slot-001").update(is_active=False)
        self.assertEqual(self.state(), "off")

    def test_the_only_photo_failed(self) -> None:
        self.store(job(ago_s=600, reason="quota"))
        self.assertEqual(self.state(), "errors")
        self.assertIn("1 из последних 1 фото", self.words()[0])

    def test_a_failure_that_was_followed_by_a_good_photo_is_still_told(self) -> None:
        self.store(job(ago_s=600, reason="quota"), job(ago_s=10))
        self.assertEqual(self.state(), "unsteady")
        self.store(*(job(ago_s=n) for n in range(9)))
        self.assertEqual(self.state(), "active")

    def test_a_slot_that_fails_every_other_time_does_not_flip(self) -> None:
        for number in range(12):
            self.store(job(ago_s=600 - number, reason="bad_response" if number % 2 else ""))
            if number > 3:
                self.assertEqual(self.state(), "errors", number)
        self.assertIn("5 из последних 10 фото", self.words()[0])

    def test_one_of_ten_is_a_warning_and_three_are_an_alarm(self) -> None:
        self.store(*(job(ago_s=100 + n) for n in range(7)), job(ago_s=90, reason="timeout"))
        self.store(job(ago_s=80), job(ago_s=70))
        self.assertEqual(self.state(), "unsteady")
        self.store(job(ago_s=60, reason="timeout"), job(ago_s=50, reason="quota"), job(ago_s=1))
        self.assertEqual(self.state(), "errors")
        self.assertEqual(len(self.words()), 2)

    def test_a_failure_is_old_after_an_hour(self) -> None:
        self.store(job(ago_s=3700, reason="quota"))
        self.assertEqual(self.state(), "active")
        self.assertEqual(len(self.card().photos.shown), 1)

    def test_a_booth_that_gives_up_is_told_what_to_set(self) -> None:
        for _ in range(4):
            self.store(job(took_ms=3100, reason="client_gone", booth_name="DESKTOP"))
        self.assertEqual(self.state(), "errors")
        self.assertEqual(
            self.words(),
            [
                "Фотобудка не дождалась: отключилась через 3 с: 4 из последних 4 фото, DESKTOP. "
                "Поставьте в будке тайм-аут 58 с."
            ],
        )

    def test_a_busy_service_is_told_apart_from_a_used_up_quota(self) -> None:
        self.store(job(reason="quota", failure_detail=f"HTTP 429, {BUSY_MARK}no capacity"))
        self.assertIn("AI-сервис перегружен", self.words()[0])
        self.store(job(reason="quota", failure_detail="HTTP 429: per day"))
        self.assertTrue(any("Квота" in words for words in self.words()))

    def test_tests_are_no_photos_of_booths(self) -> None:
        self.store(*(job(reason="quota", source="ui_test") for _ in range(3)))
        self.assertEqual((self.state(), self.card().photos.shown), ("active", []))

    def test_pictures_that_take_most_of_the_waiting_time_are_delayed(self) -> None:
        self.store(*(job(took_ms=37_000) for _ in range(3)), job(took_ms=2000))
        self.assertEqual(self.state(), "delayed")
        Slot.objects.filter(pk="slot-001").update(sync_response_seconds=60)
        self.assertEqual(self.state(), "active")

    def test_the_strip_shows_the_last_twenty(self) -> None:
        self.store(*(job(ago_s=n * 60) for n in range(1, 31)), open_job(ago_s=1))
        shown = self.card().photos.shown
        self.assertEqual((len(shown), shown[0].fate), (20, "open"))
        self.assertEqual(shown, sorted(shown, key=lambda one: one.started_at, reverse=True))

    def test_the_last_photo_and_those_in_flight_are_shown(self) -> None:
        photo = open_job(ago_s=3)
        self.store(job(), photo, open_job(ago_s=4))
        card = self.card()
        self.assertEqual((card.in_flight, card.last_photo_at), (2, photo.started_at))


class RefusalTests(BoardTestCase):
    def test_a_wrong_password_makes_a_busy_slot_red(self) -> None:
        self.store(*(job(ago_s=n) for n in range(1, 10)))
        self.refuse("slot-001", "invalid_password")
        self.assertEqual(self.state(), "errors")
        self.assertIn("Неверный пароль будки: 3 раза, DESKTOP-K968T3F.", self.words()[0])

    def test_it_is_over_when_the_booth_has_sent_a_good_photo(self) -> None:
        self.refuse("slot-001", "invalid_password", over_at=timezone.now())
        self.assertEqual(self.state(), "active")

    def test_it_is_old_after_a_quarter_of_an_hour(self) -> None:
        self.refuse("slot-001", "invalid_password", ago_s=901)
        self.assertEqual(self.state(), "active")

    def test_what_is_sent_to_a_slot_that_is_off_is_told(self) -> None:
        self.refuse("slot-009", "slot_disabled")
        card = self.card("slot-009")
        self.assertEqual((card.state, card.is_red), ("not_configured", True))

    def test_a_link_of_no_slot_is_told_above_the_cards(self) -> None:
        self.refuse("slot-016", "slot_not_found", count=14)
        (stray,) = load_board().strays
        self.assertEqual(stray.facts, "«slot-016», 14 раз, DESKTOP-K968T3F")

    def test_a_booth_that_gives_up_during_the_upload_is_told_what_to_set(self) -> None:
        self.refuse("slot-001", "client_gone", waited_ms=2900)
        self.assertIn("через 3 с", self.words()[0])
        self.assertIn("58 с", self.words()[0])


class QueryTests(BoardTestCase):
    def test_five_queries_are_enough(self) -> None:
        self.store(*(job(f"slot-{n % 15 + 1:03}") for n in range(60)))
        for number in range(20):
            self.refuse(f"slot-{number:03}", "invalid_password")
        with self.assertNumQueries(5):
            load_board()
