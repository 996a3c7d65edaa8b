"""The slot page's forms, and what was typed into them as a change of the slot."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from photochanger.errors import InvalidFields
from photochanger.parsing import parse_number
from providers.registry import DRIVERS
from slots.console.dates import MomentField
from slots.console.form_fields import (
    BoundedInput,
    TextField,
    Tick,
    TickField,
    WholeNumberField,
    set_ids,
)
from slots.console.recipe_form import RecipeForm
from slots.console.words_form import WordsForm
from slots.models import Slot
from slots.schemas import SlotIn
from slots.validation_messages import DATE, NOT_RIGHT, FieldMessages, messages_by_field

PRESENT = "present"
CHOICES = (
    "on_failure",
    "gallery_mode",
    "publishing",
    "faces",
    "face_style",
    "paper",
    "frame_text_place",
    "frame_qr",
)
LIMITS = {"size_limit_mb": (1, 20), "sync_response_seconds": (10, 60), "frame_text_mm": (2, 40)}
KEPT_IF_EMPTY = ("size_limit_mb", "frame_text_mm", "frame_text_color")


class SlotForm(forms.ModelForm):  # type: ignore[type-arg]  # no parameters at run time
    """The columns that every slot has, whatever its provider. ``SlotIn`` judges the values."""

    ingest_password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        label=_("Booth password of this slot"),
    )

    class Meta:
        model = Slot
        fields = (
            *(
                "display_name",
                "public_title",
                "is_active",
                "size_limit_mb",
                "sync_response_seconds",
            ),
            *("on_failure", "gallery_mode", "publishing", "gallery_until", "faces", "face_style"),
            *("paper", "frame_text", "frame_text_place", "frame_text_color", "frame_text_mm"),
            "frame_qr",
        )
        field_classes = {
            "display_name": TextField,
            "public_title": TextField,
            "is_active": TickField,
            "gallery_until": MomentField,
            **dict.fromkeys(LIMITS, WholeNumberField),
        }
        widgets = {
            "display_name": forms.TextInput(
                {"autocomplete": "off", "placeholder": _("For example: A portrait for the site")}
            ),
            "is_active": Tick,
            "frame_text": forms.Textarea({"rows": 3, "autocomplete": "off"}),
            "frame_text_color": forms.TextInput({"type": "color"}),
            "gallery_until": forms.DateTimeInput(
                {"type": "datetime-local", "autocomplete": "off"}, format="%Y-%m-%dT%H:%M"
            ),
        }
        labels = {"is_active": _("Takes photos")}
        help_texts = {
            "display_name": _("It is the slot's name in the list of slots."),
            "on_failure": _(
                "Guests get an original either way. With an error the booth notices, and its log "
                "tells; with the photo it takes it for the picture."
            ),
        }
        error_messages = {
            "gallery_until": {"invalid": DATE},
            **dict.fromkeys(CHOICES, {"invalid_choice": NOT_RIGHT}),
        }

    def __init__(self, posted: QueryDict | None, *, instance: Slot) -> None:
        super().__init__(posted, instance=instance, use_required_attribute=False)
        for name, field in self.fields.items():
            field.required = False
            set_ids(field, f"id_{name}")
        for name, (least, most) in LIMITS.items():
            widget = self.fields[name].widget
            assert isinstance(widget, BoundedInput)
            widget.least, widget.most = least, most

    def _post_clean(self) -> None:
        """The model is not asked here: a change is checked as a whole, also against the recipe."""

    def read_values(self) -> dict[str, Any]:
        """The columns that were sent and could be read."""
        self.full_clean()
        values = {name: it for name, it in self.cleaned_data.items() if name in self.data}
        for name in KEPT_IF_EMPTY:  # empty: stays as it is
            if values.get(name, 1) in (None, ""):
                del values[name]
        if "frame_text" in values:
            values["frame_text"] = values["frame_text"].replace("\r\n", "\n")
        if self.data.get("password_removed") == "true":
            values["ingest_password"] = ""
        elif not values.get("ingest_password"):  # empty: stays as it is
            values.pop("ingest_password", None)
        return values


class SlotPageForm:
    """Both forms of the page: the slot's columns and its recipe."""

    def __init__(self, slot: Slot, posted: QueryDict | None = None) -> None:
        self.posted = QueryDict() if posted is None else posted
        is_posted = posted is not None
        self.columns = SlotForm(posted, instance=slot)
        self.recipe = RecipeForm(
            slot, read_typed(posted) if is_posted else None, is_posted=is_posted
        )
        self.words = WordsForm(slot, posted)
        self.version = self.posted.get("version", "") if is_posted else str(slot.version)

    def read_change(self) -> SlotIn:
        """Raises InvalidFields, by the names of a slot's fields, with all that is wrong."""
        values = self.columns.read_values() | {"settings": self.recipe.read_settings()}
        names = ("provider", "operation")
        values |= {name: self.posted[name] for name in names if name in self.posted}
        if "templates" in self.posted:
            values["template_media"] = read_templates(self.posted)
        if self.words.is_posted:
            values["variables"] = self.words.read_variables()
        version = parse_number(self.posted.get("take_over") or self.version)
        if version is not None:
            values["version"] = version
        wrong: FieldMessages = dict(self._list_unreadable())
        try:
            change = SlotIn.model_validate(values)
        except ValidationError as exc:
            found = exc.errors(include_url=False, include_input=False)
            wrong = messages_by_field(found) | wrong
        if wrong:  # all at once, though the recipe is judged with the whole slot otherwise
            raise InvalidFields(_check_recipe(values) | wrong)
        return change

    def _list_unreadable(self) -> Iterator[tuple[str, str]]:
        for form, prefix in ((self.columns, ""), (self.recipe, "settings.")):
            for name, errors in form.errors.items():
                yield f"{prefix}{name}", str(errors[0])

    def add_messages(self, messages: FieldMessages) -> FieldMessages:
        """Put each message beside its field; those without a field are returned."""
        left = self.words.add_messages(self.recipe.add_messages(messages))
        for name in self.columns.fields.keys() & left.keys():
            words = left.pop(name)
            if name not in self.columns.errors:
                self.columns.add_error(name, str(words))
        self._focus_first_error()
        return left

    @property
    def fields(self) -> list[forms.BoundField]:
        """In the order of the page."""
        first = [self.columns[name] for name in ("display_name", "public_title", "is_active")]
        words = [field for row in self.words.rows for field in row]
        rest = [one for one in self.columns if one not in first]
        return [*first, *self.recipe, *words, *rest]

    def _focus_first_error(self) -> None:
        for field in self.fields:
            if field.errors:
                field.field.widget.attrs["autofocus"] = True
                return


def read_slot_form(request: HttpRequest, slot: Slot) -> SlotIn:
    """Raises InvalidFields, by the names of a slot's fields."""
    return SlotPageForm(slot, request.POST).read_change()


def read_typed(posted: QueryDict | None) -> dict[str, str]:
    """A tick comes with a hidden "false" before it: of two the last one counts."""
    return {name: str(value) for name, value in (posted or {}).items()}


def read_templates(posted: QueryDict) -> list[dict[str, str]]:
    """The template pictures that are to stay, in the order of the page."""
    rows = zip(
        posted.getlist("template_id"),
        posted.getlist("template_kind"),
        posted.getlist("template_status"),
        strict=False,
    )
    return [
        {"media_object_id": media_id, "media_kind": kind}
        for media_id, kind, status in rows
        if status == PRESENT
    ]


def _check_recipe(values: dict[str, Any]) -> FieldMessages:
    driver = DRIVERS.get(values.get("provider", ""))
    if driver is None or not (values["settings"] or values.get("is_active")):
        return {}
    try:
        driver.Settings.model_validate(values["settings"])
    except ValidationError as exc:
        found = exc.errors(include_url=False, include_input=False)
        return messages_by_field(found, prefix="settings")
    return {}
