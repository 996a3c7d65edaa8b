"""The console's page of e-mail, over HTTP."""

import uuid
from typing import Any

from django.test import override_settings
from django.utils import timezone

from slots.letters.access import find_mail_access, find_mail_server
from slots.letters.models import GuestLetter, MailServer
from slots.tests.support import ConsoleTestCase
from stats.models import AlertRecipient
from stats.tests.test_guest_letters import set_mail_server
from stats.tests.watch_support import MAIL_PASSWORD, mail_address, mail_server
from stats.watch.channels import load_address, seal_address

PAGE = "/admin/mail/"
RUSSIAN = {"Accept-Language": "ru"}


class MailPageTests(ConsoleTestCase):
    def form(self, port: int = 25, **changes: str) -> dict[str, str]:
        told = mail_address(port)
        del told["to"]
        return told | changes

    def post(self, path: str = PAGE, **form: str) -> Any:
        return self.client.post(path, form, headers=RUSSIAN, follow=True)

    def test_a_server_is_saved_and_a_test_says_what_it_answers(self) -> None:
        with mail_server() as server:
            page = self.post(**self.form(server.port, serves_guests="on"))
            self.assertContains(page, "Почтовый сервер сохранён")
            self.assertTrue(MailServer.objects.get().serves_guests)
            page = self.post(PAGE + "test/", to="anna@example.com")
            self.assertContains(page, "принял проверку для anna@example.com")
            page = self.post(PAGE + "test/", to="nobody@example.com")
            self.assertContains(page, "No such user here")
            page = self.post(PAGE + "test/", to="a@example.com\nBcc: b@example.com")
            self.assertContains(page, "Это не адрес почты")
        self.assertEqual(server.recipients, [["anna@example.com"]])

    def test_the_password_stays_hidden_and_goes_to_its_own_server_only(self) -> None:
        set_mail_server(25)
        self.assertNotContains(self.client.get(PAGE), MAIL_PASSWORD)
        self.post(**self.form(2525, password=""))
        access = find_mail_access()
        assert access
        self.assertEqual((access.port, access.password), (2525, MAIL_PASSWORD))
        page = self.post(**self.form(25, host="mail.example.com", password=""))
        self.assertContains(page, "нужен пароль")
        access = find_mail_access()
        assert access
        self.assertEqual(access.host, "127.0.0.1")

    def test_removing_asks_first(self) -> None:
        set_mail_server(25)
        self.assertContains(self.post(PAGE + "remove/"), "Убрать почтовый сервер?")
        self.assertTrue(find_mail_server())
        self.post(PAGE + "remove/", confirmed="yes")
        self.assertIsNone(find_mail_server())

    def test_only_administrators_see_and_change_it(self) -> None:
        set_mail_server(25)
        letter = self.add_letter()
        self.client.logout()
        for path in ("", "test/", "remove/", f"letters/{letter.pk}/drop/"):
            self.assertEqual(self.client.post(PAGE + path).status_code, 302, path)
        self.assertTrue(find_mail_server())

    def add_letter(self, **columns: Any) -> GuestLetter:
        now = timezone.now()
        columns = {"job_id": uuid.uuid4(), "slot_id": "slot-001", "language": "ru"} | columns
        return GuestLetter.objects.create(created_at=now, next_try_at=now, **columns)

    def test_letters_and_their_fate_are_shown_and_those_that_wait_can_be_dropped(self) -> None:
        waiting = self.add_letter(attempts=2, last_error="535 wrong", shown_as="a···@example.com")
        self.add_letter(status=GuestLetter.Status.SENT)
        page = self.client.get(PAGE, headers=RUSSIAN)
        for words in ("ждут:", "отправлено:", "535 wrong", "a···@example.com", "адрес забыт"):
            self.assertContains(page, words)
        self.assertContains(page, "Они ждут почтового сервера")
        self.post(f"{PAGE}letters/{waiting.pk}/drop/")
        waiting.refresh_from_db()
        self.assertEqual((waiting.status, waiting.shown_as), (GuestLetter.Status.DROPPED, ""))

    def test_without_a_key_for_secrets_the_page_says_so(self) -> None:
        with override_settings(FIELD_ENCRYPTION_KEYS=[]):
            self.assertContains(self.post(**self.form()), "FIELD_ENCRYPTION_KEY")
        set_mail_server(25)
        MailServer.objects.update(access="gAAAAA-not-ours")
        page = self.client.get(PAGE, headers=RUSSIAN)
        self.assertContains(page, "не читается с этим FIELD_ENCRYPTION_KEY")

    def test_alerts_go_through_the_same_server(self) -> None:
        own = mail_address(2500)
        recipient = AlertRecipient(channel="email", address=seal_address(own))
        self.assertEqual(load_address(recipient)["port"], "2500", "of the release before")
        set_mail_server(25)
        self.assertEqual(load_address(recipient)["port"], "25")
        page = self.client.get("/admin/alerts/new/email/", headers=RUSSIAN)
        self.assertContains(page, "почтовый сервер этой установки")
