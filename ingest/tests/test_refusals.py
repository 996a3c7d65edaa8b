"""What is refused before it becomes a photo leaves a trace: bounded, without secrets, in time."""

import asyncio
import json
from datetime import timedelta
from unittest import mock

from django.core.cache import cache
from django.db import OperationalError
from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from ingest.cleanup import clean_up
from ingest.models import Job, KnownBooth, Refusal
from ingest.pipeline.order import Booth
from ingest.pipeline.password import wrong_tries
from ingest.refusals import store
from ingest.refusals.booth_fields import parse_clock
from ingest.refusals.causes import FAILURES, REFUSALS, get_title
from ingest.refusals.notes import MAX_NOTES, PLACES, Note, Notebook, notebook
from ingest.refusals.queries import count_refusals, load_recent_refusals
from ingest.refusals.recording import note_edge_refusal
from ingest.refusals.store import write_notes
from ingest.tests.support import IngestTestCase, jpeg
from photochanger.db import in_db
from photochanger.edge.body import BodyLimit
from slots.models import Setting, Slot

BOOTH = {"name": "DESKTOP-K968T3F", "version": "3.30.2", "id": "CY04N068111304S2L_00000001."}


def note(slot: str = "slot-016", *, cause: str = "slot_not_found", **facts: object) -> Note:
    values: dict[str, object] = {"at": timezone.now(), "address": "10.0.0.7"} | facts
    return Note(path=f"/ingest/{slot}", cause=cause, reason=cause, status=404, **values)  # type: ignore[arg-type]


class RefusalTestCase(IngestTestCase):
    def setUp(self) -> None:
        super().setUp()
        notebook.clear()
        cache.clear()
        self.addCleanup(notebook.clear)

    async def assert_noted(self, cause: str, *, slot: str = "slot-001", count: int = 1) -> Refusal:
        await in_db(write_notes)
        row = await Refusal.objects.aget()
        self.assertEqual((row.cause, row.slot_asked, row.count), (cause, slot, count))
        self.assertEqual(row.address, "127.0.0.1")
        return row


