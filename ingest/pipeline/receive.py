"""From the booth's request to an order: everything that can be refused before a place is taken."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from structlog.contextvars import bind_contextvars

from ingest.capture.recorder import Sight
from ingest.models import Job
from ingest.pipeline.password import check_password
from ingest.pipeline.upload import ARRIVED_KEY, BODY_KEY, UploadedForm, received_form
from photochanger.db import in_db
from photochanger.errors import (
    ChecksumMismatch,
    InvalidImage,
    InvalidRequest,
    UnsupportedMediaType,
)
from providers.pictures import Photo, UnreadablePicture, read_header, sniff
from slots.models import Slot, SlotTemplateMedia
from slots.services import PlatformSettings, open_slot

MAX_IDENTITY = 64
MAX_KEY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Booth:
    """Who sent the photo; the only form fields that are kept. Hostile text, cut and printable."""

    id: str = ""
    name: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One checked photo and what to do with it; ``deadline_at`` is in the event loop's time."""

    slot: Slot  # as it was when the photo arrived; admission looks again
    platform: PlatformSettings
    photo: Photo
    source: Job.Source
    started_at: datetime
    wait_s: int
    deadline_at: float
    booth: Booth = Booth()
    hash_recipe: str = ""
    idempotency_key: str = ""
    # Of a test run: its slot is a draft that nobody saved, and these are its template pictures.
    draft_templates: tuple[SlotTemplateMedia, ...] = ()

    @property
    def is_test(self) -> bool:
        return self.source == Job.Source.UI_TEST

    @property
    def keep_for(self) -> timedelta:
        return timedelta(hours=self.platform.result_ttl_hours)

    @property
    def deadline(self) -> datetime:
        return self.started_at + timedelta(seconds=self.wait_s)


@asynccontextmanager
async def received_order(request: HttpRequest, slot_id: str, sight: Sight) -> AsyncIterator[Order]:
    """A booth's photo, read and checked, cheap refusals first; its file lives in this block.

    Raises SlotNotFound, SlotDisabled, PayloadTooLarge (by Content-Length) before the body is read;
    then InvalidRequest, PayloadTooLarge, ClientGone, StorageError while it is read; then
    InvalidPassword, RateLimited, UnsupportedMediaType, InvalidImage, ChecksumMismatch.
    """
    slot, platform, password_hash = await in_db(open_slot, slot_id)
    bind_contextvars(slot=slot.pk)
    sight.look(slot, platform)
    arrived_at = arrival(request)
    wait_s = slot.sync_response_seconds or platform.sync_response_seconds
    limit_bytes = slot.size_limit_mb * 1024 * 1024
    if body := getattr(request, "scope", {}).get(BODY_KEY):
        body.check_declared(limit_bytes)
    async with received_form(
        request, max_file_bytes=limit_bytes, until=arrived_at + wait_s, watch=sight.watch
    ) as form:
        sight.mark("form")
        if form.file is None or "password" not in form.fields:
            # Not the names that came instead: somebody may have typed a password there.
            raise InvalidRequest("no photo" if form.file is None else "no password")
        await check_password(
            form.fields["password"],
            password_hash,
            address=request.META.get("REMOTE_ADDR", ""),
        )
        sight.mark("password")
        photo, recipe = await asyncio.to_thread(inspect, form, platform)
        sight.checked(recipe)
        yield Order(
            slot=slot,
            platform=platform,
            photo=photo,
            source=Job.Source.INGEST,
            started_at=started_at(arrived_at),
            wait_s=wait_s,
            deadline_at=arrived_at + wait_s,
            booth=booth_of(form.fields),
            hash_recipe=recipe,
            idempotency_key=idempotency_key_of(request),
        )


def arrival(request: HttpRequest) -> float:
    """The event loop's time at the request's first byte."""
    now = asyncio.get_running_loop().time()
    return float(getattr(request, "scope", {}).get(ARRIVED_KEY, now))


def started_at(arrived_at: float) -> datetime:
    return timezone.now() - timedelta(seconds=asyncio.get_running_loop().time() - arrived_at)


def inspect(form: UploadedForm, platform: PlatformSettings) -> tuple[Photo, str]:
    """The photo by its content, and the recipe of the booth's hash. Blocking."""
    photo = photo_of(form)
    recipe = "" if platform.hash_check == "off" else form.matching_recipe()
    if platform.hash_check == "strict" and recipe in ("", "none"):
        raise ChecksumMismatch("the hash is missing or follows no known recipe")
    return photo, recipe


def photo_of(form: UploadedForm) -> Photo:
    """Blocking. Raises UnsupportedMediaType, InvalidImage."""
    assert form.file is not None
    form.file.seek(0)
    mime = sniff(form.file.read(16))
    if mime is None:
        raise UnsupportedMediaType("neither JPEG, PNG nor WEBP by content")
    try:
        width, height, orientation = read_header(
            form.file, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS
        )
    except UnreadablePicture as exc:
        raise InvalidImage(str(exc)) from exc
    return Photo(
        file=form.file,
        size_bytes=form.size_bytes,
        sha256=form.sha256(),
        mime=mime,
        width=width,
        height=height,
        orientation=orientation,
    )


def booth_of(fields: Mapping[str, str]) -> Booth:
    def kept(name: str) -> str:
        value = fields.get(name, "")
        if value.strip() == fields["password"]:  # typed into the wrong box too
            return ""
        return re.sub(r"[^\w .:/\\-]", "", value)[:MAX_IDENTITY].strip()

    return Booth(id=kept("id"), name=kept("name"), version=kept("version"))


def idempotency_key_of(request: HttpRequest) -> str:
    key: str = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > MAX_KEY or not key.isprintable():
        raise InvalidRequest(f"Idempotency-Key must be printable and at most {MAX_KEY} long")
    return key
