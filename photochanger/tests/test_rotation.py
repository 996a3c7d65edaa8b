"""Secrets are changed while people are logged in, keys are stored and guests hold links."""

import re
import tempfile
from pathlib import Path
from unittest import mock

from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import SimpleTestCase, TestCase, override_settings

from media.tests.support import ResultsTestCase, make_picture
from photochanger.errors import ProviderConfig, Unauthorized
from photochanger.testing.marks import both_databases
from photochanger.tests.test_commands import run
from photochanger.web.tokens import AdminToken, get_admin
from slots.models import Setting
from slots.provider_keys import provider_row_key, read_provider_key, set_provider_key

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
SECRET, NEXT_SECRET = settings.SECRET_KEY, "n" * 50


def stored_key(provider: str) -> str:
    return read_provider_key(provider, Setting.objects.get(key=provider_row_key(provider)).value)


def keys(*values: str) -> override_settings:
    return override_settings(FIELD_ENCRYPTION_KEYS=list(values))


def values_of(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", path.read_text(), re.MULTILINE))


def in_force(path: Path) -> override_settings:
    """The secrets of an environment file, as a start of the server would read them."""
    lists = {"FIELD_ENCRYPTION_KEY", "SECRET_KEY_FALLBACKS", "JWT_SIGNING_KEY_FALLBACKS"}
    values = {name: "" for name in lists} | values_of(path)
    secrets: dict[str, str | list[str]] = {
        name: [part for part in value.split(",") if part] if name in lists else value
        for name, value in values.items()
        if name in lists | {"SECRET_KEY", "JWT_SIGNING_KEY"}
    }
    secrets["FIELD_ENCRYPTION_KEYS"] = secrets.pop("FIELD_ENCRYPTION_KEY")
    return override_settings(**secrets)


@both_databases
class EncryptionTests(TestCase):
    def setUp(self) -> None:
        with keys(OLD):
            set_provider_key("gemini", "gemini-key", by="test")
            set_provider_key("turbotext", "turbotext-key", by="test")
        self.assertIsNotNone(Setting.objects.get(key="provider.gemini").value)

    def test_old_data_stays_readable_while_the_old_key_is_behind_the_new_one(self) -> None:
        with keys(NEW, OLD):
            self.assertEqual(stored_key("gemini"), "gemini-key")
        with keys(NEW), self.assertRaises(ProviderConfig):
            stored_key("gemini")

    def test_rotate_keys_makes_the_old_key_unnecessary(self) -> None:
        with keys(NEW, OLD):
            said = run("rotate_keys")
            self.assertIn("Moved to it now: gemini, turbotext.", said)
            self.assertIn("no longer needed", said)
            again = run("rotate_keys")
            self.assertIn("With the newest key already: gemini, turbotext.", again)
        with keys(NEW):
            self.assertEqual(stored_key("gemini"), "gemini-key")
            self.assertEqual(stored_key("turbotext"), "turbotext-key")

    def test_check_changes_nothing_and_says_whether_the_old_key_is_needed(self) -> None:
        before = Setting.objects.get(key="provider.gemini").value
        with keys(NEW, OLD):
            with self.assertRaisesMessage(CommandError, "An earlier key is still needed"):
                run("rotate_keys", "--check")
            self.assertEqual(Setting.objects.get(key="provider.gemini").value, before)
            run("rotate_keys")
            run("rotate_keys", "--check")

    def test_unreadable_values_are_named_and_unchanged_and_the_others_are_moved(self) -> None:
        with keys(OTHER):
            set_provider_key("turbotext", "turbotext-key", by="test")
        with keys(NEW, OLD):
            with self.assertRaisesMessage(CommandError, "stored for: turbotext"):
                run("rotate_keys")
            self.assertEqual(stored_key("gemini"), "gemini-key")
        with keys(NEW):
            self.assertEqual(stored_key("gemini"), "gemini-key")
        with keys(OTHER):
            self.assertEqual(stored_key("turbotext"), "turbotext-key")

    def test_removed_keys_and_admission_rows_are_ignored(self) -> None:
        set_provider_key("gemini", "", by="test")
        with keys(NEW, OLD):
            self.assertIn("Moved to it now: turbotext.", run("rotate_keys"))
        self.assertIsNone(Setting.objects.get(key="provider.gemini").value)


@both_databases
class LogInTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.serg = User(username="serg", password="!", is_staff=True, is_superuser=True)
        cls.serg.save()

    def test_a_token_of_an_earlier_key_is_valid_while_that_key_is_listed(self) -> None:
        with override_settings(JWT_SIGNING_KEY="a" * 40):
            token = str(AdminToken.for_user(self.serg))
        kept = ["c" * 40, "a" * 40]
        with override_settings(JWT_SIGNING_KEY="b" * 40, JWT_SIGNING_KEY_FALLBACKS=kept):
            self.assertEqual(get_admin(token), self.serg)
            new = str(AdminToken.for_user(self.serg))
        with override_settings(JWT_SIGNING_KEY="b" * 40):
            self.assertEqual(get_admin(new), self.serg)
            with self.assertRaises(Unauthorized):
                get_admin(token)

    def test_an_expired_token_of_an_earlier_key_is_refused(self) -> None:
        with (
            override_settings(JWT_SIGNING_KEY="a" * 40),
            mock.patch.object(AdminToken, "lifetime", -AdminToken.lifetime),
        ):
            token = str(AdminToken.for_user(self.serg))
        with (
            override_settings(JWT_SIGNING_KEY="b" * 40, JWT_SIGNING_KEY_FALLBACKS=["a" * 40]),
            self.assertRaisesMessage(Unauthorized, "expired"),
        ):
            get_admin(token)

    def test_a_new_secret_key_logs_nobody_out_while_the_earlier_one_is_kept(self) -> None:
        self.client.force_login(self.serg)
        token = str(AdminToken.for_user(self.serg))
        with override_settings(SECRET_KEY=NEXT_SECRET, SECRET_KEY_FALLBACKS=[SECRET]):
            self.assertEqual(self.client.get("/admin/").status_code, 200)
            self.assertEqual(get_admin(token), self.serg)
            # Such a session is signed anew at its first visit.
        with override_settings(SECRET_KEY=NEXT_SECRET):
            self.assertEqual(self.client.get("/admin/").status_code, 200)
            with self.assertRaises(Unauthorized):
                get_admin(token)

    def test_a_new_secret_key_without_the_earlier_one_logs_everybody_out(self) -> None:
        self.client.force_login(self.serg)
        with override_settings(SECRET_KEY=NEXT_SECRET):
            self.assertRedirects(self.client.get("/admin/"), "/admin/login/?next=/admin/")


@both_databases
class GuestTests(ResultsTestCase):
    def test_a_guests_link_outlives_every_secret(self) -> None:
        media = self.store_result(make_picture(side_px=32))
        with (
            override_settings(SECRET_KEY=NEXT_SECRET, JWT_SIGNING_KEY="b" * 40),
            keys(NEW),
        ):
            for tail in ("", "/page", "/qr.svg"):
                self.assertEqual(self.get(media, tail).status_code, 200, tail)


class RenewTests(SimpleTestCase):
    def setUp(self) -> None:
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory())) / ".env"
        run("make_env", "--path", str(self.path))
        self.before = self.values()

    def values(self) -> dict[str, str]:
        return values_of(self.path)

    def renew(self, *arguments: str) -> str:
        """As the command is run: each time with what the file says."""
        with in_force(self.path):
            return run("renew_secret", *arguments, "--path", str(self.path))

    def test_the_new_secret_comes_first_and_the_earlier_one_is_kept_until_it_is_forgotten(
        self,
    ) -> None:
        for name in ("SECRET_KEY", "JWT_SIGNING_KEY"):
            said, after = self.renew(name), self.values()
            self.assertGreater(len(after[name]), 50)
            self.assertNotEqual(after[name], self.before[name])
            self.assertEqual(after[f"{name}_FALLBACKS"], self.before[name])
            self.assertNotIn(after[name], said)
            self.renew(name)
            self.assertEqual(
                self.values()[f"{name}_FALLBACKS"], f"{after[name]},{self.before[name]}"
            )
            newest = self.values()[name]
            self.renew(name, "--forget")
            self.assertEqual(self.values()[name], newest)
            self.assertEqual(self.values()[f"{name}_FALLBACKS"], "")
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        self.assertEqual([file.name for file in self.path.parent.iterdir()], [".env"])
        self.assertIn("# This machine's own names", self.path.read_text())

    def test_a_leaked_secret_is_no_longer_accepted(self) -> None:
        self.renew("JWT_SIGNING_KEY")
        self.renew("JWT_SIGNING_KEY", "--leaked")
        self.assertEqual(self.values()["JWT_SIGNING_KEY_FALLBACKS"], "")

    def test_encryption_keys_are_one_list_newest_first(self) -> None:
        self.renew("FIELD_ENCRYPTION_KEY")
        newest, earlier = self.values()["FIELD_ENCRYPTION_KEY"].split(",")
        Fernet(newest)
        self.assertEqual(earlier, self.before["FIELD_ENCRYPTION_KEY"])

    def test_what_is_not_in_the_file_is_not_renewed(self) -> None:
        self.path.write_text("SECRET_KEY=a,b\n")
        for name, words in (("SECRET_KEY", "comma"), ("JWT_SIGNING_KEY", "where it comes from")):
            with self.assertRaisesMessage(CommandError, words):
                self.renew(name)
        with self.assertRaisesMessage(CommandError, "unreadable"):
            self.renew("FIELD_ENCRYPTION_KEY", "--leaked")
        self.path.write_text("SECRET_KEY=of-the-file\n")
        with self.assertRaisesMessage(CommandError, "not the one in force"):
            run("renew_secret", "SECRET_KEY", "--path", str(self.path))
        with self.assertRaisesMessage(CommandError, "cannot be read"):
            run("renew_secret", "SECRET_KEY", "--path", f"{self.path}.nowhere")


@both_databases
class ForgetTests(TestCase):
    def test_an_encryption_key_is_forgotten_only_when_nothing_needs_it(self) -> None:
        path = Path(self.enterContext(tempfile.TemporaryDirectory())) / ".env"
        path.write_text(f"FIELD_ENCRYPTION_KEY={NEW},{OLD}\n")
        forget = ("renew_secret", "FIELD_ENCRYPTION_KEY", "--forget", "--path", str(path))
        with keys(OLD):
            set_provider_key("gemini", "gemini-key", by="test")
            with self.assertRaisesMessage(CommandError, "not the one in force"):
                run(*forget)
        with keys(NEW, OLD):
            with self.assertRaisesMessage(CommandError, "still needed"):
                run(*forget)
            self.assertIn(OLD, path.read_text())
            run("rotate_keys")
            run(*forget)
        self.assertEqual(path.read_text(), f"FIELD_ENCRYPTION_KEY={NEW}\n")
