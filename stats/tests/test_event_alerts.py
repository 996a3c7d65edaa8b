"""What an event changes in the watch: whose silence is an alarm, and who is told of what."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from ingest.events.purge import purge_event
from photochanger.testing.marks import both_databases
from slots.events.editing import save_event
from slots.events.running import close_event, start_event
from slots.models import Event, Slot
from slots.tests.test_events import make_event
from stats.models import Alert, AlertMessage, AlertRecipient, Severity
from stats.tests.support import StatsTestCase, job
from stats.tests.watch_support import add_recipient, telegram_address
from stats.watch.findings import AlertSettings, Finding
from stats.watch.messages import write_messages
from stats.watch.rules.photos import find_silent_booths

pytestmark = both_databases


class EventAlertTestCase(StatsTestCase):
    def run_event(self, *slot_ids: str, hours_ago: float = 1, **columns: Any) -> Event:
        event = start_event(make_event(*slot_ids, **columns).pk, by="serg")
        event.started_at = timezone.now() - timedelta(hours=hours_ago)
        event.save()
        event.event_slots.update(taken_at=event.started_at)
        return event


class SilenceTests(EventAlertTestCase):
    def find(self) -> list[Finding]:
        slots = list(Slot.objects.filter(is_active=True))
        return list(find_silent_booths(slots, AlertSettings.model_validate({}), timezone.now()))

    def test_without_an_event_silence_is_no_alarm(self) -> None:
        self.store(job(ago_s=3000))
        self.assertEqual(self.find(), [])

    def test_starting_an_event_arms_the_alarm_for_its_slots_alone(self) -> None:
        event = self.run_event("slot-001")
        self.store(job(ago_s=1500, event=event), job("slot-002", ago_s=1500))
        (found,) = self.find()
        self.assertEqual((found.subject, found.facts["minutes"]), ("slot-001", 25))

    def test_an_event_without_any_photo_is_silent_as_a_whole(self) -> None:
        self.run_event("slot-001", "slot-002")
        (found,) = self.find()
        self.assertEqual(found.facts["slots"], ["slot-001", "slot-002"])

    def test_after_its_planned_end_nobody_is_woken(self) -> None:
        event = self.run_event("slot-001")
        event.starts_at = timezone.now() - timedelta(hours=2)
        event.ends_at = timezone.now() - timedelta(minutes=1)
        event.save()
        self.assertEqual(self.find(), [])

    def test_closing_it_disarms_the_alarm(self) -> None:
        event = self.run_event("slot-001")
        close_event(event.pk, by="serg", switches_off=False)
        self.assertEqual(self.find(), [])


class RecipientTests(EventAlertTestCase):
    def setUp(self) -> None:
        self.anna = add_recipient("telegram", telegram_address())
        self.peter = add_recipient("telegram", telegram_address(), name="Peter")

    def open_alert(self, *slots: str, **facts: Any) -> Alert:
        at = timezone.now() - timedelta(seconds=10)
        return Alert.objects.create(
            rule="booth_silent",
            subject=" ".join(slots),
            severity=Severity.CRITICAL,
            facts={"slots": slots, "minutes": 20, **facts},
            **{"opened_at": at, "raised_at": at, "seen_at": at},
        )

    def list_told(self) -> set[str]:
        write_messages(timezone.now())
        return set(AlertMessage.objects.values_list("recipient__name", flat=True))

    def choose(self, recipient: AlertRecipient, event: Event) -> None:
        recipient.events.add(event)

    def test_who_is_chosen_for_an_event_hears_of_its_slots(self) -> None:
        self.choose(self.peter, self.run_event("slot-002"))
        self.open_alert("slot-002")
        self.assertEqual(self.list_told(), {"Anna", "Peter"})

    def test_they_hear_nothing_of_other_slots(self) -> None:
        self.choose(self.peter, self.run_event("slot-002"))
        self.open_alert("slot-001")
        self.assertEqual(self.list_told(), {"Anna"})

    def test_they_hear_of_the_server(self) -> None:
        self.choose(self.peter, self.run_event("slot-002"))
        self.open_alert()
        self.assertEqual(self.list_told(), {"Anna", "Peter"})

    def test_they_hear_nothing_before_it_starts_nor_after_its_end(self) -> None:
        self.choose(self.peter, make_event("slot-002", name="Next"))
        over = self.run_event("slot-002")
        self.choose(self.peter, over)
        close_event(over.pk, by="serg", switches_off=False)
        self.open_alert("slot-002")
        self.assertEqual(self.list_told(), {"Anna"})

    def test_who_was_chosen_only_for_what_is_over_hears_everything_again(self) -> None:
        over = self.run_event("slot-002")
        self.choose(self.peter, over)
        close_event(over.pk, by="serg", switches_off=False)
        self.open_alert("slot-001")
        self.assertEqual(self.list_told(), {"Anna", "Peter"})

    def test_a_purge_takes_the_booth_out_of_alerts_and_counts_them(self) -> None:
        event, other = self.run_event("slot-002"), self.run_event("slot-001")
        alerts = [self.open_alert(slot, who="DESKTOP-1") for slot in ("slot-002", "slot-001")]
        close_event(event.pk, by="serg", switches_off=False)
        purge = purge_event(event.pk, by="serg")
        assert purge is not None
        mine, others = (Alert.objects.get(pk=alert.pk).facts["who"] for alert in alerts)
        self.assertEqual((mine, others, purge.counts["alerts"]), ("", "DESKTOP-1", 1))
        self.assertEqual(other.state, "running")

    def test_a_purge_takes_no_booth_of_the_event_that_had_the_slot_before(self) -> None:
        event = self.run_event("slot-002")
        earlier = self.open_alert("slot-002", who="DESKTOP-1")
        event.event_slots.update(taken_at=timezone.now())
        close_event(event.pk, by="serg", switches_off=False)
        purge_event(event.pk, by="serg")
        earlier.refresh_from_db()
        self.assertEqual(earlier.facts["who"], "DESKTOP-1")

    def test_a_purge_reaches_the_alerts_of_a_slot_that_was_taken_out(self) -> None:
        event = self.run_event("slot-001", "slot-002")
        alert = self.open_alert("slot-002", who="DESKTOP-1")
        save_event(event, ["slot-001"], by="serg")
        close_event(event.pk, by="serg", switches_off=False)
        purge_event(event.pk, by="serg")
        alert.refresh_from_db()
        self.assertEqual(alert.facts["who"], "")

    def test_a_purge_writes_messages_anew_without_booth_and_old_name(self) -> None:
        event = self.run_event("slot-002", name="Wedding of Anna")
        at = timezone.now() - timedelta(seconds=10)
        seen: dict[str, dict[str, Any]] = {
            "budget": {"event": event.pk, "budget": str(event), "used": "9 / 9"},
            "refused": {"who": "DESKTOP-1", "slots": ["slot-002"], "count": 7},
        }
        for rule, facts in seen.items():
            Alert.objects.create(
                rule=rule,
                severity="warning",
                facts=facts | {"cause": "wrong_password"},
                **dict.fromkeys(("opened_at", "raised_at", "seen_at"), at),
            )
        AlertRecipient.objects.update(told_from=at)
        write_messages(timezone.now())
        Alert.objects.update(closed_at=timezone.now())
        write_messages(timezone.now())
        sent, dropped = AlertMessage.objects.filter(kind="trouble")
        AlertMessage.objects.filter(pk=sent.pk).update(sent_at=timezone.now())
        AlertMessage.objects.filter(pk=dropped.pk).update(dropped_at=timezone.now())
        self.assertIn("Wedding of Anna", sent.body)
        self.assertIn("DESKTOP-1", sent.body)
        close_event(event.pk, by="serg", switches_off=False)
        purge = purge_event(event.pk, by="serg", name="A day in May")
        assert purge is not None
        self.assertEqual(purge.counts["alerts"], 2)
        kept = repr([list(rows.objects.values()) for rows in (Alert, AlertMessage)])
        self.assertNotIn("Anna", kept)
        self.assertNotIn("DESKTOP-1", kept)
        self.assertIn("A day in May", AlertMessage.objects.get(pk=sent.pk).body)
        self.assertEqual(AlertMessage.objects.filter(kind="over").count(), 2)
