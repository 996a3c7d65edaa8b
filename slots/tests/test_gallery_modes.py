"""Who sees a gallery: everybody, whoever has the secret address, nobody."""

import json
from datetime import timedelta
from typing import Any

import structlog
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import TransactionTestCase, override_settings
from django.utils import timezone

from photochanger.logs.masks import mask
from photochanger.testing.marks import both_databases
from slots.editing import change_slot, copy_slot
from slots.gallery.addresses import replace_gallery_address
from slots.gallery.modes import find_gallery_mode
from slots.history.records import read_record
from slots.history.restoration import plan_restoration
from slots.history.wording import describe_record
from slots.models import Setting, Slot
from slots.platform_settings import change_settings, load_platform_settings
from slots.schemas import SlotIn
from slots.tests.support import AdminTestCase, ConsoleTestCase
from slots.tests.test_gallery import BROWSER, SLOT, TAILS, GalleryTestCase

pytestmark = both_databases


def load_slot(slot_id: str = "slot-001") -> Slot:
    return Slot.objects.get(pk=slot_id)


class SecretTests(GalleryTestCase):
    def setUp(self) -> None:
        super().setUp()
        Slot.objects.update(gallery_mode="secret")
        self.secret = f"/public/slots/{load_slot().gallery_token}"

    def assert_statuses(self, address: str, status: int) -> None:
        for tail in TAILS:
            with self.subTest(address=address, tail=tail):
                self.assertEqual(self.request(f"{address}{tail}").status_code, status)

    def test_only_the_secret_address_leads_in(self) -> None:
        media = self.add()
        self.assert_statuses(SLOT, 404)
        self.assert_statuses(self.secret, 200)
        told = self.request(f"{self.secret}?format=json").json()
        self.assertEqual([one["id"] for one in told["results"]], self.ids(media))

    def test_the_number_answers_as_a_closed_gallery_does(self) -> None:
        self.add()
        hidden = [self.request(SLOT + tail, Accept=BROWSER) for tail in TAILS]
        Slot.objects.update(gallery_mode="closed")
        closed = [self.request(SLOT + tail, Accept=BROWSER) for tail in TAILS]
        for one, other in zip(hidden, closed, strict=True):
            self.assertEqual((one.status_code, one.body), (other.status_code, other.body))
            self.assertEqual(dict(one.headers), dict(other.headers))

    def test_pages_found_by_the_secret_lead_on_by_it(self) -> None:
        self.add()
        for tail in ("", "/slideshow"):
            page = self.request(f"{self.secret}{tail}", Accept=BROWSER)
            self.assertIn(f"{self.secret}?format=", page.body.decode())
            self.assertNotIn(f"{SLOT}?", page.body.decode())
            self.assertEqual(page["Referrer-Policy"], "no-referrer")

    def test_an_open_gallery_keeps_the_codes_that_were_printed_and_tells_no_secret(self) -> None:
        self.add()
        Slot.objects.update(gallery_mode="open")
        self.assert_statuses(self.secret, 200)
        self.assert_statuses(SLOT, 200)
        token = load_slot().gallery_token
        for tail in TAILS:
            answer = self.request(f"{SLOT}{tail}")
            self.assertNotIn(token, answer.body.decode() + str(answer.headers))

    def test_a_closed_gallery_is_closed_by_both(self) -> None:
        for change in (
            {"gallery_mode": "closed"},
            {"gallery_until": timezone.now() - timedelta(seconds=1)},
            {"is_active": False},
        ):
            Slot.objects.update(**change)
            self.assert_statuses(self.secret, 404)
            self.assert_statuses(SLOT, 404)
            Slot.objects.update(gallery_mode="secret", gallery_until=None, is_active=True)
        change_settings({"galleries": "closed"}, by="serg")
        self.assert_statuses(self.secret, 404)

    def test_a_new_address_ends_the_one_before(self) -> None:
        replace_gallery_address("slot-001", by="serg")
        self.assert_statuses(self.secret, 404)
        self.assert_statuses(f"/public/slots/{load_slot().gallery_token}", 200)

    def test_no_other_spelling_is_the_secret(self) -> None:
        token = load_slot().gallery_token
        for wrong in (token[:-1], f"{token}2", token.upper(), "%ff" * 26, f"{token}%00", "é" * 26):
            self.assertEqual(self.request(f"/public/slots/{wrong}").status_code, 404, wrong)

    def test_each_slot_has_a_secret_of_its_own_of_128_bits_or_more(self) -> None:
        tokens = set(Slot.objects.values_list("gallery_token", flat=True))
        self.assertEqual(len(tokens), 15)
        self.assertEqual({len(token) for token in tokens}, {26})  # of 32 letters each

    def test_no_log_line_holds_the_secret(self) -> None:
        token = load_slot().gallery_token
        paths = ("", "/slideshow", "/nothing", "?format=xml", "/qr.svg")
        with structlog.testing.capture_logs() as lines:
            for path in paths:
                self.request(f"{self.secret}{path}")
            self.request(self.secret, "post")
            replace_gallery_address("slot-001", by="serg")
            self.request(self.secret)
        self.assertTrue(lines)
        shown = [mask(None, "info", dict(line)) for line in lines]
        self.assertNotIn(token, json.dumps(shown, default=str))
        self.assertIn("/public/slots/…", json.dumps(shown, default=str, ensure_ascii=False))