class EveryRefusalTests(RefusalTestCase):
    async def test_a_wrong_password_names_the_booth_and_not_the_password(self) -> None:
        for _ in range(3):
            await self.post(password="hunter2-typed-wrong", **BOOTH)
        row = await self.assert_noted("invalid_password", count=3)
        self.assertEqual((row.booth_name, row.booth_version), ("DESKTOP-K968T3F", "3.30.2"))
        stored = json.dumps([list(r) async for r in Refusal.objects.values_list()], default=str)
        self.assertNotIn("hunter2", stored)

    async def test_a_password_typed_into_another_box_is_not_stored(self) -> None:
        await self.post(password="hunter2-long", name="my Hunter2-long", id="hunter2-long")
        row = await self.assert_noted("invalid_password")
        self.assertEqual(row.booth_name, "")

    def test_a_password_typed_into_the_link_is_not_stored(self) -> None:
        form = '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2-long\r\n--b--'
        head, kind = bytearray(form.encode()), "multipart/form-data; boundary=b"
        notebook.add(note("Hunter2-long", head=head, content_type=kind))
        write_notes()
        self.assertEqual(Refusal.objects.get().slot_asked, "‹20›")

    async def test_a_guesser_who_has_to_wait_is_told_apart(self) -> None:
        for _ in range(10):
            wrong_tries.count("127.0.0.1")
        await self.post(password="wrong")
        await self.assert_noted("password_guessed")

    async def test_no_password_is_set(self) -> None:
        await Setting.objects.filter(key="ingest_password_hash").adelete()
        await self.post()
        await self.assert_noted("password_unset")

    async def test_a_slot_that_is_off(self) -> None:
        await self.post(path="/ingest/slot-007")
        await self.assert_noted("slot_disabled", slot="slot-007")

    async def test_an_unknown_link_as_it_was_asked_for(self) -> None:
        await self.post(path="/api/ingest/slot-016/")
        await self.assert_noted("slot_not_found", slot="slot-016")

    async def test_a_link_with_a_tail(self) -> None:
        await self.post(path="/ingest/slot-001/photo")
        await self.assert_noted("not_found", slot="slot-001/photo")

    async def test_a_link_that_leads_out_of_the_booths_paths(self) -> None:
        await self.post(path="/ingets/slot-001")
        await self.assert_noted("not_found", slot="ingets/slot-001")

    async def test_a_link_that_was_only_opened(self) -> None:
        await self.async_client.get("/ingest/slot-001")
        await self.assert_noted("method_not_allowed")

    async def test_a_form_without_a_picture_and_one_without_a_password(self) -> None:
        await self.post(b"")
        await self.assert_noted("no_photo")
        await Refusal.objects.all().adelete()
        await self.post(password=None)
        await self.assert_noted("no_password")

    async def test_what_is_no_form(self) -> None:
        await self.async_client.post("/ingest/slot-001", b"{}", content_type="application/json")
        await self.assert_noted("not_a_form")

    async def test_a_photo_that_is_too_large(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(size_limit_mb=1)
        await self.post(jpeg() + b"\0" * 1_100_000)
        await self.assert_noted("payload_too_large")

    async def test_a_wrong_type_and_a_broken_picture(self) -> None:
        await self.post(b"GIF89a" + b"\0" * 100)
        await self.assert_noted("unsupported_media_type")
        await Refusal.objects.all().adelete()
        await self.post(jpeg()[:200])
        await self.assert_noted("invalid_image")

    async def test_a_hash_that_does_not_match(self) -> None:
        await Setting.objects.acreate(key="hash_check", value="strict")
        await self.post(hash="0" * 32)
        await self.assert_noted("checksum_mismatch")

    async def test_a_full_slot(self) -> None:
        await Setting.objects.acreate(key="max_jobs_per_slot", value=1)
        await Job.objects.acreate(
            slot_id="slot-001",
            slot_version=1,
            source="ingest",
            provider=self.slot.provider,
            operation=self.slot.operation,
            started_at=timezone.now(),
            deadline=timezone.now() + timedelta(seconds=60),
            photo_sha256="0" * 64,
            photo_bytes=1,
        )
        await self.post(**BOOTH)
        row = await self.assert_noted("slot_full")
        self.assertEqual((row.reason, row.status), ("rate_limited", 429))

    async def test_two_photos_under_one_key(self) -> None:
        for _ in range(2):
            await self.post(headers={"Idempotency-Key": "one"})
        await self.assert_noted("idempotency_conflict")

    async def test_the_database_is_away(self) -> None:
        with mock.patch("ingest.pipeline.receive.open_slot", side_effect=OperationalError("away")):
            answer = await self.post()
        self.assertEqual(answer.status_code, 500)
        await self.assert_noted("database_away")

    async def test_a_bug(self) -> None:
        with mock.patch("ingest.pipeline.receive.open_slot", side_effect=ZeroDivisionError):
            await self.post()
        await self.assert_noted("internal_error")

    async def test_a_booth_that_hangs_up_before_its_photo_is_one(self) -> None:
        with (
            mock.patch("ingest.pipeline.process.inspect_photo", side_effect=asyncio.CancelledError),
            self.assertRaises(asyncio.CancelledError),
        ):
            await self.post(**BOOTH)
        row = await self.assert_noted("client_gone")
        self.assertIsNotNone(row.waited_ms)
        self.assertEqual(row.booth_name, "DESKTOP-K968T3F")

    async def test_a_booth_that_hangs_up_while_its_photo_waits_for_its_turn(self) -> None:
        for place in ("receive.run_in_worker", "admission.take_turn"):  # a decoder, equals
            with self.subTest(place=place):
                await Refusal.objects.all().adelete()
                hangs_up = mock.patch(
                    f"ingest.pipeline.{place}", side_effect=asyncio.CancelledError
                )
                with hangs_up, self.assertRaises(asyncio.CancelledError):
                    await self.post(**BOOTH)
                row = await self.assert_noted("client_gone")
                self.assertEqual((row.booth_name, row.slot_asked), ("DESKTOP-K968T3F", "slot-001"))

    async def test_one_that_hangs_up_later_is_told_by_its_job_only(self) -> None:
        path = "ingest.pipeline.process.call_provider"
        with (
            mock.patch(path, side_effect=asyncio.CancelledError),
            self.assertRaises(asyncio.CancelledError),
        ):
            await self.post(**BOOTH)
        self.assertEqual((await Job.objects.aget()).failure_reason, "client_gone")
        await in_db(write_notes)
        self.assertEqual(await Refusal.objects.acount(), 0)

    async def test_a_photo_that_is_served_by_an_unknown_name(self) -> None:
        answer = await self.post(headers={"Host": "photos.elsewhere.example"})
        self.assertEqual(answer.status_code, 200)
        await self.assert_noted("unknown_host")

    async def test_what_became_a_photo_is_told_by_its_job_only(self) -> None:
        await in_db(self.scenario, "429-daily")
        self.assertEqual((await self.post()).status_code, 503)
        await in_db(write_notes)
        self.assertEqual(await Refusal.objects.acount(), 0)


class BoothTests(RefusalTestCase):
    async def test_a_booth_is_known_by_what_it_sends(self) -> None:
        at = int(timezone.now().timestamp()) - 3600
        for _ in range(2):
            await self.post(time=str(at), **BOOTH)
        await in_db(write_notes)
        booth = await KnownBooth.objects.aget()
        self.assertEqual(
            (booth.name, booth.address, booth.version, booth.slot_id, booth.photos),
            ("DESKTOP-K968T3F", "127.0.0.1", "3.30.2", "slot-001", 2),
        )
        assert booth.clock_skew_s is not None
        self.assertAlmostEqual(booth.clock_skew_s, -3600, delta=60)

    async def test_a_link_that_tells_no_name_is_of_the_booth_at_its_address(self) -> None:
        await self.post(**BOOTH)
        await self.post(path="/ingest/slot-016")
        await in_db(write_notes)
        (found,) = await in_db(load_recent_refusals)
        self.assertEqual((found.slot_asked, found.who), ("slot-016", "DESKTOP-K968T3F"))
        self.assertFalse(found.is_over)

    async def test_a_good_photo_of_the_same_booth_ends_it(self) -> None:
        await self.post(password="wrong", **BOOTH)
        await self.post(password="wrong", name="OTHER")
        await self.post(**BOOTH)
        await in_db(write_notes)
        over = {one.who: one.is_over for one in await in_db(load_recent_refusals)}
        self.assertEqual(over, {"DESKTOP-K968T3F": True, "OTHER": False})

    async def test_the_rows_stay_few(self) -> None:
        with mock.patch.object(store, "MAX_BOOTHS", 3):
            for number in range(6):
                await self.post(name=f"BOOTH-{number}")
                await in_db(write_notes)
        names = [name async for name in KnownBooth.objects.values_list("name", flat=True)]
        self.assertEqual(names, ["BOOTH-5", "BOOTH-4", "BOOTH-3"])


class EdgeTests(SimpleTestCase):
    async def test_a_body_that_nobody_reads_still_tells_the_booths_name(self) -> None:
        """Refused by its length, before a view saw it."""
        notebook.clear()
        self.addCleanup(notebook.clear)
        form = (
            b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nDESKTOP-K968T3F\r\n'
            b'--b\r\nContent-Disposition: form-data; name="fileToUpload"; filename="a"\r\n\r\nabc'
        )
        messages = iter([{"type": "http.request", "body": form, "more_body": False}])

        async def receive() -> dict[str, object]:
            return next(messages)

        async def send(message: object) -> None: ...

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/ingest/slot-001",
            "client": ("10.0.0.7", 5),
            "headers": [
                (b"content-length", b"99999999"),
                (b"content-type", b"multipart/form-data; boundary=b"),
            ],
        }
        await BodyLimit(mock.AsyncMock(), note_edge_refusal)(scope, receive, send)  # type: ignore[arg-type]
        ((kind, tally),) = notebook.take().items()
        self.assertEqual((kind.cause, kind.booth_name), ("payload_too_large", "DESKTOP-K968T3F"))
        self.assertEqual((kind.address, kind.slot, tally.count), ("10.0.0.7", "slot-001", 1))


