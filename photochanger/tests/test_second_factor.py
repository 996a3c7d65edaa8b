"""A second factor: codes of an app, recovery codes, and no way around them."""

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pyotp
from axes.models import AccessAttempt
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import override_settings
from structlog.testing import capture_logs

from photochanger.db import clock
from photochanger.second_factor.codes import find_step, make_secret
from photochanger.second_factor.lifecycle import remove_factor, set_up_factor
from photochanger.second_factor.models import SecondFactor
from photochanger.second_factor.sessions import mark_session
from photochanger.testing.client import Client
from photochanger.testing.marks import both_databases
from photochanger.tests.test_login import CONSOLE, ELSEWHERE, HERE, PASSWORD, WRONG, LoginTestCase
from photochanger.web.tokens import AdminToken
from slots.provider_keys import move_to_newest_key
from slots.secrets import decrypt

pytestmark = both_databases

CODE_PAGE, PAGE = "/admin/login/code/", "/admin/second-factor/"
WRONG_CODE = "000000"
REQUIRED = override_settings(SECOND_FACTOR_REQUIRED=True)


class FactorTestCase(LoginTestCase):
    def setUp(self) -> None:
        self.moment = datetime.now(UTC)
        self.enterContext(mock.patch.object(clock, "now", lambda: self.moment))
        self.secret = make_secret()
        while self.code(-1) == WRONG_CODE or self.code() == WRONG_CODE:  # once in 300,000 runs
            self.secret = make_secret()

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(self.moment, counter_offset=steps)

    def set_up(self) -> list[str]:
        """The recovery codes; the app's code of this moment is taken."""
        made = set_up_factor(self.serg, self.secret, self.code())
        self.pass_time()
        return made.recovery_codes

    def set_up_anew(self) -> None:
        self.secret = make_secret()
        self.serg.refresh_from_db()
        self.set_up()

    def pass_time(self, seconds: float = 30) -> None:
        self.moment += timedelta(seconds=seconds)

    def api(self, code: str = "", *, address: str = HERE, password: str = PASSWORD) -> Any:
        body = {"username": "serg", "password": password} | ({"code": code} if code else {})
        return self.client.post(
            "/api/login", body, content_type="application/json", REMOTE_ADDR=address
        )

    def enter_code(self, code: str, *, address: str = HERE) -> Any:
        return self.client.post(CODE_PAGE, {"code": code}, REMOTE_ADDR=address)


class ConsoleDoorTests(FactorTestCase):
    def test_the_password_alone_opens_nothing(self) -> None:
        self.set_up()
        answer = self.console()
        self.assertRedirects(answer, CODE_PAGE)
        self.assertNotIn("_auth_user_id", self.client.session)
        self.assertRedirects(
            self.client.get("/admin/"), f"{CONSOLE}?next=/admin/", fetch_redirect_response=False
        )
        self.assertFalse(self.client.cookies.get("photochanger_device"))

    def test_the_code_opens_the_page_that_was_asked_for(self) -> None:
        self.set_up()
        form = {"username": "serg", "password": PASSWORD, "next": "/admin/audit/"}
        self.client.post(CONSOLE, form)
        before = self.client.session.session_key
        answer = self.enter_code(self.code())
        self.assertRedirects(answer, "/admin/audit/")
        self.assertNotEqual(self.client.session.session_key, before)
        self.assertIn("photochanger_device", self.client.cookies)
        self.serg.refresh_from_db()
        self.assertIsNotNone(self.serg.last_login)

    def test_the_way_on_never_leaves_us(self) -> None:
        self.set_up()
        form = {"username": "serg", "password": PASSWORD, "next": "https://evil.example/"}
        self.client.post(CONSOLE, form)
        self.assertRedirects(self.enter_code(self.code()), "/admin/")

    def test_nobody_gets_to_the_code_without_a_password(self) -> None:
        self.set_up()
        for answer in (self.client.get(CODE_PAGE), self.enter_code(self.code())):
            self.assertRedirects(answer, CONSOLE)

    def test_five_minutes_later_or_with_a_new_password_it_begins_anew(self) -> None:
        self.set_up()
        self.console()
        self.pass_time(301)
        self.assertRedirects(self.enter_code(self.code()), CONSOLE)
        self.console()
        self.serg.set_password("another-long-one")
        self.serg.save()
        self.assertRedirects(self.enter_code(self.code()), CONSOLE)

    def test_a_form_of_another_site_cannot_send_a_code(self) -> None:
        self.assertEqual(Client(enforce_csrf_checks=True).post(CODE_PAGE).status_code, 403)

    def test_sessions_from_before_a_factor_stay_closed_when_it_is_removed(self) -> None:
        before = Client()
        before.post(CONSOLE, {"username": "serg", "password": PASSWORD})
        self.assertEqual(before.get("/admin/").status_code, 200)
        self.set_up()
        remove_factor(self.serg, by="serg")
        for required in (False, True):
            with self.subTest(required=required), self.settings(SECOND_FACTOR_REQUIRED=required):
                self.assertEqual(before.get("/admin/").status_code, 302)
                self.assertEqual(before.get(PAGE).status_code, 302)
        self.assertEqual(before.get(CONSOLE).status_code, 200)
        self.console()
        between = self.client
        self.assertEqual(between.get("/admin/").status_code, 200)
        self.set_up_anew()
        self.assertEqual(between.get("/admin/").status_code, 302)

    def test_a_factor_that_is_set_up_during_a_log_in_is_not_taken_for_proven(self) -> None:
        def set_up_meanwhile(request: Any, row: Any) -> None:
            self.set_up()
            mark_session(request, row)

        with mock.patch("photochanger.web.login.mark_session", set_up_meanwhile):
            self.console()
        self.assertEqual(self.client.get("/admin/").status_code, 302)

    def test_who_has_none_logs_in_as_ever(self) -> None:
        self.assertEqual(self.console().status_code, 302)
        self.assertEqual(self.client.get("/admin/").status_code, 200)


