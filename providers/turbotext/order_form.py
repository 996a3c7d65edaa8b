"""What an order says: the method, the links of its pictures, and the slot's settings."""

import asyncio

from photochanger.errors import ProviderConfig
from providers import http
from providers.base import ProviderRequest
from providers.turbotext.operations import (
    Operation,
    TurbotextSettings,
    find_conflicts,
    find_operation,
)
from providers.turbotext.public_photo import prepare_public_photo


def plan_operation(request: ProviderRequest[TurbotextSettings]) -> Operation:
    """Raises ProviderConfig for unsupported settings, ProviderAuth for a malformed key."""
    slot = request.settings
    http.check_headers({"authorization": request.api_key})
    operation = find_operation(request.operation, slot)
    if operation is None:
        raise ProviderConfig(f"no operation {request.operation}")
    kinds = [reference.kind for reference in request.references]
    if conflicts := find_conflicts(operation, slot, kinds):
        wanted = " or ".join(operation.template_kinds) or "none"
        raise ProviderConfig(
            f"{', '.join(conflicts)}: not right for {request.operation} (template: {wanted})"
        )
    return operation


async def publish_pictures(
    request: ProviderRequest[TurbotextSettings], operation: Operation
) -> dict[str, str]:
    """The pictures' links by the form's fields. Raises ProviderConfig, UnreadablePicture."""
    if request.publish is None:
        raise ProviderConfig("pictures cannot be published from here")
    photos = {operation.photo_field: request.photo}
    if operation.template_kinds:
        by_kind = {reference.kind: reference.photo for reference in reversed(request.references)}
        kind = next(kind for kind in operation.template_kinds if kind in by_kind)
        photos[operation.template_field] = by_kind[kind]
    links = {}
    for name, photo in photos.items():
        picture = await asyncio.to_thread(prepare_public_photo, photo)
        try:
            links[name] = await request.publish(picture)
        finally:
            picture.close()
    return links


def build_form(
    request: ProviderRequest[TurbotextSettings], links: dict[str, str]
) -> dict[str, str]:
    """The fields of ``create_queue``; what is not set is not sent."""
    slot = request.settings
    fields = {
        "content": slot.prompt,
        "face_restore": slot.face_restore,  # the words True and False, capitalised [D]
        "strength": slot.strength,
        "scale": slot.scale,
        "seed": slot.seed,
        "negative_prompt": slot.negative_prompt,
        "original_language": slot.original_language,
        "user_id": slot.user_id,
    }
    given = {name: str(value) for name, value in fields.items() if value is not None}
    return {"do": "create_queue", **links, **given}
