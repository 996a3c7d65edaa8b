from django.core.exceptions import ValidationError
from django.test import TestCase

from photochanger.errors import SlotDisabled, SlotNotFound
from photochanger.testing.marks import both_databases
from slots.models import Slot
from slots.services import open_slot, save_slot

pytestmark = both_databases


def ready_slot() -> Slot:
    slot = Slot.objects.get(pk="slot-001")
    slot.settings, slot.is_active = {"prompt": "As an oil painting"}, True
    return slot


class SlotTests(TestCase):
    def test_there_are_fifteen_slots_and_none_is_open(self) -> None:
        self.assertEqual(
            list(Slot.objects.values_list("pk", flat=True)),
            [f"slot-{number:03d}" for number in range(1, 16)],
        )
        self.assertFalse(Slot.objects.filter(is_active=True).exists())
        with self.assertRaises(SlotDisabled):
            open_slot("slot-001")
        with self.assertRaises(SlotNotFound):
            open_slot("slot-016")

    def test_each_save_is_a_new_version_with_a_name(self) -> None:
        slot = save_slot(ready_slot(), by="serg")
        again = save_slot(slot, by="igor")
        self.assertEqual((again.version, again.updated_by), (3, "igor"))

    def test_a_slot_cannot_be_opened_without_a_recipe(self) -> None:
        slot = ready_slot()
        slot.settings = {}
        with self.assertRaises(ValidationError) as caught:
            save_slot(slot, by="serg")
        self.assertIn("prompt", str(caught.exception.message_dict["settings"]))

    def test_a_wrong_recipe_says_which_field_and_saves_nothing(self) -> None:
        slot = ready_slot()
        slot.settings |= {"image_size": "9K", "promt": "x"}
        with self.assertRaises(ValidationError) as caught:
            save_slot(slot, by="serg")
        words = str(caught.exception.message_dict["settings"])
        self.assertIn("image_size", words)
        self.assertIn("promt", words)
        self.assertEqual(Slot.objects.get(pk="slot-001").version, 1)

    def test_unknown_provider_and_operation(self) -> None:
        for field, value in (("provider", "midjourney"), ("operation", "dance")):
            slot = ready_slot()
            setattr(slot, field, value)
            with self.subTest(field=field), self.assertRaises(ValidationError) as caught:
                save_slot(slot, by="serg")
            self.assertIn(field, caught.exception.message_dict)

    def test_the_specified_example_is_a_valid_recipe(self) -> None:
        slot = ready_slot()
        slot.settings = {"prompt": "Studio portrait", "safety": "standard"}
        save_slot(slot, by="serg")
