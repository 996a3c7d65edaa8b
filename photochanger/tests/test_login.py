"""The administrators' two doors: the API's and the console's."""

import json
import logging
import time
from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.test import TestCase, override_settings
from django.utils import timezone
from structlog.testing import capture_logs

from photochanger.testing.client import Client
from photochanger.testing.marks import both_databases
from photochanger.web.tokens import AdminToken

pytestmark = both_databases

LOGIN, CONSOLE = "/api/login", "/admin/login/"
PASSWORD, WRONG = "correct-horse-battery", "nearly-the-right-password"
HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"
TOO_MANY = "Слишком много неудачных попыток входа"


REAL_HASHER = "django.contrib.auth.hashers.PBKDF2PasswordHasher"


class LoginTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.serg = User.objects.create_superuser("serg", password=PASSWORD)
        cls.guest = User.objects.create_user("guest", password=PASSWORD)

    def log_in(
        self, username: str = "serg", password: str = PASSWORD, *, address: str = HERE, **extra: Any
    ) -> Any:
        return self.client.post(
            LOGIN,
            {"username": username, "password": password},
            content_type="application/json",
            REMOTE_ADDR=address,
            **extra,
        )

    def console(
        self, username: str = "serg", password: str = PASSWORD, *, address: str = HERE
    ) -> Any:
        form = {"username": username, "password": password}
        return self.client.post(CONSOLE, form, REMOTE_ADDR=address, HTTP_ACCEPT_LANGUAGE="ru")

    def fail(  # type: ignore[override]
        self, times: int, username: str = "serg", *, address: str = HERE
    ) -> None:
        """Failures as django-axes counts them; real ones cost a password hash each."""
        AccessAttempt.objects.create(
            username=username,
            ip_address=address,
            failures_since_start=times,
            attempt_time=timezone.now(),
        )


