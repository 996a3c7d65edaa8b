"""The page of a slot over HTTP: drawn from the driver's schema, saved with all its checks."""

import io
from typing import Any, ClassVar, Literal
from unittest import mock

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import SimpleTestCase
from PIL import Image
from pydantic import BaseModel, Field

from providers.base import DriverSettings
from providers.gemini.driver import GeminiDriver
from providers.registry import DRIVERS
from slots.checked_keys.listed_models import remember_models
from slots.console.recipe_form import RecipeForm
from slots.editing import change_slot
from slots.model_retirement import find_retiring_slots
from slots.models import Slot
from slots.provider_keys import set_provider_key
from slots.schemas import SlotIn
from slots.tests.support import ConsoleTestCase

PAGE = "/admin/slots/slot/slot-001/change/"
SLOT = "/admin/slots/slot/slot-001/"
DUE_MODEL = "gemini-3.1-flash-image"  # the announced day of its end is over


def picture() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "PNG")
    return SimpleUploadedFile("style.png", out.getvalue(), "image/png")


class Frame(BaseModel):
    width_px: int = Field(4, ge=1, le=50, title="Frame width")


class NewSettings(DriverSettings):
    prompt: str = Field(min_length=1, max_length=4000, title="Prompt")
    tint: str = Field("#0f866c", title="Tint", json_schema_extra={"format": "color"})
    warmth: float = Field(0.5, ge=0, le=1, title="Warmth")
    looks: Literal["soft", "hard"] = Field("soft", title="Looks")
    words: list[str] = Field([], title="Words")
    frame: Frame = Frame()
    grain: Literal["fine", "coarse"] | None = Field("coarse", title="Grain")
    odd: dict[str, Any] = Field({}, title="Odd")
    bright: bool = Field(True, title="Bright")
    shadows: bool | None = Field(None, title="Shadows")
    model: str = Field("nano", title="Model")
    MODEL_FIELDS = ("model",)


class NewDriver(GeminiDriver):
    name: ClassVar[str] = "new"
    Settings: Any = NewSettings


