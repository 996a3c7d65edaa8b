"""Addresses of the environment: a mistyped one stops the start with one sentence."""

from django.core.checks import CheckMessage
from django.test import SimpleTestCase, override_settings

from photochanger.checks.addresses import ADDRESSES, PROXY, check_addresses, find_fault

PASSWORD = "s3cr-et"
GOOD = (
    *("https://generativelanguage.googleapis.com", "http://127.0.0.1:9911", "http://[::1]:80"),
    *("https://www.turbotext.ru/api_ai", "http://foto_budka:8000", "https://фото.рф"),
    *("https://10.0.0.1:8000", "https://1.2.3.4.example", "https://gateway.example/https"),
    *("https://gateway.example/v1/account/google-ai-studio", "http://localhost"),
)
BAD = (
    *("https://https://host.example", "https://https//host.example", "http://http://127.0.0.1:1"),
    *("https://host.example/https://host.example", "https:/host.example", "https//host.example"),
    *("host.example", "ftp://host.example", "https://", "https:///path", "https://:443"),
    *(
        "https://host example",
        "https://host.example /x",
        " https://host.example\t",
        "https://ho\nst",
    ),
    *(f"https://booth:{PASSWORD}@host.example", f"https://{PASSWORD}@host.example"),
    *("https://host.example:99999", "https://host.example:port", "https://host.example:0"),
    *("https://host..example", "https://.example", "https://[::1", "https://-host.example"),
    *(
        "https://host.example/api_ai/api_ai",
        "https://host.example//api",
        "https://host.example/../x",
    ),
    *(
        f"https://host.example/?key={PASSWORD}",
        "https://host.example/#part",
        '"https://host.example"',
    ),
    *(
        "https://host.example:",
        "https://host.example,https://other.example",
        "http:\\\\host.example",
    ),
    *("https://host.example?", "https://host.example#", "https://host.example/api?"),
    *("https://host.example/https:/host.example", "https://host.example/HTTP:/x"),
    *("https://1.2.3.400", "https://256.1.1.1", "https://1.2.3", "https://8.8.8.8.8"),
)


def check(**values: str) -> list[CheckMessage]:
    with override_settings(**dict.fromkeys(ADDRESSES, "") | values):
        return list(check_addresses())


class AddressTests(SimpleTestCase):
    def test_what_can_be_called_is_accepted(self) -> None:
        for value in GOOD:
            for name in ADDRESSES:
                with self.subTest(name, value=value):
                    path = value.removeprefix("https://www.turbotext.ru").startswith("/")
                    if ADDRESSES[name] is not PROXY or not (path or value.count("/") > 2):
                        self.assertEqual(check(**{name: value}), [])

    def test_what_cannot_is_one_sentence_with_the_name_and_without_the_value(self) -> None:
        for value in BAD:
            for name in ADDRESSES:
                if ADDRESSES[name] is PROXY and "@" in value:
                    continue  # there a name and a password are in their place
                with self.subTest(name, value=value):
                    (message,) = check(**{name: value})
                    self.assertEqual(message.id, "photochanger.E005")
                    self.assertTrue(message.msg.startswith(f"{name} is not an address like"))
                    self.assertEqual(message.msg.count("."), 3 if "socks5" in message.msg else 2)
                    self.assertNotIn(PASSWORD, message.msg)

    def test_a_proxy_may_be_socks_and_have_a_password(self) -> None:
        for scheme in ("http", "https", "socks5", "socks5h"):
            value = f"{scheme}://booth:{PASSWORD}@proxy.example:1080"
            self.assertEqual(check(PROVIDER_PROXY_URL=value), [])
        for value in ("socks4://proxy.example:1", "socks5://proxy.example/path", "socks5://"):
            self.assertEqual(len(check(PROVIDER_PROXY_URL=value)), 1, value)
        self.assertTrue(find_fault("socks5://proxy.example"))

    def test_the_version_and_the_method_are_not_a_part_of_geminis_address(self) -> None:
        base = "https://generativelanguage.googleapis.com"
        for path in ("/v1beta", "/v1", "/prefix/v1beta", "/v1beta/models", "/v1beta/models/x:y"):
            (message,) = check(GEMINI_BASE_URL=base + path)
            self.assertIn("GEMINI_BASE_URL: leave out the", message.msg)

    def test_the_way_to_send_the_key_is_one_of_two(self) -> None:
        for value, count in (("header", 0), ("bearer", 0), ("Bearer ", 1), ("", 1), ("query", 1)):
            self.assertEqual(len(check(GEMINI_AUTH=value)), count, value)
