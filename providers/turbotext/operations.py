"""What a slot may ask of Turbotext: its settings, and what each operation makes of them."""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from django.utils.translation import gettext_noop as _  # translated where a form is drawn
from pydantic import Field, field_validator

from providers.base import DriverSettings, Needs

MAX_WORDS_NOT_WANTED = 80


class TurbotextSettings(DriverSettings):
    """A slot's recipe for Turbotext. Empty fields are left to the service."""

    PROMPT_FIELDS = ("prompt",)
    CHOICE_TITLES = {
        "face": _("face into the template scene"),
        "scene": _("template face onto the photo"),
    }
    STEERING_FIELDS = ("guest_is",)

    prompt: str | None = Field(
        None,
        min_length=1,
        max_length=4000,
        title=_("Prompt"),
        description=_("What to make of the photo: style, scene, light."),
    )
    guest_is: Literal["face", "scene"] = Field(
        "face",
        title=_("The guest's part"),
        description=_(
            "face: the guest's face goes into the template scene; "
            "scene: the template's face goes onto the guest's photo."
        ),
    )
    face_restore: bool | None = Field(None, title=_("Restore faces"))
    strength: int | None = Field(
        None, ge=0, le=80, title=_("Strength of the change"), description=_("Empty: 40.")
    )
    scale: float | None = Field(
        None,
        ge=0.1,
        le=20,
        title=_("How closely to follow the prompt"),
        description=_("Empty: 7.5."),
    )
    seed: int | None = Field(
        None, ge=1, le=10**10, title=_("Seed"), description=_("Empty: another one for each photo.")
    )
    negative_prompt: str | None = Field(
        None,
        min_length=1,
        max_length=2000,
        title=_("What not to draw"),
        description=_("At most 80 words."),
    )
    original_language: str | None = Field(
        None,
        pattern=r"^[a-z]{2}$",
        title=_("Language of the prompt"),
        description=_("Two letters. Empty: ru."),
    )
    user_id: int | None = Field(None, ge=0, le=10**10, title=_("User number at the service"))
    method: str | None = Field(
        None,
        pattern=r"^[a-z0-9_]{1,60}$",
        title=_("Method of the service"),
        description=_("Only if the service has renamed it. Empty: the usual one."),
    )

    @field_validator("negative_prompt")
    @classmethod
    def _check_word_count(cls, words: str | None) -> str | None:
        if words and len(words.split()) > MAX_WORDS_NOT_WANTED:
            raise ValueError(f"more than {MAX_WORDS_NOT_WANTED} words")
        return words


TEMPLATE_ROLES = {
    "style": _("its style is laid over the guest's photo"),
    "base": _("the scene: the guest's face comes into it"),
    "background": _("as the base, where there is none"),
    "face": _("this face comes onto the guest's photo"),
}


class Operation(NamedTuple):
    """What one of the service's methods takes. A template is found by the first kind there is."""

    method: str
    settings: frozenset[str]  # that it can honour
    template_kinds: tuple[str, ...] = ()
    photo_field: str = "url"
    template_field: str = ""


EVERYWHERE = frozenset(DriverSettings.model_fields) | {"method"}
SWAPPING = EVERYWHERE | {"guest_is", "face_restore"}
STYLE = Operation("mix_images", EVERYWHERE | {"prompt"}, ("style",), "url_image_target", "url")
# The base picture is `url` here and `url_image_target` above: the service's own doing [D].
GUEST_INTO_SCENE = Operation(
    "deepfake_photo", SWAPPING, ("base", "background"), "url_image_target", "url"
)
FACE_ONTO_GUEST = Operation("deepfake_photo", SWAPPING, ("face",), "url", "url_image_target")
# The nearest method to the "object replacement" that the customer asked for, whose name is in no
# document [G]; the setting `method` is there for the day it becomes known.
EDIT = Operation(
    "generate_image2image", frozenset(TurbotextSettings.model_fields) - {"guest_is", "face_restore"}
)
TEMPLATE_KINDS = {
    "style_transfer": STYLE.template_kinds,
    "identity_transfer": GUEST_INTO_SCENE.template_kinds + FACE_ONTO_GUEST.template_kinds,
    "image_edit": EDIT.template_kinds,
}


def find_operation(name: str, settings: TurbotextSettings) -> Operation | None:
    return {
        "style_transfer": STYLE,
        "identity_transfer": GUEST_INTO_SCENE if settings.guest_is == "face" else FACE_ONTO_GUEST,
        "image_edit": EDIT,
    }.get(name)


def find_needs(operation: str, typed: Mapping[str, str]) -> Needs:
    """``typed``: the settings as a form has them, right or wrong."""
    guest_is: Literal["face", "scene"] = "scene" if typed.get("guest_is") == "scene" else "face"
    known = find_operation(operation, TurbotextSettings(guest_is=guest_is))
    if known is None:
        return Needs()
    return Needs(("prompt",) if known is EDIT else (), known.template_kinds)


def find_conflicts(
    operation: Operation, settings: TurbotextSettings, kinds: Collection[str]
) -> dict[str, str]:
    """What the service could not honour, by the slot's fields."""
    idle = set(settings.model_dump(exclude_defaults=True)) - operation.settings
    found = {f"settings.{name}": _("This operation has no such setting.") for name in sorted(idle)}
    if operation is EDIT and not settings.prompt:
        found["settings.prompt"] = _("This field is needed.")
    if operation.template_kinds and not set(operation.template_kinds) & set(kinds):
        found["template_media"] = _("This operation needs a template picture of its own kind.")
    return found
