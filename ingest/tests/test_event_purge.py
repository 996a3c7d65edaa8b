"""The purge of an event: nothing of it is left, nothing of others is gone, and it is counted."""

import io
import json
import uuid
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.utils import timezone

from ingest.cleanup import clean_up
from ingest.events.purge import _run, finish_purges, purge_event
from ingest.models import Attempt, Capture, CapturedRequest, Job, Refusal, TrialRecord
from ingest.trials.records import keep_trial
from media import storage
from media.deletion import delete_result, forget_deleted
from media.erasure.tombstones import name_event, record_purge
from media.models import MediaObject
from media.tests.support import ResultsTestCase
from photochanger.errors import StorageError
from photochanger.testing.marks import both_databases
from slots.events.editing import save_event
from slots.events.running import close_event, start_event
from slots.models import Event, EventPurge, Slot
from slots.tests.test_events import PROMPT, make_event
from stats.tests.support import job

pytestmark = both_databases
BOOTH = "DESKTOP-K968T3F"


class PurgeTestCase(ResultsTestCase):
    def setUp(self) -> None:
        Slot.objects.filter(pk__in=("slot-001", "slot-002", "slot-003")).update(settings=PROMPT)
        self.event = self.run_event("slot-001", note="Call Anna", public_title="Anna and Peter")
        self.other = self.run_event("slot-002", name="Brand")

    def run_event(self, slot_id: str, photos: int = 3, **columns: Any) -> Event:
        event = make_event(slot_id, **columns)
        start_event(event.pk, by="serg")
        for _number in range(photos):
            self.add_photo(event, slot_id)
        return close_event(event.pk, by="serg", switches_off=False)

    def add_photo(self, event: Event | None, slot_id: str) -> Job:
        """As it is when it is done: with result, preview, attempt, and a guest's words."""
        media = self.store_result(slot_id=slot_id)
        MediaObject.objects.filter(pk=media.pk).update(event_id=event and event.pk)
        photo = job(slot_id=slot_id, booth_name=BOOTH, event=event)
        photo.job_id, photo.photo_sha256 = media.job_id, "a" * 64
        photo.guest_texts, photo.idempotency_key = {"guest": "Anna"}, uuid.uuid4().hex
        photo.result_path = media.path
        photo.save(force_insert=True)
        Attempt.objects.create(
            job=photo,
            number=1,
            provider="gemini",
            started_at=photo.started_at,
            duration_ms=1,
            detail="Anna looks happy",
            provider_request_id="req-1",
        )
        return photo

    def count_kept(self, event: Event | None) -> int:
        jobs = Job.objects.filter(event=event).values("pk")
        return MediaObject.objects.filter(job_id__in=jobs, cleaned_at__isnull=True).count()

    def list_personal(self, event: Event) -> list[Any]:
        columns = ("photo_sha256", "booth_name", "idempotency_key", "guest_texts", "result_path")
        found = Job.objects.filter(event=event).values_list(*columns, "replay_key")
        details = Attempt.objects.filter(job__event=event).values_list("detail", flat=True)
        hashes = MediaObject.objects.filter(event_id=event.pk).values_list("sha256", flat=True)
        return [cell for row in found for cell in row if cell] + [
            text for text in (*details, *hashes) if text
        ]

    def list_files(self) -> list[str]:
        folders = ("results/", "held/", "provider-inputs/")
        return sorted(file.path for name in folders for file in storage.iter_files(name))


