"""The history of a slot, and the way back to an earlier state."""

import time
from datetime import timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.test import SimpleTestCase
from django.utils import timezone

from media.models import MediaObject
from photochanger.testing.marks import both_databases
from slots.history.records import read_record
from slots.history.wording import Piece, diff_text
from slots.models import Slot
from slots.tests.test_history import HistoryTestCase

LONG = "Turn the background into a nebula and keep every face exactly as it is on the photo."


class PagesTestCase(HistoryTestCase):
    def setUp(self) -> None:
        self.client.force_login(self.serg)

    def history(self, query: str = "") -> Any:
        return self.client.get(f"/admin/slots/slot/slot-001/history/{query}")

    def address(self, entry: LogEntry | None, *, before: bool = False) -> str:
        assert entry is not None
        return f"/admin/slots/slot/slot-001/restore/{entry.pk}/" + "?before" * before

    def slot(self) -> Slot:
        return Slot.objects.get(pk="slot-001")


class PieceTests(SimpleTestCase):
    def test_a_text_is_compared_by_words(self) -> None:
        self.assertEqual(
            diff_text("Keep the faces, make it a beach.", "Keep all faces, make it a wide beach."),
            [
                Piece("same", "Keep "),
                Piece("gone", "the"),
                Piece("new", "all"),
                Piece("same", " faces, make it a"),
                Piece("new", " wide"),
                Piece("same", " beach."),
            ],
        )

    def test_quite_another_text_is_not_mixed_with_the_old_one(self) -> None:
        was, now = "A nebula, and a star", "Paint the people as a comic, please, in two colours"
        self.assertEqual(diff_text(was, now), [Piece("gone", was), Piece("new", now)])

    def test_the_longest_prompts_are_compared_in_no_time(self) -> None:
        was = " ".join(f"word{number % 97}" for number in range(700))
        now = was.replace("word5 ", "other ").replace("word60 ", "another ")
        started = time.perf_counter()
        found = diff_text(was, now)
        self.assertLess(time.perf_counter() - started, 2)  # all pairs of words take minutes
        self.assertEqual("".join(one.text for one in found if one.kind != "gone"), now)


@both_databases
class HistoryPageTests(PagesTestCase):
    def test_it_tells_each_change_field_by_field(self) -> None:
        self.change(display_name="Nebula", settings={"prompt": LONG}, is_active=False)
        self.change(settings={"prompt": LONG.replace("a nebula", "a beach")})
        page = self.history()
        self.assertContains(page, "Версия 3")
        self.assertContains(page, "<del>nebula</del><ins>beach</ins>", html=True)
        self.assertContains(page, "<del>Слот 1</del>")
        self.assertContains(page, "<ins>нет</ins>")
        self.assertContains(page, "serg")

    def test_nothing_in_it_is_html_of_those_who_typed(self) -> None:
        self.change(display_name="<script>alert(1)</script>", settings={"prompt": "<img src=x>"})
        self.assertNotContains(self.history(), "<script>alert")
        self.assertNotContains(self.history(), "<img src=x")

    def test_an_entry_of_django_is_told_in_its_words(self) -> None:
        LogEntry.objects.log_actions(self.serg.pk, [self.slot()], 2, "By hand", single_object=True)
        self.assertContains(self.history(), "By hand")

    def test_there_is_nothing_yet(self) -> None:
        self.assertContains(self.history(), "Изменений ещё не было")

    def test_a_long_history_has_pages_and_few_queries(self) -> None:
        for number in range(25):
            self.change(settings={"prompt": f"{LONG} {number}"})
        with self.assertNumQueries(7):
            page = self.history()
        self.assertContains(page, "Раньше")
        self.assertContains(self.history("?page=2"), "До всех изменений")