class CodeTests(FactorTestCase):
    def test_a_code_is_taken_once_and_none_before_it_later(self) -> None:
        self.set_up()
        self.pass_time(60)
        earlier, code = self.code(-1), self.code()
        self.assertEqual(self.api(code).status_code, 200)
        for again in (code, earlier):
            answer = self.api(again)
            self.assertEqual(
                (answer.status_code, answer.json()["failure_reason"]), (401, "invalid_code")
            )
        self.pass_time()
        self.assertEqual(self.api(self.code()).status_code, 200)

    def test_a_phone_may_be_half_a_minute_off_and_no_more(self) -> None:
        self.set_up()
        self.pass_time(300)
        for steps, is_right in ((-2, False), (2, False), (-1, True), (1, True)):
            with self.subTest(steps=steps):
                self.assertEqual(self.api(self.code(steps)).status_code, 200 if is_right else 401)

    def test_all_steps_are_looked_at_whatever_the_code(self) -> None:
        with mock.patch("hmac.compare_digest", wraps=lambda a, b: a == b) as compared:
            for code in (self.code(-1), self.code(1), WRONG_CODE):
                find_step(self.secret, code, self.moment)
        self.assertEqual(compared.call_count, 9)

    def test_blanks_are_forgiven_and_anything_else_is_just_wrong(self) -> None:
        self.set_up()
        code = self.code()
        for typed in ("٠" * 6, "12345", "1234567", "a" * 40, "-", "0x1234", "+12345"):
            with self.subTest(typed):
                self.assertEqual(self.api(typed, address=ELSEWHERE).status_code, 401)
        SecondFactor.objects.update(wrong_codes=0)
        self.assertEqual(self.api(f" {code[:3]} {code[3:]} ").status_code, 200)

    def test_a_recovery_code_lets_in_once_and_is_in_the_history(self) -> None:
        first, second, *_rest = self.set_up()
        self.console()
        self.assertRedirects(self.enter_code(first.upper().replace("-", " ")), "/admin/")
        self.assertContains(self.client.get("/admin/audit/"), "код восстановления")
        self.assertEqual(self.api(first).status_code, 401)
        self.assertEqual(self.api(second).status_code, 200)
        self.assertEqual(len(SecondFactor.objects.get().recovery_hashes), 8)

    def test_secret_and_recovery_codes_are_unreadable_at_rest(self) -> None:
        codes = self.set_up()
        factor = SecondFactor.objects.get()
        stored = repr(SecondFactor.objects.values().get())
        for secret in (self.secret, *codes, *(code.replace("-", "") for code in codes)):
            self.assertNotIn(secret, stored)
        self.assertEqual(decrypt(factor.secret), self.secret)
        self.assertIn("second factor of serg", [*move_to_newest_key().current])

    @override_settings(FIELD_ENCRYPTION_KEYS=[])
    def test_an_unreadable_secret_says_what_to_do_and_recovery_codes_still_work(self) -> None:
        with self.settings(FIELD_ENCRYPTION_KEYS=[Fernet.generate_key().decode()]):
            first, *_rest = self.set_up()
        answer = self.api(self.code())
        self.assertEqual(
            (answer.status_code, answer.json()["failure_reason"]), (503, "second_factor_unreadable")
        )
        self.console()
        self.assertContains(self.enter_code(self.code()), "manage.py second_factor --remove")
        self.assertEqual(self.api(first).status_code, 200)


