"""A slot's list of the booth's texts that may stand in its prompt: nothing else of a booth does."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from django.utils.translation import gettext_noop as _  # translated where it is shown
from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, model_validator

from slots.prompts.language import PEOPLE, fold_name

MOST_VARIABLES, MOST_CHARACTERS = 10, 100
# What a booth sends for us and not for a picture; a password is never put into a prompt.
NEVER = frozenset(
    ("password", "hash", "filetoupload", "file", "image", "_charset_", "slot_payload")
)
Source = Literal["form", "url"]
Characters = Literal["name", "text", "digits", "code"]


def fold_field(name: str) -> str:
    """A field's name as forms are compared by: that of ``Name``, ``name[]`` and `` name ``."""
    return re.sub(r"\[\w*\]|[\s\"']", "", unicodedata.normalize("NFC", name)).lower()


def _be_plain(text: str) -> str:
    """One line of an operator's own words."""
    if not text.isprintable():
        raise ValueError(_("one line without control characters"))
    return text.strip()


Line = Annotated[str, AfterValidator(_be_plain)]


class PromptVariable(BaseModel, extra="forbid", hide_input_in_errors=True):
    """One text of the booth: where it comes from, how much of it is taken, and as what."""

    SOURCE_TITLES: ClassVar[dict[str, str]] = {
        "form": _("field of the form"),
        "url": _("address of the link"),
    }
    CHARACTER_TITLES: ClassVar[dict[str, str]] = {
        "name": _("letters"),
        "text": _("letters, digits, plain punctuation"),
        "digits": _("digits"),
        "code": _("Latin letters, digits, - _ ."),
    }

    name: str = Field(
        pattern=r"^[^\W\d]\w*$",
        max_length=30,
        title=_("Word in braces"),
        description=_("Letters, digits and _: guest is {guest} in the prompt."),
    )
    source: Source = Field("form", title=_("Comes from"))
    field: Line = Field(
        "",
        max_length=60,
        title=_("Name at the booth"),
        description=_("Of the form's field, or of the part of the link. Empty: as the word."),
    )
    label: Line = Field(
        "",
        max_length=60,
        title=_("What it is"),
        description=_("For people and for the AI service, such as: the guest's name."),
    )
    characters: Characters = Field("name", title=_("Characters"))
    max_length: int = Field(40, ge=1, le=MOST_CHARACTERS, title=_("Length"))
    default: Line = Field(
        "",
        max_length=MOST_CHARACTERS,
        title=_("Otherwise"),
        description=_("What stands there when the booth sends nothing."),
    )
    example: Line = Field(
        "",
        max_length=MOST_CHARACTERS,
        title=_("Example"),
        description=_("For the preview and for test runs."),
    )

    @model_validator(mode="after")
    def _check_names(self) -> "PromptVariable":
        if fold_name(self.name) == PEOPLE:
            raise ValueError(_("{people} is the number of people in the photo"))
        if self.field_name in NEVER:
            raise ValueError(_("this field is not for prompts"))
        return self

    @property
    def key(self) -> str:
        """Its name as prompts are filled by."""
        return fold_name(self.name)

    @property
    def field_name(self) -> str:
        return fold_field(self.field or self.name)

    @property
    def title(self) -> str:
        """What it is called for people."""
        return self.label or self.name


def _be_distinct(variables: list[PromptVariable]) -> list[PromptVariable]:
    if len({one.key for one in variables}) < len(variables):
        raise ValueError(_("each word once"))
    return variables


PromptVariables = Annotated[
    list[PromptVariable], Field(max_length=MOST_VARIABLES), AfterValidator(_be_distinct)
]
_adapter: TypeAdapter[list[PromptVariable]] = TypeAdapter(PromptVariables)


def load_variables(stored: Any) -> list[PromptVariable]:
    """A slot's column as its variables. Raises pydantic's ValidationError."""
    return _adapter.validate_python(stored) if stored else []


def dump_variables(variables: Sequence[PromptVariable]) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in variables]
