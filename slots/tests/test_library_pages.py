"""The library's pages: a preset into a slot, one's own presets, files brought in and taken out."""

import json
from datetime import timedelta
from typing import Any
from unittest import mock

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media import storage
from media.models import MediaObject
from photochanger.db import clock
from photochanger.errors import InvalidFields
from photochanger.testing.marks import both_databases
from slots.history.records import find_entries
from slots.library.exchange import import_presets, read_file, write_file
from slots.library.models import Preset, PresetSample
from slots.library.presets import find_preset, list_presets
from slots.library.samples import keep_sample
from slots.models import Slot, SlotTemplateMedia
from slots.tests.support import ConsoleTestCase
from slots.tests.test_library import make_preset

pytestmark = both_databases

LIBRARY = "/admin/library/"
FRESH = "private, max-age=600"
RECIPE = {
    "name": "Our evening",
    "provider": "gemini",
    "operation": "image_edit",
    "settings": {"prompt": "A nebula", "image_size": "2K"},
}


def file_of(*recipes: Any, **more: Any) -> bytes:
    head = {"format": "photochanger-recipes", "version": 1, "recipes": list(recipes)}
    return json.dumps(head | more).encode()


class LibraryTestCase(ConsoleTestCase):
    def slot(self, slot_id: str = "slot-001") -> Slot:
        return Slot.objects.get(pk=slot_id)

    def put(self, key: str = "oil-painting", slot_id: str = "slot-001", **values: Any) -> Any:
        given = {"preset": key, "slot": slot_id, "version": self.slot(slot_id).version}
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(f"{LIBRARY}put/", given | values, follow=True)

    def give_template(self, slot_id: str = "slot-001", *, kind: str = "style") -> None:
        media = MediaObject.objects.create(
            slot_id=slot_id, kind="template", path=f"templates/{slot_id}/{kind}", size_bytes=1
        )
        SlotTemplateMedia.objects.create(slot_id=slot_id, media_kind=kind, media_object=media)


