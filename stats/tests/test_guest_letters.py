"""A guest has the picture sent: from the form on its page to a real mail server, and forgotten."""

import uuid
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from unittest import mock

from django.test import TestCase, override_settings
from django.utils import timezone

from ingest.cleanup import clean_up
from ingest.events.purge import purge_event
from media.deletion import delete_result
from media.models import MediaObject
from media.tests.support import ResultsTestCase
from photochanger.errors import ProviderConfig
from photochanger.testing.waiting import wait_until
from slots.letters.access import MailAccess, find_mail_access, remove_mail_server, save_mail_server
from slots.letters.addresses import BadAddress, clean_address, hash_for_counting
from slots.letters.models import GuestLetter, MailServer
from slots.letters.queue import FIRST_PAUSE_S, GIVE_UP_AFTER, drop_letter, mark_failed
from slots.models import Event, Slot
from stats.tests.watch_support import MAIL_PASSWORD, mail_address, mail_server
from stats.watch.guest_letters import GuestMail

Status = GuestLetter.Status
GUEST = "anna.guest@example.com"


def set_mail_server(port: int, *, serves_guests: bool = True, **fields: str) -> None:
    told = mail_address(port, **fields)
    del told["to"]
    save_mail_server(MailAccess.model_validate(told), serves_guests=serves_guests, by="serg")


class LettersTestCase(ResultsTestCase):
    def setUp(self) -> None:
        self.picture = self.store_result()
        self.mail = GuestMail()

    def order(
        self,
        address: str = GUEST,
        *,
        picture: MediaObject | None = None,
        link: object = None,
        consent: str = "yes",
        language: str = "ru",
        source: str = "192.0.2.1",
    ) -> Any:
        path = f"/public/results/{link or (picture or self.picture).job_id}/letter"
        form = {"address": address, "consent": consent}
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(
                path, form, headers={"Accept-Language": language}, REMOTE_ADDR=source
            )

    def send_all(self, *, later: timedelta = timedelta()) -> None:
        """Rounds of the watch until nothing is on its way."""
        now = timezone.now() + later
        self.mail.send_due(now)
        wait_until(lambda: all(not f.thread.is_alive() for f in self.flights()))
        self.mail.record(now)

    def flights(self) -> list[Any]:
        return list(self.mail.sender._in_flight.values())