class TokenTests(LoginTestCase):
    def test_a_right_password_gives_a_token(self) -> None:
        answer = self.log_in()
        self.assertEqual(answer.status_code, 200)
        body = answer.json()
        self.assertEqual(
            (set(body), body["token_type"], body["expires_in"]),
            (
                {"access_token", "token_type", "expires_in"},
                "bearer",
                settings.JWT_LIFETIME_MINUTES * 60,
            ),
        )
        self.assertEqual(answer["Cache-Control"], "no-store")
        claims = AdminToken(body["access_token"])
        self.assertEqual(
            (claims["sub"], claims["scope"], claims["iss"], claims["exp"] - claims["iat"]),
            ("serg", "admin", "photochanger", body["expires_in"]),
        )

    def test_the_token_holds_nothing_of_the_password(self) -> None:
        self.assertNotIn(
            self.serg.password.split("$")[-1], str(AdminToken.for_user(self.serg).payload)
        )

    def test_wrong_unknown_inactive_and_unprivileged_logins_fail_alike(self) -> None:
        User.objects.create_superuser("igor", password=PASSWORD, is_active=False)
        answers = [
            self.log_in("serg", WRONG),
            self.log_in("nobody"),
            self.log_in("igor"),
            self.log_in("guest"),
        ]
        self.assertEqual([answer.status_code for answer in answers], [401] * 4)
        self.assertEqual({answer["WWW-Authenticate"] for answer in answers}, {"Bearer"})
        self.assertEqual(len({answer.content for answer in answers}), 1)
        self.assertEqual(answers[0].json()["failure_reason"], "invalid_credentials")

    @override_settings(PASSWORD_HASHERS=[REAL_HASHER])
    def test_an_unknown_or_inactive_account_takes_as_long_as_a_wrong_password(self) -> None:
        self.serg.set_password(PASSWORD)
        self.serg.save()
        User.objects.create_superuser("igor", password=PASSWORD, is_active=False)
        took = [self.cpu_seconds(name) for name in ("serg", "nobody", "igor")]
        self.assertGreater(min(took), 0.4 * max(took), took)

    def cpu_seconds(self, username: str) -> float:
        began = time.thread_time()  # the others on this machine do not count
        self.log_in(username, WRONG)
        return time.thread_time() - began

    def test_an_invalid_body_is_a_bad_request(self) -> None:
        for body in (
            b"",
            b"{",
            b"[]",
            b"null",
            b"{}",
            b"\xff",
            b'{"username": "serg"}',
            b'{"username": "serg", "password": ""}',
            b'{"username": "serg", "password": 5}',
            b'{"username": {"a": 1}, "password": "x"}',
            b'{"username": "se\\u0000rg", "password": "x"}',
            b'{"username": "\\ud800", "password": "x"}',
            json.dumps({"username": "x" * 151, "password": "x"}).encode(),
            json.dumps({"username": "serg", "password": "x" * 1001}).encode(),
        ):
            with self.subTest(body[:40]):
                answer = self.client.post(LOGIN, body, content_type="application/json")
                self.assertEqual(answer.status_code, 400, answer.content)
                self.assertEqual(answer.json()["failure_reason"], "invalid_request")
        self.assertFalse(AccessAttempt.objects.exists())

    def test_odd_names_and_content_types_fail_as_wrong_passwords(self) -> None:
        for name in ("сергей", "\n\x1b[31m", "😀" * 75, "' or 1=1 --"):
            with self.subTest(name):
                self.assertEqual(self.log_in(name, WRONG).status_code, 401)
        body = json.dumps({"username": "x", "password": WRONG}).encode()
        for kind in ("multipart/form-data", "multipart/form-data; boundary=x", "text/plain"):
            with self.subTest(kind):
                answer = self.client.generic("POST", LOGIN, body, content_type=kind)
                self.assertEqual(answer.status_code, 401, answer.content)

    def test_a_page_of_another_site_cannot_fail_a_log_in(self) -> None:
        for headers in (
            {"HTTP_ORIGIN": "https://evil.example"},
            {"HTTP_ORIGIN": "null"},
            {"HTTP_ORIGIN": "http://testserver.evil.example"},
            {"HTTP_SEC_FETCH_SITE": "cross-site"},
        ):
            with self.subTest(headers):
                answer = self.log_in(password=WRONG, **headers)
                self.assertEqual(answer.status_code, 400, answer.content)
        self.assertFalse(AccessAttempt.objects.exists())
        ours = {"HTTP_ORIGIN": "http://testserver", "HTTP_SEC_FETCH_SITE": "same-origin"}
        self.assertEqual(self.log_in(**ours).status_code, 200)

    def test_a_body_too_large_is_a_413(self) -> None:
        body = b'{"username": "%s"}' % (b"x" * 3_000_000)
        answer = self.client.post(LOGIN, body, content_type="application/json")
        self.assertEqual(answer.status_code, 413)
        self.assertEqual(answer.json()["failure_reason"], "payload_too_large")

    def test_the_last_login_is_stored(self) -> None:
        self.log_in()
        self.serg.refresh_from_db()
        self.assertIsNotNone(self.serg.last_login)


