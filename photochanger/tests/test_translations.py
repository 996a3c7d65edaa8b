import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import SimpleTestCase
from django.utils.translation import templatize

APPS = ("photochanger", "providers", "media", "slots", "ingest", "stats")
PLURAL, CONTEXT, CONTEXT_PLURAL = (1, 2), ((1, "c"), 2), ((1, "c"), 2, 3)
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), PLURAL),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), CONTEXT),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), CONTEXT_PLURAL),
}
Text = tuple[str | None, str]  # context, and the English words (their singular)


def texts_of(path: Path) -> set[Text]:
    source = path.read_text()
    if path.suffix == ".html":
        # Django's own way to show gettext a template; on one line, since its indents mean nothing.
        source = templatize(source).replace("\n", " ").lstrip()
    found = extract("python", io.BytesIO(source.encode()), KEYWORDS)
    return {(context, first(words)) for _line, words, _comments, context in found}


def first(words: str | tuple[str, ...] | list[str]) -> str:
    return words if isinstance(words, str) else words[0]


def is_of_tests(path: Path) -> bool:
    # Below the root: the folder of a whole checkout may be called "tests" too.
    return not {"tests", "testing"}.isdisjoint(path.relative_to(settings.BASE_DIR).parts)


def sources() -> Iterator[Path]:
    for folder in (*APPS, "templates"):
        for path in (settings.BASE_DIR / folder).rglob("*"):
            if path.suffix in (".py", ".html") and not is_of_tests(path):
                yield path


def catalogue() -> Catalog:
    with (settings.LOCALE_PATHS[0] / "ru/LC_MESSAGES/django.po").open("rb") as file:
        return read_po(file)


def entries() -> list[Message]:
    return [message for message in catalogue() if message.id]


class TranslationTests(SimpleTestCase):
    def test_every_text_is_in_the_catalogue_and_no_other(self) -> None:
        used = set[Text]().union(*map(texts_of, sources()))
        self.assertGreater(len(used), 80)
        kept = {(message.context, first(message.id)) for message in entries()}
        self.assertEqual({"missing": used - kept}, {"missing": set()})
        self.assertEqual({"no longer used": kept - used}, {"no longer used": set()})

    def test_nothing_obsolete_is_kept(self) -> None:
        self.assertEqual(list(catalogue().obsolete), [])

    def test_names_in_a_text_are_in_its_translation(self) -> None:
        for message in entries():
            for error in message.check():
                self.fail(f"{message.id}: {error}")

    def test_texts_of_templates_are_found(self) -> None:
        source = """<p>{% load i18n %}{% translate "One" %}</p>
          <i title="{{ _("Two") }}">{% blocktranslate trimmed %}
             Three
             four {% endblocktranslate %}</i>
        {% translate "Five" context "number" %}"""
        path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "page.html"
        path.write_text(source)
        expected = {(None, "One"), (None, "Two"), (None, "Three four"), ("number", "Five")}
        self.assertEqual(texts_of(path), expected)
