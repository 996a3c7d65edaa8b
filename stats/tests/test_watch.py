"""The watch from a failed photo to a message on a phone, and to the one that says it is over."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.test import override_settings
from django.utils import timezone

from photochanger.testing.marks import both_databases
from slots.models import Slot
from stats.models import Alert, AlertMessage, AlertRecipient, WatchLease
from stats.tests.support import StatsTestCase, job
from stats.tests.watch_support import (
    MAIL_PASSWORD,
    TOKEN,
    add_recipient,
    look_until_settled,
    mail_address,
    mail_server,
    telegram,
    telegram_address,
)
from stats.watch.lease import load_watch_state, take_lease
from stats.watch.messages import add_test
from stats.watch.watcher import Watcher


class WatchTestCase(StatsTestCase):
    """Time passes by ``later``; services and disk are asked in tests of their own."""

    def setUp(self) -> None:
        self.telegram = self.enterContext(telegram())
        self.enterContext(override_settings(TELEGRAM_BASE_URL=self.telegram.url))
        self.watcher = Watcher()
        self.watcher.service_probe.every_s = self.watcher.disk_probe.every_s = 1e9
        self.watcher.service_probe._ended_at = self.watcher.disk_probe._ended_at = 1e9
        self.passed = timedelta()
        self.begun = timezone.now()

    @contextmanager
    def later(self, **passed: float) -> Iterator[None]:
        """From now on it is so much later."""
        self.passed += timedelta(**passed)
        now = datetime.now
        with mock.patch("django.utils.timezone.now", lambda: now(UTC) + self.passed):
            yield

    def look(self, **passed: float) -> None:
        with self.later(**passed):
            look_until_settled(self.watcher)

    def fail(self, slot_id: str = "slot-001", reason: str = "network", count: int = 3) -> None:  # type: ignore[override]
        self.store(*(job(slot_id, ago_s=10 + n, reason=reason) for n in range(count)))

    def succeed(self, slot_id: str = "slot-001") -> None:
        self.store(job(slot_id, ago_s=1 - self.passed.total_seconds()))

    def open_rules(self) -> list[str]:
        return sorted(Alert.objects.filter(closed_at=None).values_list("rule", flat=True))

    def anna(self, **columns: Any) -> AlertRecipient:
        return add_recipient("telegram", telegram_address(), **columns)


@both_databases
class StormTests(WatchTestCase):
    def test_three_failures_in_a_row_reach_telegram_with_cause_and_remedy(self) -> None:
        self.anna()
        self.fail(count=2)
        self.look()
        self.look(seconds=6)
        self.assertEqual(self.telegram.texts, [])
        self.fail(count=1)
        self.look()
        self.look(seconds=6)
        (text,) = self.telegram.texts
        self.assertIn("slot-001", text)
        self.assertIn("Проверьте", text)
        self.assertIn("Что делать", text)

    @override_settings(PUBLIC_BASE_URL="https://photos.example.com")
    def test_a_message_leads_to_the_page_where_it_is_put_right(self) -> None:
        self.anna(language="en")
        self.fail()
        self.look()
        self.look(seconds=6)
        link = "https://photos.example.com/admin/ingest/job/?outcome=failed&slot=slot-001"
        self.assertIn(link, self.telegram.texts[0])
        self.assertIn("Photos fail (slot-001)", self.telegram.texts[0])

    def test_a_storm_is_one_message_and_its_end_is_one_message(self) -> None:
        self.anna()
        Slot.objects.update(is_active=True, settings={"prompt": "x"})
        for number in range(1, 16):
            self.fail(f"slot-{number:03}")
            self.look(seconds=1)
        self.look(seconds=30)
        self.assertEqual(len(self.telegram.texts), 1)
        for number in range(1, 16):
            self.succeed(f"slot-{number:03}")
        self.look(seconds=5)
        self.assertEqual(len(self.telegram.texts), 1)
        self.look(seconds=70)
        self.assertEqual(len(self.telegram.texts), 2)
        self.assertIn("всё прошло", self.telegram.texts[1])
        self.look(seconds=600)
        self.assertEqual(len(self.telegram.texts), 2)

    def test_different_troubles_of_one_moment_are_one_message(self) -> None:
        self.anna()
        self.fail("slot-001", "bad_response")
        self.fail("slot-002", "quota")
        self.look()
        self.look(seconds=6)
        (text,) = self.telegram.texts
        self.assertIn("slot-001", text)
        self.assertIn("slot-002", text)

    def test_what_flickers_is_told_once(self) -> None:
        self.anna()
        self.fail()
        self.look()
        self.look(seconds=6)
        for _ in range(5):
            self.succeed()
            self.look(seconds=10)
            self.store(
                *(
                    job(ago_s=0.5 - self.passed.total_seconds() - n * 0.1, reason="network")
                    for n in range(3)
                )
            )
            self.look(seconds=10)
        self.assertEqual(len(self.telegram.texts), 1)
        self.assertEqual(Alert.objects.count(), 1)

    def test_more_storms_than_anybody_reads_wait_and_none_is_lost(self) -> None:
        self.anna()
        for number in range(1, 7):
            Slot.objects.filter(pk=f"slot-{number:03}").update(
                is_active=True, settings={"prompt": "x"}
            )
            self.fail(f"slot-{number:03}", "bad_response")
            self.look(seconds=10)
            self.look(seconds=10)
        self.assertEqual(len(self.telegram.texts), 3)
        self.look(seconds=600)
        self.assertEqual(len(self.telegram.texts), 4)
        for number in range(1, 7):
            self.assertIn(f"slot-{number:03}", "".join(self.telegram.texts))


class DeliveryTests(WatchTestCase):
    def test_what_cannot_be_delivered_is_tried_again_until_it_arrives(self) -> None:
        self.anna()
        self.telegram.is_down = True
        self.fail()
        self.look()
        self.look(seconds=6)
        message = AlertMessage.objects.get()
        self.assertIn("HTTP 502", message.last_error)
        pauses = []
        for _ in range(4):
            with self.later():
                pauses.append(round((message.next_try_at - timezone.now()).total_seconds(), -1))
            self.look(
                seconds=message.next_try_at.timestamp()
                - timezone.now().timestamp()
                - self.passed.total_seconds()
                + 1
            )
            message.refresh_from_db()
        self.assertEqual(message.attempts, 5)
        self.assertEqual(pauses, sorted(pauses))
        self.assertGreater(pauses[-1], pauses[0])
        self.telegram.is_down = False
        self.look(seconds=600)
        message.refresh_from_db()
        self.assertIsNotNone(message.sent_at)
        self.assertEqual(message.last_error, "")
        self.assertEqual(len(self.telegram.texts), 1)

    def test_an_end_never_comes_before_its_beginning(self) -> None:
        self.anna()
        self.telegram.is_down = True
        self.fail()
        self.look()
        self.look(seconds=6)
        self.succeed()
        self.look(seconds=5)
        self.look(seconds=70)
        self.assertEqual(AlertMessage.objects.count(), 2)
        self.telegram.is_down = False
        self.look(seconds=3600)
        self.look(seconds=5)
        first, second = self.telegram.texts
        self.assertIn("Что делать", first)
        self.assertIn("всё прошло", second)

    def test_a_recipient_who_cannot_be_reached_delays_nobody_else(self) -> None:
        self.enterContext(override_settings(PUBLIC_BASE_URL="https://photos.example.com"))
        add_recipient("telegram", telegram_address(chat="42"), name="Nobody")
        with mail_server() as server:
            add_recipient("email", mail_address(server.port), name="Oleg")
            self.anna()
            self.fail()
            self.look()
            self.look(seconds=6)
            self.assertEqual(len(server.mails), 1)
        self.assertEqual(len(self.telegram.texts), 1)

    def test_a_test_is_sent_at_once_and_tells_why_it_failed(self) -> None:
        good, bad = self.anna(), add_recipient("telegram", telegram_address(chat="42"))
        for recipient in (good, bad):
            add_test(recipient)
        self.look()
        self.assertEqual(len(self.telegram.texts), 1)
        failed = AlertMessage.objects.get(recipient=bad)
        self.assertIn("chat not found", failed.last_error)
        self.assertTrue(failed.sent_at or failed.dropped_at)

    def test_a_service_that_never_ends_its_answer_is_given_up(self) -> None:
        hangs = threading.Event()
        self.addCleanup(hangs.set)
        self.anna()
        self.fail()
        self.watcher.look()
        with (
            self.later(seconds=6),
            mock.patch("stats.watch.delivery.send_message", lambda *_: hangs.wait()),
            mock.patch("stats.watch.delivery.GIVE_UP_S", 0.1),
        ):
            look_until_settled(self.watcher)
        self.assertIn("no answer within", AlertMessage.objects.get().last_error)

    def test_an_address_that_no_key_opens_is_told_in_the_console(self) -> None:
        self.anna()
        AlertRecipient.objects.update(address="gAAAAA-not-ours")
        self.fail()
        self.look()
        self.look(seconds=6)
        self.assertIn("cannot be decrypted", AlertMessage.objects.get().last_error)

    def test_no_secret_is_in_any_log_line(self) -> None:
        with mail_server() as server, self.assertLogs(level="DEBUG") as logs:
            add_recipient("email", mail_address(server.port, user="other"))
            add_recipient("telegram", telegram_address(chat="42"))
            add_recipient("link", {"link": "jsons://u:hook-password@127.0.0.1:1/hook-token"})
            self.anna()
            self.fail()
            self.look()
            self.look(seconds=6)
        said = "\n".join(logs.output)
        self.assertIn("send_failed", said)
        for secret in (TOKEN, MAIL_PASSWORD, "hook-password", "hook-token"):
            self.assertNotIn(secret, said)


class ChoiceTests(WatchTestCase):
    def test_only_grave_things_or_only_some_rules_as_chosen(self) -> None:
        self.anna(least_severity="critical")
        self.anna(name="Oleg", muted_rules=["failed_share"])
        self.store(*(job(ago_s=60 + n, reason="bad_response" if n % 2 else "") for n in range(12)))
        self.look()
        self.look(seconds=6)
        self.assertEqual(self.open_rules(), ["failed_share"])
        self.assertEqual(self.telegram.texts, [])

    def test_quiet_hours_hold_back_warnings_and_let_grave_things_through(self) -> None:
        self.enterContext(override_settings(TIME_ZONE="UTC"))
        at = timezone.localtime(timezone.now())
        night = {
            "quiet_from": (at - timedelta(hours=1)).time(),
            "quiet_until": (at + timedelta(hours=1)).time(),
        }
        self.anna(**night, wakes_for_critical=False)
        self.anna(**night, name="Oleg")
        self.fail()
        self.look()
        self.look(seconds=6)
        self.assertEqual(len(self.telegram.texts), 1)
        self.look(minutes=55)
        self.look(minutes=6)
        self.look(seconds=6)
        # What was over in the quiet is told too, as over.
        told = AlertMessage.objects.filter(recipient__name="Anna", kind="trouble")
        self.assertEqual(told.count(), 1)

    def test_who_is_switched_off_gets_nothing_and_nothing_old_later(self) -> None:
        anna = self.anna(is_active=False)
        self.fail()
        self.look()
        self.look(seconds=6)
        self.succeed()
        self.look(seconds=70)
        with self.later(seconds=1):
            AlertRecipient.objects.filter(pk=anna.pk).update(
                is_active=True, told_from=timezone.now()
            )
        self.look(seconds=6)
        self.assertEqual(self.telegram.texts, [])


@both_databases
class LeaseTests(WatchTestCase):
    def test_of_two_watches_one_speaks_and_the_other_goes_on_when_it_is_gone(self) -> None:
        self.anna()
        other = Watcher()
        other.service_probe._ended_at = other.disk_probe._ended_at = 1e9
        self.fail()
        for _ in range(3):
            self.watcher.look()
            other.look()
        self.look(seconds=6)
        self.assertTrue(self.watcher.speaks)
        self.assertFalse(other.speaks)
        with self.later():
            look_until_settled(self.watcher)
            other.look()
        self.assertEqual(len(self.telegram.texts), 1)
        self.watcher.end()
        other.look()
        self.assertTrue(other.speaks)

    def test_a_lease_runs_out_by_the_databases_clock(self) -> None:
        self.assertTrue(take_lease("one"))
        self.assertFalse(take_lease("two"))
        with self.later(days=1):  # of this machine alone
            self.assertFalse(take_lease("two"))
        self.assertTrue(load_watch_state().is_alive)
        WatchLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        self.assertFalse(load_watch_state().is_alive)
        self.assertTrue(take_lease("two"))
        self.assertFalse(take_lease("one"))