class LockTests(FactorTestCase):
    def test_wrong_codes_lock_the_name_like_wrong_passwords(self) -> None:
        self.set_up()
        self.fail(8)
        self.console()
        self.assertContains(self.enter_code(WRONG_CODE), "refusal")
        self.assertEqual(self.api(WRONG_CODE).status_code, 401)
        self.assertEqual(self.enter_code(self.code()).status_code, 429)
        self.assertEqual(self.api(self.code()).status_code, 429)
        self.assertEqual(self.console().status_code, 429)

    def test_a_right_password_between_wrong_codes_takes_nothing_back(self) -> None:
        self.set_up()
        for _ in range(9):
            self.console()
            self.enter_code(WRONG_CODE)
        self.assertEqual(AccessAttempt.objects.get().failures_since_start, 9)
        self.assertEqual(self.api(WRONG_CODE).status_code, 401)
        self.assertEqual(self.api(self.code()).status_code, 429)

    def test_ten_wrong_codes_from_many_addresses_are_all_there_is(self) -> None:
        self.set_up()
        for number in range(10):
            self.assertEqual(self.api(WRONG_CODE, address=f"198.51.100.{number}").status_code, 401)
        answer = self.api(self.code(), address="203.0.113.200")
        self.assertEqual((answer.status_code, int(answer["Retry-After"])), (429, 15 * 60))
        self.pass_time(15 * 60 + 1)
        self.assertEqual(self.api(self.code(), address="203.0.113.200").status_code, 200)
        self.assertEqual(SecondFactor.objects.get().wrong_codes, 0)

    def test_a_browser_that_was_here_before_is_not_held_up_by_a_guesser(self) -> None:
        self.console()
        cookie = self.client.cookies["photochanger_device"].value
        self.set_up()
        SecondFactor.objects.update(wrong_codes=29, wrong_at=self.moment)
        self.client.logout()
        self.console()
        self.assertEqual(self.enter_code(self.code()).status_code, 429)
        self.client.cookies["photochanger_device"] = cookie
        self.console()
        self.assertEqual(self.enter_code(self.code()).status_code, 302)
        SecondFactor.objects.update(wrong_codes=30, wrong_at=self.moment)
        self.pass_time()
        self.assertEqual(self.enter_code(self.code()).status_code, 302)  # begins anew: no code owed
        self.console()
        self.assertEqual(self.enter_code(self.code()).status_code, 429)

    def test_a_browser_is_known_for_those_who_have_logged_in_there(self) -> None:
        User.objects.create_superuser("igor", password=PASSWORD)
        self.console("igor")
        cookie = self.client.cookies["photochanger_device"].value
        self.set_up()
        SecondFactor.objects.update(wrong_codes=10, wrong_at=self.moment)
        self.client.logout()
        self.client.cookies["photochanger_device"] = cookie
        self.console()
        self.assertEqual(self.enter_code(self.code()).status_code, 429)
        SecondFactor.objects.update(wrong_codes=0)
        self.assertEqual(self.enter_code(self.code()).status_code, 302)
        number, *users = self.client.cookies["photochanger_device"].value.split(":")[0].split(".")
        self.assertEqual((number, len(users)), (cookie.split(".")[0], 2))

    def test_recovery_codes_are_not_held_up_by_a_guesser_nor_do_they_hold_up_the_app(self) -> None:
        first, *_rest = self.set_up()
        SecondFactor.objects.update(wrong_codes=10, wrong_at=self.moment)
        self.assertEqual(self.api(self.code(), address=ELSEWHERE).status_code, 429)
        self.assertEqual(self.api(first, address=ELSEWHERE).status_code, 200)
        SecondFactor.objects.update(wrong_codes=0)
        for number in range(11):
            answer = self.api("aaaa-bbbb-cccc-dddd", address=f"198.51.100.{number}")
            self.assertEqual(answer.status_code, 401)
        self.assertEqual(self.api(self.code(), address="203.0.113.200").status_code, 200)

    def test_codes_and_secrets_are_in_no_log(self) -> None:
        with capture_logs() as lines:
            codes = self.set_up()
            self.console()
            self.enter_code(WRONG_CODE + "77")
            self.enter_code(codes[0])
            self.api("4321-" + codes[1])
        told = repr(lines)
        for secret in (self.secret, WRONG_CODE + "77", *codes):
            self.assertNotIn(secret, told)
        self.assertIn("invalid_code", told)
        self.assertIn("auth.recovery_code.used", told)


