"""Each rule finds what it is for, says what to do, and is silent when all is well."""

from dataclasses import replace
from datetime import timedelta
from unittest import mock

from django.core.management import call_command
from django.test import TestCase, override_settings
from django.utils import timezone, translation

from ingest.cleanup import LAST_RUN
from ingest.models import Refusal
from media.models import MediaObject
from photochanger.testing.marks import both_databases
from providers.checking import KeyCheck
from providers.meanings import BUSY_MARK
from slots.models import Setting, Slot
from slots.setting_rows import store_fact
from stats.models import Alert, Severity
from stats.tests.support import StatsTestCase, job, open_job
from stats.tests.watch_support import add_recipient, telegram_address
from stats.watch.alerts import record_findings
from stats.watch.channels import open_address
from stats.watch.findings import AlertSettings, Finding
from stats.watch.probe import Probe
from stats.watch.rules.photos import find_in_photos, find_silent_booths
from stats.watch.rules.refusals import find_refusals
from stats.watch.rules.server import find_disk_trouble, find_on_server
from stats.watch.rules.services import ServiceHistory
from stats.watch.rules.words import RULES
from stats.watch.wording import word_alert


@both_databases
class PhotoRuleTests(StatsTestCase):
    def find(self, **limits: object) -> list[Finding]:
        settings = AlertSettings.model_validate(limits)
        slots, now = list(Slot.objects.filter(is_active=True)), timezone.now()
        return [
            *find_in_photos(slots, settings, now),
            *find_silent_booths(slots, settings, now),
            *find_refusals(settings, now),
        ]

    def rules(self, **limits: object) -> dict[str, Finding]:
        return {finding.rule: finding for finding in self.find(**limits)}

    def test_good_photos_and_old_failures_are_no_alert(self) -> None:
        self.store(*(job(ago_s=5000 + n, reason="network") for n in range(9)))
        self.store(*(job(ago_s=60 + n) for n in range(9)))
        self.assertEqual(self.find(), [])

    def test_one_refused_key_and_one_used_up_quota_are_told_at_once(self) -> None:
        self.store(job(reason="provider_auth", ago_s=20), job("slot-002", reason="quota"))
        found = self.rules()
        self.assertEqual(set(found), {"key_refused", "quota"})
        self.assertEqual(found["quota"].facts["slots"], ["slot-002"])
        self.store(job("slot-002", ago_s=1))
        self.assertEqual(self.find(), [])

    def test_a_busy_service_is_no_used_up_quota(self) -> None:
        """One photo that it refused says nothing yet; several in a row are told for what it is."""
        busy = {"reason": "quota", "failure_detail": f"HTTP 429, {BUSY_MARK}Resource exhausted"}
        self.store(job(ago_s=20, **busy))
        self.assertEqual(self.find(), [])
        self.store(job(ago_s=19, **busy), job(ago_s=18, **busy))
        (found,) = self.find()
        self.assertEqual((found.rule, found.facts["reason"]), ("failures_in_row", "busy"))
        with translation.override("en"):
            told = word_alert(found)
        self.assertIn("The AI service is busy", told.words)
        self.assertIn("second model", told.remedy)

    def test_all_slots_of_a_failing_service_are_one_finding(self) -> None:
        for slot_id in ("slot-001", "slot-002"):
            self.store(*(job(slot_id, ago_s=9 + n, reason="timeout") for n in range(3)))
        (found,) = self.find()
        self.assertEqual(found.facts["slots"], ["slot-001", "slot-002"])

    def test_a_server_that_died_over_photos_counts_as_a_failure(self) -> None:
        self.store(*(open_job(ago_s=100 + n) for n in range(3)))
        (found,) = self.find()
        self.assertEqual((found.subject, found.facts["reason"]), ("server", "interrupted"))

    def test_photos_that_are_still_in_work_say_nothing(self) -> None:
        self.store(*(open_job(ago_s=5 + n) for n in range(5)))
        self.assertEqual(self.find(), [])

    def test_a_slot_that_fails_now_and_then_is_told_with_its_share(self) -> None:
        self.store(*(job(ago_s=20 + n, reason="" if n % 3 else "bad_response") for n in range(12)))
        (found,) = self.find()
        self.assertEqual((found.rule, found.facts["failed"]), ("failed_share", 4))
        self.assertEqual(self.find(failed_share_percent=50), [])

    def test_a_booth_that_hangs_up_is_told_its_time_out(self) -> None:
        self.store(*(job(ago_s=9 + n, reason="client_gone", took_ms=3000) for n in range(3)))
        (found,) = self.find()
        with translation.override("ru"):
            self.assertIn("58", word_alert(found).remedy)
        self.assertEqual(found.facts["waited_s"], 3)

    def test_a_silent_booth_is_told_during_the_event_only(self) -> None:
        now = timezone.now()
        event = {
            "event_from": now - timedelta(hours=2),
            "event_until": now + timedelta(hours=2),
            "silent_minutes": 20,
        }
        self.assertEqual(self.rules(**event)["booth_silent"].facts["slots"], [])
        self.store(job("slot-001", ago_s=1800), job("slot-002", ago_s=60))
        (found,) = self.find(**event)
        self.assertEqual((found.rule, found.subject), ("booth_silent", "slot-001"))
        self.assertEqual(found.facts["minutes"], 30)
        self.assertEqual(self.find(**event | {"event_until": now - timedelta(minutes=1)}), [])
        self.assertEqual(self.find(), [])

    def test_slots_that_are_off_are_left_alone(self) -> None:
        self.store(*(job("slot-003", ago_s=9 + n, reason="network") for n in range(3)))
        self.assertEqual(self.find(), [])

    def refuse(self, cause: str, count: int = 3, **columns: object) -> None:
        now = timezone.now()
        values = {
            "slot_asked": "slot-001",
            "booth_name": "DESKTOP-K968T3F",
            "address": "10.0.0.9",
            "reason": cause,
            "status": 401,
            "first_at": now,
            "last_at": now,
        }
        place = Refusal.objects.count()
        Refusal.objects.create(
            minute=now, cause=cause, place=place, count=count, **values | columns
        )

    def test_wrong_passwords_and_unknown_links_tell_which_booth(self) -> None:
        self.refuse("invalid_password")
        self.refuse("slot_not_found", slot_asked="slot-016", booth_name="")
        self.refuse("slot_disabled", 2)
        self.refuse("method_not_allowed", 50)
        found = self.rules()
        self.assertEqual(set(found), {"wrong_password", "unknown_link"})
        self.assertEqual(found["wrong_password"].severity, Severity.CRITICAL)
        self.assertEqual(found["unknown_link"].severity, Severity.WARNING)
        with translation.override("ru"):
            told = word_alert(found["wrong_password"])
        self.assertIn("DESKTOP-K968T3F", told.words)
        self.assertIn("пароль", told.remedy)


