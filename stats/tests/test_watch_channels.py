"""How a message leaves: by real servers on this machine; no secret in what is told of a failure."""

import socket
from unittest import mock

from django.test import SimpleTestCase, override_settings

from stats.tests.watch_support import (
    CHAT,
    MAIL_PASSWORD,
    TOKEN,
    mail_address,
    mail_server,
    telegram,
    telegram_address,
)
from stats.watch.channels import open_address, seal_address, send_message
from stats.watch.channels.by_apprise import is_known_link
from stats.watch.channels.failure import DeliveryFailed


class ChannelTests(SimpleTestCase):
    def refuse(self, channel: str, address: dict[str, str]) -> DeliveryFailed:
        with self.assertRaises(DeliveryFailed) as caught:
            send_message(channel, address, "Title", "Body")
        for secret in (TOKEN, CHAT, MAIL_PASSWORD):
            self.assertNotIn(secret, str(caught.exception))
        return caught.exception

    def test_telegram_gets_title_and_body_through_the_relay_of_the_settings(self) -> None:
        with telegram() as server, override_settings(TELEGRAM_BASE_URL=server.url):
            send_message("telegram", telegram_address(), "Photos fail", "slot-001: сбой")
        self.assertEqual(server.texts, ["Photos fail\n\nslot-001: сбой"])
        self.assertEqual(server.calls[0]["chat_id"], CHAT)

    def test_telegram_may_be_behind_a_proxy(self) -> None:
        with (
            telegram() as server,
            override_settings(
                TELEGRAM_BASE_URL="http://telegram.invalid", TELEGRAM_PROXY_URL=server.url
            ),
        ):
            # A proxy is asked for the whole address; this one knows the path alone.
            failure = self.refuse("telegram", telegram_address())
        self.assertIn("HTTP 401", str(failure))
        self.assertEqual(len(server.calls), 1)

    def test_what_telegram_says_is_the_reason_and_its_pause_is_kept(self) -> None:
        with telegram() as server, override_settings(TELEGRAM_BASE_URL=server.url):
            failure = self.refuse("telegram", telegram_address(chat="42"))
            self.assertEqual(str(failure), "HTTP 400: Bad Request: chat not found")
            busy = {"ok": False, "description": "Too Many", "parameters": {"retry_after": 37}}
            server.answers = [(429, busy)]
            self.assertEqual(self.refuse("telegram", telegram_address()).retry_after_s, 37)

    def test_no_telegram_at_all_is_a_reason_without_the_token(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            base = f"http://127.0.0.1:{unused.getsockname()[1]}"
            with override_settings(TELEGRAM_BASE_URL=base):
                self.assertIn("ConnectError", str(self.refuse("telegram", telegram_address())))

    def test_a_page_of_somebody_who_blocks_telegram_is_no_success(self) -> None:
        with telegram() as server, override_settings(TELEGRAM_BASE_URL=server.url):
            server.answers = [(200, {"blocked": True})]
            self.assertIn("HTTP 200", str(self.refuse("telegram", telegram_address())))

    def test_e_mail_arrives_with_its_subject_and_letters_as_they_are(self) -> None:
        with mail_server() as server:
            address = mail_address(server.port, to="anna@example.com, oleg@example.com")
            send_message("email", address, "Сбой", "slot-001: сбой")
        self.assertEqual(
            sorted(sum(server.recipients, [])), ["anna@example.com", "oleg@example.com"]
        )
        self.assertEqual(str(server.mails[0]["subject"]), "Сбой")
        self.assertIn("slot-001: сбой", server.mails[0].get_body(("plain",)).get_content())

    def test_a_wrong_mail_password_and_an_unknown_address_are_told(self) -> None:
        with mail_server() as server:
            wrong = mail_address(server.port, password="other-password-of-tests")
            failure = self.refuse("email", wrong)
            self.assertIn("535", str(failure))
            self.assertNotIn("other-password", str(failure))
            failure = self.refuse("email", mail_address(server.port, to="nobody@example.com"))
            self.assertIn("No such user here", str(failure))
        self.assertEqual(server.mails, [])

    def test_without_a_mail_server_the_reason_is_the_systems(self) -> None:
        failure = self.refuse("email", mail_address(1))
        self.assertRegex(str(failure), "(?i)refused")

    def test_a_webhook_by_link_gets_it_and_its_secret_stays_out_of_reasons(self) -> None:
        with telegram() as server:
            port = server.url.rpartition(":")[2]
            link = f"json://booth:hook-password@127.0.0.1:{port}/hook-token-12345?format=text"
            failure = self.refuse("link", {"link": link})  # it knows no such path: 401
        for secret in ("hook-password", "hook-token-12345"):
            self.assertNotIn(secret, str(failure))
        self.assertEqual(server.calls[0]["title"], "Title")

    def test_nothing_of_apprise_reaches_our_log(self) -> None:
        with self.assertNoLogs(level="DEBUG"):
            self.refuse("link", {"link": "jsons://u:hook-password@127.0.0.1:1/hook-token"})

    def test_links_that_reach_nobody_are_not_taken(self) -> None:
        self.assertTrue(is_known_link("ntfy://photochanger-hall"))
        for link in ("nonsense://x", "syslog://", "https:", "", "file:///etc/passwd"):
            self.assertFalse(is_known_link(link), link)

    def test_an_address_is_stored_as_ciphertext(self) -> None:
        sealed = seal_address(telegram_address())
        self.assertNotIn(TOKEN, sealed)
        self.assertEqual(open_address(sealed), telegram_address())

    def test_a_slow_service_is_given_up(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as silent,
            mock.patch("stats.watch.channels.telegram.READ_TIMEOUT_S", 0.2),
            override_settings(TELEGRAM_BASE_URL=f"http://127.0.0.1:{silent.getsockname()[1]}"),
        ):
            self.assertIn("Timeout", str(self.refuse("telegram", telegram_address())))