class SendingTests(LettersTestCase):
    def test_a_letter_brings_the_picture_and_a_link_that_cannot_delete_it(self) -> None:
        Slot.objects.filter(pk="slot-001").update(public_title="Свадьба Анны и Бориса")
        with (
            mail_server() as server,
            override_settings(PUBLIC_BASE_URL="https://photos.example.com"),
        ):
            set_mail_server(server.port)
            self.assertContains(self.order(), "Фото отправляется")
            self.send_all()
        (letter,) = GuestLetter.objects.all()
        self.assertEqual((letter.status, letter.address), (Status.SENT, ""))
        (mail,) = server.mails
        self.assertEqual(server.recipients, [[GUEST]])
        self.assertEqual(str(mail["subject"]).strip(), "Ваше фото: Свадьба Анны и Бориса")
        self.assertEqual(mail["from"].addresses[0].display_name, "Свадьба Анны и Бориса")
        self.assertEqual(mail["from"].addresses[0].addr_spec, "booth@example.com")
        (attached,) = mail.iter_attachments()
        self.assertEqual(attached.get_content_type(), "image/jpeg")
        with self.picture_file() as file:
            self.assertEqual(attached.get_content(), file.read())
        body = self.read_text(mail)
        self.assertIn(
            f"https://photos.example.com/public/results/{self.picture.view_id}/page", body
        )
        self.assertNotIn(str(self.picture.job_id), mail.as_string())

    def picture_file(self) -> Any:
        from django.core.files.storage import default_storage

        return default_storage.open(self.picture.path)

    def read_text(self, mail: EmailMessage) -> str:
        part = mail.get_body(("plain",))
        assert part
        return str(part.get_content())

    def test_where_the_link_opens_in_the_hall_only_the_letter_has_none(self) -> None:
        with mail_server() as server:
            set_mail_server(server.port)
            self.order(language="en")
            self.send_all()
        body = self.read_text(server.mails[0])
        self.assertNotIn("http", body)
        self.assertIn("attached", body)

    def test_a_server_that_is_away_is_asked_again_later_and_then_it_arrives(self) -> None:
        with mail_server() as server:
            port = server.port
        set_mail_server(port)
        self.order()
        self.send_all()
        letter = GuestLetter.objects.get()
        self.assertEqual((letter.status, letter.attempts), (Status.WAITING, 1))
        self.assertRegex(letter.last_error, "(?i)refused")
        self.send_all()
        letter.refresh_from_db()
        self.assertEqual(letter.attempts, 1, "before its time")
        with mail_server() as server:
            set_mail_server(server.port)
            self.send_all(later=timedelta(seconds=FIRST_PAUSE_S + 1))
        self.assertEqual(len(server.mails), 1)

    def test_what_never_works_is_given_up_after_a_day(self) -> None:
        with mail_server() as server:
            set_mail_server(server.port)
            self.order("later@example.com")
            self.send_all()
            self.assertEqual(GuestLetter.objects.get().status, Status.WAITING)
            self.send_all(later=GIVE_UP_AFTER)
        letter = GuestLetter.objects.get()
        self.assertEqual((letter.status, letter.address), (Status.FAILED, ""))
        self.assertIn("451", letter.last_error)

    def test_an_address_that_does_not_exist_is_not_tried_again(self) -> None:
        with mail_server() as server:
            set_mail_server(server.port)
            self.order("nobody@example.com")
            self.send_all()
        letter = GuestLetter.objects.get()
        self.assertEqual((letter.status, letter.address), (Status.FAILED, ""))
        self.assertIn("No such user", letter.last_error)
        self.assertNotIn("nobody", letter.last_error)

    def test_a_server_that_answers_in_small_letters_tells_no_address(self) -> None:
        with mail_server() as server, self.assertLogs(level="INFO") as logs:
            set_mail_server(server.port)
            self.order("Nobody.Anna@Example.com")
            self.send_all()
        said = [record.getMessage() for record in logs.records if record.name != "mail.log"]
        for text in (GuestLetter.objects.get().last_error, *said):
            self.assertNotIn("nobody", text.lower())
            self.assertNotIn("other.name", text)

    def test_without_a_mail_server_an_address_waits_for_a_day_at_most(self) -> None:
        set_mail_server(1)
        self.order()
        remove_mail_server(by="serg")
        GuestLetter.objects.update(created_at=timezone.now() - timedelta(hours=23))
        clean_up(by="test")
        self.assertTrue(GuestLetter.objects.get().address)
        GuestLetter.objects.update(created_at=timezone.now() - GIVE_UP_AFTER)
        clean_up(by="test")
        letter = GuestLetter.objects.get()
        self.assertEqual((letter.status, letter.address), (Status.FAILED, ""))
        self.assertIn("given up", letter.last_error)

    def test_what_is_dropped_while_it_is_on_its_way_stays_dropped(self) -> None:
        set_mail_server(1)
        self.order()
        letter = GuestLetter.objects.get()
        read = GuestLetter.objects.filter(pk=letter.pk)

        real = type(read).first

        def find(rows: Any) -> Any:
            found = real(rows)
            GuestLetter.objects.filter(pk=letter.pk).update(last_error="550 no such user")
            drop_letter(letter.pk)  # between its reading and its writing
            return found

        with mock.patch.object(type(read), "first", find):
            mark_failed(letter.pk, "451 later", timezone.now(), is_final=False)
        letter.refresh_from_db()
        self.assertEqual((letter.status, letter.last_error), (Status.DROPPED, ""))

    def test_a_wrong_password_waits_for_an_administrator(self) -> None:
        with mail_server() as server:
            set_mail_server(server.port, password="other-password-of-tests")
            self.order()
            self.send_all()
            letter = GuestLetter.objects.get()
            self.assertEqual(letter.status, Status.WAITING)
            self.assertIn("535", letter.last_error)
            set_mail_server(server.port)
            self.send_all(later=timedelta(seconds=FIRST_PAUSE_S + 1))
        self.assertEqual(len(server.mails), 1)

    def test_a_picture_that_is_too_large_is_not_attached(self) -> None:
        MediaObject.objects.filter(pk=self.picture.pk).update(size_bytes=20 * 1024 * 1024)
        with (
            mail_server() as server,
            override_settings(PUBLIC_BASE_URL="https://photos.example.com"),
        ):
            set_mail_server(server.port)
            self.order(language="en")
            self.send_all()
        self.assertEqual(list(server.mails[0].iter_attachments()), [])
        self.assertIn("too large", self.read_text(server.mails[0]))

    def test_an_order_before_its_picture_is_deleted_is_dropped(self) -> None:
        assert self.picture.job_id
        with mail_server() as server:
            set_mail_server(server.port)
            self.order()
            delete_result(self.picture.job_id, by="guest")
            self.send_all()
        letter = GuestLetter.objects.get()
        self.assertEqual((letter.status, letter.address), (Status.DROPPED, ""))
        self.assertEqual(server.mails, [])

    def test_no_address_is_in_any_log_line(self) -> None:
        with mail_server() as server, self.assertLogs(level="INFO") as logs:
            set_mail_server(server.port)
            self.order()
            self.order("nobody@example.com")
            self.order("later.guest@example.com", consent="")
            self.order("not an address@example.com")
            self.send_all()
        lines = zip(logs.records, logs.output, strict=True)
        said = "\n".join(text for record, text in lines if record.name != "mail.log")
        self.assertIn("slots.letter.sent", said)
        for secret in (GUEST, "anna.guest", "nobody@", "later.guest", MAIL_PASSWORD):
            self.assertFalse([line for line in said.splitlines() if secret in line])


