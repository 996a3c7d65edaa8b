"""What is wrong with a slot's prompts, in sentences, when somebody saves them."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from photochanger.errors import Text
from providers.base import DriverSettings
from slots.prompts.filling import measure_longest
from slots.prompts.language import PEOPLE, Mistake, find_mistakes
from slots.prompts.variables import PromptVariable
from slots.validation_messages import FieldMessages, make_lazy

MOST_CHARACTERS = 8000  # of a filled prompt: twice what may be written
MOST_LINES = 3  # on a print
SENTENCES: dict[str, Text] = {
    "open": _("“{people:” has no closing brace. Write {people: one | two | group}."),
    "parts": _("{people: one | two | group} takes two, three or four parts with | between them."),
    "empty": _("In {people: one | two | group} there are no words at all."),
}
UNKNOWN = _("%(name)s is none of this slot's words: there are %(known)s.")
TOO_LONG = _(
    "With the longest texts of the booth it has %(count)d characters; at most %(most)d will do."
)


def find_prompt_mistakes(
    recipe: DriverSettings, variables: Sequence[PromptVariable]
) -> FieldMessages:
    """By the recipe's fields, of each the first mistake."""
    found: FieldMessages = {}
    for name in recipe.PROMPT_FIELDS:
        text = getattr(recipe, name) or ""
        if sentence := _find_mistake(text, variables):
            found[name] = sentence
    return found


def check_print_text(text: str, variables: Sequence[PromptVariable]) -> None:
    """Raises Django's ValidationError for words on prints that cannot be meant as they are."""
    sentence: Text = _find_mistake(text, variables)
    lines = text.split("\n")
    if len(lines) > MOST_LINES or not all(line.isprintable() for line in lines):
        sentence = _("At most three lines, without control characters.")
    if sentence:
        raise ValidationError({"frame_text": str(sentence)})


def _find_mistake(text: str, variables: Sequence[PromptVariable]) -> Text:
    if "{" not in text:
        return ""
    mistakes = find_mistakes(text, [one.name for one in variables])
    if mistakes:
        return _describe(mistakes[0], variables)
    longest = measure_longest(text, variables)
    if longest > MOST_CHARACTERS:
        bounds = {"count": longest, "most": MOST_CHARACTERS}
        return make_lazy(lambda: str(TOO_LONG) % bounds)
    return ""


def _describe(mistake: Mistake, variables: Sequence[PromptVariable]) -> Text:
    if mistake.kind in SENTENCES:
        return SENTENCES[mistake.kind]
    known = ", ".join(f"{{{name}}}" for name in (PEOPLE, *(one.name for one in variables)))
    return make_lazy(lambda: str(UNKNOWN) % {"name": mistake.written, "known": known})