class ModeTests(AdminTestCase):
    def test_the_strictest_of_all_that_may_close_it_counts(self) -> None:
        modes = ("open", "secret", "closed")
        for own, general in ((own, general) for own in modes for general in modes):
            slot = Slot(is_active=True, gallery_mode=own)
            change_settings({"galleries": general}, by="serg")
            expected = modes[max(modes.index(own), modes.index(general))]
            self.assertEqual(find_gallery_mode(slot, load_platform_settings()), expected)

    def test_a_slot_is_open_by_default(self) -> None:
        self.assertEqual(load_slot().gallery_mode, "open")
        self.assertEqual(load_platform_settings().galleries, "open")

    def test_the_api_tells_administrators_where_it_is_and_replaces_the_address(self) -> None:
        token = load_slot().gallery_token
        told = self.client.get("/api/slots/slot-001").json()
        self.assertTrue(told["gallery_url"].endswith("/public/slots/slot-001"))
        self.assertNotIn(token, json.dumps(told))
        told = self.put("/api/slots/slot-001", {"gallery_mode": "secret"}).json()
        self.assertTrue(told["gallery_url"].endswith(f"/public/slots/{token}"))
        new = self.client.post("/api/slots/slot-001/gallery-address").json()
        self.assertTrue(new["gallery_url"].endswith(f"/public/slots/{load_slot().gallery_token}"))
        self.assertNotEqual(new["gallery_url"], told["gallery_url"])
        self.assertEqual(self.put("/api/slots/slot-001", new).json()["gallery_mode"], "secret")
        self.assertNotIn(token, self.client.get("/api/slots").content.decode())
        self.client.defaults.pop("HTTP_AUTHORIZATION")
        answer = self.client.post("/api/slots/slot-001/gallery-address")
        self.assertEqual(answer.status_code, 401)

    def test_older_programs_switch_it_on_and_off_and_never_open_a_secret_one(self) -> None:
        url = "/api/slots/slot-001"
        for sent, mode in ((False, "closed"), (True, "open"), (True, "open")):
            told = self.put(url, {"gallery_enabled": sent}).json()
            self.assertEqual((told["gallery_mode"], told["gallery_enabled"]), (mode, sent))
        change_slot("slot-001", SlotIn(gallery_mode="secret"), by="serg")
        told = self.put(url, {"gallery_enabled": True}).json()
        self.assertEqual(told["gallery_mode"], "secret")
        for sent, general in ((False, "closed"), (True, "open")):
            told = self.put("/api/settings", {"galleries_open": sent}).json()
            self.assertEqual((told["galleries"], told["galleries_open"]), (general, sent))
        self.put("/api/settings", {"galleries": "secret"})
        told = self.put("/api/settings", {"galleries_open": True}).json()
        self.assertEqual(told["galleries"], "secret")

    def test_a_word_that_is_no_mode_is_refused(self) -> None:
        self.assertEqual(
            list(self.refused("/api/slots/slot-001", {"gallery_mode": "x"})), ["gallery_mode"]
        )
        self.assertEqual(list(self.refused("/api/settings", {"galleries": "x"})), ["galleries"])

    def test_a_copy_takes_neither_mode_nor_address(self) -> None:
        change_slot("slot-001", SlotIn(gallery_mode="secret"), by="serg")
        before = load_slot("slot-002")
        copy_slot("slot-001", "slot-002", version=before.version, by="serg")
        after = load_slot("slot-002")
        self.assertEqual(after.gallery_mode, "open")
        self.assertEqual(after.gallery_token, before.gallery_token)

    def test_the_command_sets_the_mode_and_replaces_the_address(self) -> None:
        token = load_slot().gallery_token
        call_command("slot", "slot-001", "--gallery", "secret", "--new-gallery-address")
        slot = load_slot()
        self.assertEqual(slot.gallery_mode, "secret")
        self.assertNotEqual(slot.gallery_token, token)


