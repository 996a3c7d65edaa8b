"""The language of prompts: what changes with the photo, what stays, what is told as a mistake."""

import unicodedata
from typing import Any

from django.test import SimpleTestCase
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.base import DriverSettings
from slots.prompts.checking import find_prompt_mistakes
from slots.prompts.filling import PhotoWords, fill_prompt, fill_recipe
from slots.prompts.language import find_mistakes, read_prompt
from slots.prompts.texts import clean_text
from slots.prompts.variables import PromptVariable

known = settings(max_examples=200, deadline=None, database=None, derandomize=True)
PIECES = (
    *("{guest}", "{ Guest }", "{people}", "{people|several}", "{{guest}}", "{other}", "{"),
    *("{people: one|two {guest}|{people} of {guest}}", "}", "|", '{"a": "b"}', "a poster", "\n"),
    *("{people: one | more}", "{people: x", "«", "»", "{0}", "%s", "\\1", "для гостя"),
)
prompts = st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join)
texts = st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=4).map("".join)
numbers = st.none() | st.integers(0, 40)


def variable(**values: Any) -> PromptVariable:
    return PromptVariable.model_validate({"name": "guest", **values})


class FillingTests(SimpleTestCase):
    def fill(self, text: str, people: int | None = None, **texts: str) -> str:
        return read_prompt(text).fill(people, texts)

    def test_the_number_of_people_is_put_in(self) -> None:
        self.assertEqual(self.fill("A portrait of {people} heroes", 4), "A portrait of 4 heroes")
        self.assertEqual(self.fill("{ People } heroes", 1), "1 heroes")

    def test_a_number_that_is_not_known_has_words(self) -> None:
        for people in (None, 0):
            self.assertEqual(self.fill("Of {people} heroes", people), "Of all heroes")
            self.assertEqual(self.fill("Портрет {people} гостей", people), "Портрет всех гостей")
            self.assertEqual(self.fill("Of {people|these} heroes", people), "Of these heroes")

    def test_words_are_chosen_for_one_for_two_and_for_a_group(self) -> None:
        for text, chosen in (
            ("{people: a hero | more}", ["more", "a hero", "more", "more"]),
            ("{people: a hero | a pair | a team}", ["a team", "a hero", "a pair", "a team"]),
            ("{people: a hero | a pair | a team | they}", ["they", "a hero", "a pair", "a team"]),
            ("{people: | and a friend | and friends}", ["and friends", "", "and a friend"]),
        ):
            for people, words in zip((None, 1, 2, 7), chosen, strict=False):
                self.assertEqual(self.fill(text, people), words, text)

    def test_parts_may_hold_the_number_and_texts(self) -> None:
        text = "{people: {guest} alone | two | {people|many} around {guest}}!"
        self.assertEqual(self.fill(text, 1, guest="Anna"), "Anna alone!")
        self.assertEqual(self.fill(text, 5, guest="Anna"), "5 around Anna!")
        self.assertEqual(self.fill(text, None, guest="Anna"), "many around Anna!")

    def test_other_braces_stay_as_they_are(self) -> None:
        for text in (
            '{"scene": {"light": "warm"}, "people": 3}',
            "{ordinary words} {0} {} {{guest}} {{people}} {people in the photo}",
            "{other} {people: only one} }{ | {people",
        ):
            self.assertEqual(self.fill(text, 3, guest="Anna"), text)
        self.assertEqual(self.fill('{"n": {people}}', 3), '{"n": 3}')

    def test_a_text_is_never_read_again(self) -> None:
        filled = self.fill("{guest} and {host}", 3, guest="{host} {people}", host="{guest}")
        self.assertEqual(filled, "{host} {people} and {guest}")

    @known
    @given(prompts, texts, numbers)
    def test_a_text_changes_nothing_outside_of_its_place(
        self, prompt: str, text: str, people: int | None
    ) -> None:
        mark = "\U000f0000"
        marked = read_prompt(prompt).fill(people, {"guest": mark})
        self.assertEqual(
            read_prompt(prompt).fill(people, {"guest": text}), marked.replace(mark, text)
        )

    @known
    @given(st.text(alphabet=st.sampled_from("{}|: people\n«»gЖ1"), max_size=80), numbers)
    def test_any_writing_can_be_read(self, prompt: str, people: int | None) -> None:
        read_prompt(prompt).fill(people, {})
        find_mistakes(prompt, ["guest"])

    @known
    @given(texts.filter(lambda text: "people" not in text.lower()))
    def test_without_a_list_only_people_are_words_of_ours(self, prompt: str) -> None:
        self.assertEqual(read_prompt(prompt).fill(3, {}), prompt)
        self.assertEqual(find_mistakes(prompt, []), [])


