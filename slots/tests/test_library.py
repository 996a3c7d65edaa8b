"""The library of recipes: those that come with the product, and an installation's own."""

import re
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command
from django.test import TestCase
from django.utils.translation import override

from photochanger.db import clock
from photochanger.testing.marks import both_databases
from slots.library.built_in import load_built_in
from slots.library.models import Preset
from slots.library.presets import GROUPS, find_preset, find_same_recipe, list_presets
from slots.models import Slot
from slots.services import is_complete

pytestmark = both_databases


def make_preset(name: str = "Our evening", **values: Any) -> Preset:
    given = {"provider": "gemini", "operation": "image_edit", "settings": {"prompt": "A nebula"}}
    return Preset.objects.create(name=name, made_at=clock.now(), made_by="serg", **given | values)


class BuiltInRecipeTests(TestCase):
    def test_there_are_twenty_and_each_could_make_a_picture_as_it_is(self) -> None:
        presets = list_presets()
        self.assertEqual(len(presets), 20)
        for one in presets:
            slot = one.to_slot()
            slot.id = "slot-001"
            slot.clean()
            self.assertTrue(is_complete(slot, kinds=()), one.key)
            self.assertEqual(slot.settings, one.settings, "kept as it is in the library")

    def test_names_and_descriptions_are_in_both_languages(self) -> None:
        for one in load_built_in():
            for texts in (one.names, one.descriptions):
                self.assertRegex(texts["ru"], "[а-я]", one.key)
                self.assertNotRegex(texts["en"], "[а-яё]", one.key)
            self.assertLess(len(one.descriptions["ru"]), 60)
        with override("ru"):
            self.assertEqual(list_presets()[0].name, "Масляная живопись")
        with override("en-gb"):
            self.assertEqual(list_presets()[0].name, "Oil painting")

    def test_keys_names_and_prompts_are_distinct(self) -> None:
        recipes = load_built_in()
        for values in (
            {one.key for one in recipes},
            {one.names["ru"] for one in recipes},
            {one.names["en"] for one in recipes},
            {one.prompt for one in recipes},
        ):
            self.assertEqual(len(values), len(recipes))
        self.assertLessEqual({one.group for one in recipes}, GROUPS.keys())

    def test_every_prompt_is_english_and_keeps_faces_and_the_number_of_people(self) -> None:
        number = (
            r"number|nobody|no more and no fewer|no others?\b|precisely|exactly|all of them|as many"
        )
        for one in load_built_in():
            self.assertNotRegex(one.prompt, "[а-яё]", one.key)
            self.assertNotIn("\n", one.prompt)
            self.assertRegex(one.prompt.lower(), r"\bfaces?\b", one.key)
            self.assertTrue(re.search(number, one.prompt, re.IGNORECASE), one.key)
            self.assertLess(len(one.prompt), 800, one.key)


class OwnPresetTests(TestCase):
    def test_ones_own_come_first_and_are_told_from_the_others(self) -> None:
        row = make_preset(is_drawn=True)
        with self.assertNumQueries(2):
            presets = list_presets()
        first = presets[0]
        self.assertEqual(
            (first.name, first.key, first.is_own), ("Our evening", f"own-{row.pk}", True)
        )
        self.assertEqual((first.prompt, first.face_style), ("A nebula", "drawn"))
        self.assertFalse(any(one.is_own for one in presets[1:]))

    def test_a_preset_is_found_by_its_key_and_by_nothing_else(self) -> None:
        row = make_preset()
        for key in (f"own-{row.pk}", "oil-painting"):
            found = find_preset(key)
            assert found
            self.assertEqual(found.key, key)
        for key in (
            "",
            "own-",
            f"own-0{row.pk}",
            "own-٣",
            f"own-{'9' * 40}",
            "x\x00y",
            "x" * 99,
            "own-999999",
        ):
            self.assertIsNone(find_preset(key), key)

    def test_a_recipe_is_recognised_word_for_word(self) -> None:
        make_preset()
        asked: dict[str, Any] = {"provider": "gemini", "operation": "image_edit"}
        found = find_same_recipe(list_presets(), **asked, settings={"prompt": "A nebula"})
        assert found
        self.assertEqual(found.name, "Our evening")
        other = find_same_recipe(list_presets(), **asked, settings={"prompt": "A nebula!"})
        self.assertIsNone(other)

    def test_a_preset_of_a_service_that_is_gone_is_told(self) -> None:
        make_preset(provider="gone", settings={"x": 1})
        first = list_presets()[0]
        self.assertEqual((first.is_usable, first.prompt), (False, ""))


class CommandTests(TestCase):
    def run_command(self, name: str, *more: str) -> str:
        out = StringIO()
        call_command("slot", "slot-001", "--preset", name, *more, stdout=out)
        return out.getvalue()

    def test_a_recipe_is_put_into_a_slot_by_its_name_in_either_language_or_its_key(self) -> None:
        for name in ("Oil painting", "масляная живопись", "oil-painting"):
            Slot.objects.filter(pk="slot-001").update(settings={})
            self.assertIn("oil portrait", self.run_command(name))
        self.assertIn('"2K"', self.run_command("comic", "--set", "image_size=2K"))

    def test_what_is_not_there_is_told_with_what_there_is(self) -> None:
        with self.assertRaisesMessage(CommandError, "There are: oil-painting, watercolour"):
            self.run_command("no such")
