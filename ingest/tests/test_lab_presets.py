"""The lab tries recipes of the library: chosen, frozen, run, named, and put into a slot."""

from typing import Any

from django.db import connection

from ingest.models import LabCell, LabRecipe, LabRun
from ingest.tests.support import jpeg
from ingest.tests.test_lab import LITE, LabTestCase, State
from media.models import MediaObject
from media.uploads import store_upload
from photochanger.db import clock, in_db
from photochanger.testing.marks import both_databases
from slots.library.models import Preset
from slots.models import Slot, SlotTemplateMedia
from slots.tests.test_template_list import draw_frame

OWN_MODEL = "gemini-nano-banana-2.1"
PAINTED = f"oil-painting:{OWN_MODEL}"
GUEST = {"name": "guest", "example": "Анна", "default": "our guest"}

pytestmark = both_databases


class PresetCase(LabTestCase):
    def make_preset(self, name: str = "Наш вечер", **values: Any) -> str:
        """What the form sends for it and its own model."""
        given = {"provider": "gemini", "operation": "image_edit", "settings": {"prompt": "A moon"}}
        row = Preset.objects.create(
            name=name, made_at=clock.now(), made_by="serg", **given | values
        )
        return f"own-{row.pk}:{OWN_MODEL}"

    def give_template(self, slot_id: str, part: str = "style") -> None:
        kind = MediaObject.Kind.TEMPLATE
        body, name = (draw_frame(), "png") if part == "frame" else (jpeg(), "jpeg")
        media = store_upload(
            kind, slot_id, body, mime=f"image/{name}", extension=name, expires_at=None
        )
        SlotTemplateMedia.objects.create(slot_id=slot_id, media_kind=part, media_object=media)

    async def start(self, *recipes: str, slot: str = "slot-003") -> LabRun:
        run = await self.make_run(starts=False)
        await self.act("start", recipe=recipes, slot=slot)
        return run

    async def show(self, query: str = "", language: str = "ru") -> Any:
        headers = {"Accept-Language": language}
        return await self.async_client.get(self.run_url + query, headers=headers)


class PresetFormTests(PresetCase):
    async def test_the_form_offers_the_library_beside_the_slots_in_the_readers_language(
        self,
    ) -> None:
        own = await in_db(self.make_preset)
        await self.make_run(starts=False)
        page = await self.show()
        for value in (PAINTED, own, own.replace(OWN_MODEL, LITE), f"slot-001:{LITE}"):
            self.assertContains(page, f'value="{value}"')
        self.assertContains(page, "Масляная живопись")
        self.assertContains(await self.show(language="en"), "Oil painting")

    async def test_a_preset_that_uses_template_pictures_needs_a_slot_that_has_some(self) -> None:
        own = await in_db(self.make_preset, uses_templates=True)
        await in_db(self.give_template, "slot-004")
        run = await self.start(own)
        page = await self.show("?slot=slot-003")
        self.assertContains(page, "Нужны шаблонные картинки, а в этом слоте их нет.")
        self.assertNotContains(page, f'value="{own}"')
        self.assertContains(page, "Один из выбранных рецептов уже нельзя попробовать.")
        self.assertFalse(await run.cells.aexists())
        self.assertContains(await self.show("?slot=slot-004"), f'value="{own}"')

    async def test_another_slot_and_a_refusal_keep_what_was_chosen(self) -> None:
        await self.make_run(photos=0, starts=False)
        form = {"recipe": [PAINTED, f"slot-001:{LITE}"], "slot": "slot-004"}
        for more in ({"look": "1"}, {}):
            answer = await self.act("start", **form, **more)
            page = await self.async_client.get(answer.headers["Location"])
            self.assertContains(page, "checked", count=2)
            self.assertContains(page, '<option value="slot-004" selected>')
        self.assertContains(page, "хотя бы один рецепт")

    async def test_a_preset_that_was_deleted_meanwhile_is_told_before_anything_begins(self) -> None:
        own = await in_db(self.make_preset)
        await Preset.objects.all().adelete()
        await self.start(own, f"slot-001:{LITE}")
        self.assertContains(await self.show(), "Один из выбранных рецептов уже нельзя попробовать.")
        self.assertFalse(await LabCell.objects.aexists())


