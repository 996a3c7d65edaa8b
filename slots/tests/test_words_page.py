"""The slot page's words that change with the photo: typed, saved, refused, and shown filled in."""

from typing import Any

from django.urls import reverse

from slots.models import Slot
from slots.tests.support import ConsoleTestCase

PAGE = "/admin/slots/slot/slot-001/change/"
WORDS = "/admin/slots/slot/slot-001/words/"
PREVIEW = "/admin/slots/slot/slot-001/prompt/"
EN = {"Accept-Language": "en"}
GUEST = {
    **{"name": "guest", "source": "form", "field": "", "label": "the guest's name"},
    **{"characters": "name", "max_length": "40", "default": "our guest", "example": "Anna"},
}


def type_rows(*rows: dict[str, str], prompt: str = "For {guest}", **more: str) -> dict[str, str]:
    form = {"provider": "gemini", "operation": "image_edit", "recipe-gemini-prompt": prompt}
    form |= {"words": str(len(rows)), "version": "1"}
    for number, row in enumerate(rows):
        form |= {f"word-{number}-{name}": text for name, text in row.items()}
    return form | more


class WordsPageTests(ConsoleTestCase):
    def post(self, path: str, form: dict[str, str]) -> Any:
        return self.client.post(path, form, headers=EN)

    def stored(self) -> list[dict[str, Any]]:
        return list(Slot.objects.get(pk="slot-001").variables)

    def test_rows_are_saved_and_shown_again(self) -> None:
        self.assertEqual(self.post(PAGE, type_rows(GUEST)).status_code, 302)
        self.assertEqual(self.stored(), [GUEST | {"max_length": 40}])
        page = self.client.get(PAGE, headers=EN)
        self.assertContains(page, 'name="word-0-name" value="guest"')
        self.assertContains(page, '<option value="name" selected>')

    def test_an_empty_row_is_none_and_no_rows_empty_the_list(self) -> None:
        empty = {"source": "url", "characters": "text", "max_length": "40"}
        self.post(PAGE, type_rows(empty, GUEST))
        self.assertEqual([one["name"] for one in self.stored()], ["guest"])
        self.post(PAGE, type_rows(prompt="x", version="2"))
        self.assertEqual(self.stored(), [])

    def test_a_form_without_rows_changes_no_list(self) -> None:
        self.post(PAGE, type_rows(GUEST))
        form = type_rows(version="2")
        del form["words"]
        self.assertEqual(self.post(PAGE, form).status_code, 302)
        self.assertEqual(len(self.stored()), 1)

    def test_what_is_wrong_stands_at_its_field(self) -> None:
        empty, wrong = {"name": ""}, GUEST | {"max_length": "many", "name": "two words"}
        page = self.post(PAGE, type_rows(empty, wrong))
        (row,) = [row for row in page.context["words"].rows if row.errors]
        self.assertEqual(row.errors["max_length"], ["A whole number is needed."])
        self.assertEqual(row.errors["name"], ["This is not written as it must be."])
        self.assertContains(page, 'value="two words"')
        page = self.post(PAGE, type_rows(GUEST, GUEST))
        self.assertContains(page, "each word once")
        page = self.post(PAGE, type_rows(GUEST | {"name": "password"}))
        self.assertContains(page, "this field is not for prompts")
        self.assertEqual(self.stored(), [])

    def test_a_mistake_in_the_prompt_stands_at_the_prompt(self) -> None:
        page = self.post(PAGE, type_rows(GUEST, prompt="For {gest}"))
        self.assertIn("{gest} is none", str(page.context["recipe"].errors["prompt"]))

    def test_rows_are_added_and_removed_without_losing_what_was_typed(self) -> None:
        added = self.post(WORDS, type_rows(GUEST)).context["words"]
        self.assertEqual([row.texts["name"] for row in added.rows], ["guest", ""])
        two = type_rows(GUEST, GUEST | {"name": "city"})
        left = self.post(WORDS, two | {"remove_word": "0"}).context["words"]
        self.assertEqual([row.texts["name"] for row in left.rows], ["city"])
        full = self.post(WORDS, type_rows(*[GUEST] * 10)).context["words"]
        self.assertEqual((len(full.rows), full.can_grow), (10, False))
        for count in ("-1", "x", "99999999999", ""):
            self.assertEqual(self.post(WORDS, type_rows() | {"words": count}).status_code, 200)

    def test_the_preview_says_what_the_service_would_be_told(self) -> None:
        prompt = "{people: One | Two | {people}} for {guest}"
        page = self.post(PREVIEW, type_rows(GUEST, prompt=prompt))
        texts = [one.text.split("\n")[0] for one in page.context["filled"]]
        self.assertEqual(
            texts, ["One for «Anna»", "Two for «Anna»", "5 for «Anna»", "all for our guest"]
        )
        self.assertContains(page, "never an instruction")
        self.assertEqual(self.stored(), [])

    def test_the_preview_says_what_is_wrong_and_shows_text_as_text(self) -> None:
        page = self.post(PREVIEW, type_rows(GUEST, prompt="For {gest}"))
        self.assertContains(page, "Prompt: {gest} is none of this slot")
        page = self.post(PREVIEW, type_rows(GUEST | {"default": "<b>x</b>"}))
        self.assertContains(page, "&lt;b&gt;x&lt;/b&gt;")

    def test_only_who_may_change_slots_sees_it(self) -> None:
        self.client.logout()
        for path in (WORDS, PREVIEW):
            self.assertRedirects(
                self.post(path, type_rows()),
                f"{reverse('admin:login')}?next={path}",
                fetch_redirect_response=False,
            )
