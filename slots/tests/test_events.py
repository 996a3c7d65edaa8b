"""Events: planned, started, closed, copied; and what their slots are in the meantime."""

import io
from datetime import timedelta
from typing import Any
from unittest import mock

from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.utils import timezone
from PIL import Image

from media.models import MediaObject
from media.tests.support import ResultsTestCase
from photochanger.errors import InvalidFields
from photochanger.testing.marks import both_databases
from slots.editing import change_slot
from slots.events.editing import change_recipe, copy_event, delete_planned_event, save_event
from slots.events.logos import store_logo
from slots.events.recipes import remember_recipe
from slots.events.running import close_event, find_start_problems, start_event
from slots.gallery.contents import load_gallery
from slots.models import Event, Slot, SlotTemplateMedia
from slots.schemas import SlotIn
from slots.services import save_slot
from slots.uploads import register_template

pytestmark = both_databases
PROMPT = {"prompt": "As an oil painting"}


def make_event(*slot_ids: str, **columns: Any) -> Event:
    now = timezone.now()
    event = Event(
        **{"name": "Wedding", "starts_at": now, "ends_at": now + timedelta(hours=6), **columns}
    )
    return save_event(event, slot_ids, by="serg")


def draw(kind: str = "PNG") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.effect_noise((300, 200), 40).convert("RGB").save(out, kind)
    return SimpleUploadedFile("picture.png", out.getvalue(), "image/png")


class EventTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        Slot.objects.filter(pk__in=("slot-001", "slot-002")).update(settings=PROMPT)

    def get_slot(self, slot_id: str = "slot-001") -> Slot:
        return Slot.objects.get(pk=slot_id)


