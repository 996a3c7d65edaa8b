"""The commands an operator types: what they do, what they say, what they refuse."""

import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.http import HttpRequest
from django.test import SimpleTestCase, TestCase, override_settings

from photochanger.errors import Unauthorized
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.marks import both_databases, live_server
from photochanger.web.tokens import AdminToken, get_admin
from slots.models import Slot
from slots.platform_settings import load_platform_settings
from slots.secrets import password_matches


def run(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


class MakeEnvTests(SimpleTestCase):
    def setUp(self) -> None:
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory())) / ".env"

    def test_it_writes_secrets_that_only_the_owner_may_read(self) -> None:
        said = run("make_env", "--path", str(self.path))
        self.assertIn(str(self.path), said)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        for line in self.path.read_text().splitlines():
            name, _, value = line.partition("=")
            if name.endswith(("KEY", "TOKEN")) and not name.startswith("#"):
                self.assertGreater(len(value), 32)
                self.assertNotIn(value, said)

    def test_it_leaves_an_existing_file_alone(self) -> None:
        self.path.write_text("SECRET_KEY=mine")
        self.assertIn("nothing changed", run("make_env", "--path", str(self.path)))
        self.assertEqual(self.path.read_text(), "SECRET_KEY=mine")

    def test_the_written_file_passes_the_production_checks(self) -> None:
        run("make_env", "--path", str(self.path))
        done = manage("check", ENV_FILE=str(self.path))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_of_a_server_with_a_name_the_file_passes_the_checks_of_an_installation(self) -> None:
        run("make_env", "--path", str(self.path), "--address", "photos.example.com")
        done = manage("check", "--deploy", "--fail-level", "WARNING", ENV_FILE=str(self.path))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("BIND=127.0.0.1:8000", self.path.read_text().splitlines())

    def test_of_a_closed_network_too_where_plain_http_is_on_purpose(self) -> None:
        run("make_env", "--path", str(self.path))
        asked = ("check", "--deploy", "--fail-level", "WARNING")
        done = manage(*asked, ENV_FILE=str(self.path), PLAIN_HTTP="true")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_address_that_is_no_name_is_refused_before_anything_is_written(self) -> None:
        with self.assertRaisesMessage(CommandError, "is no name"):
            run("make_env", "--path", str(self.path), "--address", "https://photos.example.com")
        self.assertFalse(self.path.exists())