class IntoASlotTests(LibraryTestCase):
    def test_a_free_slot_takes_a_recipe_at_once_and_is_named_by_it(self) -> None:
        answer = self.put()
        self.assertRedirects(answer, "/admin/slots/slot/slot-001/change/#trial")
        slot = self.slot()
        self.assertEqual(slot.display_name, "Масляная живопись")
        self.assertIn("oil portrait", slot.settings["prompt"])
        self.assertEqual((slot.face_style, slot.is_active), ("drawn", False))
        self.assertEqual(len(find_entries(Slot, slot.pk)), 1)

    def test_a_slot_that_takes_photos_is_asked_about_first(self) -> None:
        recipe = {"prompt": "Old", "image_size": "2K"}
        Slot.objects.filter(pk="slot-001").update(
            is_active=True, settings=recipe, display_name="Бал"
        )
        answer = self.put()
        self.assertContains(answer, "«Бал» сейчас принимает фото. Поставить в него")
        self.assertEqual(self.slot().settings, recipe)
        self.put(confirmed="1")
        slot = self.slot()
        self.assertEqual(slot.settings["image_size"], "2K", "what the slot had besides the prompt")
        self.assertIn("oil portrait", slot.settings["prompt"])
        self.assertEqual(slot.display_name, "Бал")

    def test_ones_own_preset_replaces_all_settings(self) -> None:
        row = make_preset(settings={"prompt": "A nebula", "image_size": "4K"})
        Slot.objects.filter(pk="slot-001").update(settings={"prompt": "x", "safety": "strict"})
        self.put(f"own-{row.pk}", confirmed="1")
        self.assertEqual(self.slot().settings, {"prompt": "A nebula", "image_size": "4K"})

    def test_template_pictures_go_only_after_they_have_been_named(self) -> None:
        self.give_template()
        answer = self.put()
        self.assertContains(answer, "Шаблонная картинка слота удалится.")
        self.assertEqual(self.slot().template_media.count(), 1)
        self.put(confirmed="1")
        self.assertEqual(self.slot().template_media.count(), 0)

    def test_the_frame_of_the_print_is_no_part_of_the_recipe_and_stays(self) -> None:
        self.give_template(kind="frame")
        self.assertNotContains(self.client.get(f"{LIBRARY}new/?slot=slot-001"), "Шаблонные карт")
        self.give_template()
        page = self.client.get("/admin/slots/slot/slot-001/change/?preset=comic")
        self.assertEqual([one.kind for one in page.context["templates"]], ["frame"])
        self.assertContains(self.put(), "Шаблонная картинка слота удалится.")
        self.put(confirmed="1")
        left = self.slot().template_media.values_list("media_kind", flat=True)
        self.assertEqual(list(left), ["frame"])

    def test_a_preset_that_uses_template_pictures_keeps_those_of_the_slot(self) -> None:
        self.give_template()
        row = make_preset(uses_templates=True)
        self.put(f"own-{row.pk}", confirmed="1")
        self.assertEqual(self.slot().template_media.count(), 1)

    def test_a_slot_that_somebody_has_changed_meanwhile_is_left_alone(self) -> None:
        answer = self.put(version="77")
        self.assertContains(answer, "Загрузите")
        self.assertEqual(self.slot().settings, {})

    def test_what_could_not_work_is_told_and_nothing_is_changed(self) -> None:
        row = make_preset(provider="turbotext", operation="identity_transfer", settings={})
        Slot.objects.filter(pk="slot-001").update(is_active=True, settings={"prompt": "x"})
        answer = self.put(f"own-{row.pk}", confirmed="1")
        self.assertContains(answer, "шаблонн")
        self.assertEqual(self.slot().settings, {"prompt": "x"})

    def test_what_is_not_there_is_not_found(self) -> None:
        self.assertEqual(self.put("no-such").status_code, 404)
        answer = self.client.post(f"{LIBRARY}put/", {"preset": "comic", "slot": "slot-099"})
        self.assertRedirects(answer, LIBRARY)

    def test_trying_puts_it_into_the_form_and_saves_nothing(self) -> None:
        Slot.objects.filter(pk="slot-001").update(settings={"prompt": "Old", "image_size": "2K"})
        answer = self.client.get("/admin/slots/slot/slot-001/change/?preset=comic")
        self.assertContains(answer, "halftone dots")
        self.assertContains(answer, "data-unsaved")
        self.assertContains(answer, '<option value="2K" selected>')
        self.assertEqual(self.slot().settings["prompt"], "Old")

    def test_the_page_offers_the_slot_where_nothing_is_lost(self) -> None:
        Slot.objects.filter(pk="slot-001").update(settings={"prompt": "x"}, is_active=True)
        self.assertContains(self.client.get(LIBRARY), '<option value="slot-002" selected>')
        asked = self.client.get(f"{LIBRARY}?slot=slot-001")
        self.assertContains(asked, '<option value="slot-001" selected>')
        self.assertContains(asked, "data-confirm")


