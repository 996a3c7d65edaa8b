from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.test import TestCase, override_settings
from pydantic import ValidationError as SettingsError

from photochanger import settings as product_settings
from photochanger.errors import ProviderConfig, SlotDisabled, SlotNotFound
from photochanger.testing.marks import both_databases
from slots.models import Setting, Slot
from slots.passwords import get_password_hash, set_ingest_password
from slots.platform_settings import change_settings, load_platform_settings
from slots.provider_keys import make_provider_row, read_provider_key, set_provider_key
from slots.secrets import encrypt, password_matches
from slots.services import open_slot, save_slot

pytestmark = both_databases


def ready_slot() -> Slot:
    slot = Slot.objects.get(pk="slot-001")
    slot.settings, slot.is_active = {"prompt": "As an oil painting"}, True
    return slot


class SlotTests(TestCase):
    def test_there_are_fifteen_slots_and_none_is_open(self) -> None:
        self.assertEqual(
            list(Slot.objects.values_list("pk", flat=True)),
            [f"slot-{number:03d}" for number in range(1, 16)],
        )
        self.assertFalse(Slot.objects.filter(is_active=True).exists())
        with self.assertRaises(SlotDisabled):
            open_slot("slot-001")
        with self.assertRaises(SlotNotFound):
            open_slot("slot-016")

    def test_each_save_is_a_new_version_with_a_name(self) -> None:
        slot = save_slot(ready_slot(), by="serg")
        again = save_slot(slot, by="igor")
        self.assertEqual((again.version, again.updated_by), (3, "igor"))

    def test_a_slot_cannot_be_opened_without_a_recipe(self) -> None:
        slot = ready_slot()
        slot.settings = {}
        with self.assertRaises(ValidationError) as caught:
            save_slot(slot, by="serg")
        self.assertIn("prompt", str(caught.exception.message_dict["settings"]))

    def test_a_wrong_recipe_says_which_field_and_saves_nothing(self) -> None:
        slot = ready_slot()
        slot.settings |= {"image_size": "9K", "promt": "x"}
        with self.assertRaises(ValidationError) as caught:
            save_slot(slot, by="serg")
        words = str(caught.exception.message_dict["settings"])
        self.assertIn("image_size", words)
        self.assertIn("promt", words)
        self.assertEqual(Slot.objects.get(pk="slot-001").version, 1)

    def test_unknown_provider_and_operation(self) -> None:
        for field, value in (("provider", "midjourney"), ("operation", "dance")):
            slot = ready_slot()
            setattr(slot, field, value)
            with self.subTest(field=field), self.assertRaises(ValidationError) as caught:
                save_slot(slot, by="serg")
            self.assertIn(field, caught.exception.message_dict)

    def test_the_specified_example_is_a_valid_recipe(self) -> None:
        slot = ready_slot()
        slot.settings = {"prompt": "Studio portrait", "safety": "standard"}
        save_slot(slot, by="serg")


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


class SecretTests(TestCase):
    @override_settings(BCRYPT_ROUNDS=product_settings.BCRYPT_ROUNDS)  # not the cheap one of tests
    def test_passwords_are_kept_as_hashes(self) -> None:
        set_ingest_password("123456", by="serg")
        hashed = load_platform_settings().ingest_password_hash
        self.assertTrue(hashed.startswith("$2b$12$"))
        self.assertTrue(password_matches("123456", hashed))
        self.assertFalse(password_matches("123457", hashed))

    def test_the_environments_password_serves_until_one_is_set(self) -> None:
        slot = Slot.objects.get(pk="slot-001")
        with override_settings(INGEST_PASSWORD="first"):
            self.assertTrue(
                password_matches("first", get_password_hash(slot, load_platform_settings()))
            )
            set_ingest_password("second", by="serg")
            hashed = get_password_hash(slot, load_platform_settings())
        self.assertTrue(password_matches("second", hashed))

    def test_a_key_of_the_console_is_encrypted_and_wins(self) -> None:
        with override_settings(GEMINI_API_KEY="from-env"):
            self.assertEqual(read_provider_key("gemini", None), "from-env")
            set_provider_key("gemini", "from-console", by="serg")
            stored = Setting.objects.get(pk="provider.gemini").value
            self.assertNotIn("from-console", str(stored))
            self.assertEqual(read_provider_key("gemini", stored), "from-console")
        make_provider_row("gemini")  # does not touch what is there
        self.assertEqual(Setting.objects.get(pk="provider.gemini").value, stored)

    def test_old_keys_stay_readable_when_the_encryption_key_is_rotated(self) -> None:
        old, new = (Fernet.generate_key().decode() for _ in range(2))
        with override_settings(FIELD_ENCRYPTION_KEYS=[old]):
            stored = {"api_key": encrypt("kept")}
        with override_settings(FIELD_ENCRYPTION_KEYS=[new, old]):
            self.assertEqual(read_provider_key("gemini", stored), "kept")
        with override_settings(FIELD_ENCRYPTION_KEYS=[new]), self.assertRaises(ProviderConfig):
            read_provider_key("gemini", stored)
