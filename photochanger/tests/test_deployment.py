"""Production settings: what `check --deploy` says of them, and what HTTPS changes."""

import os
import re
import secrets
import subprocess
from typing import Any

import httpx
from cryptography.fernet import Fernet
from django.core import checks
from django.core.handlers.asgi import ASGIHandler
from django.test import SimpleTestCase, TestCase, override_settings
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from photochanger.checks.deployment import check_deployment
from photochanger.checks.environment import check_public_address, log_public_address
from photochanger.testing.marks import live_server
from photochanger.tests.test_commands import manage
from slots.models import Slot

PRODUCTION = {
    "SECRET_KEY": secrets.token_urlsafe(48),
    "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
    "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    "ALLOWED_HOSTS": "photos.example.com",
}
HTTPS = {
    "COOKIES_OVER_HTTPS_ONLY": "true",
    "TRUSTED_PROXIES": "10.0.0.2",
    "PUBLIC_BASE_URL": "https://photos.example.com",
}
SECURE = override_settings(
    SESSION_COOKIE_SECURE=True,
    CSRF_COOKIE_SECURE=True,
    SECURE_HSTS_SECONDS=3600,
    ALLOWED_HOSTS=["photos.example.com"],
)


def check_as_production(**env: str) -> "subprocess.CompletedProcess[str]":
    database = os.environ["DATABASE_URL"]
    return manage(
        *("check", "--deploy", "--fail-level", "WARNING"),
        **PRODUCTION,
        **({} if database.startswith("sqlite") else {"DATABASE_URL": database}),
        **env,
    )


@live_server
class ProductionTests(SimpleTestCase):
    def test_no_warning_behind_https(self) -> None:
        done = check_as_production(**HTTPS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no issues", done.stdout)

    def test_no_warning_over_plain_http_only_when_it_is_on_purpose(self) -> None:
        done = check_as_production()
        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            re.findall(r"photochanger\.W\d+|security\.W\d+", done.stderr),
            ["photochanger.W003", "security.W004", "security.W012", "security.W016"],
        )
        self.assertIn("PLAIN_HTTP=true", done.stderr)
        done = check_as_production(PLAIN_HTTP="true")
        self.assertEqual(done.returncode, 0, done.stderr)


class DeploymentCheckTests(SimpleTestCase):
    GOOD: dict[str, Any] = {
        "SESSION_COOKIE_SECURE": True,
        "PLAIN_HTTP": False,
        "TRUSTED_PROXIES": ["10.0.0.2"],
        "PUBLIC_BASE_URL": "https://photos.example.com",
        "SECRET_KEY": "s" * 40,
        "JWT_SIGNING_KEY": "j" * 40,
    }

    def found(self, **changes: Any) -> list[str]:
        with override_settings(**{**self.GOOD, **changes}):
            return [str(message.id).removeprefix("photochanger.") for message in check_deployment()]

    def test_each_weakness_has_a_warning(self) -> None:
        self.assertEqual(self.found(), [])
        self.assertEqual(self.found(PLAIN_HTTP=True), ["W002"])
        self.assertEqual(self.found(SESSION_COOKIE_SECURE=False), ["W003"])
        self.assertEqual(self.found(TRUSTED_PROXIES=[]), ["W004"])
        self.assertEqual(self.found(TRUSTED_PROXIES=["*"]), ["W005"])
        self.assertEqual(self.found(ALLOWED_HOSTS=["*"]), [])
        self.assertEqual(self.found(ALLOWED_HOSTS=["*"], PUBLIC_BASE_URL=""), ["W006"])
        self.assertEqual(self.found(JWT_SIGNING_KEY="s" * 40), ["W007"])


class PublicAddressTests(TestCase):
    """A provider that fetches photos from us needs an address; the start says so, not the booth."""

    def told(self, databases: list[str] | None = None, **changes: Any) -> list[str]:
        there = {"PUBLIC_BASE_URL": "", "PUBLIC_MEDIA_BASE_URL": "", "TURBOTEXT_API_KEY": ""}
        with override_settings(**{"DEBUG": False, **there, **changes}):
            found = check_public_address(databases=databases)
        self.assertTrue(all(message.level == checks.WARNING for message in found))
        return [message.msg for message in found]

    def test_no_warning_without_such_a_provider(self) -> None:
        self.assertEqual(self.told(), [])
        self.assertEqual(self.told(["default"]), [])

    def test_a_key_alone_causes_the_warning(self) -> None:
        self.assertIn("is not set", self.told(TURBOTEXT_API_KEY="key")[0])
        private = "http://192.168.1.5:8000"
        said = self.told(TURBOTEXT_API_KEY="key", PUBLIC_MEDIA_BASE_URL=private)
        self.assertIn("is not public", said[0])
        for name in ("PUBLIC_MEDIA_BASE_URL", "PUBLIC_BASE_URL"):
            address = {name: "https://photos.example.com"}
            self.assertEqual(self.told(TURBOTEXT_API_KEY="key", **address), [])

    def test_an_active_slot_is_named_and_the_start_logs_it(self) -> None:
        Slot.objects.filter(pk="slot-004").update(provider="turbotext", is_active=True)
        self.assertIn("photos of slot-004 will fail", self.told(["default"])[0])
        with (
            override_settings(DEBUG=False, PUBLIC_BASE_URL="", PUBLIC_MEDIA_BASE_URL=""),
            self.assertLogs("photochanger.checks.environment", "WARNING") as seen,
        ):
            log_public_address()
        self.assertIn("server.public_address.missing", seen.output[0])


@SECURE
class HttpsTests(TestCase):
    async def come(self, *, by: str, says: str = "https") -> httpx.Response:
        handler = ProxyHeadersMiddleware(ASGIHandler(), trusted_hosts=["10.0.0.2"])  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app=handler, client=(by, 1234))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://photos.example.com"
        ) as client:
            return await client.get("/admin/login/", headers={"X-Forwarded-Proto": says})

    async def test_only_a_trusted_proxys_forwarded_proto_counts(self) -> None:
        answer = await self.come(by="10.0.0.2")
        self.assertEqual(answer.headers["Strict-Transport-Security"], "max-age=3600")
        for by, says in (("10.0.0.3", "https"), ("10.0.0.2", "http")):
            answer = await self.come(by=by, says=says)
            self.assertNotIn("Strict-Transport-Security", answer.headers)

    async def test_cookies_are_for_https_only(self) -> None:
        cookie = (await self.come(by="10.0.0.2")).headers["Set-Cookie"]
        self.assertIn("csrftoken=", cookie)
        self.assertIn("Secure", cookie)
        self.assertIn("SameSite=Lax", cookie)