class OwnPresetPagesTests(LibraryTestCase):
    def setUp(self) -> None:
        super().setUp()
        recipe = {"prompt": "For {guest}", "image_size": "2K"}
        variables = [{"name": "guest"}]
        Slot.objects.filter(pk="slot-001").update(settings=recipe, variables=variables)

    def save(self, name: str, **values: str) -> Any:
        given = {"slot": "slot-001", "name": name, "description": "Ours"}
        return self.client.post(f"{LIBRARY}new/", given | values, follow=True)

    def test_a_slots_recipe_becomes_a_preset_and_goes_into_another_slot(self) -> None:
        self.assertContains(self.save("Вечер"), "«Вечер» теперь в библиотеке.")
        row = Preset.objects.get()
        self.assertEqual((row.made_by, row.description), ("serg", "Ours"))
        self.put(f"own-{row.pk}", "slot-002")
        slot, source = self.slot("slot-002"), self.slot()
        self.assertEqual(slot.settings, source.settings)
        self.assertEqual([one.name for one in slot.list_variables()], ["guest"])

    def test_a_name_is_needed_and_may_be_there_once(self) -> None:
        make_preset("Вечер")
        for name, words in (
            ("Вечер", "уже есть"),
            (" ", "Это поле"),
            ("x" * 101, "Слишком длинно"),
        ):
            answer = self.save(name)
            self.assertContains(answer, words, status_code=400)
        self.assertEqual(Preset.objects.count(), 1)

    def test_an_empty_recipe_is_no_preset(self) -> None:
        self.assertContains(self.save("x", slot="slot-002"), "Промпт", status_code=400)

    def test_it_is_renamed(self) -> None:
        row = make_preset()
        address = f"{LIBRARY}preset/own-{row.pk}/"
        self.client.post(address, {"name": "Night", "description": "Late"})
        row.refresh_from_db()
        self.assertEqual((row.name, row.description), ("Night", "Late"))
        make_preset("Day")
        answer = self.client.post(address, {"name": "Day"})
        self.assertContains(answer, "уже есть", status_code=400)

    def test_it_is_deleted_after_a_question_with_its_picture(self) -> None:
        row = make_preset()
        keep_sample(f"own-{row.pk}", b"RIFF", by="serg")
        address = f"{LIBRARY}preset/own-{row.pk}/delete/"
        self.assertContains(self.client.post(address), "Удалить пресет")
        self.assertTrue(Preset.objects.exists())
        with self.captureOnCommitCallbacks(execute=True):
            self.client.post(address, {"confirmed": "1"})
        self.assertFalse(Preset.objects.exists() or PresetSample.objects.exists())
        self.assertIsNotNone(MediaObject.objects.get(kind="sample").cleaned_at)

    def test_a_built_in_one_can_be_neither_deleted_nor_renamed(self) -> None:
        for path in ("delete/", ""):
            answer = self.client.post(
                f"{LIBRARY}preset/comic/{path}", {"confirmed": "1", "name": "x"}
            )
            self.assertIn(answer.status_code, (200, 404))
        preset = find_preset("comic")
        assert preset
        self.assertEqual(preset.name, "Комикс")


