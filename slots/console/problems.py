"""What is wrong with a form that was sent, as links to the places where it is mended."""

from collections.abc import Iterator
from typing import NamedTuple

from django.template.defaultfilters import capfirst
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from photochanger.errors import Text
from slots.console.slot_form import SlotPageForm

TEMPLATES, TEMPLATES_PLACE = "template_media", "second-summary"
WORDS_PLACE = "words-summary"


class Problem(NamedTuple):
    """``anchor`` is the id of the input; empty where the page has none for it."""

    anchor: str
    label: str
    words: Text


def list_problems(form: SlotPageForm, left: dict[str, Text]) -> Iterator[Problem]:
    """In the order of the page; then what belongs to no single field."""
    for field in form.fields:
        for error in field.errors:
            label = strip_tags(str(field.label)).rstrip(" *")
            yield Problem(field.id_for_label, capfirst(label), str(error))
    for text in form.words.wrong:
        yield Problem(WORDS_PLACE, _("Words that change with the photo"), text)
    for place, words in left.items():
        if place.startswith(TEMPLATES):
            yield Problem(TEMPLATES_PLACE, _("Second picture"), words)
        else:
            yield Problem("", "", words)