class HistoryTests(AdminTestCase):
    def describe_last(self) -> list[tuple[str, str, str]]:
        record = read_record(LogEntry.objects.latest("pk"))
        assert record is not None
        return [(line.place, line.was, line.now) for line in describe_record(record)]

    def test_it_tells_a_new_mode_in_words_and_of_an_address_only_that_it_changed(self) -> None:
        change_slot("slot-001", SlotIn(gallery_mode="secret"), by="serg")
        ((place, was, now),) = self.describe_last()
        self.assertEqual(place, "gallery_mode")
        self.assertNotIn("secret", (was, now))
        token = load_slot().gallery_token
        replace_gallery_address("slot-001", by="serg")
        ((place, was, now),) = self.describe_last()
        self.assertEqual((place, was), ("gallery_address", ""))
        for entry in LogEntry.objects.all():
            self.assertNotIn(token, entry.change_message)
            self.assertNotIn(load_slot().gallery_token, entry.change_message)

    def test_entries_from_before_are_told_and_restored_in_the_words_of_today(self) -> None:
        change_slot("slot-001", SlotIn(gallery_mode="closed"), by="serg")
        entry = LogEntry.objects.get()
        old = entry.change_message.replace('"gallery_mode":"closed"', '"gallery_enabled":false')
        old = old.replace('"gallery_mode":"open"', '"gallery_enabled":true')
        self.assertNotIn("gallery_mode", old.replace("who sees", ""))
        LogEntry.objects.update(change_message=old)
        self.assertEqual([place for place, _was, _now in self.describe_last()], ["gallery_mode"])
        found = plan_restoration("slot-001", LogEntry.objects.get(), before=True)
        assert found is not None
        self.assertEqual(found.change.gallery_mode, "open")


class PageTests(ConsoleTestCase):
    PAGE = "/admin/slots/slot/slot-001/change/"

    def test_the_page_shows_the_secret_address_once_it_is_the_one(self) -> None:
        token = load_slot().gallery_token
        self.assertNotContains(self.client.get(self.PAGE), token)
        Slot.objects.update(gallery_mode="secret")
        self.assertContains(self.client.get(self.PAGE), f"/public/slots/{token}")

    def test_a_new_address_is_made_after_a_yes(self) -> None:
        token = load_slot().gallery_token
        address = "/admin/slots/slot/slot-001/gallery-address/"
        self.assertContains(self.client.post(address), "confirmed")
        self.assertEqual(load_slot().gallery_token, token)
        self.assertRedirects(self.client.post(address, {"confirmed": "1"}), self.PAGE)
        self.assertNotEqual(load_slot().gallery_token, token)
        self.assertEqual(self.client.get(address).status_code, 405)

    def test_the_page_says_when_the_settings_close_it(self) -> None:
        change_settings({"galleries": "closed"}, by="serg")
        page = self.client.get(self.PAGE, headers={"Accept-Language": "en"})
        self.assertContains(page, "The settings have closed the galleries of all slots.")


@override_settings(GALLERY_FRESH_SECONDS=0)
class MigrationTests(TransactionTestCase):
    serialized_rollback = True  # it empties all tables: the next test finds the slots again

    BEFORE, NOW = [("slots", "0009_sealed_booth_password")], [("slots", "0010_gallery_modes")]

    def migrate(self, to: list[tuple[str, str]]) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate(to)
        return executor.loader.project_state(to).apps

    def test_what_was_open_or_closed_stays_so_there_and_back(self) -> None:
        self.addCleanup(self.migrate, MigrationExecutor(connection).loader.graph.leaf_nodes())
        Slot.objects.filter(pk="slot-003").update(gallery_mode="secret")
        before = self.migrate(self.BEFORE)
        slots = before.get_model("slots", "Slot").objects
        self.assertFalse(slots.get(pk="slot-003").gallery_enabled)  # never wider than it was
        self.assertTrue(slots.get(pk="slot-001").gallery_enabled)
        slots.filter(pk="slot-002").update(gallery_enabled=False)
        before.get_model("slots", "Setting").objects.create(key="galleries_open", value=False)
        self.migrate(self.NOW)
        modes = dict(Slot.objects.values_list("pk", "gallery_mode"))
        told = [modes[f"slot-00{number}"] for number in (1, 2, 3)]
        self.assertEqual(told, ["open", "closed", "closed"])
        self.assertEqual(Slot.objects.values("gallery_token").distinct().count(), 15)
        self.assertEqual(Setting.objects.get(pk="galleries").value, "closed")