class FileTests(LibraryTestCase):
    def bring(self, body: bytes) -> Any:
        file = SimpleUploadedFile("recipes.json", body, "application/json")
        return self.client.post(f"{LIBRARY}import/", {"file": file}, follow=True)

    def test_what_was_taken_out_comes_back_in_whole(self) -> None:
        variables = [{"name": "guest", "label": "имя"}]
        make_preset("Вечер", variables=[], is_drawn=True, description="Наш")
        Slot.objects.filter(pk="slot-001").update(
            settings={"prompt": "For {guest}"}, variables=variables
        )
        self.client.post(f"{LIBRARY}new/", {"slot": "slot-001", "name": "С именем"})
        before = [(one.name, one.settings, one.variables, one.face_style) for one in list_presets()]
        answer = self.client.get(f"{LIBRARY}export/")
        self.assertRegex(answer["Content-Disposition"], r"photochanger-recipes-[\d-]{10}\.json")
        Preset.objects.all().delete()
        self.assertContains(self.bring(answer.content), "Новых пресетов: 2.")
        after = [(one.name, one.settings, one.variables, one.face_style) for one in list_presets()]
        self.assertEqual(after, before)

    def test_the_same_file_twice_makes_nothing_twice(self) -> None:
        body = file_of(RECIPE)
        self.bring(body)
        self.assertContains(self.bring(body), "Уже были: Our evening.")
        self.assertEqual(Preset.objects.count(), 1)

    def test_another_recipe_of_a_name_that_is_here_gets_a_number(self) -> None:
        make_preset("Our evening")
        self.bring(file_of(RECIPE, RECIPE | {"settings": {"prompt": "Third"}}))
        names = list(Preset.objects.values_list("name", flat=True))
        self.assertEqual(names, ["Our evening", "Our evening (2)", "Our evening (3)"])

    def test_built_in_ones_can_be_taken_out_too(self) -> None:
        answer = self.client.get(f"{LIBRARY}export/?preset=comic")
        [one] = read_file(answer.content)
        self.assertEqual(one.name, "Комикс")

    def test_a_hostile_or_broken_file_is_refused_in_words_and_changes_nothing(self) -> None:
        deep = b'{"format":"photochanger-recipes","version":1,"recipes":' + b"[" * 100000
        settings = {"prompt": "x"}
        levels = file_of(RECIPE | {"settings": "@"}).replace(
            b'"@"', b'{"x":' * 300 + b"1" + b"}" * 300
        )
        for body, words in (
            (b"", "не JSON"),
            (b"\x89PNG\r\n", "не JSON"),
            (b'{"format": "photochanger-recipes", "x": NaN}', "не JSON"),
            (b'{"name": "\xff"}', "не JSON"),
            (b'"\\ud800"', "не JSON"),
            (deep, "не JSON"),
            (b"[" * 900 + b"]" * 900, "не файл с рецептами PhotoChanger"),
            (levels, "Рецепт № 1.*[Вв]ложен"),
            (b"null", "не файл с рецептами PhotoChanger"),
            (b" " * (1024 * 1024 + 1), "больше 1 МБ"),
            (file_of(RECIPE, version=2), "другой версией"),
            (file_of(RECIPE, version=True), "другой версией"),
            (file_of(RECIPE, admin=True), "Такого поля нет"),
            (file_of(), "Слишком мало"),
            (file_of(*[RECIPE] * 201), "Слишком много"),
            (file_of("x"), "[Нн]ужен объект|не годится|Не годится"),
            (file_of(RECIPE, RECIPE | {"id": 1}), "Рецепт № 2"),
            (file_of(RECIPE | {"name": ""}), "Слишком коротко|Это поле"),
            (file_of(RECIPE | {"name": " "}), "Это поле"),
            (file_of(RECIPE | {"name": "a\nb"}), "управляющ|Не разрешено|Нельзя"),
            (file_of(RECIPE | {"name": "x" * 101}), "Слишком длинно"),
            (file_of(RECIPE | {"provider": "evil"}), "Такого провайдера нет"),
            (file_of(RECIPE | {"operation": "evil"}), "операции"),
            (file_of(RECIPE | {"settings": {"prompt": "a\x00b"}}), "управляющих"),
            (file_of(RECIPE | {"settings": {"prompt": "x" * 4001}}), "Слишком длинно"),
            (file_of(RECIPE | {"settings": settings | {"api_key": "k"}}), "Такого поля нет"),
            (file_of(RECIPE | {"settings": settings | {"x": "y" * 30000}}), "20"),
            (file_of(RECIPE | {"settings": {"prompt": "{people: }"}}), "people"),
            (file_of(RECIPE | {"variables": [{"name": "people"}]}), "people"),
            (file_of(RECIPE | {"variables": [{"name": f"n{n}"} for n in range(11)]}), "много"),
            (file_of(RECIPE | {"settings": []}), "объект"),
        ):
            with self.subTest(body=body[:80]):
                answer = self.bring(body)
                self.assertEqual(answer.status_code, 400)
                self.assertRegex(answer.content.decode(), words)
        self.assertFalse(Preset.objects.exists())

    def test_a_file_is_judged_before_the_database_is_locked(self) -> None:
        with self.assertNumQueries(0), self.assertRaises(InvalidFields):
            import_presets(file_of(RECIPE, RECIPE | {"operation": "evil"}), by="serg")
        with CaptureQueriesContext(connection) as asked:
            import_presets(file_of(RECIPE), by="serg")
        self.assertIn("SAVEPOINT", asked.captured_queries[0]["sql"])

    def test_a_name_that_is_a_script_is_only_a_name(self) -> None:
        name = "<script>alert(1)</script>"
        self.bring(file_of(RECIPE | {"name": name, "description": name}))
        body = self.client.get(LIBRARY).content.decode()
        self.assertNotIn("<script>alert", body)
        self.assertIn("&lt;script&gt;alert(1)", body)

    def test_no_more_than_the_most_are_kept(self) -> None:
        names = [RECIPE | {"name": f"n{n}"} for n in range(199)]
        import_presets(file_of(*names), by="serg")
        answer = self.bring(file_of(*(RECIPE | {"name": f"m{n}"} for n in range(2))))
        self.assertContains(answer, "Пресетов уже 200", status_code=400)
        self.assertEqual(Preset.objects.count(), 199)

    def test_a_file_holds_no_picture(self) -> None:
        row = make_preset()
        keep_sample(f"own-{row.pk}", b"RIFF", by="serg")
        self.assertNotIn(b"RIFF", write_file(list_presets()))