class PurgeTests(PurgeTestCase):
    def test_nothing_is_left_of_it_and_nothing_of_others_is_gone(self) -> None:
        unbound = self.add_photo(None, "slot-001")
        others = [path for path in self.list_files() if "slot-002" in path]
        purge = purge_event(self.event.pk, by="serg")
        assert purge is not None
        self.assertEqual((self.count_kept(self.event), self.list_personal(self.event)), (0, []))
        self.assertEqual(self.count_kept(self.other), 6)
        self.assertEqual(len(self.list_personal(self.other)), 3 * 5 + 3 + 3)
        self.assertTrue(MediaObject.objects.get(job_id=unbound.pk, kind="result").sha256)
        self.assertEqual([p for p in self.list_files() if "slot-002" in p], others)
        mine = [path for path in self.list_files() if "slot-001" in path]
        self.assertTrue(mine and all(str(unbound.pk) in path for path in mine), mine)

    def test_counts_stay_and_prove_what_was_deleted(self) -> None:
        size = sum(
            MediaObject.objects.filter(slot_id="slot-001").values_list("size_bytes", flat=True)
        )
        purge_event(self.event.pk, by="serg")
        purge = EventPurge.objects.get()
        self.assertEqual(purge.counts, {"result": 3, "preview": 3, "photos": 3, "bytes": size})
        self.assertEqual((purge.by, purge.finished_at is not None), ("serg", True))
        event = Event.objects.get(pk=self.event.pk)
        self.assertEqual((event.state, event.note, event.public_title), ("purged", "", ""))
        done = Job.objects.filter(event=event, status="done", duration_ms__isnull=False)
        self.assertEqual(done.count(), 3)

    def test_the_command_says_that_the_name_stays_and_takes_another(self) -> None:
        with self.assertRaisesMessage(CommandError, "it would be called “Wedding”: say --yes"):
            call_command("purge_event", self.event.pk)
        with self.assertRaisesMessage(CommandError, "more than 100 letters"):
            call_command("purge_event", self.event.pk, "--yes", "--name", "x" * 101)
        self.assertEqual(EventPurge.objects.count(), 0)
        out = io.StringIO()
        call_command("purge_event", self.event.pk, "--yes", "--name", "Event 12", stdout=out)
        self.assertEqual(Event.objects.get(pk=self.event.pk).name, "Event 12")
        self.assertEqual(json.loads(out.getvalue()), EventPurge.objects.get().counts)

    def test_a_running_event_is_not_purged(self) -> None:
        event = make_event("slot-001", name="Running")
        start_event(event.pk, by="serg")
        self.assertIsNone(purge_event(event.pk, by="serg"))

    def test_a_photo_in_work_is_waited_for(self) -> None:
        photo = job(slot_id="slot-001", event=self.event, status="processing")
        photo.deadline = timezone.now() + timedelta(seconds=30)
        photo.save(force_insert=True)
        self.assertIsNone(purge_event(self.event.pk, by="serg"))
        self.assertEqual(self.count_kept(self.event), 6)

    def test_a_file_that_cannot_be_deleted_leaves_it_open_for_cleanup(self) -> None:
        broken = MediaObject.objects.filter(event_id=self.event.pk).first()
        assert broken is not None

        def remove(path: str, real: Any = storage.remove) -> None:
            if path == broken.path:
                raise OSError("the disk")
            real(path)

        with mock.patch("media.storage.remove", remove):
            purge = purge_event(self.event.pk, by="serg")
        assert purge is not None
        self.assertIsNone(purge.finished_at)
        self.assertEqual(purge.counts["result"], 2)
        clean_up(by="test")
        purge.refresh_from_db()
        self.assertIsNotNone(purge.finished_at)
        self.assertEqual(self.count_kept(self.event), 0)

    def test_what_a_guest_has_deleted_cannot_be_brought_back_any_more(self) -> None:
        media = MediaObject.objects.filter(event_id=self.event.pk).first()
        assert media is not None and media.job_id is not None
        delete_result(media.job_id, by="guest", can_be_undone=True)
        self.assertTrue(any(path.startswith("held/") for path in self.list_files()))
        purge_event(self.event.pk, by="serg")
        self.assertFalse(any(path.startswith("held/") for path in self.list_files()))

    def test_requests_of_its_booths_are_forgotten_and_still_counted(self) -> None:
        mine, other = (self.add_refusal(slot_id) for slot_id in ("slot-001", "slot-002"))
        capture = Capture.objects.create(wanted=1, left=0, until=timezone.now(), started_by="serg")
        for event in (self.event, self.other):
            photo = Job.objects.filter(event=event).first()
            assert photo is not None
            CapturedRequest.objects.create(capture=capture, job_id=photo.pk, seen={"name": BOOTH})
        purge_event(self.event.pk, by="serg")
        mine.refresh_from_db()
        other.refresh_from_db()
        self.assertEqual((mine.address, mine.booth_name, mine.count), ("", "", 3))
        self.assertEqual((other.address, other.booth_name), ("10.0.0.7", BOOTH))
        left = CapturedRequest.objects.get()
        assert left.job_id is not None
        self.assertEqual(Job.objects.get(pk=left.job_id).event_id, self.other.pk)
        self.assertEqual(EventPurge.objects.get().counts["requests"], 2)

    def add_refusal(self, slot_id: str, place: int | None = None) -> Refusal:
        at = Event.objects.get(pk=self.event.pk).started_at
        assert at is not None
        return Refusal.objects.create(
            minute=at,
            cause="wrong_password",
            place=int(slot_id[-1]) if place is None else place,
            slot_asked=slot_id,
            address="10.0.0.7",
            booth_name=BOOTH,
            reason="wrong_password",
            status=401,
            count=3,
            first_at=at,
            last_at=at,
        )

    def test_a_slot_is_the_events_only_while_it_worked_for_it(self) -> None:
        """The one that left while it ran too; and not what was before it came."""
        now = timezone.now()
        event = start_event(make_event("slot-001", "slot-003", name="Ball").pk, by="serg")
        save_event(event, ["slot-001"], by="serg")
        save_event(event, ["slot-001", "slot-002"], by="serg")
        close_event(event.pk, by="serg", switches_off=False)
        begun, ended = now - timedelta(hours=5), now + timedelta(hours=1)
        Event.objects.filter(pk=event.pk).update(started_at=begun, closed_at=ended)
        links = event.event_slots
        links.filter(slot="slot-003").update(taken_at=begun, removed_at=begun + timedelta(hours=1))
        links.filter(slot="slot-002").update(taken_at=now)
        kept = {("slot-003", 3): 1, ("slot-002", 4): 2}
        gone = {("slot-003", 5): 3, ("slot-002", 0): 4}
        for (slot_id, hours_ago), place in (kept | gone).items():
            self.add_trace(slot_id, now - timedelta(hours=hours_ago), place)
        purge_event(event.pk, by="serg")
        found = Refusal.objects.exclude(address="").values_list("place", flat=True)
        self.assertEqual(sorted(found), sorted(kept.values()))
        self.assertEqual(
            sorted(CapturedRequest.objects.values_list("seen__n", flat=True)), sorted(kept.values())
        )

    def add_trace(self, slot_id: str, at: datetime, place: int) -> None:
        """A refusal, and a request that an order for all slots has recorded."""
        refusal = self.add_refusal(slot_id, place)
        Refusal.objects.filter(pk=refusal.pk).update(first_at=at, last_at=at + timedelta(seconds=1))
        capture = Capture.objects.create(wanted=1, left=0, until=at, started_by="serg")
        seen = CapturedRequest.objects.create(
            capture=capture, seen={"path": f"/ingest/{slot_id}", "n": place}
        )
        CapturedRequest.objects.filter(pk=seen.pk).update(at=at + timedelta(seconds=1))

    def test_tests_of_its_slots_go_with_it_and_are_counted(self) -> None:
        for event in (self.event, self.other):
            photo = Job.objects.filter(event=event).first()
            assert photo is not None
            keep_trial(photo.slot, photo.pk, lifetime=timedelta(hours=1))
        purge_event(self.event.pk, by="serg")
        self.assertEqual(TrialRecord.objects.get().job.event_id, self.other.pk)
        self.assertEqual(EventPurge.objects.get().counts["trials"], 1)

    def test_a_storage_that_is_away_keeps_no_address_of_a_booth(self) -> None:
        refusal = self.add_refusal("slot-001")
        with (
            mock.patch("media.storage.iter_files", side_effect=StorageError("away")),
            self.assertRaises(StorageError),
        ):
            purge_event(self.event.pk, by="serg")
        refusal.refresh_from_db()
        self.assertEqual(refusal.address, "")
        self.assertIsNone(EventPurge.objects.get().finished_at)

    def test_one_that_fails_keeps_no_other_from_being_purged(self) -> None:
        broken = {media.path for media in MediaObject.objects.filter(slot_id="slot-001")}

        def remove(path: str, real: Any = storage.remove) -> None:
            if path in broken:
                raise RuntimeError("a bug")
            real(path)

        for event in (self.event, self.other):
            EventPurge.objects.create(event=event, by="serg", began_at=timezone.now())
        with mock.patch("media.storage.remove", remove), self.assertLogs(level="ERROR") as logs:
            finish_purges()
        self.assertIn("ingest.event.purge_failed", " ".join(logs.output))
        self.assertEqual(EventPurge.objects.get(finished_at__isnull=False).event, self.other)

    def test_two_that_run_it_at_once_write_one_line_of_the_trail(self) -> None:
        purge = purge_event(self.event.pk, by="serg")
        assert purge is not None
        again = EventPurge.objects.get(pk=purge.pk)
        again.finished_at = None  # as the other has read it
        _run(again)
        told = LogEntry.objects.filter(change_message__contains="purge of the event")
        self.assertEqual(told.count(), 1)

    def test_the_name_is_what_somebody_wants_to_keep(self) -> None:
        purge_event(self.event.pk, by="serg", name="Wedding in May")
        self.assertEqual(Event.objects.get(pk=self.event.pk).name, "Wedding in May")

    def test_a_picture_that_came_late_goes_with_the_next_cleanup(self) -> None:
        purge_event(self.event.pk, by="serg")
        self.add_photo(self.event, "slot-001")
        clean_up(by="test")
        self.assertEqual((self.count_kept(self.event), self.list_personal(self.event)), (0, []))

    def test_an_older_database_brings_nothing_back(self) -> None:
        rows = list(MediaObject.objects.filter(event_id=self.event.pk))
        purge_event(self.event.pk, by="serg")
        # As restoring a backup of before does.
        EventPurge.objects.all().delete()
        Event.objects.filter(pk=self.event.pk).update(purged_at=None, public_title="Anna")
        Job.objects.filter(event=self.event).update(booth_name=BOOTH)
        for media in rows:
            storage.write(media.path, b"x")
            MediaObject.objects.filter(pk=media.pk).update(
                cleaned_at=None, expires_at=media.expires_at
            )
        self.assertEqual(forget_deleted(), 3)
        clean_up(by="test")
        self.assertEqual((self.count_kept(self.event), self.list_personal(self.event)), (0, []))
        event = Event.objects.get(pk=self.event.pk)
        self.assertEqual((event.state, event.public_title), ("purged", ""))
        self.assertEqual(self.count_kept(self.other), 6)

    def test_an_older_database_of_before_its_start_brings_no_name_back(self) -> None:
        planned = make_event("slot-003", note="Call Anna", public_title="Anna and Peter")
        newer = make_event("slot-003", note="Call Eva")
        for event in (planned, newer):
            record_purge(name_event(event.pk))
        # It has got the number of one that was purged before it was made.
        later = timezone.now() + timedelta(seconds=1)
        LogEntry.objects.filter(object_id=str(newer.pk)).update(action_time=later)
        clean_up(by="test")
        planned.refresh_from_db()
        newer.refresh_from_db()
        self.assertEqual((planned.state, planned.public_title, planned.note), ("purged", "", ""))
        self.assertEqual((newer.state, newer.note), ("planned", "Call Eva"))