class StartTests(EventTestCase):
    def test_starting_switches_its_slots_on_and_binds_them(self) -> None:
        event = make_event("slot-001", "slot-002")
        before = self.get_slot().version
        start_event(event.pk, by="serg")
        for slot_id in ("slot-001", "slot-002"):
            slot = self.get_slot(slot_id)
            self.assertEqual((slot.is_active, slot.event_id), (True, event.pk))
        self.assertIsNone(self.get_slot("slot-003").event_id)
        self.assertGreater(self.get_slot().version, before)
        self.assertEqual(Event.objects.get().state, "running")

    def test_starting_twice_is_starting_once(self) -> None:
        event = make_event("slot-001")
        first = start_event(event.pk, by="serg").started_at
        version = self.get_slot().version
        self.assertEqual(start_event(event.pk, by="igor").started_at, first)
        self.assertEqual(self.get_slot().version, version)

    def test_a_slot_that_is_not_complete_keeps_the_event_from_starting_whole(self) -> None:
        event = make_event("slot-001", "slot-003")
        self.assertEqual(list(find_start_problems(event)), ["slot-003"])
        with self.assertRaises(InvalidFields):
            start_event(event.pk, by="serg")
        self.assertIsNone(Event.objects.get().started_at)
        self.assertIsNone(self.get_slot().event_id)

    def test_an_event_without_slots_does_not_start(self) -> None:
        self.assertIn("", find_start_problems(make_event()))

    def test_a_slot_works_for_one_event_at_a_time(self) -> None:
        start_event(make_event("slot-001", name="First").pk, by="serg")
        second = make_event("slot-001", "slot-002", name="Second")
        self.assertIn("First", str(find_start_problems(second)["slot-001"]))

    def test_galleries_open_as_chosen(self) -> None:
        over = timezone.now() - timedelta(days=1)
        Slot.objects.filter(pk="slot-001").update(gallery_mode="closed", gallery_until=over)
        start_event(make_event("slot-001", gallery_mode="secret").pk, by="serg")
        slot = self.get_slot()
        self.assertEqual((slot.gallery_mode, slot.gallery_until), ("secret", None))

    def test_galleries_stay_as_they_are_when_nothing_is_chosen(self) -> None:
        Slot.objects.filter(pk="slot-001").update(gallery_mode="closed")
        start_event(make_event("slot-001").pk, by="serg")
        self.assertEqual(self.get_slot().gallery_mode, "closed")

    def test_a_form_that_was_open_meanwhile_does_not_take_the_slot_from_its_event(self) -> None:
        event = make_event("slot-001")
        start_event(event.pk, by="serg")
        slot = self.get_slot()
        slot.event, slot.display_name = None, "Watercolour"
        save_slot(slot, by="serg")
        self.assertEqual(self.get_slot().event_id, event.pk)

    def test_a_slot_added_to_a_running_event_works_for_it_at_once(self) -> None:
        event = start_event(make_event("slot-001").pk, by="serg")
        save_event(event, ["slot-002"], by="serg")
        self.assertEqual(self.get_slot("slot-002").event_id, event.pk)
        self.assertIsNone(self.get_slot("slot-001").event_id)

    def test_a_slot_of_a_running_event_is_not_taken_from_it(self) -> None:
        first = start_event(make_event("slot-001", name="First").pk, by="serg")
        second = start_event(make_event("slot-002", name="Second").pk, by="serg")
        with self.assertRaises(InvalidFields) as refused:
            save_event(second, ["slot-001", "slot-002"], by="serg")
        self.assertIn("First", str(refused.exception.fields["slot-001"]))
        self.assertEqual(self.get_slot().event_id, first.pk)

    def test_of_two_that_start_at_once_the_database_lets_one_have_the_slot(self) -> None:
        first, second = make_event("slot-001", name="First"), make_event("slot-001", name="Second")
        start_event(first.pk, by="serg")
        # As it was seen before the other's start was committed.
        with (
            mock.patch("slots.events.running.find_start_problems", return_value={}),
            self.assertRaises(InvalidFields),
        ):
            start_event(second.pk, by="igor")
        self.assertEqual(self.get_slot().event_id, first.pk)
        self.assertEqual(Event.objects.get(pk=second.pk).state, "planned")

    def test_a_form_that_was_open_meanwhile_undoes_neither_start_nor_end(self) -> None:
        event = make_event("slot-001")
        form = Event.objects.get(pk=event.pk)
        start_event(event.pk, by="igor")
        form.name = "Wedding of May"
        save_event(form, ["slot-001"], by="serg")
        stored = Event.objects.get(pk=event.pk)
        self.assertEqual((stored.state, stored.name), ("running", "Wedding of May"))
        close_event(event.pk, by="igor", switches_off=False)
        with self.assertRaises(InvalidFields) as refused:
            save_event(form, ["slot-002"], by="serg")
        self.assertEqual(list(refused.exception.fields), [""])
        stored.refresh_from_db()
        self.assertEqual(stored.state, "closed")
        self.assertIsNone(self.get_slot("slot-002").event_id)

    def test_a_recipe_is_not_changed_any_more_once_the_event_has_begun(self) -> None:
        event = make_event("slot-001")
        self.assertTrue(change_recipe(event.pk, "slot-001", keeps=True))
        start_event(event.pk, by="serg")
        self.assertFalse(change_recipe(event.pk, "slot-001", keeps=False))
        self.assertIsNotNone(event.event_slots.get().recipe)

    def test_a_slot_that_leaves_and_comes_back_has_two_times(self) -> None:
        event = start_event(make_event("slot-001", "slot-002").pk, by="serg")
        for slots in (["slot-002"], ["slot-001", "slot-002"]):
            save_event(event, slots, by="serg")
        self.assertEqual(self.get_slot().event_id, event.pk)
        rows = event.event_slots.filter(slot="slot-001").order_by("pk")
        self.assertEqual([row.removed_at is None for row in rows], [False, True])
        self.assertEqual(event.get_links().count(), 2)

    def test_the_trail_names_who_and_no_values(self) -> None:
        event = make_event("slot-001", public_title="Anna and Peter")
        start_event(event.pk, by="serg")
        told = " ".join(entry.change_message for entry in LogEntry.objects.all())
        self.assertIn("start of the event", told)
        self.assertNotIn("Anna", told)


class CloseTests(EventTestCase):
    def test_closing_frees_the_slots_and_leaves_them_on(self) -> None:
        event = start_event(make_event("slot-001").pk, by="serg")
        close_event(event.pk, by="serg", switches_off=False)
        slot = self.get_slot()
        self.assertEqual((slot.event_id, slot.is_active), (None, True))
        self.assertEqual(Event.objects.get().state, "closed")

    def test_closing_switches_off_when_asked(self) -> None:
        event = start_event(make_event("slot-001").pk, by="serg")
        close_event(event.pk, by="serg", switches_off=True)
        self.assertFalse(self.get_slot().is_active)

    def test_closing_leaves_a_slot_alone_that_works_for_another_by_now(self) -> None:
        first = start_event(make_event("slot-001", name="First").pk, by="serg")
        second = start_event(make_event("slot-002", name="Second").pk, by="serg")
        Slot.objects.filter(pk="slot-001").update(event=second)
        close_event(first.pk, by="serg", switches_off=True)
        slot = self.get_slot()
        self.assertEqual((slot.event_id, slot.is_active), (second.pk, True))

    def test_what_was_never_started_is_not_closed_but_may_be_deleted(self) -> None:
        event = make_event("slot-001")
        close_event(event.pk, by="serg", switches_off=True)
        self.assertIsNone(Event.objects.get().closed_at)
        self.assertTrue(delete_planned_event(event, by="serg"))
        self.assertFalse(Event.objects.exists())

    def test_what_has_started_is_not_deleted(self) -> None:
        event = start_event(make_event("slot-001").pk, by="serg")
        self.assertFalse(delete_planned_event(event, by="serg"))


