"""The settings of the platform: read, changed, and saved with passwords and keys."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.test import TestCase, override_settings
from pydantic import ValidationError as SettingsError

from photochanger.errors import InvalidFields
from photochanger.testing.marks import both_databases
from slots.models import Setting
from slots.passwords import generate_password
from slots.platform_settings import change_settings, load_platform_settings
from slots.provider_keys import read_provider_key
from slots.schemas import SettingsIn
from slots.secrets import password_matches
from slots.settings_editing import read_settings, save_settings

pytestmark = both_databases


class PlatformSettingsTests(TestCase):
    def test_without_rows_there_are_defaults(self) -> None:
        now = load_platform_settings()
        self.assertEqual((now.sync_response_seconds, now.result_ttl_hours), (48, 72))
        self.assertEqual((now.hash_check, now.replay_by_hash), ("warn", True))

    def test_a_change_is_kept_with_its_author(self) -> None:
        change_settings({"sync_response_seconds": 30}, by="serg")
        change_settings({"sync_response_seconds": 31}, by="igor")
        row = Setting.objects.get(pk="sync_response_seconds")
        self.assertEqual((row.value, row.version, row.updated_by), (31, 2, "igor"))
        self.assertEqual(load_platform_settings().sync_response_seconds, 31)

    def test_values_out_of_bounds_change_nothing(self) -> None:
        for changes in (
            {"sync_response_seconds": 9},
            {"sync_response_seconds": 61},
            {"result_ttl_hours": 0},
            {"max_jobs_per_slot": 3, "no_such": 1},
        ):
            with self.subTest(changes=changes), self.assertRaises(SettingsError):
                change_settings(changes, by="serg")
        self.assertFalse(Setting.objects.exists())


class SaveSettingsTests(TestCase):
    def save(self, **changes: Any) -> None:
        save_settings(SettingsIn.model_construct(_fields_set=set(changes), **changes), by="serg")

    def refuse(self, **changes: Any) -> set[str]:
        """The fields that a refusal names."""
        with self.assertRaises(InvalidFields) as caught:
            self.save(**changes)
        return set(caught.exception.fields)

    def test_settings_a_password_and_a_key_are_saved_in_one_go_with_one_entry(self) -> None:
        self.save(gallery_size=7, ingest_password="secret-1", provider_keys={"gemini": " k-1 "})
        now = load_platform_settings()
        self.assertEqual(now.gallery_size, 7)
        self.assertTrue(password_matches("secret-1", now.ingest_password_hash))
        stored = Setting.objects.get(pk="provider.gemini").value
        self.assertEqual(read_provider_key("gemini", stored), "k-1")
        entry = LogEntry.objects.get()
        for words in ("gallery_size", "ingest_password", "provider_keys.gemini"):
            self.assertIn(words, entry.change_message)
        for secret in ("secret-1", "k-1"):
            self.assertNotIn(secret, entry.change_message)

    def test_all_that_is_wrong_is_named_at_once_and_nothing_is_saved(self) -> None:
        wrong = self.refuse(
            gallery_size=0,
            result_ttl_hours=9,
            ingest_password="1",
            provider_keys={"gemini": "with space"},
        )
        self.assertEqual(wrong, {"gallery_size", "ingest_password", "provider_keys.gemini"})
        self.assertFalse(Setting.objects.exists())
        self.assertFalse(LogEntry.objects.exists())

    def test_passwords_that_booths_could_not_send_are_refused(self) -> None:
        for password in ("kiw-2", "kiwi-2" * 13, "я-" * 25, " padded-1", "line\nbreak"):
            with self.subTest(password=password):
                self.assertEqual(self.refuse(ingest_password=password), {"ingest_password"})
        self.save(ingest_password="зал-с-розами" * 3)

    def test_passwords_that_are_soon_guessed_are_refused(self) -> None:
        common = ("123456", "Password1", "qwerty", "iloveyou", "1234567890")
        alike = ("aaaaaaaa", "abcabcabc", "ЫЫЫЫЫЫ", "cdefghi", "зжедгв", "20261128", "481516234")
        for password in common + alike:
            with self.subTest(password=password):
                self.assertEqual(self.refuse(ingest_password=password), {"ingest_password"})

    def test_short_ones_that_an_old_booth_takes_and_long_numbers_are_taken(self) -> None:
        for password in ("kiwi-2", "зал-17", "5930271846", generate_password()):
            with self.subTest(password=password):
                self.save(ingest_password=password)

    def test_a_key_of_an_unknown_provider_is_refused(self) -> None:
        self.assertEqual(self.refuse(provider_keys={"nobody": "k"}), {"provider_keys.nobody"})

    def test_an_empty_key_takes_the_stored_one_away(self) -> None:
        self.save(provider_keys={"gemini": "k-1"})
        with override_settings(GEMINI_API_KEY=""):
            self.assertTrue(read_settings().provider_keys["gemini"].configured)
            self.save(provider_keys={"gemini": None})
            self.assertFalse(read_settings().provider_keys["gemini"].configured)
        self.assertIn("removed", LogEntry.objects.latest("pk").change_message)

    def test_values_that_stay_the_same_leave_no_entry(self) -> None:
        self.save(gallery_size=10)
        self.assertFalse(LogEntry.objects.exists())