class PresetRunTests(PresetCase):
    async def test_presets_and_slots_are_tried_beside_each_other_by_the_rules_of_a_slot(
        self,
    ) -> None:
        rules = {"prompt": "Old", "model": LITE, "image_size": "1K"}
        await Slot.objects.filter(pk="slot-003").aupdate(settings=rules)
        own = await in_db(self.make_preset)
        run = await self.start(f"slot-001:{OWN_MODEL}", f"oil-painting:{LITE}", own)
        await self.finish(run)
        self.assertEqual(await self.list_states(), [State.DONE] * 3)
        calls = {call.prompt[:6]: call for call in self.provider.calls}
        self.assertEqual(list(calls), ["As an ", "A moon", "Repain"])
        sizes = [(call.model, call.image_size) for call in calls.values()]
        self.assertEqual(sizes[:2], [sizes[0]] * 2, "one's own brings its model and size")
        self.assertEqual(sizes[2], (LITE, "1K"), "one of the product takes those of the slot")
        slot = await Slot.objects.aget(pk="slot-003")
        self.assertEqual((slot.settings, slot.version, slot.is_active), (rules, 1, False))

    async def test_a_run_keeps_a_preset_as_it_was_when_it_began(self) -> None:
        words = {"settings": {"prompt": "For {guest}"}, "variables": [GUEST], "is_drawn": True}
        run = await self.start(await in_db(self.make_preset, **words))
        await Preset.objects.aupdate(
            name="Другой", settings={"prompt": "Else"}, variables=[], is_drawn=False
        )
        await self.finish(run)
        await Preset.objects.all().adelete()
        self.assertIn("For «Анна»", self.provider.calls[0].prompt)
        recipe = await LabRecipe.objects.aget()
        names = [one["name"] for one in recipe.variables or ()]
        self.assertEqual((recipe.face_style, names), ("drawn", ["guest"]))
        self.assertContains(await self.show(), "Наш вечер · ")

    async def test_the_grid_names_a_recipe_of_the_product_in_the_readers_language(self) -> None:
        await self.start(PAINTED)
        self.assertContains(await self.show(), "Масляная живопись · ")
        self.assertContains(await self.show(), "Из библиотеки, как если бы стоял в slot-003")
        self.assertContains(await self.show(language="en"), "Oil painting · ")

    async def test_template_pictures_of_the_slot_go_only_with_a_preset_that_uses_them(self) -> None:
        await in_db(self.give_template, "slot-003")
        run = await self.start(PAINTED, await in_db(self.make_preset, uses_templates=True))
        await self.finish(run)
        pictures = {call.prompt[:6]: len(call.pictures) for call in self.provider.calls}
        self.assertEqual(pictures, {"A moon": 2, "Repain": 1})

    async def test_a_run_of_the_release_before_stays_readable_and_goes_on(self) -> None:
        run = await self.make_run(f"slot-001:{LITE}")
        await in_db(self.write_as_before, run)
        recipe = await LabRecipe.objects.aget(number=1)
        self.assertEqual((recipe.preset, recipe.variables), ("", None))
        self.assertTrue(recipe.uses_templates)
        photo = await run.photos.aget()
        await LabCell.objects.acreate(run=run, photo=photo, recipe=recipe, changed_at=clock.now())
        await self.finish(run)
        self.assertEqual(await self.list_states(), [State.DONE] * 2)
        self.assertContains(await self.show(), "Как раньше")

    def write_as_before(self, run: LabRun) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO lab_recipe (run_id, number, slot_id, slot_version, title, provider,"
                " operation, settings, taken_slot) VALUES (%s, 1, 'slot-002', 1, 'Как раньше',"
                """ 'gemini', 'image_edit', '{"prompt": "A sea"}', '')""",
                [run.pk],
            )


class PresetWinnerTests(PresetCase):
    async def take(self, slot_id: str, **form: str) -> Any:
        recipe = await LabRecipe.objects.alatest("pk")
        slot = await Slot.objects.aget(pk=slot_id)
        return await self.act(f"take/{recipe.pk}", target=f"{slot_id}:{slot.version}", **form)

    async def test_a_winner_of_the_library_goes_into_a_slot_whole_and_the_grid_stays(self) -> None:
        await in_db(self.give_template, "slot-005")
        words = {"settings": {"prompt": "For {guest}"}, "variables": [GUEST], "is_drawn": True}
        run = await self.start(await in_db(self.make_preset, **words))
        await self.finish(run)
        asked = await self.take("slot-005")
        self.assertContains(asked, "Шаблонная картинка слота удалится.")
        await self.take("slot-005", confirmed="1")
        slot = await Slot.objects.aget(pk="slot-005")
        self.assertEqual(slot.settings["prompt"], "For {guest}")
        self.assertEqual((slot.face_style, slot.variables[0]["name"]), ("drawn", "guest"))
        self.assertEqual((slot.display_name, slot.is_active), ("Наш вечер", False))
        self.assertFalse(await slot.template_media.aexists())
        await run.arefresh_from_db()
        self.assertIsNone(run.expires_at)
        recipe = await LabRecipe.objects.aget()
        self.assertEqual((recipe.taken_slot, recipe.taken_version), ("slot-005", slot.version))
        history = await self.async_client.get("/admin/slots/slot/slot-005/history/")
        self.assertContains(history, self.run_url)

    async def test_a_winner_takes_the_template_pictures_along_by_which_it_won(self) -> None:
        await in_db(self.give_template, "slot-003")
        run = await self.start(await in_db(self.make_preset, uses_templates=True))
        await self.finish(run)
        for slot_id in ("slot-003", "slot-005"):
            self.assertNotContains(await self.take(slot_id), "удалится")
            await self.take(slot_id, confirmed="1")
            slot = await Slot.objects.aget(pk=slot_id)
            self.assertEqual(slot.settings, {"prompt": "A moon"})
            self.assertEqual(await slot.template_media.acount(), 1)

    async def test_a_slot_keeps_the_frame_of_its_print_whatever_wins(self) -> None:
        for slot_id in ("slot-003", "slot-005"):
            await in_db(self.give_template, slot_id, "frame")
        frame = (await SlotTemplateMedia.objects.aget(slot="slot-005")).media_object_id
        await in_db(self.give_template, "slot-003")
        for uses_templates, kinds in ((True, ["frame", "style"]), (False, ["frame"])):
            key = await in_db(self.make_preset, f"{uses_templates}", uses_templates=uses_templates)
            await self.finish(await self.start(key))
            await self.take("slot-005", confirmed="1")
            left = SlotTemplateMedia.objects.filter(slot="slot-005").order_by("media_kind")
            self.assertEqual([one.media_kind async for one in left], kinds)
            self.assertEqual((await left.aget(media_kind="frame")).media_object_id, frame)

    async def test_a_slot_with_a_name_of_its_own_keeps_it(self) -> None:
        await Slot.objects.filter(pk="slot-003").aupdate(display_name="Бал")
        await self.start(PAINTED)
        await self.take("slot-003", confirmed="1")
        slot = await Slot.objects.aget(pk="slot-003")
        self.assertEqual(slot.display_name, "Бал")
        self.assertIn("oil portrait", slot.settings["prompt"])