class RecipeFormTests(SimpleTestCase):
    def setUp(self) -> None:
        self.enterContext(mock.patch.dict(DRIVERS, {"new": NewDriver()}))
        self.slot = Slot(pk="slot-001", provider="new")

    def read(self, **typed: str) -> dict[str, Any]:
        """The settings that were read from what was typed into their inputs."""
        posted = {f"recipe-new-{name.replace('__', '.')}": text for name, text in typed.items()}
        return RecipeForm(self.slot, posted, is_posted=True).read_settings()

    def test_a_new_setting_of_a_driver_appears_by_itself_as_what_it_is(self) -> None:
        form = RecipeForm(self.slot)
        kinds = {name: form[name].widget_type for name in form.fields}
        self.assertEqual(
            {name: kinds[name] for name in ("prompt", "tint", "warmth", "looks", "words")},
            {
                "prompt": "textarea",
                "tint": "color",
                "warmth": "bounded",
                "looks": "select",
                "words": "lines",
            },
        )
        widget = form.fields["frame.width_px"].widget
        self.assertEqual((widget.least, widget.most), (1, 50))
        self.assertEqual(next(iter(form.fields)), "prompt")

    def test_what_is_typed_becomes_the_drivers_own_values(self) -> None:
        made = self.read(
            prompt="Rain",
            warmth="0,7",
            words="one\r\ntwo\r\n",
            frame__width_px="9",
            looks="soft",
        )
        self.assertNotIn("looks", made)  # a default that nobody set
        recipe = NewSettings.model_validate(made)
        self.assertEqual((recipe.warmth, recipe.words), (0.7, ["one", "two"]))
        self.assertEqual(recipe.frame.width_px, 9)

    def test_a_default_that_somebody_stored_stays_said(self) -> None:
        self.slot.settings = {"prompt": "Rain", "looks": "soft"}
        self.assertEqual(self.read(prompt="Rain", looks="soft")["looks"], "soft")

    def test_an_emptied_setting_is_left_out_and_one_with_a_default_is_null(self) -> None:
        self.slot.settings = {"prompt": "Rain", "output_max_side_px": 1024, "grain": "fine"}
        made = self.read(prompt="Rain", output_max_side_px="", grain="")
        self.assertEqual(made, {"prompt": "Rain", "grain": None})

    def test_what_cannot_be_read_comes_back_as_it_was_typed_and_marked(self) -> None:
        typed = {"recipe-new-prompt": "Rain", "recipe-new-warmth": "hot", "recipe-new-odd": "{1"}
        form = RecipeForm(self.slot, typed, is_posted=True)
        self.assertEqual(form.read_settings(), {"prompt": "Rain"})
        self.assertEqual(set(form.errors), {"warmth", "odd"})
        self.assertEqual((form["warmth"].value(), form["odd"].value()), ("hot", "{1"))
        self.assertIn("warmth", [field.name for field in form.main_fields])

    def test_lists_and_json_are_shown_as_they_are_typed(self) -> None:
        self.slot.settings = {"prompt": "Rain", "words": ["one", "two"], "odd": {"a": [1]}}
        form = RecipeForm(self.slot)
        self.assertEqual((form["words"].value(), form["odd"].value()), ("one\ntwo", '{"a": [1]}'))
        typed = {"words": form["words"].value(), "odd": form["odd"].value()}
        self.assertEqual(self.read(prompt="Rain", **typed), self.slot.settings)

    def test_a_tick_is_no_when_only_its_hidden_input_is_sent(self) -> None:
        self.assertEqual(self.read(prompt="Rain", bright="false")["bright"], False)
        self.assertNotIn("bright", self.read(prompt="Rain", bright="true"))
        self.assertEqual(self.read(prompt="Rain", shadows="true")["shadows"], True)

    def test_a_model_that_nobody_knows_stays_chosen(self) -> None:
        self.slot.settings = {"prompt": "Rain", "model": "of-last-year"}
        form = RecipeForm(self.slot)
        self.assertIn('<option value="of-last-year" selected>', str(form["model"]))
        self.assertEqual(form.model_title, "Google Gemini, of-last-year")

    def test_a_text_with_usual_values_offers_them_and_keeps_another(self) -> None:
        slot = Slot(
            pk="slot-001", provider="gemini", settings={"prompt": "x", "aspect_ratio": "8:1"}
        )
        drawn = str(RecipeForm(slot)["aspect_ratio"])
        for option in ('value="3:4"', 'value="16:9"', 'value="8:1" selected'):
            self.assertIn(option, drawn)

    def test_a_message_goes_to_its_field_or_is_returned(self) -> None:
        form = RecipeForm(self.slot, {}, is_posted=True)
        messages = {"settings.words.0": "Text is needed.", "settings.none": "x", "provider": "y"}
        self.assertEqual(form.add_messages(messages), {"settings.none": "x", "provider": "y"})
        self.assertEqual(form.errors["words"], ["Text is needed."])

    def test_a_prompt_serves_another_provider_until_one_is_typed_for_it(self) -> None:
        typed = {"provider": "new", "recipe-gemini-prompt": "Rain", "recipe-gemini-safety": "off"}
        form = RecipeForm(self.slot, typed)
        self.assertEqual(form["prompt"].value(), "Rain")
        self.assertIn(("recipe-gemini-safety", "off"), form.hidden_inputs)
        own = RecipeForm(self.slot, typed | {"recipe-new-prompt": "Snow"})
        self.assertEqual(own["prompt"].value(), "Snow")