class OrderingTests(LettersTestCase):
    def setUp(self) -> None:
        super().setUp()
        set_mail_server(1)

    def assert_refused(self, answer: Any, status: int, words: str) -> None:
        self.assertContains(answer, words, status_code=status)

    def test_without_consent_nothing_is_stored_and_the_address_stays_in_the_field(self) -> None:
        answer = self.order(consent="")
        self.assert_refused(answer, 400, "Без вашего согласия")
        self.assertContains(answer, f'value="{GUEST}"', status_code=400)
        self.assertFalse(GuestLetter.objects.exists())

    def test_hostile_addresses_are_refused(self) -> None:
        for address in (
            "",
            "anna",
            "anna@localhost",
            "anna@[127.0.0.1]",
            "anna@127.0.0.1",
            "a@example.com, b@example.com",
            "a@example.com;b@example.com",
            "a@example.com\nBcc: b@example.com",
            "a@example.com\r\nSubject: hi",
            '"a b"@example.com',
            "Anna <a@example.com>",
            "a@exa mple.com",
            "a@@example.com",
            f"{'a' * 65}@example.com",
            f"a@{'b' * 250}.com",
            "a\x00@example.com",
            "анна@example.com",
            "a@example.com%0abcc:b@example.com",
        ):
            with self.subTest(address=address):
                self.assert_refused(self.order(address), 400, "Это не адрес почты")
        self.assertFalse(GuestLetter.objects.exists())

    def test_addresses_of_people_are_taken(self) -> None:
        for text, address in (
            (" Anna.B+photo@Example.COM ", "Anna.B+photo@example.com"),
            ("anna@почта.рф", "anna@xn--80a1acny.xn--p1ai"),
            ("o'neil@mail.co.uk", "o'neil@mail.co.uk"),
        ):
            self.assertEqual(clean_address(text), address)
        with self.assertRaises(BadAddress):
            clean_address("x" * 300)

    def test_the_same_order_twice_is_one_letter(self) -> None:
        for address in (GUEST, GUEST.upper(), f" {GUEST}"):
            self.assertEqual(self.order(address).status_code, 200)
        self.assertEqual(GuestLetter.objects.count(), 1)

    def test_a_picture_goes_to_five_addresses_at_most(self) -> None:
        for number in range(5):
            self.assertEqual(self.order(f"guest{number}@example.com").status_code, 200)
        answer = self.order("guest5@example.com", link=self.picture.view_id)
        self.assert_refused(answer, 429, "больше не может")
        self.assertContains(answer, "Скачайте", status_code=429)
        GuestLetter.objects.filter(address_hash=self.hash_of("guest0")).update(status=Status.FAILED)
        again = self.order("guest5@example.com")
        self.assertEqual(again.status_code, 200, "one that did not arrive may be typed anew")

    def hash_of(self, name: str) -> str:
        return hash_for_counting("address", f"{name}@example.com")

    def test_an_address_gets_ten_letters_a_day_at_most(self) -> None:
        pictures = [self.store_result(has_preview=False) for _ in range(11)]
        for number, picture in enumerate(pictures[:10]):
            answer = self.order(picture=picture, source=f"192.0.2.{number}")
            self.assertEqual(answer.status_code, 200)
        self.assert_refused(self.order(picture=pictures[10]), 429, "Слишком много писем")
        GuestLetter.objects.update(created_at=timezone.now() - timedelta(hours=25))
        self.assertEqual(self.order(picture=pictures[10]).status_code, 200)

    def test_one_client_orders_120_letters_an_hour_at_most(self) -> None:
        now = timezone.now()
        self.order()
        first = GuestLetter.objects.get()
        GuestLetter.objects.bulk_create(
            GuestLetter(
                job_id=uuid.uuid4(),
                slot_id="slot-001",
                language="ru",
                status=Status.SENT,
                source_hash=first.source_hash,
                created_at=now,
                next_try_at=now,
            )
            for _ in range(119)
        )
        self.assert_refused(self.order("b@example.com"), 429, "Слишком много писем")
        self.assertEqual(self.order("b@example.com", source="192.0.2.99").status_code, 200)

    def test_the_form_is_there_only_where_guests_are_served(self) -> None:
        path = f"/public/results/{self.picture.job_id}/page"
        russian = {"Accept-Language": "ru"}
        self.assertContains(self.client.get(path, headers=russian), "Отправить на почту")
        set_mail_server(1, serves_guests=False)
        self.assertNotContains(self.client.get(path, headers=russian), "Отправить на почту")
        for method in ("get", "post"):
            letter = path.replace("page", "letter")
            self.assertEqual(getattr(self.client, method)(letter, headers=russian).status_code, 404)
        remove_mail_server(by="serg")
        self.assertNotContains(self.client.get(path, headers=russian), "Отправить на почту")

    def test_the_link_of_no_picture_sends_nothing(self) -> None:
        self.assertEqual(self.order(link=uuid.uuid4()).status_code, 404)
        assert self.picture.job_id
        delete_result(self.picture.job_id, by="guest")
        self.assertEqual(self.order().status_code, 410)
        self.assertFalse(GuestLetter.objects.exists())

    def test_what_is_stored_is_encrypted_and_hashed(self) -> None:
        self.order()
        row = repr(GuestLetter.objects.values().get())
        for part in (GUEST, "anna.guest", "192.0.2.1"):
            self.assertNotIn(part, row)
        self.assertIn("a···@example.com", row)

    def test_without_a_key_for_secrets_the_guest_is_told(self) -> None:
        with override_settings(FIELD_ENCRYPTION_KEYS=[]):
            self.assertEqual(self.order().status_code, ProviderConfig.status)
        self.assertFalse(GuestLetter.objects.exists())