@both_databases
class RestoreTests(PagesTestCase):
    def test_it_shows_what_would_change_and_changes_nothing_before_a_yes(self) -> None:
        self.change(settings={"prompt": "A nebula"})
        self.change(settings={"prompt": "A beach"})
        page = self.client.get(self.address(LogEntry.objects.earliest("pk")))
        self.assertContains(page, "Вернуть версию 2")
        self.assertContains(page, "<del>A beach</del>")
        self.assertContains(page, "<ins>A nebula</ins>")
        self.assertEqual(self.slot().settings, {"prompt": "A beach"})

    def test_an_earlier_state_comes_back_as_a_change_of_its_own(self) -> None:
        self.change(settings={"prompt": "A nebula"}, size_limit_mb=9, on_failure="original")
        self.change(settings={"prompt": "A beach", "model": "m"}, size_limit_mb=5)
        address = self.address(LogEntry.objects.earliest("pk"))
        answer = self.client.post(address, {"version": "3"}, follow=True)
        self.assertContains(answer, "Снова как было")
        slot = self.slot()
        self.assertEqual((slot.settings, slot.size_limit_mb), ({"prompt": "A nebula"}, 9))
        self.assertEqual((slot.version, slot.updated_by), (4, "serg"))
        record = read_record(LogEntry.objects.latest("pk"))
        assert record is not None
        self.assertEqual((record.version, record.restores, record.by), (4, 2, "serg"))

    def test_the_state_before_all_changes_comes_back_too(self) -> None:
        until = timezone.now() + timedelta(days=1)
        self.change(display_name="Nebula", gallery_until=until, sync_response_seconds=20)
        self.client.post(self.address(LogEntry.objects.get(), before=True), {"version": "2"})
        slot = self.slot()
        self.assertEqual((slot.display_name, slot.gallery_until), ("Слот 1", None))
        self.client.post(self.address(LogEntry.objects.earliest("pk")), {"version": "3"})
        self.assertEqual(self.slot().gallery_until, until)

    def test_of_two_the_later_looks_again(self) -> None:
        self.change(display_name="Nebula")
        entry = LogEntry.objects.get()
        self.change(display_name="Beach")
        answer = self.client.post(self.address(entry), {"version": "2"})
        self.assertContains(answer, "изменили")
        self.assertEqual(self.slot().display_name, "Beach")
        self.assertContains(answer, 'name="version" value="3"')

    def test_pictures_that_are_gone_are_told_and_those_of_now_stay(self) -> None:
        old, new = self.picture(), self.picture()
        self.change(template_media=[old], settings={"prompt": "A nebula"})
        entry = LogEntry.objects.get()
        self.change(template_media=[new], settings={"prompt": "A beach"})
        page = self.client.get(self.address(entry))
        self.assertContains(page, "1 шаблонная картинка")
        self.client.post(self.address(entry), {"version": "3"})
        kept = self.slot().template_media.get()
        self.assertEqual(kept.media_object_id.hex, new["media_object_id"])
        self.assertEqual(self.slot().settings, {"prompt": "A nebula"})

    def test_pictures_that_are_still_there_come_back(self) -> None:
        picture = self.picture()
        self.change(template_media=[picture])
        entry = LogEntry.objects.get()
        self.change(template_media=[])
        MediaObject.objects.update(expires_at=None, cleaned_at=None)  # another slot's use kept it
        self.client.post(self.address(entry), {"version": "3"})
        self.assertEqual(self.slot().template_media.count(), 1)

    def test_a_password_does_not_come_back_and_that_is_said(self) -> None:
        self.change(ingest_password="booth-secret-1")
        entry = LogEntry.objects.get()
        self.change(display_name="Nebula")
        hashed = self.slot().ingest_password_hash
        self.assertContains(self.client.get(self.address(entry)), "пароль фотобудки остаётся")
        self.client.post(self.address(entry), {"version": "3"})
        self.assertEqual(self.slot().ingest_password_hash, hashed)

    def test_what_would_fail_every_photo_is_not_restored(self) -> None:
        Slot.objects.filter(pk="slot-001").update(settings={"prompt": "x", "gone": 1})
        Slot.objects.filter(pk="slot-001").update(is_active=True)
        LogEntry.objects.all().delete()
        self.change(settings={"prompt": "A nebula"})
        address = self.address(LogEntry.objects.get(), before=True)
        self.assertContains(self.client.get(address), "вернуть нельзя")
        answer = self.client.post(address, {"version": "2"})
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(self.slot().settings, {"prompt": "A nebula"})

    def test_other_entries_are_not_found(self) -> None:
        self.change(display_name="Nebula")
        entry = LogEntry.objects.get()
        wrong = f"/admin/slots/slot/slot-002/restore/{entry.pk}/"
        self.assertEqual(self.client.get(wrong).status_code, 404)
        LogEntry.objects.update(change_message="By hand")
        self.assertEqual(self.client.get(self.address(entry)).status_code, 404)
