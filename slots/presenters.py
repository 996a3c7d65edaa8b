"""Slots, pictures and providers as the administrators' API shows them."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from media.links import build_url, build_url_of_path
from media.models import MediaObject
from media.services import select_listed_results
from photochanger.pictures import EXTENSIONS
from providers.base import ProviderDriver
from providers.registry import DRIVERS
from slots.checked_keys.listed_models import peek_listed_models
from slots.gallery.addresses import build_gallery_url
from slots.gallery.modes import find_gallery_mode
from slots.model_retirement import End, find_end
from slots.models import Slot, SlotTemplateMedia
from slots.platform_settings import load_platform_settings
from slots.provider_schemas import ModelOut, OperationOut, ProviderOut
from slots.reserve.editing import read_reserves
from slots.reserve.schemas import ReserveOut
from slots.schemas import (
    RecentResultOut,
    SlotOut,
    SlotShortOut,
    TemplateMediaOut,
    TemplateUploadOut,
    UploadOut,
)
from slots.services import is_complete
from slots.uploads import StoredUpload


def slot_summary(
    request: HttpRequest, slot: Slot, kinds: Collection[str] | None = None
) -> SlotShortOut:
    return SlotShortOut(
        id=slot.pk,
        display_name=slot.display_name,
        provider=slot.provider,
        operation=slot.operation,
        is_active=slot.is_active,
        is_configured=is_complete(slot, kinds),
        ingest_url=build_url(request, "api:ingest_photo_short", slot_id=slot.pk),
        version=slot.version,
        updated_at=slot.updated_at,
        updated_by=slot.updated_by,
    )


def slot_detail(request: HttpRequest, slot: Slot) -> SlotOut:
    """With template pictures, reserves and last results: four queries."""
    platform = load_platform_settings()
    templates = list(slot.template_media.select_related("media_object"))
    kinds = [one.media_kind for one in templates]
    return SlotOut(
        **slot_summary(request, slot, kinds).model_dump(),
        public_title=slot.public_title,
        size_limit_mb=slot.size_limit_mb,
        sync_response_seconds=slot.sync_response_seconds,
        effective_sync_response_seconds=(slot.wait_s(platform.sync_response_seconds)),
        settings=slot.settings,
        variables=slot.list_variables(),
        template_media=[present_template(request, one) for one in templates],
        reserves=[ReserveOut(**one) for one in read_reserves(slot)],
        reserve_may_cost_twice=slot.reserve_may_cost_twice,
        on_reserve=slot.on_reserve,
        on_reserve_since=slot.on_reserve_since,
        on_failure=Slot.OnFailure(slot.on_failure),
        faces=Slot.Faces(slot.faces),
        face_style=Slot.FaceStyle(slot.face_style),
        paper=Slot.Paper(slot.paper),
        frame_text=slot.frame_text,
        frame_text_place=Slot.TextPlace(slot.frame_text_place),
        frame_text_color=slot.frame_text_color,
        frame_text_mm=slot.frame_text_mm,
        frame_qr=Slot.QrCorner(slot.frame_qr),
        gallery_mode=Slot.GalleryMode(slot.gallery_mode),
        gallery_enabled=slot.gallery_mode != Slot.GalleryMode.CLOSED,
        publishing=Slot.Publishing(slot.publishing),
        gallery_until=slot.gallery_until,
        gallery_open=find_gallery_mode(slot, platform) != Slot.GalleryMode.CLOSED,
        gallery_url=build_gallery_url(request, slot, platform),
        ingest_password_set=bool(slot.ingest_password_hash),
        recent_results=present_results(
            request, select_listed_results(slot.pk)[: platform.gallery_size]
        ),
    )


def present_template(request: HttpRequest, one: SlotTemplateMedia) -> TemplateMediaOut:
    media = one.media_object
    return TemplateMediaOut(
        media_kind=SlotTemplateMedia.MediaKind(one.media_kind),
        media_object_id=media.pk.hex,
        mime=media.mime,
        size_bytes=media.size_bytes,
        url=build_template_url(request, media),
    )


def build_template_url(request: HttpRequest, media: MediaObject) -> str:
    return build_url(request, "api:template_media", media_id=media.pk.hex)


def present_results(request: HttpRequest, results: QuerySet[MediaObject]) -> list[RecentResultOut]:
    found = []
    for media in results:
        assert media.job_id is not None
        path = reverse("api:public_result", kwargs={"job_id": media.job_id})
        found.append(
            RecentResultOut(
                job_id=media.job_id,
                created_at=media.created_at,
                expires_at=media.expires_at,
                mime=media.mime,
                size_bytes=media.size_bytes,
                result_url=build_url_of_path(request, path),
                preview_url=build_url_of_path(request, f"{path}/preview"),
                page_url=build_url_of_path(request, f"{path}/page"),
            )
        )
    return found


def present_upload(done: StoredUpload) -> UploadOut:
    media = done.media
    assert media.expires_at is not None
    return UploadOut(
        media_object_id=media.pk.hex,
        slot_id=media.slot_id,
        mime=media.mime,
        size_bytes=media.size_bytes,
        width=done.width,
        height=done.height,
        expires_at=media.expires_at,
    )


def present_template_upload(
    request: HttpRequest, done: StoredUpload, media_kind: SlotTemplateMedia.MediaKind
) -> TemplateUploadOut:
    return TemplateUploadOut(
        **present_upload(done).model_dump(),
        media_kind=media_kind,
        url=build_template_url(request, done.media),
    )


Kind = SlotTemplateMedia.MediaKind


def present_providers() -> list[ProviderOut]:
    """In the language of whoever asks."""
    return [_present_provider(driver) for driver in DRIVERS.values()]


def _present_provider(driver: ProviderDriver[Any]) -> ProviderOut:
    kinds = {kind for kinds in driver.template_kinds.values() for kind in kinds}
    return ProviderOut(
        provider=driver.name,
        title=driver.title,
        models=_present_models(driver),
        operations=[
            OperationOut(id=name, title=gettext(title), media_kinds=_list_kinds(driver, name))
            for name, title in driver.operations.items()
        ],
        settings_schema=translate_schema(driver.Settings.model_json_schema()),
        media_kinds=[kind for kind in Kind if kind in kinds],
        requires_public_media=driver.requires_public_media,
        input_formats=list(EXTENSIONS),
    )


def _present_models(driver: ProviderDriver[Any]) -> list[ModelOut]:
    listed, today = peek_listed_models(driver.name), timezone.localdate()
    return [
        ModelOut(
            id=model.id,
            title=model.title,
            retires_at=model.retires_on,
            is_retired=find_end(model, listed, today) in (End.DUE, End.GONE),
        )
        for model in driver.models
    ]


def _list_kinds(driver: ProviderDriver[Any], operation: str) -> list[Kind]:
    return [Kind(kind) for kind in driver.template_kinds[operation]]


def translate_schema(schema: dict[str, Any]) -> dict[str, Any]:
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
