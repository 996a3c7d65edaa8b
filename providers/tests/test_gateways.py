"""What stands between us and the service is not the service: redirects, and gateways' refusals."""

import json

import httpx
from django.test import SimpleTestCase

from photochanger.errors import ProviderAuth, ProviderConfig, ProviderError, ProviderQuota
from providers import http
from providers.tests.test_meanings import PAGE, explain, google
from providers.tests.test_turbotext import make_request
from providers.turbotext.driver import read_answer


class RedirectTests(SimpleTestCase):
    """The log-in page of a hall's network, or a service that has moved."""

    def test_it_is_the_address_that_is_wrong(self) -> None:
        for status in (300, 301, 302, 303, 307, 308):
            for body in (b"", PAGE, b"Moved", b"[]", {"message": "moved"}):
                with self.subTest(status, body=body):
                    error = explain(status, body, location="https://wifi.example/login?to=x")
                    self.assertIs(type(error), ProviderConfig)
                    self.assertFalse(error.retryable)
                    self.assertIn("leads elsewhere, to wifi.example", str(error))

    def test_a_network_that_wants_a_log_in_may_say_so(self) -> None:
        for body in (b"", PAGE):
            error = explain(511, body)
            self.assertEqual((type(error), error.retryable), (ProviderConfig, False))

    def test_of_the_address_only_a_plain_host_is_told(self) -> None:
        for address, host in {
            "https://user:secret@wifi.example:8443/secret?key=secret": "wifi.example",
            "//wifi.example/secret": "wifi.example",
            "http://192.0.2.7/secret": "192.0.2.7",
            "/secret": "",
            "": "",
            f"https://{'a' * 25}.example/": "",
            "https://wifi example/secret": "",
            "https://[secret/": "",
            "https://<b>secret</b>/": "",
            "https://вход.рф/": "",
        }.items():
            with self.subTest(address):
                told = str(explain(302, b"", location=address))
                self.assertNotIn("secret", told)
                tail = f"leads elsewhere, to {host}" if host else "leads elsewhere"
                self.assertTrue(told.endswith(tail), told)

    def test_a_key_in_it_is_masked_in_either_case(self) -> None:
        key = "AIzaSyD-" + "key-" * 8
        for spelled in (key, key.lower()):
            told = str(explain(302, b"", location=f"https://{spelled}.example/{spelled}"))
            self.assertNotIn(key.lower(), told.lower())


class GatewayTests(SimpleTestCase):
    def test_without_a_word_of_the_service_the_key_is_not_blamed(self) -> None:
        for body in (b"error code: 1020", b"Forbidden", b"Access denied", b"", b"{}", b"[]", PAGE):
            with self.subTest(body[:20]):
                self.assertIs(type(explain(403, body)), ProviderConfig)

    def test_a_limit_of_the_gateway_passes(self) -> None:
        for body in (b"error code: 1015", b"Rate limit exceeded", b"Too many requests"):
            with self.subTest(body):
                error = explain(403, body)
                self.assertEqual((type(error), error.retryable), (ProviderQuota, True))

    def test_the_services_own_refusal_is_about_the_key(self) -> None:
        for body in (google(403, "PERMISSION_DENIED"), {"error": {"message": "no access"}}):
            self.assertIs(type(explain(403, body)), ProviderAuth)

    def test_the_other_service_is_told_apart_too(self) -> None:
        refused = json.dumps({"success": False, "error": "нет доступа"}).encode()
        for body, kind in {
            b"error code: 1020": ProviderConfig,
            b"error code: 1015": ProviderQuota,
            b"Forbidden": ProviderConfig,
            PAGE: ProviderAuth,  # its own, for people who are not logged in
            refused: ProviderAuth,
        }.items():
            with self.subTest(body[:20]), self.assertRaises(ProviderError) as caught:
                reply = http.Reply(403, httpx.Headers(), body)
                read_answer(reply, make_request("image_edit", prompt="x"))
            self.assertIs(type(caught.exception), kind)