class ApiDoorTests(FactorTestCase):
    def test_the_password_alone_is_refused_with_a_clear_word_and_no_failure(self) -> None:
        self.set_up()
        answer = self.api()
        self.assertEqual(answer.json()["failure_reason"], "second_factor_required")
        self.assertEqual(answer.status_code, 401)
        self.assertFalse(AccessAttempt.objects.exists())
        self.assertEqual(self.api(password=WRONG).json()["failure_reason"], "invalid_credentials")

    def test_tokens_end_when_the_factor_is_set_up_or_removed(self) -> None:
        def ask(token: str) -> int:
            return self.client.get("/api/slots", HTTP_AUTHORIZATION=f"Bearer {token}").status_code

        before = self.api().json()["access_token"]
        self.assertEqual(ask(before), 200)
        self.set_up()
        token = self.api(self.code()).json()["access_token"]
        self.assertEqual((ask(before), ask(token)), (401, 200))
        remove_factor(self.serg, by="serg")
        self.assertEqual((ask(before), ask(token)), (401, 401))
        between = self.api().json()["access_token"]
        self.assertEqual(ask(between), 200)
        self.set_up_anew()
        self.assertEqual((ask(before), ask(between)), (401, 401))

    def test_where_all_need_one_tokens_from_before_that_are_refused(self) -> None:
        token = self.api().json()["access_token"]
        with REQUIRED:
            answer = self.client.get("/api/slots", HTTP_AUTHORIZATION=f"Bearer {token}")
        self.assertEqual(answer.status_code, 401)

    def test_a_token_of_before_this_version_lives_on(self) -> None:
        token = AdminToken.for_user(self.serg)
        del token.payload["factor"]
        answer = self.client.get("/api/slots", HTTP_AUTHORIZATION=f"Bearer {token}")
        self.assertEqual(answer.status_code, 200)

    @REQUIRED
    def test_where_all_need_one_who_has_none_gets_no_token(self) -> None:
        self.assertEqual(self.api().json()["failure_reason"], "second_factor_required")
        self.assertEqual(self.api(WRONG_CODE).json()["failure_reason"], "second_factor_required")
        self.set_up()
        self.assertEqual(self.api(self.code()).status_code, 200)