class LockTests(LoginTestCase):
    def test_the_tenth_failure_locks_api_and_console_for_15_minutes(self) -> None:
        self.fail(9)
        self.assertEqual(self.log_in(password=WRONG).status_code, 401)
        for _ in range(2):  # asking again does not make it longer
            answer = self.log_in()
            self.assertEqual(answer.status_code, 429)
            self.assertEqual(answer.json()["failure_reason"], "throttled")
            self.assertEqual(int(answer["Retry-After"]), answer.json()["retry_after"])
            self.assertTrue(14 * 60 < int(answer["Retry-After"]) <= 15 * 60)
        page = self.console()
        self.assertContains(page, TOO_MANY, status_code=429)
        self.assertTrue(14 * 60 < int(page["Retry-After"]) <= 15 * 60)

    def test_failures_at_the_console_lock_the_api_too(self) -> None:
        self.fail(9)
        self.assertContains(self.console(password=WRONG), "refusal")
        self.assertEqual(self.log_in().status_code, 429)

    def test_the_lockout_ends_after_its_time(self) -> None:
        self.fail(10)
        AccessAttempt.objects.update(
            attempt_time=timezone.now() - timedelta(minutes=14, seconds=50)
        )
        self.assertLessEqual(int(self.log_in()["Retry-After"]), 10)
        AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
        self.assertEqual(self.log_in().status_code, 200)
        self.assertFalse(AccessAttempt.objects.exists())

    def test_another_address_and_another_name_are_not_locked(self) -> None:
        User.objects.create_superuser("igor", password=PASSWORD)
        self.fail(10)
        self.assertEqual(self.log_in(address=ELSEWHERE).status_code, 200)
        self.assertEqual(self.log_in("igor").status_code, 200)
        self.assertEqual(self.console(address=ELSEWHERE).status_code, 302)
        self.client.cookies.clear()  # of a browser that was here before
        self.assertEqual(self.log_in().status_code, 429)

    def test_thirty_failures_under_many_names_lock_the_address(self) -> None:
        for number in range(6):
            self.fail(5, f"name-{number}")
        self.assertEqual(self.log_in().status_code, 429)
        self.assertEqual(self.console().status_code, 429)
        self.assertEqual(self.log_in(address=ELSEWHERE).status_code, 200)

    def test_a_browser_that_was_here_before_is_not_locked_out_by_others(self) -> None:
        self.assertEqual(self.console().status_code, 302)
        cookie = self.client.cookies["photochanger_device"]
        self.assertTrue(cookie["httponly"] and cookie["samesite"] == "Strict")
        self.client.logout()  # which takes the test client's cookies too
        self.client.cookies["photochanger_device"] = cookie.value
        self.fail(10)
        for number in range(6):
            self.fail(5, f"name-{number}")
        self.assertEqual(self.console().status_code, 302)
        self.client.cookies["photochanger_device"] = cookie.value[:-1] + "x"  # forged
        self.assertEqual(self.console().status_code, 429)

    def test_its_own_failures_are_counted(self) -> None:
        self.console()
        cookie = self.client.cookies["photochanger_device"].value
        self.client.logout()
        self.client.cookies["photochanger_device"] = cookie
        self.assertEqual(self.console(password=WRONG).status_code, 200)
        counted = AccessAttempt.objects.get()
        self.assertTrue(str(counted.ip_address).startswith("100::"))
        self.fail(9, address=str(counted.ip_address))
        self.assertEqual(self.console().status_code, 429)
        self.client.cookies.clear()
        self.assertEqual(self.console().status_code, 302)

    def test_a_success_resets_the_failures(self) -> None:
        self.fail(9)
        self.log_in()
        self.assertEqual(self.log_in(password=WRONG).status_code, 401)
        self.assertEqual(self.log_in().status_code, 200)

    def test_failures_of_two_browsers_add_up(self) -> None:
        for browser in range(5):
            AccessAttempt.objects.create(
                username="serg", ip_address=HERE, user_agent=str(browser), failures_since_start=2
            )
        AccessAttempt.objects.filter(user_agent="3").update(
            attempt_time=timezone.now() - timedelta(minutes=5)
        )
        answer = self.log_in(HTTP_USER_AGENT="new")
        self.assertEqual(answer.status_code, 429)
        self.assertTrue(9 * 60 < int(answer["Retry-After"]) <= 10 * 60)  # when "3" counts no more

    def test_a_name_longer_than_any_is_a_failure_like_another(self) -> None:
        for _ in range(2):
            self.assertEqual(self.console("x" * 300, WRONG).status_code, 200)
        (row,) = AccessAttempt.objects.all()
        self.assertEqual((len(row.username), row.failures_since_start), (150, 2))

    def test_a_header_does_not_change_the_address(self) -> None:
        self.fail(10)
        for header in ("X_FORWARDED_FOR", "X_REAL_IP", "FORWARDED", "CLIENT_IP"):
            with self.subTest(header):
                answer = self.log_in(**{f"HTTP_{header}": ELSEWHERE})
                self.assertEqual(answer.status_code, 429)

    def test_failures_of_one_ipv6_network_add_up(self) -> None:
        self.fail(10, address="2001:db8:1:2::")
        self.assertEqual(self.log_in(address="2001:db8:1:2:aaaa::5").status_code, 429)
        self.assertEqual(self.log_in(address="2001:db8:1:3::5").status_code, 200)

    def test_invalid_addresses_are_counted_together(self) -> None:
        for address in ("", "unknown", "fe80::1%eth0"):
            with self.subTest(address):
                self.assertEqual(self.log_in("nobody", address=address).status_code, 401)

    def test_an_unknown_name_is_locked_too(self) -> None:
        self.fail(10, "nobody")
        self.assertEqual(self.log_in("nobody").status_code, 429)


