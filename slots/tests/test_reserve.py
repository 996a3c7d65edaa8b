"""A slot's reserves at the API: judged by their drivers, kept with the slot, keys never told."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import F

from photochanger.testing.marks import both_databases
from providers.registry import DRIVERS
from slots.editing import copy_slot
from slots.history.records import find_entries, read_record
from slots.history.wording import describe_record
from slots.models import ReserveSource, Slot, SourceCircuit
from slots.provider_keys import move_to_newest_key
from slots.reserve.circuits import note_failure
from slots.secrets import decrypt
from slots.tests.support import AdminTestCase

pytestmark = both_databases

SLOT = "/api/slots/slot-001"
OWN, OTHER = DRIVERS
RELAY = "https://relay.example.com"


def reserve(**more: Any) -> dict[str, Any]:
    return {"provider": OWN, "operation": "image_edit", "settings": {"prompt": "Oil"}, **more}


class ReserveApiTests(AdminTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Slot.objects.filter(pk="slot-001").update(is_active=True, settings={"prompt": "Oil"})

    def store(self, *reserves: dict[str, Any], **more: Any) -> Any:
        answer = self.put(SLOT, {"reserves": list(reserves), **more})
        self.assertEqual(answer.status_code, 200, answer.content)
        return answer.json()

    def test_reserves_are_kept_in_their_order_and_come_back_as_they_were_sent(self) -> None:
        other = reserve(provider=OTHER, settings={"strength": 30}, is_enabled=False)
        told = self.store(reserve(settings={"model": "m"}), other, reserve_may_cost_twice=True)
        self.assertEqual([one["provider"] for one in told["reserves"]], [OWN, OTHER])
        self.assertEqual((told["on_reserve"], told["reserve_may_cost_twice"]), (False, True))
        again = self.client.get(SLOT).json()
        self.assertEqual(self.put(SLOT, again).status_code, 200)
        self.assertEqual(self.client.get(SLOT).json()["reserves"], told["reserves"])
        self.assertEqual(self.store()["reserves"], [])

    def test_each_is_judged_by_its_driver_like_the_slot_itself(self) -> None:
        rows: list[tuple[dict[str, Any], str]] = [
            (reserve(provider="nobody"), "reserves.0.provider"),
            (reserve(operation="dance"), "reserves.0.operation"),
            (reserve(settings={"promt": "x"}), "reserves.0.settings.promt"),
            (reserve(settings={"image_size": "9K"}), "reserves.0.settings.image_size"),
            (reserve(settings={"prompt": "{people: one | two"}), "reserves.0.settings.prompt"),
            (reserve(provider=OTHER, operation="style_transfer"), "reserves.0.template_media"),
            (reserve(base_url=RELAY), "reserves.0.api_key"),
            (reserve(api_key="with a space"), "reserves.0.api_key"),
        ]
        for body, field in rows:
            with self.subTest(field):
                self.assertEqual(list(self.refused(SLOT, {"reserves": [body]})), [field])
        self.assertEqual(ReserveSource.objects.count(), 0)
        self.assertIn("reserves", self.refused(SLOT, {"reserves": [reserve()] * 4}))

    def test_its_prompt_may_have_any_word_of_the_slots_list(self) -> None:
        words = [{"name": "guest"}]
        self.store(reserve(settings={"prompt": "Of {guest}"}), variables=words)
        found = self.refused(SLOT, {"reserves": [reserve(settings={"prompt": "Of {gest}"})]})
        self.assertIn("{people}, {guest}", found["reserves.0.settings.prompt"])

    def test_without_a_prompt_it_takes_the_slots(self) -> None:
        self.store(reserve(settings={}), reserve(provider=OTHER, settings={}))
        wanted = {"is_active": False, "settings": {}}
        self.assertEqual(self.put(SLOT, wanted).status_code, 200)
        self.assertIn("settings.prompt", self.refused(SLOT, {"is_active": True}))

    def test_what_is_switched_off_need_not_be_right(self) -> None:
        self.store(reserve(settings={"promt": "x"}, is_enabled=False))

    def test_an_address_must_be_one_to_which_a_key_may_go(self) -> None:
        for address in (
            *("ftp://relay.example.com", "http://relay.example.com", "relay.example.com"),
            *("https://user:word@relay.example.com", f"{RELAY}?key=1", "https://"),
            *("http://169.254.169.254", "https://[fe80::1]", "https://relay:port", "http://["),
        ):
            with self.subTest(address):
                body = {"reserves": [reserve(base_url=address, api_key="k")]}
                self.assertEqual(list(self.refused(SLOT, body)), ["reserves.0.base_url"])
        self.store(reserve(base_url="http://192.168.1.5:8080/", api_key="k"))
        self.assertEqual(ReserveSource.objects.get().base_url, "http://192.168.1.5:8080")

    def test_a_key_is_kept_encrypted_and_never_told(self) -> None:
        told = self.store(reserve(base_url=RELAY, api_key="key-of-the-relay"))
        self.assertTrue(told["reserves"][0]["api_key_set"])
        stored = ReserveSource.objects.get().api_key
        self.assertNotIn("key-of-the-relay", stored)
        self.assertEqual(decrypt(stored), "key-of-the-relay")
        pages = (SLOT, "/admin/slots/slot/slot-001/history/")
        self.client.force_login(self.serg)
        for page in pages:
            self.assertNotIn("key-of-the-relay", self.client.get(page).content.decode())
        self.assertNotIn("key-of-the-relay", LogEntry.objects.latest("pk").change_message)
        self.assertIn("slot-001: reserve 1", move_to_newest_key(dry_run=True).current)

    def test_a_key_that_is_not_sent_stays_but_goes_nowhere_else(self) -> None:
        self.store(reserve(base_url=RELAY, api_key="k1"))
        self.store(reserve(base_url=RELAY, settings={"prompt": "Other"}))
        self.assertEqual(decrypt(ReserveSource.objects.get().api_key), "k1")
        elsewhere = {"reserves": [reserve(base_url="https://thief.example.com")]}
        self.assertEqual(list(self.refused(SLOT, elsewhere)), ["reserves.0.api_key"])
        self.store(reserve(provider=OTHER))
        self.assertEqual(ReserveSource.objects.get().api_key, "")

    def test_the_switch_needs_a_reserve_and_falls_back_without_one(self) -> None:
        self.assertIn("on_reserve", self.refused(SLOT, {"on_reserve": True}))
        told = self.store(reserve(), on_reserve=True)
        self.assertTrue(told["on_reserve"])
        since = told["on_reserve_since"]
        self.assertEqual(self.store(reserve())["on_reserve_since"], since)
        self.assertFalse(self.store()["on_reserve"])

    def test_another_recipe_is_given_a_new_chance(self) -> None:
        self.store(reserve())
        for change, is_kept in (
            ({"display_name": "N"}, True),
            ({"settings": {"prompt": "N"}}, False),
        ):
            note_failure("slot-001", 0, "network")
            self.put(SLOT, change)
            self.assertEqual(SourceCircuit.objects.exists(), is_kept)

    def test_the_history_tells_each_change_and_brings_it_back(self) -> None:
        self.store(reserve(settings={"prompt": "Night"}))
        self.store(reserve(base_url=RELAY, api_key="k1"), on_reserve=True)
        entry = find_entries(Slot, "slot-001")[0]
        record = read_record(entry)
        assert record is not None
        lines = {line.place: line for line in describe_record(record)}
        self.assertEqual(set(lines), {"reserves", "reserve_keys", "on_reserve"})
        self.assertIn("Night", lines["reserves"].was)
        self.assertIn(RELAY, lines["reserves"].now)
        self.assertTrue(lines["reserve_keys"].is_secret)
        self.client.force_login(self.serg)
        version = Slot.objects.get(pk="slot-001").version
        page = f"/admin/slots/slot/slot-001/restore/{entry.pk}/?before=1"
        self.assertContains(self.client.get(page), "Night")
        self.client.post(page, {"version": version})
        row = ReserveSource.objects.get()
        self.assertEqual((row.settings, row.base_url), ({"prompt": "Night"}, ""))
        # Who works now is no part of a recipe.
        self.assertTrue(Slot.objects.get(pk="slot-001").on_reserve)

    def test_a_copy_has_the_reserves_with_their_keys(self) -> None:
        self.store(reserve(base_url=RELAY, api_key="k1"), on_reserve=True)
        copy_slot("slot-001", "slot-002", version=1, by="serg")
        copied = ReserveSource.objects.get(slot="slot-002")
        self.assertEqual((copied.base_url, decrypt(copied.api_key)), (RELAY, "k1"))
        self.assertFalse(Slot.objects.get(pk="slot-002").on_reserve)

    def test_two_who_change_it_at_once_do_not_undo_each_other(self) -> None:
        version = self.store(reserve())["version"]
        Slot.objects.filter(pk="slot-001").update(version=F("version") + 1)
        answer = self.put(SLOT, {"reserves": [], "version": version})
        self.assertEqual(answer.status_code, 409)
        self.assertEqual(ReserveSource.objects.count(), 1)