class ServerRuleTests(TestCase):
    def find(self, skews_s: list[float] | None = None) -> dict[str, Finding]:
        slots = list(Slot.objects.filter(is_active=True))
        return {f.rule: f for f in find_on_server(slots, skews_s or [], timezone.now())}

    def test_a_new_installation_has_nothing_to_tell(self) -> None:
        self.assertEqual(self.find(), {})

    def test_cleanup_that_does_not_run_is_told_when_something_waits(self) -> None:
        MediaObject.objects.create(
            kind="result",
            path="results/x",
            mime="image/jpeg",
            size_bytes=1,
            expires_at=timezone.now() - timedelta(hours=3),
        )
        self.assertIn("cleanup", self.find())
        call_command("cleanup_media", stdout=mock.Mock())
        self.assertEqual(self.find(), {})
        report = {**(Setting.objects.get(pk=LAST_RUN).value or {}), "failures": 3}
        store_fact(LAST_RUN, report, by="test")
        self.assertEqual(self.find()["cleanup"].facts["failures"], 3)

    def test_a_wrong_clock_is_told_and_a_rounded_second_is_not(self) -> None:
        self.assertEqual(self.find([1.2, -3.0]), {})
        self.assertEqual(self.find([1.0, -90.0])["clock"].severity, Severity.CRITICAL)

    def test_a_model_that_ends_is_told_with_its_slots(self) -> None:
        Slot.objects.filter(pk="slot-001").update(
            is_active=True,
            settings={"prompt": "x", "model": "gemini-2.5-flash-image"},
        )
        soon = timezone.localdate() + timedelta(days=5)
        slot = Slot.objects.get(pk="slot-001")
        models = [
            model.__class__(**{**vars_of(model), "retires_on": soon})
            for model in slot.driver.models
        ]
        with mock.patch.object(type(slot.driver), "models", tuple(models)):
            found = self.find()["model_ending"]
        self.assertEqual(found.facts["slots"], ["slot-001"])

    def test_a_full_disk_is_told_by_what_is_free(self) -> None:
        for free, severity in ((100 * 1024**2, Severity.CRITICAL), (10**9, Severity.WARNING)):
            usage = mock.Mock(total=10**12, free=free)
            with mock.patch("shutil.disk_usage", return_value=usage):
                (found,) = find_disk_trouble()
            self.assertEqual(found.severity, severity)
        with override_settings(MEDIA_ROOT="/nonexistent/media"):
            (found,) = find_disk_trouble()
        self.assertEqual(found.severity, Severity.CRITICAL)

    def test_a_service_must_fail_twice_before_it_is_told(self) -> None:
        history, away = ServiceHistory(), KeyCheck(ok=False, reason="network")
        history.add({"gemini": away})
        self.assertEqual((list(history.find()), history.has_doubt), ([], True))
        history.add({"gemini": away})
        self.assertEqual([f.rule for f in history.find()], ["service_away"])
        history.add({"gemini": KeyCheck(ok=False, reason="provider_auth")})
        self.assertEqual([f.rule for f in history.find()], ["key_refused"])
        history.add({"gemini": KeyCheck(ok=True)})
        self.assertEqual(list(history.find()), [])

    def test_a_probe_that_breaks_or_hangs_stops_nothing(self) -> None:
        probe = Probe[int](lambda: 1 // 0, every_s=0)
        with self.assertLogs("stats.watch.probe", "ERROR"):
            probe.start_if_due()
            while probe.hangs_for_s():
                pass
        self.assertIsNone(probe.take())


def vars_of(model: object) -> dict[str, object]:
    return {name: getattr(model, name) for name in model.__dataclass_fields__}


class AlertRowTests(TestCase):
    def test_every_rule_has_words_remedy_and_page_in_both_languages(self) -> None:
        for language in ("ru", "en"):
            with translation.override(language):
                for rule in RULES:
                    told = word_alert(
                        Finding(rule=rule, severity=Severity.WARNING, facts={"reason": "network"})
                    )
                    for text in (told.title, told.words, told.remedy):
                        self.assertTrue(text, rule)
                    self.assertTrue(told.path.startswith("/admin/"), rule)
        self.assertEqual(word_alert(Alert(rule="of tomorrow", subject="x")).words, "x")

    def test_what_gets_graver_is_told_again(self) -> None:
        now = timezone.now()
        record_findings([Finding(rule="disk", severity=Severity.WARNING)], now)
        later = now + timedelta(seconds=30)
        record_findings([Finding(rule="disk", severity=Severity.CRITICAL)], later)
        (alert,) = Alert.objects.all()
        self.assertEqual((alert.severity, alert.raised_at), (Severity.CRITICAL, later))

    def test_a_share_that_becomes_all_is_one_trouble_that_got_graver(self) -> None:
        now = timezone.now()
        finding = Finding(rule="failed_share", subject="slot-001", severity=Severity.WARNING)
        record_findings([finding], now)
        away = Finding(rule="service_away", subject="slot-001", severity=Severity.CRITICAL)
        all_fail = replace(away, rule="failures_in_row")
        record_findings([finding, away, all_fail], now + timedelta(seconds=2))
        (alert,) = Alert.objects.all()
        self.assertEqual(alert.rule, "failures_in_row")
        record_findings([finding], now + timedelta(seconds=4))
        self.assertEqual(Alert.objects.get().rule, "failures_in_row")

    def test_a_rule_of_which_nothing_is_known_closes_nothing(self) -> None:
        now = timezone.now()
        record_findings([Finding(rule="disk", severity=Severity.WARNING)], now)
        later = now + timedelta(minutes=5)
        record_findings([], later, unknown={"disk"})
        self.assertFalse(Alert.objects.exclude(closed_at=None).exists())
        record_findings([], later)
        self.assertTrue(Alert.objects.exclude(closed_at=None).exists())

    def test_addresses_move_to_a_new_encryption_key(self) -> None:
        from cryptography.fernet import Fernet
        from django.conf import settings

        from slots.provider_keys import move_to_newest_key

        anna = add_recipient("telegram", telegram_address())
        keys = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
        with override_settings(FIELD_ENCRYPTION_KEYS=keys):
            self.assertEqual(move_to_newest_key(dry_run=True).moved, ("Anna",))
            move_to_newest_key()
        with override_settings(FIELD_ENCRYPTION_KEYS=keys[:1]):
            anna.refresh_from_db()
            self.assertEqual(open_address(anna.address), telegram_address())