class SamplePictureTests(LibraryTestCase):
    def test_a_kept_picture_is_shown_and_deleted_after_a_question(self) -> None:
        keep_sample("comic", b"RIFF first", by="serg")
        keep_sample("comic", b"RIFF second", by="serg")
        preset = find_preset("comic")
        assert preset and preset.sample_id
        answer = self.client.get(f"{LIBRARY}picture/{preset.sample_id.hex}/")
        self.assertEqual(answer.content, b"RIFF second")
        self.assertEqual(answer["Cache-Control"], FRESH)
        address = f"{LIBRARY}preset/comic/picture/delete/"
        self.assertContains(self.client.post(address), "Удалить картинку")
        self.client.post(address, {"confirmed": "1"})
        preset = find_preset("comic")
        assert preset
        self.assertIsNone(preset.sample_id)
        self.assertEqual(self.client.get(f"{LIBRARY}picture/{'0' * 32}/").status_code, 404)

    def test_a_server_killed_while_one_is_kept_leaves_it_for_an_hour_only(self) -> None:
        with (
            mock.patch.object(PresetSample.objects, "create", side_effect=SystemExit),
            self.assertRaises(SystemExit),
        ):
            keep_sample("comic", b"RIFF", by="serg")
        media = MediaObject.objects.get()
        self.assertEqual(storage.read(media.path), b"RIFF")
        assert media.expires_at
        self.assertLess(media.expires_at, clock.now() + timedelta(minutes=61))
        keep_sample("comic", b"RIFF", by="serg")
        self.assertEqual(MediaObject.objects.filter(expires_at=None).count(), 1)

    def test_of_two_clicks_at_once_one_picture_is_kept(self) -> None:
        def come_first(key: str, *, by: str) -> bool:
            there = MediaObject.objects.create(
                kind="sample", path="templates/x/picture.webp", size_bytes=1
            )
            PresetSample.objects.create(key=key, media_object=there, made_at=clock.now())
            return False

        with (
            mock.patch("slots.library.samples.drop_sample", come_first),
            self.captureOnCommitCallbacks(execute=True),
        ):
            keep_sample("comic", b"RIFF", by="serg")
        media = MediaObject.objects.get(size_bytes=4)
        self.assertIsNotNone(media.expires_at)
        self.assertEqual(list(storage.iter_files("templates/")), [])

    def test_no_picture_is_kept_of_a_preset_that_was_deleted_meanwhile(self) -> None:
        row = make_preset()
        key = f"own-{row.pk}"
        row.delete()
        with self.captureOnCommitCallbacks(execute=True):
            keep_sample(key, b"RIFF", by="serg")
        self.assertFalse(PresetSample.objects.exists())
        self.assertEqual(list(storage.iter_files("templates/")), [])

    def test_the_simulator_draws_where_it_stands_in_for_the_service(self) -> None:
        drawn = f"{LIBRARY}preset/comic/drawn/"
        with self.settings(GEMINI_BASE_URL="http://127.0.0.1:9911"):
            self.assertContains(self.client.get(LIBRARY), drawn)
            answer = self.client.get(drawn)
            self.assertEqual((answer.status_code, answer.content[:4]), (200, b"RIFF"))
            self.assertEqual(answer["Cache-Control"], FRESH)
        with self.settings(GEMINI_BASE_URL="https://generativelanguage.googleapis.com"):
            self.assertContains(self.client.get(LIBRARY), "Картинки пока нет: попробуйте")
            self.assertEqual(self.client.get(drawn).status_code, 404)

    def test_a_service_without_a_key_is_told(self) -> None:
        with self.settings(GEMINI_API_KEY=""):
            self.assertContains(self.client.get(LIBRARY), "нет ключа")
        with self.settings(GEMINI_API_KEY="key"):
            self.assertNotContains(self.client.get(LIBRARY), "нет ключа")