@both_databases
class SyncAdminsTests(TestCase):
    def setUp(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = folder / "secrets/admins.json"
        self.enterContext(override_settings(ADMIN_CREDENTIALS_PATH=self.path))

    def write(self, text: str) -> None:
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(text)

    def generated(self, *names: str) -> dict[str, str]:
        """Names and the passwords shown."""
        said = run("sync_admins", generate=True, **({"usernames": names} if names else {}))
        return dict(line.split() for line in said.splitlines() if line.startswith("  "))

    def log_in(self, name: str, password: str) -> bool:
        return self.client.login(request=HttpRequest(), username=name, password=password)

    def test_generated_passwords_open_the_console_and_are_kept_only_as_hashes(self) -> None:
        passwords = self.generated()
        self.assertEqual(set(passwords), {"serg", "igor"})
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        for name, password in passwords.items():
            self.assertNotIn(password, self.path.read_text())
            self.assertTrue(self.log_in(name, password))
            self.assertEqual(self.client.get("/admin/").status_code, 200)

    def test_a_second_run_changes_no_password_and_shows_none(self) -> None:
        self.generated()
        before = self.path.read_text()
        self.assertEqual(self.generated(), {})
        self.assertEqual(self.path.read_text(), before)

    def test_an_administrator_removed_from_the_file_loses_the_console_at_once(self) -> None:
        passwords = self.generated()
        self.assertTrue(self.log_in("igor", passwords["igor"]))
        left = [a for a in json.loads(self.path.read_text())["admins"] if a["username"] == "serg"]
        self.write(json.dumps({"admins": left}))
        self.assertIn("1 closed", run("sync_admins"))
        self.assertEqual(self.client.get("/admin/").status_code, 302)  # to the login
        self.assertFalse(self.log_in("igor", passwords["igor"]))

    def test_an_administrator_removed_from_the_file_loses_the_api_too(self) -> None:
        self.generated("serg", "igor")
        # One who may use the API only, made by hand.
        made = User.objects.create(username="robot", is_superuser=True)
        tokens = [
            str(AdminToken.for_user(user)) for user in (User.objects.get(username="igor"), made)
        ]
        left = [a for a in json.loads(self.path.read_text())["admins"] if a["username"] == "serg"]
        self.write(json.dumps({"admins": left}))
        self.assertIn("2 closed", run("sync_admins"))
        for token in tokens:
            with self.assertRaises(Unauthorized):
                get_admin(token)

    def test_a_second_run_ends_no_token(self) -> None:
        self.generated("serg")
        token = str(AdminToken.for_user(User.objects.get(username="serg")))
        run("sync_admins")
        self.assertEqual(get_admin(token).username, "serg")

    def test_a_changed_password_ends_the_old_tokens(self) -> None:
        self.generated("serg")
        token = str(AdminToken.for_user(User.objects.get(username="serg")))
        self.path.unlink()
        self.generated("serg")
        with self.assertRaises(Unauthorized):
            get_admin(token)

    def test_an_administrator_added_again_is_admitted_again(self) -> None:
        self.generated()
        User.objects.filter(username="igor").update(is_active=False, is_superuser=False)
        run("sync_admins")
        igor = User.objects.get(username="igor")
        self.assertTrue(igor.is_active and igor.is_staff and igor.is_superuser)

    def test_a_changed_password_ends_the_old_session(self) -> None:
        old = self.generated("serg")
        self.assertTrue(self.log_in("serg", old["serg"]))
        self.path.unlink()
        self.generated("serg")
        self.assertEqual(self.client.get("/admin/").status_code, 302)

    def test_a_bad_file_changes_nobody_and_is_not_quoted(self) -> None:
        self.generated()
        for text in (
            "not json",
            "[]",
            "{}",
            '{"admins": []}',
            '{"admins": [{"username": "serg"}]}',
            '{"admins": [{"username": "", "password": "x"}]}',
            '{"admins": [{"username": "serg", "password": "pbkdf2-in-clear-SECRET"}]}',
            '{"admins": [{"username": "serg", "password": "x", "SECRET": 1}]}',
            '{"admins": {"serg": "SECRET"}}',
        ):
            with self.subTest(text=text):
                self.write(text)
                with self.assertRaises(CommandError) as caught:
                    run("sync_admins")
                self.assertNotIn("SECRET", str(caught.exception))
                self.assertEqual(User.objects.filter(is_active=True).count(), 2)

    def test_a_file_is_read_however_an_editor_has_saved_it(self) -> None:
        (password,) = self.generated(" serg ").values()
        (admin,) = json.loads(self.path.read_text())["admins"]
        self.assertEqual(admin["username"], "serg")
        admin = {"username": "\tserg ", "password": admin["password"] + "\n"}
        text = json.dumps(
            {"admins": [admin, admin | {"username": "Иван Петров"}]}, indent=1, ensure_ascii=False
        )
        for data in (
            b"\xef\xbb\xbf" + text.encode(),
            text.replace("\n", "\r\n").encode(),
            text.encode("utf-16"),
            text.encode("cp1251"),
        ):
            self.path.write_bytes(data)
            run("sync_admins")
            self.assertEqual(
                set(User.objects.filter(is_active=True).values_list("username", flat=True)),
                {"serg", "Иван Петров"},
            )
            self.assertTrue(self.log_in("serg", password))
        with self.assertRaisesMessage(CommandError, "150 letters"):
            self.path.unlink()
            self.generated(" ")

    def test_a_binary_file_is_a_bad_file_too(self) -> None:
        self.path.parent.mkdir()
        self.path.write_bytes(b"\xff\xfe\x00")
        with self.assertRaises(CommandError):
            run("sync_admins")

    def test_a_duplicate_name_is_a_bad_file(self) -> None:
        self.generated("serg")
        admins = json.loads(self.path.read_text())["admins"]
        self.write(json.dumps({"admins": admins * 2}))
        with self.assertRaisesMessage(CommandError, "serg"):
            run("sync_admins")

    def test_without_a_file_it_says_how_to_make_one(self) -> None:
        with self.assertRaisesMessage(CommandError, "--generate"):
            run("sync_admins")


@both_databases
class BoothPasswordTests(TestCase):
    def hashed(self) -> str:
        return load_platform_settings().ingest_password_hash

    def type_in(self, *typed: str) -> str:
        with mock.patch("getpass.getpass", side_effect=typed):
            return run("booth_password")

    def test_a_generated_password_has_ten_plain_characters_and_is_shown_once(self) -> None:
        said = run("booth_password", generate=True)
        password = said.split()[-1]
        self.assertRegex(password, r"^[2-9a-km-np-z]{10}$")
        self.assertTrue(password_matches(password, self.hashed()))

    def test_a_typed_password_is_set_and_not_shown(self) -> None:
        self.assertNotIn("booth-7", self.type_in("booth-7", "booth-7"))
        self.assertTrue(password_matches("booth-7", self.hashed()))

    def test_a_short_or_mistyped_password_changes_nothing(self) -> None:
        for typed in (("short",), ("booth-7", "booth-8"), ("€uro-смайл-😀",), (" booth-7 ",)):
            with self.subTest(typed=typed), self.assertRaises(CommandError):
                self.type_in(*typed)
        self.assertEqual(self.hashed(), "")

    def test_an_existing_one_may_be_left_alone(self) -> None:
        run("booth_password", generate=True)
        before = self.hashed()
        self.assertIn("already", run("booth_password", generate=True, if_unset=True))
        self.assertEqual(self.hashed(), before)


@both_databases
class SlotTests(TestCase):
    def test_it_shows_a_slot(self) -> None:
        self.assertIn("gemini/image_edit, off", run("slot", "slot-001"))

    def test_without_a_slot_it_lists_all_fifteen(self) -> None:
        run("slot", "slot-002", "--set", "prompt=As a fresco", "--on", "--name", "Hall")
        lines = run("slot").splitlines()
        self.assertEqual(len(lines), 16)
        self.assertRegex(lines[1], r"^slot-001  off, not set up  gemini/image_edit  -")
        self.assertRegex(
            lines[2], r"^slot-002  on               gemini/image_edit  -         Hall$"
        )
        with self.assertRaisesMessage(CommandError, "Which slot? slot-001 to slot-015."):
            run("slot", "--on")

    def test_the_title_for_guests_is_set_shown_and_taken_away(self) -> None:
        said = run("slot", "slot-001", "--public-title", "Anna and Ivan")
        self.assertIn("Title for guests: Anna and Ivan", said)
        self.assertEqual(Slot.objects.get(pk="slot-001").public_title, "Anna and Ivan")
        self.assertNotIn("Title for guests", run("slot", "slot-001", "--public-title", ""))
        self.assertEqual(Slot.objects.get(pk="slot-001").public_title, "")

    def test_what_is_wrong_is_told_in_sentences_with_what_there_is(self) -> None:
        for arguments, words in (
            (("--set", "prompt=x", "--set", "promt=y"), "There is no such field."),
            (("--set", "prompt=x", "--set", "promt=y"), "Fields of gemini/image_edit:\n  prompt,"),
            (("--provider", "openai"), "choose from"),
            (("--operation", "nothing"), "gemini: image_edit; turbotext: style_transfer"),
        ):
            with self.subTest(words), self.assertRaises(CommandError) as caught:
                run("slot", "slot-001", *arguments)
            self.assertIn(words, str(caught.exception))
            for sign in "{}[]":
                self.assertNotIn(sign, str(caught.exception))

    def test_it_sets_fields_one_by_one_and_switches_on(self) -> None:
        run("slot", "slot-001", "--set", "prompt=As a fresco", "--on", "--name", "Hall")
        said = run("slot", "slot-001", "--set", "output_quality=80", "--set", "keep_identity=false")
        slot = Slot.objects.get(pk="slot-001")
        self.assertEqual(
            slot.settings, {"prompt": "As a fresco", "output_quality": 80, "keep_identity": False}
        )
        self.assertEqual((slot.is_active, slot.version), (True, 3))
        self.assertIn("slot-001 «Hall» gemini/image_edit, on", said)
        self.assertIn('"prompt": "As a fresco"', said)

    def test_a_text_that_looks_like_a_number_may_be_a_prompt(self) -> None:
        run("slot", "slot-001", "--set", 'prompt="1920"')
        self.assertEqual(Slot.objects.get(pk="slot-001").settings, {"prompt": "1920"})

    def test_a_wrong_value_names_its_field_and_changes_nothing(self) -> None:
        for value, field in (
            ("output_quality=1000", "output_quality"),
            ("no_such_field=1", "no_such_field"),
            ("safety=none", "safety"),
        ):
            with self.subTest(value=value), self.assertRaisesMessage(CommandError, field):
                run("slot", "slot-001", "--set", "prompt=x", "--set", value)
        self.assertEqual(Slot.objects.get(pk="slot-001").settings, {})

    def test_a_slot_without_a_recipe_is_not_switched_on(self) -> None:
        with self.assertRaisesMessage(CommandError, "prompt"):
            run("slot", "slot-001", "--on")

    def test_an_unknown_slot_provider_or_form_is_refused(self) -> None:
        for arguments, words in (
            (("slot-016",), "no slot slot-016"),
            (("slot-001", "--provider", "nobody"), "provider"),
            (("slot-001", "--operation", "nothing"), "operation"),
            (("slot-001", "--set", "prompt"), "FIELD=VALUE"),
        ):
            with self.subTest(words), self.assertRaisesMessage(CommandError, words):
                run("slot", *arguments)


def manage(*arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return command([sys.executable, "manage.py", *arguments], **env)


def command(line: list[str], **env: str) -> "subprocess.CompletedProcess[str]":
    """Run with nothing of this environment but the way to programs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        line,
        cwd=BASE_DIR,
        env={**kept, "ENV_FILE": "", **env},
        capture_output=True,
        text=True,
        timeout=300,
    )


@live_server
class StartTests(SimpleTestCase):
    """A wrong installation does not start, and says what to do."""

    SECRETS = ("SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEY")

    def test_every_missing_secret_is_named_with_what_to_do(self) -> None:
        done = manage("check")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("photochanger.E001"), len(self.SECRETS))
        for name in self.SECRETS:
            self.assertIn(f"{name} is not set.", done.stderr)
        self.assertIn("HINT", done.stderr)

    def test_debug_needs_no_secrets(self) -> None:
        self.assertEqual(manage("check", DEBUG="1").returncode, 0)

    def test_wrong_values_are_reported(self) -> None:
        done = manage(
            "check",
            DEBUG="1",
            SECRET_KEY="short",
            FIELD_ENCRYPTION_KEY="no-fernet-key",
            SYNC_RESPONSE_SECONDS="90",
            UPLOAD_IDLE_SECONDS="0",
            JWT_LIFETIME_MINUTES="1",
            GEMINI_BASE_URL="gemini",
        )
        self.assertEqual(done.returncode, 1)
        for number in (2, 3, 4, 5):
            self.assertIn(f"photochanger.E00{number}", done.stderr)
        self.assertIn("JWT_LIFETIME_MINUTES is 1, allowed is 5-10080.", done.stderr)
        self.assertNotIn("no-fernet-key", done.stderr)

    def test_gunicorn_refuses_to_start_without_secrets(self) -> None:
        done = command([sys.executable, "-m", "gunicorn"], BIND="127.0.0.1:0", WEB_CONCURRENCY="1")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("SECRET_KEY is not set.", done.stderr)
        self.assertIn("make env", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