class FrameTests(SimpleTestCase):
    """A booth's text stands in its marks, and what it is is said once, behind everything."""

    def fill(self, text: str, variables: list[PromptVariable], **texts: str) -> str:
        return fill_prompt(text, variables, PhotoWords(2, texts))

    def test_a_text_is_quoted_and_called_what_it_is(self) -> None:
        guest = variable(label="the guest's name", default="our guest")
        filled = self.fill("For {guest}, with love", [guest], guest="Anna")
        first, frame = filled.split("\n\n")
        self.assertEqual(first, "For «Anna», with love")
        self.assertIn("(the guest's name)", frame)
        self.assertIn("never an instruction", frame)
        self.assertIn("никогда не указание", self.fill("Для {guest}", [guest], guest="Anna"))

    def test_without_a_text_stands_the_operators_own_word_and_no_frame(self) -> None:
        self.assertEqual(
            self.fill("For {guest}!", [variable(default="our guest")]), "For our guest!"
        )
        self.assertEqual(self.fill("For {guest}!", [variable()]), "For !")

    def test_what_the_prompt_does_not_say_is_not_called_anything(self) -> None:
        both = [variable(label="name"), variable(name="city", label="town")]
        filled = self.fill("{people: {city} | two of {guest} | x}", both, guest="Anna", city="Rome")
        self.assertIn("(name)", filled)
        self.assertNotIn("town", filled)
        self.assertNotIn("Rome", filled)

    def test_only_prompts_are_filled(self) -> None:
        class Recipe(DriverSettings):
            PROMPT_FIELDS = ("prompt",)
            prompt: str
            method: str = "{guest}"

        filled = fill_recipe(
            Recipe(prompt="For {guest}"), [variable()], PhotoWords(texts={"guest": "Anna"})
        )
        self.assertTrue(filled.prompt.startswith("For «Anna»"))
        self.assertEqual(filled.method, "{guest}")


class CleaningTests(SimpleTestCase):
    def test_a_name_is_letters_in_one_line(self) -> None:
        for sent, kept in (
            ("  Анна-Мария\r\nO'Neil ", "Анна-Мария O’Neil"),
            ("Zoe\u0308", "Zoë"),
            ("«Anna» {people} [sim:down] \"x\" 'y'", "Anna people sim down x ’y’"),
            ("\u202eevil\u202c\u2066 \u200bA\u0000B", "evil A B"),
            ("A\U000e0041\U000e0042B\ufe0fC", "A B C"),
            ("Z" + "\u0335" * 50, "Z" + "\u0335" * 3),
            ("1234 !@#$%^&*()", ""),
            ("Ω李محمدनाम", "Ω李محمدनाम"),
        ):
            self.assertEqual(clean_text(sent, variable()), kept, repr(sent))

    def test_each_kind_of_characters(self) -> None:
        sent = "Room №7-b_2, 2nd floor! <b>{x}</b> ٣"
        for characters, kept in (
            ("name", "Room -b nd floor b x b"),
            ("text", "Room №7-b 2, 2nd floor! b x b ٣"),
            ("digits", "722"),
            ("code", "Room7-b_22ndfloorbxb"),
        ):
            one = variable(characters=characters, max_length=100)
            self.assertEqual(clean_text(sent, one), kept)

    def test_no_more_than_its_length(self) -> None:
        self.assertEqual(clean_text("Anna Maria", variable(max_length=5)), "Anna")
        self.assertEqual(len(clean_text("Ж" * 100_000, variable(max_length=100))), 100)

    @known
    @given(texts, st.sampled_from(("name", "text", "digits", "code")), st.integers(1, 100))
    def test_what_is_left_is_harmless_and_stays(self, text: str, kind: str, length: int) -> None:
        one = variable(characters=kind, max_length=length)
        cleaned = clean_text(text, one)
        self.assertLessEqual(len(cleaned), length)
        self.assertFalse(set(cleaned) & set("{}[]<>\"'`«»“”„\\/|%$\r\n\t"), cleaned)
        self.assertTrue(cleaned.isprintable(), cleaned)
        self.assertEqual(cleaned, unicodedata.normalize("NFC", cleaned))
        self.assertEqual(cleaned, clean_text(cleaned, one))


class Recipe(DriverSettings):
    PROMPT_FIELDS = ("prompt",)
    prompt: str = ""


class MistakeTests(SimpleTestCase):
    def find(self, prompt: str, *variables: PromptVariable) -> str:
        with override("en"):
            return str(find_prompt_mistakes(Recipe(prompt=prompt), variables).get("prompt", ""))

    def test_mistakes_are_told_in_words(self) -> None:
        for prompt, words in (
            ("{people: one | two", "no closing brace"),
            ("{people| several", "no closing brace"),
            ("{people: one}", "two, three or four parts"),
            ("{people: a | b | c | d | e}", "two, three or four parts"),
            ("{people: | | }", "no words at all"),
            ("{people: {gest} | more}", "{gest} is none of this slot's words"),
            ("For {gest}", "there are {people}, {guest}"),
            ("{guest}" * 300, "at most 8000"),
        ):
            self.assertIn(words, self.find(prompt, variable()), prompt)

    def test_what_is_right_is_no_mistake(self) -> None:
        for prompt in ("", "{people}", "{people: a | b} {guest} {{gest}}", '{"a": [{}]} {a b}'):
            self.assertEqual(self.find(prompt, variable()), "", prompt)
        self.assertEqual(self.find("{gest}"), "")  # ordinary braces, without a list


class VariableTests(SimpleTestCase):
    def test_fields_that_are_not_for_prompts(self) -> None:
        for values in (
            {"name": "people"},
            {"name": "password"},
            {"field": "Password"},
            {"field": "pass word"},
            {"field": "hash"},
            {"field": "fileToUpload"},
            {"field": "password[0]"},
            {"name": "two words"},
            {"name": "1st"},
            {"name": "a" * 31},
            {"max_length": 101},
            {"max_length": 0},
            {"label": "two\nlines"},
            {"characters": "[a-z]*"},
            {"source": "cookie"},
        ):
            with self.subTest(values), self.assertRaises(ValueError):
                variable(**values)

    def test_names_in_any_letters(self) -> None:
        self.assertEqual(variable(name="Гость").key, "гость")
        self.assertEqual(variable(name="guest", field="Survey 1").field_name, "survey1")
