"""The page of a slot over HTTP: drawn from the driver's schema, saved with all its checks."""

import io
from typing import Any, ClassVar, Literal

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import SimpleTestCase
from PIL import Image
from pydantic import BaseModel, Field

from providers.base import DriverSettings
from providers.gemini.driver import GeminiDriver
from slots.console.form_fields import control, leaves, settings_of
from slots.editing import change_slot
from slots.model_retirement import retiring_slots
from slots.models import Slot
from slots.schemas import SlotIn
from slots.tests.test_pictures import ConsoleTestCase

PAGE = "/admin/slots/slot/slot-001/change/"
SLOT = "/admin/slots/slot/slot-001/"


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


class NewDriver(GeminiDriver):
    name: ClassVar[str] = "new"
    Settings: Any = NewSettings


class DrawingTests(SimpleTestCase):
    def test_a_new_setting_of_a_driver_appears_by_itself_as_what_it_is(self) -> None:
        driver = NewDriver()
        drawn = {one.path: control(driver, one, {}) for one in leaves(driver, "image_edit")}
        kinds = {".".join(path): one.kind for path, one in drawn.items()}
        self.assertEqual(
            {name: kinds[name] for name in ("prompt", "tint", "warmth", "looks", "words")},
            {
                "prompt": "long",
                "tint": "color",
                "warmth": "number",
                "looks": "choice",
                "words": "lines",
            },
        )
        self.assertEqual(drawn[("frame", "width_px")].bounds, {"min": 1, "max": 50})

    def test_what_is_typed_becomes_the_drivers_own_values(self) -> None:
        driver = NewDriver()
        typed = {
            "recipe-new-prompt": "Rain",
            "recipe-new-warmth": "0,7",
            "recipe-new-words": "one\r\ntwo\r\n",
            "recipe-new-frame.width_px": "9",
            "recipe-new-looks": "soft",
        }
        made = settings_of(driver, "image_edit", typed, {})
        self.assertNotIn("looks", made)  # a default that nobody set
        recipe = NewSettings.model_validate(made)
        self.assertEqual((recipe.warmth, recipe.words), (0.7, ["one", "two"]))
        self.assertEqual(recipe.frame.width_px, 9)


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
            "gallery_enabled": "true",
            "gallery_until": "",
            "recipe-gemini-prompt": "A nebula",
            "templates": "1",
            **{name.replace("__", "-"): value for name, value in changes.items()},
        }

    def save(self, **changes: Any) -> Any:
        return self.client.post(PAGE, self.form(**changes))

    def test_the_page_holds_what_is_stored_in_few_queries(self) -> None:
        with self.assertNumQueries(6):
            page = self.client.get(PAGE)
        for words in ("A nebula", "/ingest/slot-001", "Nano Banana 2.1", 'id="trial-run"'):
            self.assertContains(page, words)

    def test_every_field_is_saved(self) -> None:
        answer = self.save(
            recipe__gemini__prompt="Rain",
            recipe__gemini__safety="strict",
            recipe__gemini__keep_identity="false",
            recipe__gemini__output_quality="80",
            size_limit_mb="9",
            sync_response_seconds="30",
            on_failure="original",
            gallery_enabled="false",
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
        self.assertEqual((slot.on_failure, slot.gallery_enabled), ("original", False))
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
        self.assertEqual(self.client.get(f"{SLOT}templates/{media}/")["Content-Type"], "image/png")
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

    def test_a_model_that_goes_away_is_told_on_the_page(self) -> None:
        self.assertEqual(retiring_slots(), [])
        self.save(recipe__gemini__model="gemini-2.5-flash-image")
        (one,) = retiring_slots()
        self.assertEqual((one.slot.pk, one.model), ("slot-001", "Nano Banana"))
        self.assertContains(self.client.get(PAGE), 'class="retiring')