class SlotPageTests(ConsoleTestCase):
    def setUp(self) -> None:
        super().setUp()
        change_slot("slot-001", SlotIn(settings={"prompt": "A nebula"}, is_active=True), by="serg")

    @property
    def slot(self) -> Slot:
        return Slot.objects.get(pk="slot-001")

    def form(self, **changes: Any) -> dict[str, Any]:
        return {
            "version": self.slot.version,
            "display_name": "Ball",
            "provider": "gemini",
            "operation": "image_edit",
            "is_active": "true",
            "size_limit_mb": "15",
            "sync_response_seconds": "",
            "on_failure": "error",
            "gallery_mode": "open",
            "gallery_until": "",
            "recipe-gemini-prompt": "A nebula",
            "templates": "1",
            **{name.replace("__", "-"): value for name, value in changes.items()},
        }

    def save(self, **changes: Any) -> Any:
        return self.client.post(PAGE, self.form(**changes))

    def test_the_page_holds_what_is_stored_in_few_queries(self) -> None:
        with self.assertNumQueries(8):
            page = self.client.get(PAGE)
        for words in ("A nebula", "/ingest/slot-001", "Nano Banana 2.1", 'id="trial-run"'):
            self.assertContains(page, words)

    def test_every_field_is_saved(self) -> None:
        answer = self.save(
            recipe__gemini__prompt="Rain",
            recipe__gemini__safety="strict",
            recipe__gemini__keep_identity="false",
            recipe__gemini__output_quality="80",
            public_title="The wedding",
            size_limit_mb="9",
            sync_response_seconds="30",
            on_failure="original",
            gallery_mode="secret",
            gallery_until="2027-01-02T18:30",
            ingest_password="secret-1",
        )
        self.assertRedirects(answer, PAGE)
        slot = self.slot
        told = {
            "prompt": "Rain",
            "safety": "strict",
            "keep_identity": False,
            "output_quality": 80,
        }
        self.assertEqual(slot.settings, told)
        self.assertEqual((slot.size_limit_mb, slot.sync_response_seconds), (9, 30))
        self.assertEqual(slot.guest_title, "The wedding")
        history = self.client.get(f"{SLOT}history/")
        self.assertContains(history, "азвание для гостей")
        self.assertContains(history, "The wedding")
        self.assertEqual((slot.on_failure, slot.gallery_mode), ("original", "secret"))
        assert slot.gallery_until is not None
        self.assertEqual(slot.gallery_until.isoformat(), "2027-01-02T15:30:00+00:00")
        self.assertTrue(slot.ingest_password_hash)
        self.save(password_removed="true")
        self.assertEqual(self.slot.ingest_password_hash, "")

    def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_saved(self) -> None:
        wrong = (
            ({"recipe__gemini__prompt": ""}, "Это поле обязательно."),
            ({"recipe__gemini__output_quality": "12"}, "Слишком мало"),
            ({"size_limit_mb": "99"}, "20"),
            ({"sync_response_seconds": "soon"}, "целое число"),
            ({"gallery_until": "tomorrow"}, "дата"),
            ({"ingest_password": "1"}, "6"),
            ({"provider": "nobody"}, "провайдер"),
        )
        before = self.slot.version
        for change, words in wrong:
            with self.subTest(**change):
                answer = self.save(display_name="Typed", **change)
                self.assertContains(answer, 'class="error"' if "provider" not in change else words)
                self.assertContains(answer, words)
                self.assertContains(answer, 'value="Typed"')
        self.assertEqual(self.slot.version, before)

    def test_the_page_says_what_the_operation_needs_stars_it_and_opens_it(self) -> None:
        cases: tuple[tuple[str, dict[str, str], str, bool], ...] = (
            ("image_edit", {}, "нужно: фото гостя; промпт.", False),
            ("style_transfer", {}, "нужно: фото гостя; второе изображение (стиль).", True),
            ("identity_transfer", {}, "второе изображение (основа или фон).", True),
            ("identity_transfer", {"guest_is": "scene"}, "второе изображение (лицо).", True),
        )
        for operation, chosen, words, needs_template in cases:
            with self.subTest(operation, **chosen):
                typed = self.form(provider="turbotext", operation=operation)
                typed |= {f"recipe-turbotext-{name}": it for name, it in chosen.items()}
                drawn = self.client.post(f"{SLOT}fields/", typed)
                self.assertContains(drawn, words)
                self.assertEqual(drawn.context["lacks_template"], needs_template)
                self.assertEqual("aria-required" in str(drawn.content), not needs_template)
                self.assertContains(drawn, "Второе изображение")

    def test_each_part_of_a_template_picture_has_a_line_by_the_driver(self) -> None:
        roles = self.client.get(PAGE).context["kinds"]
        self.assertEqual(
            [role.kind for role in roles], [*DRIVERS["gemini"].template_roles, "frame"]
        )
        self.assertTrue(all(role.words for role in roles))
        for driver in DRIVERS.values():
            kinds = {kind for taken in driver.template_kinds.values() for kind in taken}
            self.assertEqual(kinds - driver.template_roles.keys(), set(), driver.name)

    def test_saving_tells_what_has_come_of_the_slot(self) -> None:
        turbotext = {"provider": "turbotext", "operation": "style_transfer"}
        needs_prompt = {"provider": "turbotext", "operation": "image_edit"}
        off = {"is_active": "false"}
        cases: tuple[tuple[dict[str, str], str], ...] = (
            ({}, "Сохранено. Слот включён"),
            (off, "Сохранено. Слот выключен."),
            (off | {"recipe__gemini__prompt": ""}, "Не хватает: Промпт."),
            (off | needs_prompt, "Не хватает: Промпт."),
            (off | turbotext, "Не хватает: шаблонные картинки."),
        )
        for change, words in cases:
            with self.subTest(**change):
                answer = self.client.post(PAGE, self.form(**change), follow=True)
                self.assertContains(answer, words)
                (told,) = answer.context["messages"]
                self.assertIn(words, str(told))

    def test_what_is_wrong_is_listed_with_links_in_the_order_of_the_page(self) -> None:
        answer = self.save(
            recipe__gemini__prompt="",
            size_limit_mb="99",
            template_id="0" * 32,
            template_kind="style",
            template_status="present",
        )
        anchors = [one.anchor for one in answer.context["problems"]]
        self.assertEqual(anchors, ["settings.prompt", "id_size_limit_mb"])
        self.assertContains(answer, '<a href="#settings.prompt">Промпт</a>')
        answer = self.save(words="1", **{"word-0-name": "Bad Name"})
        self.assertEqual(answer.context["problems"][0].anchor, "word-0-name")
        answer = self.save(template_id="0" * 32, template_kind="style", template_status="present")
        (one,) = answer.context["problems"]
        self.assertEqual((one.anchor, one.label), ("second-summary", "Второе изображение"))
        self.assertContains(answer, 'id="second-summary"')

    def test_another_provider_draws_its_fields_and_keeps_what_was_typed(self) -> None:
        typed = self.form(provider="turbotext", recipe__gemini__safety="strict")
        drawn = self.client.post(f"{SLOT}fields/", typed)
        self.assertContains(drawn, 'name="recipe-turbotext-prompt"')
        self.assertContains(
            drawn, '<input type="hidden" name="recipe-gemini-safety" value="strict">'
        )
        self.assertNotContains(drawn, "guest_is")  # of another operation
        back = typed | {"provider": "gemini", "recipe-turbotext-prompt": "Other words"}
        again = self.client.post(f"{SLOT}fields/", back)
        self.assertContains(again, '<option value="strict" selected>')
        self.assertContains(again, 'name="recipe-turbotext-prompt" value="Other words"')

    def test_the_second_of_two_is_warned_and_may_take_over(self) -> None:
        read = self.slot.version
        change_slot("slot-001", SlotIn(display_name="Igor's"), by="igor")
        answer = self.save(version=read, display_name="Mine", recipe__gemini__prompt="My words")
        self.assertEqual(answer.status_code, 409)
        for words in ("igor", "Igor&#x27;s", "My words", 'name="take_over"'):
            self.assertContains(answer, words, status_code=409)
        self.save(version=read, take_over=self.slot.version, display_name="Mine")
        self.assertEqual(self.slot.display_name, "Mine")

    def test_a_template_picture_is_added_by_saving_and_removed_by_saving(self) -> None:
        up = self.form() | {"template_file": picture(), "new_kind": "style"}
        drawn = self.client.post(f"{SLOT}templates/", up)
        media = drawn.context["one"].media_id
        shown = self.client.get(f"{SLOT}templates/{media}/")
        self.assertEqual(shown["Content-Type"], "image/png")
        self.assertEqual(shown["Cache-Control"], "private, max-age=600")
        row = {"template_id": [media], "template_kind": ["style"], "template_status": ["present"]}
        self.save(**row)
        self.assertEqual([one.media_kind for one in self.slot.template_media.all()], ["style"])
        self.save(**row | {"template_status": ["removed"]})
        self.assertFalse(self.slot.template_media.exists())

    def test_a_file_that_is_no_picture_is_refused_in_words(self) -> None:
        bad = SimpleUploadedFile("style.png", b"GIF89a no", "image/png")
        drawn = self.client.post(f"{SLOT}templates/", self.form() | {"template_file": bad})
        self.assertContains(drawn, "data-wrong")

    def test_a_picture_that_is_gone_or_another_slots_breaks_nothing(self) -> None:
        gone = "0" * 32
        self.assertEqual(self.client.get(f"{SLOT}templates/{gone}/").status_code, 404)
        row = {"template_kind": "style", "template_status": "present"}
        self.assertContains(self.save(template_id=gone, **row), "Загрузите")
        self.assertContains(self.save(template_id="../x", **row), 'class="error"')

    def test_a_slot_is_copied_with_its_pictures_to_files_of_their_own(self) -> None:
        up = self.form() | {"template_file": picture(), "new_kind": "style"}
        media = self.client.post(f"{SLOT}templates/", up).context["one"].media_id
        self.save(template_id=media, template_kind="style", template_status="present")
        other = Slot.objects.get(pk="slot-002")
        answer = self.client.post(f"{SLOT}copy/", {"target": f"slot-002:{other.version}"})
        self.assertRedirects(answer, "/admin/slots/slot/slot-002/change/")
        other.refresh_from_db()
        self.assertEqual((other.display_name, other.settings), ("Ball", {"prompt": "A nebula"}))
        self.assertNotEqual(other.template_media.get().media_object_id.hex, media)
        self.assertFalse(other.is_active)

    def test_each_target_of_a_copy_tells_what_would_be_lost(self) -> None:
        needs_no_prompt = {"provider": "turbotext", "operation": "identity_transfer"}
        Slot.objects.filter(pk="slot-002").update(display_name="Swap", is_active=True)
        Slot.objects.filter(pk="slot-003").update(**needs_no_prompt, settings={"prompt": "x"})
        Slot.objects.filter(pk="slot-004").update(settings={"prompt": "x"})
        self.result("slot-002")
        with self.assertNumQueries(5):
            page = self.client.get(f"{SLOT}copy/")
        targets = {one.slot.pk: one for one in page.context["targets"]}
        self.assertEqual(len(targets), 14)
        self.assertIn("сейчас принимает фото", targets["slot-002"].question)
        self.assertIsNotNone(targets["slot-002"].last_at)
        self.assertEqual(targets["slot-003"].question, "")  # nothing that works
        self.assertEqual(targets["slot-004"].question, "Скопировать поверх «Слот 4»?")
        self.assertContains(page, "Последняя картинка: сейчас")

    def test_a_model_that_goes_away_is_told_on_the_page(self) -> None:
        self.assertEqual(find_retiring_slots(), [])
        self.save(recipe__gemini__model=DUE_MODEL)
        (one,) = find_retiring_slots()
        self.assertEqual((one.slot.pk, one.model, one.end), ("slot-001", "Nano Banana 2", "due"))
        drawn = self.client.get(PAGE)
        self.assertContains(drawn, 'class="retiring over')
        self.assertContains(drawn, "отключение было объявлено на")
        self.assertNotContains(drawn, "отключил модель")

    def test_what_the_keys_own_list_says_wins_over_the_day(self) -> None:
        self.save(recipe__gemini__model=DUE_MODEL)
        key = getattr(settings, "GEMINI_API_KEY", "")
        rows: tuple[tuple[list[str], str, str], ...] = (
            ([DUE_MODEL, "another"], "outlived", "ещё доступна"),
            (["another"], "gone", "отключил модель"),
        )
        for ids, end, words in rows:
            remember_models("gemini", key, ids)
            (one,) = find_retiring_slots()
            self.assertEqual((one.end, one.is_retired), (end, end == "gone"))
            self.assertContains(self.client.get(PAGE), words)
        remember_models("gemini", key, [DUE_MODEL])
        with self.settings(GEMINI_BASE_URL="https://another.example"):
            self.assertEqual(find_retiring_slots()[0].end, "due")
        set_provider_key("gemini", "another-key", by="serg")
        self.assertEqual(find_retiring_slots()[0].end, "due")

    def test_a_day_to_come_is_called_the_earliest(self) -> None:
        drawn = self.client.get(PAGE)
        self.assertContains(drawn, "Nano Banana — объявлено отключение, не раньше 15.03.2027")
        self.assertContains(drawn, "Nano Banana 2 Lite (самая быстрая)")

    def test_the_form_says_what_each_safety_level_sends(self) -> None:
        self.assertContains(self.client.get(PAGE), "обычный: ничего не передаётся")