class ForgettingTests(LettersTestCase):
    def setUp(self) -> None:
        super().setUp()
        set_mail_server(1)
        self.order()

    def test_the_address_goes_with_its_picture_and_the_letter_still_counts(self) -> None:
        assert self.picture.job_id
        kept = self.store_result()
        self.order("kept@example.com", picture=kept)
        delete_result(self.picture.job_id, by="guest")
        clean_up(by="test")
        gone = GuestLetter.objects.get(shown_as="")
        traces = (gone.address, gone.address_hash, gone.shown_as, gone.source_hash, gone.last_error)
        self.assertEqual((traces, gone.status), (("",) * 5, Status.DROPPED))
        self.assertTrue(GuestLetter.objects.exclude(pk=gone.pk).get().address_hash)

    def test_a_purged_event_keeps_the_number_of_its_letters_and_no_address(self) -> None:
        now = timezone.now()
        event = Event.objects.create(
            **{"name": "Wedding", "starts_at": now, "ends_at": now + timedelta(hours=1)},
            **{"started_at": now, "closed_at": now},
        )
        waiting, sent = GuestLetter.objects.get(), uuid.uuid4()
        GuestLetter.objects.filter(pk=waiting.pk).update(event_id=event.pk)
        GuestLetter.objects.create(
            **{"id": sent, "job_id": uuid.uuid4(), "slot_id": "slot-001", "language": "ru"},
            **{"event_id": event.pk, "status": Status.SENT, "created_at": now, "next_try_at": now},
            **{"address_hash": "a" * 32, "shown_as": "a···@example.com"},
        )
        purge = purge_event(event.pk, by="serg")
        assert purge
        self.assertEqual(purge.counts["letters"], 2)
        for letter in GuestLetter.objects.all():
            traces = (letter.address, letter.address_hash, letter.shown_as, letter.source_hash)
            self.assertEqual(traces, ("",) * 4)
        self.assertEqual(GuestLetter.objects.get(pk=sent).status, Status.SENT)
        self.assertEqual(GuestLetter.objects.get(pk=waiting.pk).status, Status.DROPPED)

    def test_where_the_order_came_from_is_forgotten_after_an_hour(self) -> None:
        GuestLetter.objects.update(created_at=timezone.now() - timedelta(minutes=61))
        clean_up(by="test")
        letter = GuestLetter.objects.get()
        self.assertEqual(letter.source_hash, "")
        self.assertTrue(letter.address)


class MailServerTests(TestCase):
    def test_its_password_is_stored_as_ciphertext_and_moves_to_a_new_key(self) -> None:
        set_mail_server(25)
        self.assertNotIn(MAIL_PASSWORD, repr(MailServer.objects.values().get()))
        access = find_mail_access()
        assert access
        self.assertEqual(access.password, MAIL_PASSWORD)
        self.assertNotIn(MAIL_PASSWORD, str(access.describe()))

    def test_without_its_key_there_is_none_and_the_log_says_so(self) -> None:
        set_mail_server(25)
        MailServer.objects.update(access="gAAAAA-not-ours")
        with self.assertLogs(level="ERROR"):
            self.assertIsNone(find_mail_access())
