"""Booth passwords and provider keys: hashed, encrypted, and which one counts."""

from cryptography.fernet import Fernet
from django.test import TestCase, override_settings

from photochanger import settings as product_settings
from photochanger.errors import ProviderConfig
from photochanger.testing.marks import both_databases
from slots.models import Setting, Slot
from slots.passwords import get_password_hash, set_ingest_password
from slots.platform_settings import load_platform_settings
from slots.provider_keys import make_provider_row, read_provider_key, set_provider_key
from slots.secrets import encrypt, match_keyed_hash, password_matches

pytestmark = both_databases


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
                match_keyed_hash("first", get_password_hash(slot, load_platform_settings()))
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
