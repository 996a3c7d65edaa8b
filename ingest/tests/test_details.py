"""Failures' details as operators read them: ours in their language, the service's in quotes."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase
from django.utils.translation import override

from ingest.console.details import NEVER_FETCHED, Detail, describe_detail
from ingest.pipeline.template_pictures import NO_FRAME

FOLDERS = ("providers", "ingest/pipeline", "photochanger/edge", "photochanger/pictures")
NO_FAILURES = {"AssertionError", "ValueError", "TooMuchStructure", "CommandError"}
RAISED_FOR_OTHERS = {  # no photo's detail: of checks of a key, of API clients, of our own mistakes
    *("not the list of models", "an empty list of models", "forbidden_content"),
    *("is not of a known kind", "has no palette"),  # behind "the photo" or "the picture"
    *("is incomplete", "does not decode", "is no JPEG of a photo"),  # likewise
    "too many answers before the answer",  # behind "connection lost"
    "of another slot",
    *("the photo was truncated while it was read", "too much arrives at once"),
    "too much arrives from one address",
    *("too many values, or too deep", "reserved", "ends too early"),  # of a picture's own words
    "no place for the lab",
}


def list_raised(path: Path) -> Iterator[str]:
    """What is raised with words of ours alone."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            if ast.unparse(node.exc.func) in NO_FAILURES:
                continue
            words = node.exc.args[0]
            if isinstance(words, ast.Constant) and isinstance(words.value, str):
                yield words.value


class DetailTests(SimpleTestCase):
    def test_every_sentence_of_ours_is_translated_and_not_put_in_quotes(self) -> None:
        raised = set[str]()
        for folder in FOLDERS:
            for path in (settings.BASE_DIR / folder).rglob("*.py"):
                if not {"tests", "simulator"} & set(path.parts):
                    raised |= set(list_raised(path))
        self.assertGreater(len(raised), 30)
        for words in sorted(raised - RAISED_FOR_OTHERS):
            with self.subTest(words=words), override("ru"):
                found = describe_detail(words)
                self.assertEqual(found.theirs, "")
                self.assertRegex(found.ours, "[а-я]")

    def test_a_print_without_its_frame_says_so(self) -> None:
        with override("ru"):
            found = describe_detail(NO_FRAME)
        self.assertEqual((found.ours[:10], found.theirs), ("Напечатано", ""))

    def test_an_address_that_leads_elsewhere_is_told_with_its_host(self) -> None:
        for tail, words in {
            "": "elsewhere: it",
            ", to wifi.example": "to wifi.example: it",
        }.items():
            with override("en"):
                found = describe_detail(f"HTTP 302: the address leads elsewhere{tail}")
            self.assertIn(words, found.ours)
            self.assertEqual(found.theirs, "")

    def test_an_answer_without_a_word_is_not_quoted(self) -> None:
        with override("ru"):
            found = describe_detail("HTTP 403: no error object in the answer")
        self.assertEqual((found.ours[:16], found.theirs), ("Ответ AI-сервиса", ""))

    def test_the_services_own_words_stay_as_they_are(self) -> None:
        for detail, theirs in {
            "HTTP 503: The model is overloaded.": "The model is overloaded.",
            "HTTP 429, busy: Resource exhausted": "Resource exhausted",
            "done, but without a picture: no face": "no face",
            "done, but without a picture": "",
            "accepted, but without a queueid: Ошибка": "Ошибка",
            "connection lost: reset by peer": "reset by peer",
            "IMAGE_SAFETY: the picture shows a brand": "IMAGE_SAFETY: the picture shows a brand",
        }.items():
            with self.subTest(detail=detail):
                self.assertEqual(describe_detail(detail).theirs, theirs)

    def test_fields_are_called_as_in_the_form(self) -> None:
        detail = (
            "settings.prompt, template_media: not right for identity_transfer"
            " (template: base or background)"
        )
        with override("en"):
            found = describe_detail(detail, "turbotext")
        self.assertEqual(
            found.ours,
            "For this operation a field is missing or must be empty: Prompt, template pictures.",
        )

    def test_a_photo_that_was_never_fetched_says_so(self) -> None:
        with override("en"):
            found = describe_detail(f"no whole answer within 20 s{NEVER_FETCHED}")
        self.assertEqual(
            found.ours,
            "It sent no whole answer within 20 s. It never fetched the photo from this server.",
        )
        self.assertFalse(describe_detail(""))
        self.assertFalse(Detail())
