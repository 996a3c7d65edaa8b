"""The slot page's words that change with the photo: their rows, and what becomes of a prompt."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from photochanger.errors import InvalidFields
from slots.console.pages import AdminView, find_slot_or_404
from slots.console.slot_form import SlotPageForm
from slots.console.words_form import WordsForm
from slots.editing import build_draft
from slots.history.field_names import get_label
from slots.models import Slot
from slots.platform_settings import load_platform_settings
from slots.prompts.filling import PhotoWords, fill_prompt
from slots.prompts.texts import SentTexts, read_texts

GROUPS = (1, 2, 5)


def get_urls(view: AdminView) -> list[URLPattern]:
    """``view`` lets administrators in only."""
    return [
        path("<slot_id>/words/", view(slot_words), name="slot_words"),
        path("<slot_id>/prompt/", view(prompt_preview), name="slot_prompt_preview"),
    ]


@require_POST
def slot_words(request: HttpRequest, slot_id: str) -> HttpResponse:
    """The rows as they were typed, with one more or one less."""
    slot = find_slot_or_404(slot_id)
    form = WordsForm(slot, request.POST)
    number = request.POST.get("remove_word", "")
    if number.isdecimal():
        form.remove_row(int(number[:3]))
    else:
        form.add_row()
    context = {"words": form, "slot": slot}
    return render(request, "slots/console/words/_words.html", context)


@dataclass(frozen=True, slots=True)
class Filled:
    """A prompt in words for one kind of photo."""

    title: str
    text: str


@require_POST
def prompt_preview(request: HttpRequest, slot_id: str) -> HttpResponse:
    """What the AI service would be told of different photos, by the form as it stands."""
    slot = find_slot_or_404(slot_id)
    context: dict[str, Any] = {}
    try:
        draft = build_draft(slot_id, SlotPageForm(slot, request.POST).read_change()).slot
        context["filled"] = list_filled(draft)
        context["is_counted"] = load_platform_settings().faces != "off"
        context["asks_for_people"] = draft.asks_for_people
    except InvalidFields as exc:
        state = {"provider": request.POST.get("provider", "")}
        context["wrong"] = [(get_label(place, state), it) for place, it in exc.fields.items()]
    return render(request, "slots/console/words/_preview.html", context)


def list_filled(slot: Slot) -> list[Filled]:
    """With the list's examples for some groups of people; then for the worst: nothing is known."""
    variables = slot.list_variables()
    text = next(iter(slot.list_prompts()), "")
    examples = read_texts(variables, SentTexts.of_examples(variables))
    found = [
        Filled(
            ngettext("%(count)d person", "%(count)d people", people) % {"count": people},
            fill_prompt(text, variables, PhotoWords(people, examples)),
        )
        for people in GROUPS
    ]
    nothing = fill_prompt(text, variables, PhotoWords())
    return [*found, Filled(_("Nobody counted, nothing sent by the booth"), nothing)]
