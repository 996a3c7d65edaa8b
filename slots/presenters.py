"""Slots and pictures as the administrators' API tells of them."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from media.links import absolute, link_to
from media.models import MediaObject
from media.services import visible_results
from slots.models import Slot, SlotTemplateMedia
from slots.schemas import (
    RecentResultOut,
    SlotOut,
    SlotShortOut,
    TemplateMediaOut,
    TemplateUploadOut,
    UploadOut,
)
from slots.services import gallery_is_open, platform_settings
from slots.uploads import Uploaded


def short(request: HttpRequest, slot: Slot) -> SlotShortOut:
    return SlotShortOut(
        id=slot.pk,
        display_name=slot.display_name,
        provider=slot.provider,
        operation=slot.operation,
        is_active=slot.is_active,
        is_configured=bool(slot.settings),
        ingest_url=absolute(request, "api:ingest_photo_short", slot_id=slot.pk),
        version=slot.version,
        updated_at=slot.updated_at,
        updated_by=slot.updated_by,
    )


def whole(request: HttpRequest, slot: Slot) -> SlotOut:
    """With template pictures and last results: three queries."""
    platform = platform_settings()
    templates = slot.template_media.select_related("media_object")
    return SlotOut(
        **short(request, slot).model_dump(),
        size_limit_mb=slot.size_limit_mb,
        sync_response_seconds=slot.sync_response_seconds,
        effective_sync_response_seconds=(slot.wait_s(platform.sync_response_seconds)),
        settings=slot.settings,
        template_media=[template(request, one) for one in templates],
        on_failure=Slot.OnFailure(slot.on_failure),
        gallery_enabled=slot.gallery_enabled,
        gallery_until=slot.gallery_until,
        gallery_open=gallery_is_open(slot, platform),
        gallery_url=absolute(request, "api:gallery", slot_id=slot.pk),
        ingest_password_set=bool(slot.ingest_password_hash),
        recent_results=recent(request, visible_results(slot.pk)[: platform.gallery_size]),
    )


def template(request: HttpRequest, one: SlotTemplateMedia) -> TemplateMediaOut:
    media = one.media_object
    return TemplateMediaOut(
        media_kind=SlotTemplateMedia.MediaKind(one.media_kind),
        media_object_id=media.pk.hex,
        mime=media.mime,
        size_bytes=media.size_bytes,
        url=template_url(request, media),
    )


def template_url(request: HttpRequest, media: MediaObject) -> str:
    return absolute(request, "api:template_media", media_id=media.pk.hex)


def recent(request: HttpRequest, results: QuerySet[MediaObject]) -> list[RecentResultOut]:
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
                result_url=link_to(request, path),
                preview_url=link_to(request, f"{path}/preview"),
                page_url=link_to(request, f"{path}/page"),
            )
        )
    return found


def uploaded(done: Uploaded) -> UploadOut:
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


def uploaded_template(
    request: HttpRequest, done: Uploaded, media_kind: SlotTemplateMedia.MediaKind
) -> TemplateUploadOut:
    return TemplateUploadOut(
        **uploaded(done).model_dump(),
        media_kind=media_kind,
        url=template_url(request, done.media),
    )