class PageTests(FactorTestCase):
    def post(self, code: str, password: str = PASSWORD) -> Any:
        return self.client.post(PAGE, {"own_password": password, "code": code}, REMOTE_ADDR=HERE)

    def open(self) -> str:
        """The page of who has none; takes over the secret that it shows."""
        page = self.client.get(PAGE).content.decode()
        found = re.search(r'id="secret">([A-Z2-7 ]+)<', page)
        assert found, page
        self.secret = found[1].replace(" ", "")
        return page

    def test_it_is_set_up_with_own_password_and_a_code(self) -> None:
        self.console()
        other = Client()
        other.force_login(self.serg)
        self.open()
        self.assertContains(self.post(self.code(), WRONG), "Это не ваш пароль.")
        self.assertContains(self.post(WRONG_CODE), 'id="refusal"')
        self.open()
        answer = self.post(self.code())
        codes = re.findall(r"<li><code>([\w-]{19})</code>", answer.content.decode())
        self.assertEqual(len(set(codes)), 10)
        self.assertIn("no-store", answer["Cache-Control"])
        self.assertEqual(self.client.get("/admin/").status_code, 200)
        self.assertEqual(other.get("/admin/").status_code, 302)
        self.assertEqual(other.get(CONSOLE).status_code, 200)
        shown = self.client.get(PAGE).content.decode()
        self.assertFalse([code for code in [self.secret, *codes] if code in shown])
        self.assertContains(self.client.get("/admin/audit/"), "подключ")

    def test_secret_and_qr_code_are_in_the_page_only_and_stay_until_confirmed(self) -> None:
        self.console()
        page = self.open()
        first = self.secret
        self.assertIn('src="data:image/svg+xml;base64,', page)
        self.assertIn(f"otpauth://totp/PhotoChanger:serg?secret={first}", page)
        self.open()
        self.assertEqual(self.secret, first)
        self.assertNotIn(first, repr(dict(self.client.session)))

    def test_it_is_removed_with_own_password_and_a_code(self) -> None:
        self.set_up()
        self.console()
        self.enter_code(self.code())
        self.pass_time()
        self.assertContains(self.post(self.code(), WRONG), "Это не ваш пароль.")
        self.assertContains(self.post(WRONG_CODE), 'id="refusal"')
        self.assertTrue(SecondFactor.objects.exists())
        self.assertRedirects(self.post(self.code()), PAGE)
        self.assertEqual(SecondFactor.objects.get().secret, "")
        self.assertEqual(self.client.get("/admin/").status_code, 200)

    def test_few_recovery_codes_are_pointed_out(self) -> None:
        self.set_up()
        SecondFactor.objects.update(recovery_hashes=["0" * 64] * 2)
        self.console()
        self.enter_code(self.code())
        self.assertContains(self.client.get(PAGE), 'class="bad"')

    @REQUIRED
    def test_where_all_need_one_nothing_else_opens_before_it_is_set_up(self) -> None:
        self.client.post(CONSOLE, {"username": "serg", "password": PASSWORD})
        for path in (
            "/admin/",
            "/admin/slots/setting/",
            "/admin/password_change/",
            "/admin/board/",
        ):
            with self.subTest(path):
                answer = self.client.get(path, follow=True)
                self.assertEqual(answer.redirect_chain[-1][0], PAGE)
        self.open()
        self.assertEqual(self.post(self.code()).status_code, 200)
        self.assertEqual(self.client.get("/admin/").status_code, 200)

    @override_settings(FIELD_ENCRYPTION_KEYS=[])
    def test_without_a_key_to_encrypt_it_the_page_says_what_to_do(self) -> None:
        self.console()
        self.assertContains(self.client.get(PAGE), "FIELD_ENCRYPTION_KEY")

    def test_strangers_and_guests_do_not_see_it(self) -> None:
        for user in (None, self.guest):
            if user:
                self.client.force_login(user)
            answer = self.client.get(PAGE)
            self.assertRedirects(answer, f"{CONSOLE}?next={PAGE}", fetch_redirect_response=False)


class CommandTests(FactorTestCase):
    def run_command(self, *args: str) -> str:
        out = io.StringIO()
        call_command("second_factor", *args, stdout=out)
        return out.getvalue()

    def test_it_lists_and_removes_and_ends_what_it_opened(self) -> None:
        self.set_up()
        User.objects.create_superuser("igor", password="!")
        self.console()
        self.enter_code(self.code())
        self.assertEqual(self.run_command(), "igor: none\nserg: set up, 10 recovery codes left\n")
        self.run_command("--remove", "serg")
        self.assertEqual(self.client.get("/admin/").status_code, 302)
        self.assertEqual(self.console().status_code, 302)
        self.assertContains(self.client.get("/admin/audit/"), "из командной строки")

    def test_what_is_not_there_is_said(self) -> None:
        for name, words in (("nobody", "no administrator"), ("serg", "no second factor")):
            with self.subTest(name), self.assertRaisesMessage(CommandError, words):
                self.run_command("--remove", name)