class RecipeTests(EventTestCase):
    def test_the_next_event_from_a_copy_brings_the_recipe_of_then_back(self) -> None:
        event = start_event(make_event("slot-001", accent_colour="#aa0000").pk, by="serg")
        close_event(event.pk, by="serg", switches_off=True)
        change_slot("slot-001", SlotIn(settings={"prompt": "As a comic"}), by="serg")
        copy = copy_event(event, by="serg")
        self.assertEqual((copy.state, copy.accent_colour), ("planned", "#aa0000"))
        start_event(copy.pk, by="serg")
        slot = self.get_slot()
        self.assertEqual((slot.settings, slot.is_active), (PROMPT, True))

    def test_a_template_picture_stays_while_an_event_has_it(self) -> None:
        stored = register_template("slot-001", draw(), by="serg").media
        SlotTemplateMedia.objects.create(
            slot_id="slot-001", media_kind="style", media_object=stored
        )
        MediaObject.objects.filter(pk=stored.pk).update(expires_at=None)
        event = make_event("slot-001")
        remember_recipe(event.event_slots.get())
        with self.captureOnCommitCallbacks(execute=True):
            change_slot("slot-001", SlotIn(template_media=[]), by="serg")
        self.assertIsNone(MediaObject.objects.get().cleaned_at)
        start_event(event.pk, by="serg")
        self.assertEqual(self.get_slot().template_media.get().media_object_id, stored.pk)
        with self.captureOnCommitCallbacks(execute=True):
            change_slot("slot-001", SlotIn(template_media=[]), by="serg")
            save_event(event, [], by="serg")
        self.assertIsNotNone(MediaObject.objects.get().cleaned_at)


class LogoTests(EventTestCase):
    def test_a_logo_is_shared_with_the_copy_and_goes_with_the_last(self) -> None:
        event = make_event("slot-001")
        event = save_event(event, [], by="serg", logo=store_logo(draw(), by="serg"))
        copy = copy_event(event, by="serg")
        with self.captureOnCommitCallbacks(execute=True):
            save_event(event, [], by="serg", drops_logo=True)
        logo = MediaObject.objects.get()
        self.assertEqual((logo.kind, logo.expires_at, logo.cleaned_at), ("logo", None, None))
        with self.captureOnCommitCallbacks(execute=True):
            delete_planned_event(copy, by="serg")
        self.assertIsNotNone(MediaObject.objects.get().cleaned_at)

    def test_a_logo_that_no_event_got_is_cleaned_up(self) -> None:
        logo = store_logo(draw(), by="serg")
        self.assertIsNotNone(logo.expires_at)
        save_event(make_event("slot-001"), [], by="serg", logo=logo)
        logo.refresh_from_db()
        self.assertIsNone(logo.expires_at)


class GalleryTests(ResultsTestCase):
    def setUp(self) -> None:
        Slot.objects.filter(pk="slot-001").update(settings=PROMPT, is_active=True)

    def store(self, event: Event | None, hours_ago: float) -> MediaObject:
        at = timezone.now() - timedelta(hours=hours_ago)
        media = self.store_result(stored_at=at, has_preview=False)
        MediaObject.objects.filter(pk=media.pk).update(event_id=event and event.pk)
        return media

    def list_shown(self) -> list[Any]:
        return [shown.view_id for shown in load_gallery("slot-001").results]

    def test_guests_of_an_event_never_see_those_of_another(self) -> None:
        first, second = make_event(name="First"), make_event("slot-001", name="Second")
        older, other = self.store(first, 20), self.store(None, 10)
        self.assertEqual(self.list_shown(), [other.view_id, older.view_id])
        start_event(second.pk, by="serg")
        self.assertEqual(self.list_shown(), [])
        newer = self.store(second, 1)
        self.assertEqual(self.list_shown(), [newer.view_id])
        close_event(second.pk, by="serg", switches_off=False)
        self.assertEqual(self.list_shown(), [newer.view_id, other.view_id])
