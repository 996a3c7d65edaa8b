"""All template pictures and frames in one place: what is there, who uses it, where it changes."""

import io
from datetime import timedelta
from typing import Any
from unittest import mock

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from media import storage
from media.models import MediaObject
from media.uploads import store_upload
from photochanger.errors import StorageError
from photochanger.testing.console_pages import MOST_QUERIES
from photochanger.testing.marks import both_databases
from slots.console.template_list import sizes
from slots.editing import copy_slot
from slots.events.editing import change_recipe, save_event
from slots.events.running import close_event, start_event
from slots.models import SLOT_IDS, Event, Slot, SlotTemplateMedia
from slots.tests.support import ConsoleTestCase, picture

pytestmark = both_databases

TEMPLATES = "/admin/templates/"


def draw_frame(size: tuple[int, int] = (1200, 1800)) -> bytes:
    image = Image.new("RGBA", size, (30, 90, 80, 255))
    image.paste((0, 0, 0, 0), (size[0] // 8, size[1] // 8, size[0] * 7 // 8, size[1] * 7 // 8))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


class TemplateListTests(ConsoleTestCase):
    def give(
        self, slot_id: str = "slot-001", kind: str = "style", body: bytes | None = None
    ) -> MediaObject:
        is_frame = kind == "frame"
        media = store_upload(
            *(
                MediaObject.Kind.TEMPLATE,
                slot_id,
                body or (draw_frame() if is_frame else picture()),
            ),
            mime="image/png" if is_frame else "image/jpeg",
            extension="png" if is_frame else "jpg",
            expires_at=None,
        )
        SlotTemplateMedia.objects.create(slot_id=slot_id, media_kind=kind, media_object=media)
        return media

    def open(self, query: str = "") -> Any:
        return self.client.get(TEMPLATES + query)

    def small(self, media: MediaObject) -> str:
        return f"{TEMPLATES}{media.pk.hex}/small/"

    def test_without_any_it_says_so_and_where_they_come_from(self) -> None:
        self.assertContains(self.open(), "пока нет ни шаблонной картинки, ни рамки")

    def test_each_has_thumbnail_size_part_and_the_way_to_where_it_is_changed(self) -> None:
        style, frame = self.give(), self.give("slot-007", "frame")
        Slot.objects.filter(pk="slot-007").update(display_name="Бал")
        answer = self.open()
        shown = " ".join(answer.content.decode().split())
        for media, words in (
            (style, ("320 × 240 пикс.", "Стиль", "slot-001", "slot-001/change/#toggle-second")),
            (frame, ("1200 × 1800 пикс.", "Рамка", "slot-007 · Бал", "slot-007/change/#toggle")),
        ):
            self.assertContains(answer, self.small(media))
            for some in words:
                self.assertIn(some, shown)
        page = self.client.get("/admin/slots/slot/slot-001/change/")
        for some in ('id="toggle-second"', f'<a href="{TEMPLATES}">Все шаблоны и рамки</a>'):
            self.assertContains(page, some)

    def test_a_thumbnail_is_small_and_a_frame_stays_transparent(self) -> None:
        answer = self.client.get(self.small(self.give(kind="frame")))
        image = Image.open(io.BytesIO(answer.content))
        self.assertEqual((image.format, image.mode, max(image.size)), ("WEBP", "RGBA", 512))
        self.assertEqual(image.getchannel("A").getpixel((170, 256)), 0)
        self.assertNotIn(b"trainedAlgorithmicMedia", answer.content)
        self.assertEqual(answer["Cache-Control"], "private, max-age=600")

    def test_one_slot_or_one_part_is_shown_alone(self) -> None:
        style, frame = self.give(), self.give("slot-002", "frame")
        for query, shown, hidden in (
            ("?slot=slot-001", style, frame),
            ("?kind=frame", frame, style),
            ("?slot=slot-002&kind=frame", frame, style),
        ):
            answer = self.open(query)
            self.assertContains(answer, self.small(shown))
            self.assertNotContains(answer, self.small(hidden))
        self.assertContains(self.open("?slot=slot-001&kind=frame"), "Такой картинки нет.")
        self.assertContains(self.open("?slot=x&kind=%00"), self.small(style), msg_prefix="no such")

    def test_a_copy_in_another_slot_is_the_same_picture(self) -> None:
        media = self.give()
        copy_slot("slot-001", "slot-002", version=1, by="serg")
        answer = self.open()
        self.assertContains(answer, "/small/", count=1)
        self.assertContains(answer, self.small(media))
        for slot_id in ("slot-001", "slot-002"):
            self.assertContains(answer, f"{slot_id}/change/#toggle-second")

    def test_what_an_event_keeps_for_its_start_is_there_until_it_is_over(self) -> None:
        media = self.give()
        Slot.objects.filter(pk="slot-001").update(settings={"prompt": "Oil"})
        now = timezone.now()
        times = {"starts_at": now, "ends_at": now + timedelta(hours=5)}
        event = save_event(Event(name="Свадьба", **times), ["slot-001"], by="serg")
        change_recipe(event.pk, "slot-001", keeps=True)
        SlotTemplateMedia.objects.all().delete()
        answer = self.open("?kind=style")
        self.assertContains(answer, self.small(media))
        self.assertContains(answer, "slot-001, для «Свадьба»")
        self.assertContains(answer, f"/admin/events/{event.pk}/")
        start_event(event.pk, by="serg")
        close_event(event.pk, by="serg", switches_off=True)
        SlotTemplateMedia.objects.all().delete()
        self.assertNotContains(self.open(), "/small/")

    def test_a_lost_or_broken_file_is_told(self) -> None:
        lost, broken = self.give(), self.give("slot-002", body=b"no picture")
        storage.remove(lost.path)
        answer = self.open()
        self.assertContains(answer, "Файл пропал или повреждён.", count=2)
        for media in (lost, broken):
            self.assertEqual(self.client.get(self.small(media)).status_code, 404)

    def test_storage_that_does_not_answer_takes_only_the_sizes_away(self) -> None:
        media = self.give()

        def fail(path: str) -> Any:
            raise StorageError("no answer")

        with mock.patch.object(sizes, "_read_size", fail):
            answer = self.open()
        self.assertContains(answer, self.small(media))
        self.assertNotContains(answer, "пикс.")
        self.assertNotContains(answer, "Файл пропал")

    def test_it_asks_the_database_little_however_many_slots_and_pictures_there_are(self) -> None:
        body = picture()
        for slot_id in SLOT_IDS:
            for kind in ("style", "background", "overlay"):
                self.give(slot_id, kind, body=body + slot_id.encode() + kind.encode())
        now = timezone.now()
        times = {"starts_at": now, "ends_at": now + timedelta(hours=5)}
        event = save_event(Event(name="Свадьба", **times), SLOT_IDS, by="serg")
        for slot_id in SLOT_IDS:
            change_recipe(event.pk, slot_id, keeps=True)
        with CaptureQueriesContext(connection) as seen:
            answer = self.open()
        self.assertContains(answer, "/small/", count=45)
        self.assertLessEqual(len(seen), MOST_QUERIES)
        print(f"queries of the page of 45 template pictures: {len(seen)}")

    def test_a_stranger_sees_neither_page_nor_thumbnail(self) -> None:
        media = self.give()
        self.client.logout()
        for path in (TEMPLATES, self.small(media)):
            self.assertEqual(self.client.get(path).status_code, 302, path)

    def test_a_thumbnail_of_no_template_is_not_there(self) -> None:
        for key in (self.result().pk.hex, "0" * 32, "x"):
            self.assertEqual(self.client.get(f"{TEMPLATES}{key}/small/").status_code, 404, key)
