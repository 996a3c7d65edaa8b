"""Booth passwords that an administrator can read again, after confirming to be there."""

import io
from typing import Any
from unittest import mock

from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings

from photochanger.testing.marks import both_databases
from slots.editing import change_slot
from slots.models import Setting, Slot
from slots.passwords import (
    ALPHABET,
    GENERATED_LENGTH,
    PASSWORD_KEY,
    SEALED_KEY,
    generate_password,
    read_ingest_password,
    read_slot_password,
    set_ingest_password,
)
from slots.platform_settings import load_platform_settings
from slots.provider_keys import move_to_newest_key
from slots.schemas import SettingsIn, SlotIn
from slots.secrets import password_matches
from slots.settings_editing import save_settings

pytestmark = both_databases

PAGE, OWN, BOOTH = "/admin/booth-passwords/", "correct-horse-battery", "kiwi-2-booth"


def read() -> str:
    return read_ingest_password(load_platform_settings())


class KeptPasswordTests(TestCase):
    def test_every_door_keeps_a_password_that_can_be_read_and_that_booths_get_in_with(self) -> None:
        def by_console() -> None:
            save_settings(SettingsIn(ingest_password=BOOTH), by="serg")

        def by_code() -> None:
            set_ingest_password(BOOTH, by="serg")

        def by_command() -> None:
            with mock.patch("getpass.getpass", return_value=BOOTH):
                call_command("booth_password", stdout=io.StringIO())

        for door in (by_console, by_code, by_command):
            with self.subTest(door=door.__name__):
                Setting.objects.all().delete()
                door()
                self.assertEqual(read(), BOOTH)
                hashed = load_platform_settings().ingest_password_hash
                self.assertTrue(password_matches(BOOTH, hashed))
                stored = Setting.objects.get(pk=SEALED_KEY).value
                self.assertNotIn(BOOTH, stored)

    def test_a_slots_own_password_is_read_and_goes_when_it_is_removed(self) -> None:
        change_slot("slot-001", SlotIn(ingest_password=BOOTH), by="serg")
        slot = Slot.objects.get(pk="slot-001")
        self.assertEqual(read_slot_password(slot), BOOTH)
        self.assertNotIn(BOOTH, slot.ingest_password_sealed)
        change_slot("slot-001", SlotIn(display_name="Bar"), by="serg")
        self.assertEqual(read_slot_password(Slot.objects.get(pk="slot-001")), BOOTH)
        change_slot("slot-001", SlotIn(ingest_password=""), by="serg")
        slot = Slot.objects.get(pk="slot-001")
        self.assertEqual((slot.ingest_password_hash, slot.ingest_password_sealed), ("", ""))

    def test_one_that_does_not_count_any_more_is_never_shown(self) -> None:
        set_ingest_password("an-earlier-one", by="serg")
        sealed = Setting.objects.get(pk=SEALED_KEY).value
        set_ingest_password(BOOTH, by="serg")
        Setting.objects.filter(pk=SEALED_KEY).update(value=sealed)  # as a half restore leaves it
        self.assertEqual(read(), "")
        Setting.objects.filter(pk=SEALED_KEY).delete()  # set before passwords were kept
        self.assertEqual(read(), "")

    def test_a_renewed_secret_key_does_not_hide_it(self) -> None:
        set_ingest_password(BOOTH, by="serg")
        with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
            self.assertEqual(read(), BOOTH)

    def test_without_an_encryption_key_booths_get_in_and_nobody_reads(self) -> None:
        with override_settings(FIELD_ENCRYPTION_KEYS=[]):
            set_ingest_password(BOOTH, by="serg")
            self.assertEqual(read(), "")
        self.assertTrue(password_matches(BOOTH, load_platform_settings().ingest_password_hash))

    def test_it_moves_to_the_newest_key_with_all_other_secrets(self) -> None:
        set_ingest_password(BOOTH, by="serg")
        change_slot("slot-001", SlotIn(ingest_password=BOOTH), by="serg")
        newest = Fernet.generate_key().decode()
        with override_settings(FIELD_ENCRYPTION_KEYS=[newest, *settings.FIELD_ENCRYPTION_KEYS]):
            self.assertEqual(len(move_to_newest_key().moved), 2)
        with override_settings(FIELD_ENCRYPTION_KEYS=[newest]):
            self.assertEqual(read(), BOOTH)
            self.assertEqual(read_slot_password(Slot.objects.get(pk="slot-001")), BOOTH)
        self.assertEqual(read(), "")  # the earlier key opens nothing any more

    def test_the_environments_password_is_read_while_none_is_stored(self) -> None:
        Setting.objects.filter(pk=PASSWORD_KEY).delete()
        with override_settings(INGEST_PASSWORD="from-the-env"):
            self.assertEqual(read(), "from-the-env")

    def test_the_command_shows_it_and_the_history_knows(self) -> None:
        set_ingest_password(BOOTH, by="serg")
        out = io.StringIO()
        call_command("booth_password", "--show", stdout=out)
        self.assertEqual(out.getvalue(), f"{BOOTH}\n")
        Setting.objects.filter(pk=SEALED_KEY).delete()
        with self.assertRaisesMessage(CommandError, "Set a new one to read it later"):
            call_command("booth_password", "--show", stdout=out)


class PasswordPageTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.serg = User.objects.create_superuser("serg", password=OWN)
        set_ingest_password(BOOTH, by="serg")
        Slot.objects.filter(pk="slot-001").update(is_active=True, settings={"prompt": "x"})

    def setUp(self) -> None:
        self.client.force_login(self.serg)

    def confirm(self, own: str = OWN, **more: Any) -> Any:
        return self.client.post(PAGE, {"own_password": own}, headers={"Accept-Language": "en"})

    def test_the_right_own_password_shows_it_and_the_history_says_who_looked(self) -> None:
        self.assertNotContains(self.client.get(PAGE), BOOTH)
        page = self.confirm()
        self.assertContains(page, BOOTH)
        self.assertIn("no-store", page["Cache-Control"])
        audit = self.client.get("/admin/audit/", headers={"Accept-Language": "en"})
        self.assertContains(audit, "shown to an administrator")
        self.assertNotContains(audit, BOOTH)

    def test_a_slots_own_password_stands_beside_its_link(self) -> None:
        change_slot("slot-001", SlotIn(ingest_password="of-slot-one"), by="serg")
        self.assertContains(self.confirm(), "of-slot-one")

    def test_a_wrong_own_password_shows_nothing_and_ten_close_the_door(self) -> None:
        for _ in range(10):
            page = self.confirm("wrong")
            self.assertEqual(page.status_code, 200)
            self.assertContains(page, "That is not your password.")
            self.assertNotContains(page, BOOTH)
        page = self.confirm()
        self.assertEqual(page.status_code, 429)
        self.assertNotContains(page, BOOTH, status_code=429)
        self.assertNotContains(self.client.get("/admin/audit/"), "shown to an administrator")

    def test_somebody_elses_password_does_not_serve(self) -> None:
        User.objects.create_superuser("igor", password="another-horse")
        self.assertNotContains(self.confirm("another-horse"), BOOTH)

    def test_only_administrators_may(self) -> None:
        self.client.force_login(User.objects.create_user("eve", password=OWN, is_staff=True))
        self.assertEqual(self.client.get(PAGE).status_code, 302)
        self.assertEqual(self.confirm().status_code, 302)
        self.client.logout()
        self.assertEqual(self.confirm().status_code, 302)

    def test_one_that_cannot_be_read_says_so(self) -> None:
        Setting.objects.filter(pk=SEALED_KEY).delete()
        self.assertContains(self.confirm(), "It cannot be read")

    def test_no_log_line_and_no_other_page_has_it(self) -> None:
        with self.assertLogs("photochanger.web.booth_passwords", "INFO") as lines:
            self.confirm()
        self.assertNotIn(BOOTH, "".join(lines.output))
        for path in ("/admin/event/", "/admin/slots/setting/", "/api/settings"):
            self.assertNotIn(BOOTH, self.client.get(path).content.decode())


class GeneratedPasswordTests(TestCase):
    def test_the_console_and_the_command_make_them_by_one_rule(self) -> None:
        self.client.force_login(User.objects.create_superuser("serg"))
        page = self.client.get("/admin/slots/setting/")
        self.assertContains(page, f'data-letters="{ALPHABET}"')
        self.assertContains(page, f'data-length="{GENERATED_LENGTH}"')
        made = generate_password()
        self.assertEqual((len(made), set(made) - set(ALPHABET)), (GENERATED_LENGTH, set()))