class BoundTests(TestCase):
    def setUp(self) -> None:
        notebook.clear()
        self.addCleanup(notebook.clear)

    def flood(self, book: Notebook, count: int = 3000) -> None:
        for number in range(count):
            address = f"10.{number % 200}.0.{number % 250}"
            book.add(note(f"link-{number}", address=address, booth=Booth(name=f"B{number}")))

    def test_a_flood_is_a_few_rows_and_every_request_is_counted(self) -> None:
        with mock.patch("django.utils.timezone.now", return_value=timezone.now()):
            self.flood(notebook)
        write_notes()
        self.assertEqual(Refusal.objects.count(), PLACES + 1)
        self.assertEqual(count_refusals(timezone.now() - timedelta(minutes=5)), {"": 3000})

    def test_processes_share_the_places_of_a_minute(self) -> None:
        at = timezone.now()
        for process in range(5):
            book = Notebook()
            for number in range(PLACES):
                book.add(note(f"p{process}-{number}", at=at))
            with mock.patch.object(store, "notebook", book):
                write_notes()
        self.assertEqual(Refusal.objects.count(), PLACES + 1)
        self.assertEqual(count_refusals(at - timedelta(minutes=1)), {"": 5 * PLACES})

    def test_a_slots_refusals_are_its_own_in_a_flood_of_unknown_links(self) -> None:
        at = timezone.now()
        for number in range(50):
            notebook.add(note(f"link-{number}", at=at, cause="not_found"))
            notebook.add(note("slot-003", at=at, cause="not_found"))
        write_notes()
        self.assertEqual(count_refusals(at - timedelta(minutes=1)), {"": 50, "slot-003": 50})

    def test_memory_is_bounded_while_nothing_is_written(self) -> None:
        book = Notebook()
        with mock.patch("django.utils.timezone.now", return_value=timezone.now()):
            self.flood(book, 20 * MAX_NOTES)  # within one minute
        self.assertEqual(len(book._notes), MAX_NOTES)
        self.assertLessEqual(len(book._tallies), PLACES + 1)

    def test_a_failing_database_loses_nothing_while_it_comes_back(self) -> None:
        for _ in range(3):
            notebook.add(note())
            with (
                mock.patch.object(store, "_write_refusal", side_effect=OperationalError),
                self.assertRaises(OperationalError),
            ):
                write_notes()
        write_notes()
        self.assertEqual(Refusal.objects.get().count, 3)
        self.assertTrue(notebook.is_empty)

    def test_cleanup_keeps_thirty_days(self) -> None:
        now = timezone.now()
        for days in (29, 31):
            with mock.patch("django.utils.timezone.now", return_value=now - timedelta(days=days)):
                notebook.add(note())
        write_notes()
        clean_up(by="test")
        row = Refusal.objects.get()
        self.assertEqual((now - row.last_at).days, 29)

    def test_cleanup_holds_the_number_of_rows(self) -> None:
        now = timezone.now()
        for minutes in range(6):
            notebook.add(note(at=now - timedelta(minutes=minutes)))
        write_notes()
        with mock.patch.object(store, "MAX_ROWS", 4):
            store.delete_old_refusals()
        self.assertEqual(Refusal.objects.count(), 4)


class WordsTests(SimpleTestCase):
    def test_every_cause_has_words_and_a_remedy(self) -> None:
        for causes, of_photo in ((REFUSALS, False), (FAILURES, True)):
            for word, cause in causes.items():
                with self.subTest(word):
                    self.assertTrue(str(get_title(word, of_photo=of_photo)))
                    self.assertTrue(str(cause.remedy))

    def test_clocks_as_booths_write_them(self) -> None:
        moment = parse_clock("1764201600")
        assert moment is not None
        self.assertEqual(moment.isoformat(), "2025-11-27T00:00:00+00:00")
        for text in (
            "1764201600000",
            "2025-11-27T00:00:00Z",
            "2025-11-27 03:00:00",
            "27.11.2025 03:00:00",
            "2025:11:27 03:00:00",
        ):
            with self.subTest(text):
                self.assertEqual(parse_clock(text), moment)
        for text in ("", "0", "99999999999999", "soon", "2025-13-45 00:00:00"):
            self.assertIsNone(parse_clock(text), text)
