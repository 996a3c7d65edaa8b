"""The slot page's list of words from the booth: a row of fields for each."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from slots.console.form_fields import set_ids
from slots.models import Slot
from slots.prompts.variables import MOST_VARIABLES, PromptVariable
from slots.validation_messages import FieldMessages, join_path

COUNT = "words"  # how many rows were sent
PLACE = "variables"  # of messages
CHOICES = {"source": PromptVariable.SOURCE_TITLES, "characters": PromptVariable.CHARACTER_TITLES}


class WordRow(forms.Form):
    """One word. It carries texts; ``PromptVariable`` judges them."""

    def __init__(self, number: int, texts: Mapping[str, str]) -> None:
        prefix = f"word-{number}"
        data = {f"{prefix}-{name}": text for name, text in texts.items()}
        super().__init__(data, prefix=prefix, use_required_attribute=False)
        for name, described in PromptVariable.model_fields.items():
            self.fields[name] = field = forms.CharField(
                required=False,
                label=_(described.title or name),
                help_text=_(described.description) if described.description else "",
                widget=_choose_widget(name),
            )
            set_ids(field, f"{prefix}-{name}")

    @property
    def texts(self) -> dict[str, str]:
        return {name: self.data.get(self.add_prefix(name), "").strip() for name in self.fields}

    @property
    def is_empty(self) -> bool:
        """Nothing was typed: the choices have always one."""
        typed = self.texts
        return not any(typed[name] for name in ("name", "field", "label", "default", "example"))


def _choose_widget(name: str) -> forms.Widget:
    if name in CHOICES:
        return forms.Select(choices=[(value, _(title)) for value, title in CHOICES[name].items()])
    if name == "max_length":
        return forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    return forms.TextInput({"autocomplete": "off", "autocapitalize": "off"})


NEW = {
    name: str(field.get_default() or "")
    for name, field in PromptVariable.model_fields.items()
    if not field.is_required()
}


class WordsForm:
    """All rows; those that are empty are none."""

    def __init__(self, slot: Slot, posted: QueryDict | None = None) -> None:
        self.is_posted = posted is not None and COUNT in posted
        stored: list[dict[str, Any]] = slot.variables
        if posted is not None and self.is_posted:
            self.rows = _read_rows(posted)
        else:
            self.rows = [
                WordRow(number, NEW | {name: str(it) for name, it in one.items()})
                for number, one in enumerate(stored)
            ]
        self.wrong: list[str] = []  # of the list as a whole

    @property
    def can_grow(self) -> bool:
        return len(self.rows) < MOST_VARIABLES

    def add_row(self) -> None:
        if self.can_grow:
            self.rows.append(WordRow(len(self.rows), NEW))

    def remove_row(self, number: int) -> None:
        texts = [row.texts for place, row in enumerate(self.rows) if place != number]
        self.rows = [WordRow(number, typed) for number, typed in enumerate(texts)]

    @property
    def _filled_rows(self) -> list[WordRow]:
        return [row for row in self.rows if not row.is_empty]

    def read_variables(self) -> list[dict[str, str]]:
        """What was typed, for pydantic to judge."""
        return [row.texts for row in self._filled_rows]

    def add_messages(self, messages: FieldMessages) -> FieldMessages:
        """Put the messages of ``variables.*`` beside their fields; the others are returned."""
        left = dict(messages)
        for number, row in enumerate(self._filled_rows):
            place = join_path([number], prefix=PLACE)
            for name in row.fields:
                if words := left.pop(f"{place}.{name}", None):
                    row.add_error(name, str(words))
            if words := left.pop(place, None):  # of the row as a whole
                row.add_error("name", str(words))
        if words := left.pop(PLACE, None):
            self.wrong.append(str(words))
        return left


def _read_rows(posted: QueryDict) -> list[WordRow]:
    count = str(posted[COUNT])
    most = min(int(count), MOST_VARIABLES) if count.isdecimal() and len(count) < 4 else 0
    return [
        WordRow(
            number,
            {name: posted.get(f"word-{number}-{name}", "") for name in PromptVariable.model_fields},
        )
        for number in range(most)
    ]
