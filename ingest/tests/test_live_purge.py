"""The purge of an event that is killed in the middle, twice, and run again."""

import json
import os
import subprocess
import sys

from ingest.tests.live_support import LiveTestCase
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.marks import both_databases
from photochanger.testing.waiting import wait_until

pytestmark = both_databases

PHOTOS, OTHERS = 1500, 200
SECRETS = ("DESKTOP-K968T3F", "Anna", "Pjotr", "req-1234")
FILL = f"""
import uuid
from datetime import timedelta
from django.utils import timezone
from ingest.models import Attempt, Capture, CapturedRequest, Job, Refusal, TrialRecord
from media import storage
from media.models import MediaObject
from slots.events.editing import save_event
from slots.events.running import close_event, start_event
from slots.letters.models import GuestLetter
from slots.models import Event, Slot
from stats.models import Alert, AlertMessage, AlertRecipient

def leave_traces(event, job):
    # What tells of people or of their event, beside photos and pictures.
    now = timezone.now()
    Refusal.objects.create(minute=now, cause="wrong_password", place=0, slot_asked="slot-001",
        address="10.9.8.7", booth_name="DESKTOP-K968T3F", reason="UNAUTHORIZED", status=401,
        count=1, first_at=now, last_at=now)
    capture = Capture.objects.create(wanted=2, left=0, until=now, started_by="serg")
    for job_id in (job.pk, None):
        CapturedRequest.objects.create(capture=capture, job_id=job_id,
            seen={{"path": "/ingest/slot-001", "computer": "DESKTOP-K968T3F"}})
    TrialRecord.objects.create(job=job, slot_id="slot-001", provider="gemini",
        operation="image_edit", settings={{"prompt": "Anna"}}, made_at=now, expires_at=now)
    GuestLetter.objects.create(job_id=job.pk, slot_id="slot-001", event_id=event.pk, language="ru",
        address="Anna", address_hash="c" * 32, shown_as="A···@Anna", source_hash="d" * 32,
        created_at=now, next_try_at=now, last_error="no such Anna")
    recipient = AlertRecipient.objects.create(name="Peter", language="ru", told_from=now)
    for facts in ({{"who": "DESKTOP-K968T3F", "slots": ["slot-001"]}},
                  {{"budget": "Anna's", "event": event.pk, "percent": 90, "used": "9 / 10"}}):
        alert = Alert.objects.create(rule="budget" if "event" in facts else "refused",
            severity="warning", facts={{"cause": "wrong_password", "count": 7}} | facts,
            opened_at=now, raised_at=now, seen_at=now)
        sent = AlertMessage.objects.create(recipient=recipient, kind="trouble", created_at=now,
            title="Anna's", body="DESKTOP-K968T3F", next_try_at=now, sent_at=now)
        sent.alerts.add(alert)

def fill(name, slot_id, photos):
    now = timezone.now()
    Slot.objects.filter(pk=slot_id).update(settings={{"prompt": "As an oil painting"}})
    event = Event(name=name, note="Call Anna", public_title="Anna and Pjotr",
        starts_at=now, ends_at=now + timedelta(hours=6))
    save_event(event, [slot_id], by="serg")
    start_event(event.pk, by="serg")
    jobs = [Job(slot_id=slot_id, event=event, slot_version=1, source="ingest", status="done",
        provider="gemini", operation="image_edit", started_at=now, deadline=now, finished_at=now,
        duration_ms=9, photo_sha256="a" * 64, photo_bytes=1, booth_name="DESKTOP-K968T3F",
        guest_texts={{"guest": "Anna"}}, result_path="x") for _number in range(photos)]
    Job.objects.bulk_create(jobs)
    Attempt.objects.bulk_create(Attempt(job=job, number=1, provider="gemini", started_at=now,
        duration_ms=9, detail="Anna", provider_request_id="req-1234") for job in jobs)
    files = []
    for job in jobs:
        for kind, tail in (("result", "payload.jpg"), ("preview", "preview.webp")):
            path = f"results/{{slot_id}}/{{job.pk}}/{{tail}}"
            storage.write(path, b"face")
            files.append(MediaObject(slot_id=slot_id, job_id=job.pk, kind=kind, path=path,
                mime="image/jpeg", size_bytes=4, sha256="b" * 64, expires_at=now + timedelta(9),
                event_id=event.pk if kind == "result" else None))
    MediaObject.objects.bulk_create(files)
    if slot_id == "slot-001":
        leave_traces(event, jobs[0])
    close_event(event.pk, by="serg", switches_off=False)
    return event.pk

print(fill("Wedding", "slot-001", {PHOTOS}), fill("Brand", "slot-002", {OTHERS}))
"""
TABLES = (
    *("job_history", "job_attempt", "media_object", "event", "event_purge", "event_slot"),
    *("refusal", "captured_request", "trial_record", "guest_letter"),
    *("alert", "alert_message", "django_admin_log"),
)