class LogTests(LoginTestCase):
    def events(self, *doors: Any) -> list[dict[str, Any]]:
        with capture_logs() as lines:
            for door in doors:
                door()
        kept = ("event", "username", "reason", "address")
        return [
            {name: line[name] for name in kept if name in line}
            for line in lines
            if line["event"].startswith("auth.")
        ]

    def test_logins_are_logged_with_name_and_address(self) -> None:
        came = {"event": "auth.login.success", "username": "serg", "address": HERE}
        self.assertEqual(self.events(self.log_in, self.console), [came, came])

    def test_failed_logins_are_logged_with_their_reason(self) -> None:
        wrong = {
            "event": "auth.login.failure",
            "username": "guest",
            "reason": "invalid_credentials",
            "address": HERE,
        }
        events = self.events(
            lambda: self.log_in("guest", WRONG),
            lambda: self.console("guest", WRONG),
            lambda: self.log_in("guest"),  # the right password, but no administrator's
            lambda: self.console("guest"),
        )
        self.assertEqual(events, [wrong] * 4)
        User.objects.filter(username="guest").update(is_staff=True)
        self.assertEqual(self.events(lambda: self.console("guest")), [wrong])
        self.assertNotIn("sessionid", self.client.cookies)
        self.fail(10, "igor")
        events = self.events(lambda: self.log_in("igor"), lambda: self.console("igor"))
        self.assertEqual(events, [wrong | {"username": "igor", "reason": "throttled"}] * 2)

    def test_a_hostile_name_cannot_forge_log_lines(self) -> None:
        (event,) = self.events(lambda: self.log_in("serg\n[info] \x1b[2Jall is well", WRONG))
        self.assertEqual(event["username"], "serg?[info] ?[2Jall is well")

    def test_no_password_is_in_any_log_or_row(self) -> None:
        with self.assertLogs() as logs, capture_logs() as lines:
            self.log_in(password=WRONG)
            self.console(password=WRONG)
            self.log_in(WRONG + "x" * 200, WRONG)
            self.client.post(LOGIN, b'{"password": "%s"' % WRONG.encode(), "application/json")
            self.log_in()
            logging.getLogger("photochanger").info("at least one line")
        self.assertNotIn(WRONG, repr(lines) + repr(logs.output))
        self.assertNotIn(PASSWORD, repr(lines) + repr(logs.output))
        self.log_in("nobody", WRONG)
        self.console("nobody", WRONG)
        self.assertNotIn(WRONG, repr(list(AccessAttempt.objects.values())))


class ConsoleTests(LoginTestCase):
    def test_the_session_cookie_expires_and_is_http_only(self) -> None:
        answer = self.console()
        self.assertEqual(answer.status_code, 302)
        cookie = answer.cookies["sessionid"]
        self.assertEqual(
            (cookie["httponly"], cookie["samesite"], cookie["max-age"]), (True, "Lax", 12 * 3600)
        )
        self.assertFalse(cookie["secure"])  # a studio's LAN may have no HTTPS
        with self.settings(SESSION_COOKIE_SECURE=True):
            self.assertTrue(self.console(address=ELSEWHERE).cookies["sessionid"]["secure"])

    def test_an_inactive_account_loses_its_session_at_the_next_request(self) -> None:
        self.console()
        self.assertEqual(self.client.get("/admin/").status_code, 200)
        User.objects.update(is_active=False)
        self.assertRedirects(
            self.client.get("/admin/"), f"{CONSOLE}?next=/admin/", fetch_redirect_response=False
        )

    def test_a_form_of_another_site_cannot_log_in(self) -> None:
        client = Client(enforce_csrf_checks=True)
        form = {"username": "serg", "password": PASSWORD}
        self.assertEqual(client.post(CONSOLE, form).status_code, 403)
