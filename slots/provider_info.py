"""What the providers offer, as forms need it."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from providers.base import Model, ProviderDriver
from providers.pictures import EXTENSIONS
from providers.registry import DRIVERS
from slots.models import SlotTemplateMedia
from slots.schemas import ModelOut, OperationOut, ProviderOut

Kind = SlotTemplateMedia.MediaKind


def all_providers() -> list[ProviderOut]:
    """In the language of whoever asks."""
    return [_told(driver) for driver in DRIVERS.values()]


def _told(driver: ProviderDriver[Any]) -> ProviderOut:
    kinds = {kind for kinds in driver.template_kinds.values() for kind in kinds}
    return ProviderOut(
        provider=driver.name,
        title=driver.title,
        models=[_model(model) for model in driver.models],
        operations=[
            OperationOut(id=name, title=gettext(title), media_kinds=_kinds(driver, name))
            for name, title in driver.operations.items()
        ],
        settings_schema=translated(driver.Settings.model_json_schema()),
        media_kinds=[kind for kind in Kind if kind in kinds],
        requires_public_media=driver.requires_public_media,
        input_formats=list(EXTENSIONS),
    )


def _model(model: Model) -> ModelOut:
    retires = model.retires_on
    is_retired = retires is not None and retires <= timezone.localdate()
    return ModelOut(id=model.id, title=model.title, retires_at=retires, is_retired=is_retired)


def _kinds(driver: ProviderDriver[Any], operation: str) -> list[Kind]:
    return [Kind(kind) for kind in driver.template_kinds[operation]]


def translated(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema with its fields' titles and descriptions in the reader's language.

    The schema's own words are a class's name and docstring: nothing for people.
    """
    fields = {
        name: field
        | {word: gettext(field[word]) for word in ("title", "description") if word in field}
        for name, field in schema["properties"].items()
    }
    own = {key: value for key, value in schema.items() if key not in ("title", "description")}
    return own | {"properties": fields}
