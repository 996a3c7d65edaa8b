"""Texts of a booth made fit to stand in a prompt: hostile until they have been through here."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from slots.prompts.variables import PromptVariable

UNREPLACED = re.compile(r"\{\w*\}")
MAX_READ = 1000  # characters of what came; the rest cannot matter
MOST_MARKS = 3  # on one letter: no language has more, and towers of them cover a picture
# Letters and marks that nobody sees: words may be hidden in them.
UNSEEN = frozenset(
    (
        *("\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u3164", "\uffa0"),
        *map(chr, range(0x180B, 0x1810)),
        *map(chr, range(0xFE00, 0xFE10)),
        *map(chr, range(0xE0100, 0xE01F0)),
    )
)
ALIKE = str.maketrans(
    {
        **dict.fromkeys("'`´‘ʼʹ′", "’"),  # no quotation mark is left
        **dict.fromkeys("‐‑‒–—―−", "-"),
    }
)
DIGITS = frozenset("0123456789")
LATIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
CODE = DIGITS | LATIN | frozenset("-_.")


@dataclass(frozen=True, slots=True)
class SentTexts:
    """What a booth sent beside its photo, by names as ``fold_field`` has them, as it came."""

    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    url: Mapping[str, str] = field(default_factory=dict, repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def of_examples(cls, variables: Iterable[PromptVariable]) -> "SentTexts":
        """As if a booth had sent the examples of the list."""
        sent: dict[str, dict[str, str]] = {"form": {}, "url": {}}
        for one in variables:
            sent[one.source][one.field_name] = one.example
        return cls(**sent)  # type: ignore[arg-type]

    def find(self, variable: PromptVariable) -> str:
        """Empty where it is none: a token of the booth's that stands for nothing and so was left
        as it is, ``{survey}``; what was typed into the wrong box and holds the password."""
        found = (self.url if variable.source == "url" else self.form).get(variable.field_name, "")
        password = self.password.strip().lower()
        is_secret = bool(password) and password in found.lower()
        return "" if is_secret or UNREPLACED.fullmatch(found.strip()) else found


def read_texts(variables: Iterable[PromptVariable], sent: SentTexts) -> dict[str, str]:
    """By the variables' keys; without those that were not sent, or of which nothing is left."""
    found = {one.key: clean_text(sent.find(one), one) for one in variables}
    return {key: text for key, text in found.items() if text}


def hide_texts(words: str, texts: Iterable[str]) -> str:
    """A service's words for rows and logs, where they quote a prompt with a booth's texts in it."""
    for text in texts:
        words = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", "…", words, flags=re.IGNORECASE)
    return words


def clean_text(text: str, variable: PromptVariable) -> str:
    """One line of allowed characters, in one spelling: no braces, brackets, quotation marks or
    slashes, no control character, nothing that turns the direction or is not seen."""
    text = unicodedata.normalize("NFC", text[:MAX_READ]).translate(ALIKE)
    kept = _keep_allowed(text, ALLOWED[variable.characters])
    words = " ".join("".join(kept).split())
    return words[: variable.max_length].strip()


def _keep_allowed(text: str, is_allowed: Callable[[str], bool]) -> list[str]:
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Mc", "Me") else 0
        if marks and (marks > MOST_MARKS or not kept or kept[-1] == " "):
            continue
        if is_allowed(character):
            kept.append(character)
        elif is_allowed(" "):
            kept.append(" ")  # so that what stood apart does not become one word
    return kept


def _is_letter(character: str) -> bool:
    category = unicodedata.category(character)
    return (category[0] == "L" or category in ("Mn", "Mc")) and character not in UNSEEN


def is_of_name(character: str) -> bool:
    return character in " -.’" or _is_letter(character)


def is_of_text(character: str) -> bool:
    is_digit = unicodedata.category(character) == "Nd"
    return is_digit or character in " -.’,!?&+№" or _is_letter(character)


ALLOWED: dict[str, Callable[[str], bool]] = {
    "name": is_of_name,
    "text": is_of_text,
    "digits": DIGITS.__contains__,
    "code": CODE.__contains__,
}
