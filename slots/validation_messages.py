"""What pydantic and Django find wrong with a value, as sentences for people.

Neither the value nor an unknown field's name is ever repeated at length: what was sent may be a
key typed into the wrong box, or somebody's script.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError as RecipeError

from photochanger.errors import Text

MAX_FIELDS, MAX_NAME = 20, 40
RECIPE = "recipe"  # the code of errors inside a slot's settings
NOT_RIGHT = _("This value is not right.")
REQUIRED = _("This field is needed.")
WHOLE_NUMBER, NUMBER = _("A whole number is needed."), _("A number is needed.")
TEXT, YES_OR_NO = _("Text is needed."), _("Yes or no (true or false) is needed.")
DATE, ID = _("A date and time is needed, like 2026-11-30T18:00:00Z."), _("An id is needed.")
LIST, OBJECT = _("A list is needed."), _("An object with fields is needed.")
# pydantic's type of error -> sentence; its bounds by their names there.
SENTENCES: dict[str, Text] = {
    "missing": REQUIRED,
    "none_required": _("This field must be empty."),
    "extra_forbidden": _("There is no such field."),
    "string_type": TEXT,
    "string_too_short": _("Too short: at least %(min_length)s characters are needed."),
    "string_too_long": _("Too long: at most %(max_length)s characters are allowed."),
    "string_pattern_mismatch": _("This is not written as it must be."),
    "string_unicode": TEXT,
    "literal_error": _("One of these is needed: %(expected)s."),
    "enum": _("One of these is needed: %(expected)s."),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), WHOLE_NUMBER),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), NUMBER),
    "int_parsing_size": _("This number is too large."),
    **dict.fromkeys(("bool_type", "bool_parsing"), YES_OR_NO),
    **dict.fromkeys(("uuid_type", "uuid_parsing", "uuid_version"), ID),
    "greater_than_equal": _("Too small: at least %(ge)s is needed."),
    "greater_than": _("Too small: more than %(gt)s is needed."),
    "less_than_equal": _("Too large: at most %(le)s is allowed."),
    "less_than": _("Too large: less than %(lt)s is needed."),
    "too_short": _("Too few: at least %(min_length)s are needed."),
    "too_long": _("Too many: at most %(max_length)s are allowed."),
    **dict.fromkeys(("list_type", "tuple_type"), LIST),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), OBJECT),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware"), DATE
    ),
    "value_error": _("Not allowed: %(error)s."),  # our own validators' words
}

FieldMessages = dict[str, Text]


def get_message(error: Mapping[str, Any]) -> Text:
    """One error of pydantic; translated when it is shown."""
    words = SENTENCES.get(error["type"], NOT_RIGHT)
    # Its own list of choices, made readable in any language.
    bounds = {
        name: str(bound).replace("'", "").replace(" or ", ", ")
        for name, bound in error.get("ctx", {}).items()
    }
    return make_lazy(lambda: str(words) % {name: translate(it) for name, it in bounds.items()})


def translate(text: str) -> str:
    """Our own validators' words are among the bounds."""
    return gettext(text) if text else ""


def messages_by_field(errors: Iterable[Mapping[str, Any]], *, prefix: str = "") -> FieldMessages:
    """Pydantic's errors by their places: of each field the first, of many fields some."""
    fields: FieldMessages = {}
    for error in errors:
        if len(fields) < MAX_FIELDS:
            fields.setdefault(join_path(error["loc"], prefix=prefix), get_message(error))
    return fields


def _get_param(error: DjangoValidationError, name: str) -> Any:
    return (error.params or {}).get(name, "")


def _join_messages(error: DjangoValidationError) -> str:
    return " ".join(error.messages)


def join_path(parts: Iterable[int | str], *, prefix: str = "") -> str:
    """``settings.prompt``; unknown names come from outside and are cut and cleaned."""
    names = [re.sub(r"[^\w-]", "?", str(part))[:MAX_NAME] for part in parts]
    return ".".join([prefix, *names] if prefix else names)


def list_recipe_errors(error: RecipeError) -> list[DjangoValidationError]:
    """A refused recipe as errors of the one field that keeps it."""
    return list_inner_errors(
        messages_by_field(error.errors(include_input=False, include_url=False))
    )


def list_inner_errors(found: FieldMessages) -> list[DjangoValidationError]:
    """Sentences by their places within the one field that keeps them all."""
    return [
        DjangoValidationError(
            "%(name)s: %(sentence)s", code=RECIPE, params={"name": name, "sentence": sentence}
        )
        for name, sentence in found.items()
    ]


def model_messages_by_field(error: DjangoValidationError) -> FieldMessages:
    """Django's errors of a model, field by field; a recipe's by their places in it."""
    fields: FieldMessages = {}
    for name, errors in error.error_dict.items():
        for one in errors:
            if one.code == RECIPE:
                fields[f"{name}.{_get_param(one, 'name')}".rstrip(".")] = _get_param(
                    one, "sentence"
                )
            else:
                fields.setdefault(name, make_lazy(partial(_join_messages, one)))
    return fields


def make_lazy(say: Callable[[], str]) -> Text:
    """Said in the language of whoever reads it."""
    return cast(Text, lazy(say, str)())