class PurgeLifeTests(LiveTestCase):
    def count_files(self, slot_id: str) -> int:
        """Folders vanish while they are counted."""
        found = os.walk(self.site.media_root / "results" / slot_id)
        return sum(len(files) for _folder, _folders, files in found)

    def kill_in_the_middle(self, event_id: str, *, below: int) -> None:
        command = [sys.executable, "manage.py", "purge_event", event_id, "--yes"]
        with (self.site.logs / "purge.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=BASE_DIR, env=self.site.env, stdout=log, stderr=log
            )
            wait_until(lambda: self.count_files("slot-001") < below)
            process.kill()
            process.wait(60)
        self.assertGreater(self.count_files("slot-001"), 0)  # it was in the middle

    def test_nothing_is_left_nothing_of_others_is_gone_and_each_is_counted_once(self) -> None:
        asked = self.site.manage("shell", "--verbosity", "0", "-c", FILL)
        mine, _others = asked.split()
        self.kill_in_the_middle(mine, below=2 * PHOTOS - 300)
        self.kill_in_the_middle(mine, below=PHOTOS)
        told = json.loads(self.site.manage("purge_event", mine, "--yes"))
        traces = {"requests": 3, "trials": 1, "letters": 1, "alerts": 2}
        pictures = {"result": PHOTOS, "preview": PHOTOS, "bytes": 8 * PHOTOS}
        self.assertEqual(told, {"photos": PHOTOS} | pictures | traces)
        self.assertEqual(self.count_files("slot-001"), 0)
        self.assertEqual(self.count_files("slot-002"), 2 * OTHERS)
        kept = "SELECT count(*) FROM media_object WHERE cleaned_at IS NULL AND slot_id = '{}'"
        self.assertEqual(self.site.rows(kept.format("slot-001")), [(0,)])
        self.assertEqual(self.site.rows(kept.format("slot-002")), [(2 * OTHERS,)])
        self.assertEqual(self.site.rows("SELECT count(*) FROM event_purge"), [(1,)])
        self.assert_only_counts(mine)

    def assert_only_counts(self, event_id: str) -> None:
        """In the database, on the disk and in the logs."""
        of_it = f"event_id = {event_id}"
        where = {
            "job_history": of_it,
            "job_attempt": f"job_id IN (SELECT job_id FROM job_history WHERE {of_it})",
            "media_object": "slot_id = 'slot-001'",
            "event": f"id = {event_id}",
        }
        for table in TABLES:
            rows = repr(self.site.rows(f"SELECT * FROM {table} WHERE {where.get(table, '1 = 1')}"))
            for secret in (*SECRETS, "a" * 64, "b" * 64):
                self.assertNotIn(secret, rows, table)
        figures = "SELECT count(*) FROM job_history WHERE status = 'done' AND duration_ms = 9 AND "
        self.assertEqual(self.site.rows(figures + of_it), [(PHOTOS,)])
        for log in self.site.logs.iterdir():
            for secret in SECRETS:
                self.assertNotIn(secret, log.read_text(), log.name)
