"""Slots, template pictures and settings for administrators. Authentication is the roof's."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Path, Router
from ninja.files import UploadedFile

from media.models import MediaObject
from media.uploads import read_upload
from photochanger.openapi import error_responses
from slots import openapi, presenters
from slots.editing import change_slot, delete_template
from slots.gallery.addresses import replace_gallery_address
from slots.models import Slot, SlotTemplateMedia
from slots.presenters import present_providers
from slots.prints.frames import choose_template_side_px
from slots.provider_schemas import ProviderOut
from slots.schemas import (
    FormSlotId,
    SettingsIn,
    SettingsOut,
    SlotId,
    SlotIn,
    SlotOut,
    SlotShortOut,
    TemplateUploadOut,
    UploadOut,
)
from slots.services import find_slot
from slots.settings_editing import read_settings, save_settings
from slots.uploads import register_template, register_test_photo

slots_router = Router(tags=["slots"])
template_media_router = Router(tags=["slots"])
media_router = Router(tags=["slots"])
settings_router = Router(tags=["settings"])
providers_router = Router(tags=["settings"])

MediaId = Annotated[str, Path(description="As registering it has answered.")]


@slots_router.get(
    "",
    response=list[SlotShortOut],
    operation_id="list_slots",
    summary="List the slots",
    openapi_extra={"responses": {200: openapi.AFTER_LIST, **error_responses(*openapi.ANY)}},
)
def list_slots(request: HttpRequest) -> list[SlotShortOut]:
    """All fifteen, by their numbers."""
    slots = Slot.objects.prefetch_related("template_media")
    return [presenters.slot_summary(request, slot) for slot in slots]


@slots_router.get(
    "/{slot_id}",
    response=SlotOut,
    operation_id="get_slot",
    summary="Look at a slot",
    openapi_extra={
        "responses": {200: openapi.AFTER_GET, **error_responses("slot_not_found", *openapi.ANY)}
    },
)
def get_slot(request: HttpRequest, slot_id: SlotId) -> SlotOut:
    """Its recipe, limits, template pictures, and its last results with links."""
    return presenters.slot_detail(request, find_slot(slot_id))


@slots_router.put(
    "/{slot_id}",
    response=SlotOut,
    operation_id="put_slot",
    summary="Change a slot",
    openapi_extra=openapi.PUT_SLOT,
)
def put_slot(request: HttpRequest, slot_id: SlotId, change: SlotIn) -> SlotOut:
    """Keys that are absent keep their values; the next photo already follows the new ones.

    What a GET has answered may be sent back as it is. With `version` nothing is saved when
    somebody else was quicker (409). Nothing is saved either when a field is wrong (400, `fields`).
    """
    return presenters.slot_detail(request, change_slot(slot_id, change, by=get_username(request)))


@slots_router.post(
    "/{slot_id}/gallery-address",
    response=SlotOut,
    operation_id="replace_gallery_address",
    summary="Replace a gallery's secret address",
    openapi_extra={"responses": error_responses("slot_not_found", *openapi.ANY)},
)
def post_gallery_address(request: HttpRequest, slot_id: SlotId) -> SlotOut:
    """A new one is made; links and QR codes with the one before lead nowhere from now on."""
    slot = replace_gallery_address(slot_id, by=get_username(request))
    return presenters.slot_detail(request, slot)


@template_media_router.post(
    "/register",
    response=TemplateUploadOut,
    operation_id="register_template_media",
    summary="Upload a template picture",
    openapi_extra=openapi.describe_upload(openapi.AFTER_TEMPLATE),
)
def register_template_media(
    request: HttpRequest,
    slot_id: FormSlotId,
    media_kind: Annotated[SlotTemplateMedia.MediaKind, Form()],
    file: Annotated[UploadedFile, File(description="JPEG, PNG or WEBP by content.")],
) -> TemplateUploadOut:
    """Stored without its metadata. A slot uses it once a `PUT` of the slot names it in
    `template_media`; if none does within a day, it is deleted."""
    side_px = choose_template_side_px(media_kind)
    done = register_template(slot_id, file, by=get_username(request), side_px=side_px)
    return presenters.present_template_upload(request, done, media_kind)


@template_media_router.get(
    "/{media_id}",
    url_name="template_media",
    operation_id="get_template_media",
    summary="Look at a template picture",
    openapi_extra={
        "responses": {200: openapi.PICTURE, **error_responses("media_not_found", *openapi.ANY)}
    },
)
def get_template_media(request: HttpRequest, media_id: MediaId) -> HttpResponse:
    """The picture itself, as it is stored."""
    media, body = read_upload(MediaObject.Kind.TEMPLATE, media_id)
    headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(body, content_type=media.mime, headers=headers)


@template_media_router.delete(
    "/{media_id}",
    operation_id="delete_template_media",
    summary="Delete a template picture",
    openapi_extra={
        "responses": {
            204: {"description": "It is gone, and no slot uses it."},
            **error_responses("media_not_found", *openapi.ANY),
        }
    },
)
def delete_template_media(request: HttpRequest, media_id: MediaId) -> HttpResponse:
    """Its slot forgets it first, and gets a new version. A second time it is 404."""
    delete_template(media_id, by=get_username(request))
    return HttpResponse(status=204)


@media_router.post(
    "/register",
    response=UploadOut,
    operation_id="register_media",
    summary="Upload a test photo",
    openapi_extra=openapi.describe_upload(openapi.AFTER_PHOTO),
)
def register_media(
    request: HttpRequest,
    slot_id: FormSlotId,
    file: Annotated[UploadedFile, File(description="JPEG, PNG or WEBP by content.")],
) -> UploadOut:
    """For several test runs with one photo. It is deleted after a quarter of an hour or as
    `TEMP_TTL_SECONDS` says."""
    return presenters.present_upload(register_test_photo(slot_id, file, by=get_username(request)))


@settings_router.get(
    "",
    response=SettingsOut,
    operation_id="get_settings",
    summary="Look at the settings",
    openapi_extra={"responses": {200: openapi.AFTER_SETTINGS, **error_responses(*openapi.ANY)}},
)
def get_settings(request: HttpRequest) -> SettingsOut:
    """Of keys and passwords only whether there is one, and since when."""
    return read_settings()


@settings_router.put(
    "",
    response=SettingsOut,
    operation_id="put_settings",
    summary="Change settings",
    openapi_extra=openapi.PUT_SETTINGS,
)
def put_settings(request: HttpRequest, change: SettingsIn) -> SettingsOut:
    """Any of them; all that are sent are changed, or none. They hold from the next photo on."""
    save_settings(change, by=get_username(request))
    return read_settings()


@providers_router.get(
    "",
    response=list[ProviderOut],
    operation_id="list_providers",
    summary="List the providers",
    openapi_extra={"responses": error_responses(*openapi.ANY)},
)
def list_providers(request: HttpRequest) -> list[ProviderOut]:
    """All that a form for a slot needs, in the language of `Accept-Language`."""
    return present_providers()


def get_username(request: HttpRequest) -> str:
    name: Any = request.user.get_username()
    return str(name)
