"""Receive a booth's photo: everything that can be refused before a place is taken."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.http import HttpRequest
from pydantic import ValidationError
from structlog.contextvars import bind_contextvars

from ingest.models import Job
from ingest.pipeline.order import Deadline, Order
from ingest.pipeline.password import check_password
from ingest.pipeline.upload import FormParser, read_form
from ingest.pipeline.uploaded_form import UploadedForm
from ingest.refusals.errors import PhotoQueueFull
from photochanger.db import in_db
from photochanger.errors import ChecksumMismatch, InvalidImage
from photochanger.parsing import decode_header, decode_query
from photochanger.pictures import Photo, UnreadablePicture, prepare_photo
from photochanger.request_errors import (
    BadIdempotencyKey,
    PasswordMissing,
    PhotoInOtherField,
    PhotoMissing,
)
from photochanger.request_scope import get_arrival_time, get_streamed_body
from photochanger.tasks import DEAR, run_in_worker
from photochanger.threads.temporary_files import close_soon, move_to_disk
from providers.http import expect_call
from slots.models import Slot
from slots.platform_settings import PlatformSettings
from slots.prints.recipe import build_photo_recipe
from slots.prompts.texts import SentTexts
from slots.prompts.variables import fold_field
from slots.services import OpenSlot, open_slot

MAX_KEY = 200
RETRY_AFTER_S = 3.0
# Who sends torn photos sends them again; it is no longer, since a disk may have failed us.
UNREADABLE_KEPT_S, MAX_UNREADABLE = 10.0, 1_000
_unreadable: OrderedDict[str, tuple[float, str]] = OrderedDict()  # by SHA-256: until when, and why


@dataclass(slots=True)
class RequestTrace:
    """How far a request came, for capture and for the statistics of refusals."""

    arrived_at: float
    opened: OpenSlot | None = None
    parser: FormParser | None = None
    hash_recipe: str = ""
    has_job: bool = False  # it tells from now on what became of the photo
    marks_ms: list[tuple[str, int]] = field(default_factory=list)  # steps done, since arrival

    @property
    def age_s(self) -> float:
        return asyncio.get_running_loop().time() - self.arrived_at

    def mark(self, step: str) -> None:
        self.marks_ms.append((step, round(self.age_s * 1000)))


def get_trace(request: HttpRequest) -> RequestTrace:
    """The request's trace, made by the first who asks for it."""
    trace: RequestTrace | None = getattr(request, "photo_trace", None)
    if trace is None:
        trace = RequestTrace(get_arrival_time(request))
        request.photo_trace = trace  # type: ignore[attr-defined]
    return trace


async def accept_request(request: HttpRequest, slot_id: str) -> OpenSlot:
    """The slot behind the link, before a byte of the body is read.

    Raises SlotNotFound, SlotDisabled, and PayloadTooLarge by Content-Length.
    """
    opened = await in_db(open_slot, slot_id)
    bind_contextvars(slot=opened.slot.pk)
    get_trace(request).opened = opened
    if body := get_streamed_body(request):
        body.check_declared(opened.slot.size_limit_bytes)
    return opened


@asynccontextmanager
async def receive_form(
    request: HttpRequest, slot: Slot, deadline: Deadline
) -> AsyncIterator[UploadedForm]:
    """The booth's form, hashed and spooled while it arrives; its file lives in this block.

    Whatever is waited for in this block ends at the deadline. While the form arrives a connection
    to the provider is opened, unless one is there.
    Raises InvalidRequest, PayloadTooLarge, ClientGone, StorageError.
    """
    trace = get_trace(request)
    trace.parser = FormParser.of(request, max_file_bytes=slot.size_limit_bytes)
    with deadline.limit_waits(), expect_call(slot.service_url):
        async with read_form(request, trace.parser, deadline) as form:
            trace.mark("form")
            yield form


async def authenticate_booth(request: HttpRequest, form: UploadedForm, password_hash: str) -> None:
    """Raises InvalidRequest for a form without photo or password, InvalidPassword, RateLimited."""
    # Not the names that came instead: somebody may have typed a password there.
    if form.file is None and not form.has_photo_field:
        raise PhotoInOtherField("no photo") if form.has_other_file else PhotoMissing("no photo")
    if "password" not in form.fields:
        raise PasswordMissing("no password")
    address = request.META.get("REMOTE_ADDR", "")
    await check_password(form.fields["password"], password_hash, address=address)
    get_trace(request).mark("password")


async def inspect_photo(
    request: HttpRequest, form: UploadedForm, platform: PlatformSettings
) -> Photo:
    """The photo by its content, its hash compared with the booth's.

    Raises UnsupportedMediaType, InvalidImage, ChecksumMismatch.
    """
    photo = await asyncio.to_thread(_inspect, form, platform.hash_check)
    get_trace(request).hash_recipe = form.hash_recipe
    get_trace(request).mark("photo")
    return photo


def read_sent_texts(request: HttpRequest, form: UploadedForm) -> SentTexts:
    """What came beside the photo, for a prompt that names some of it."""
    query = request.META.get("QUERY_STRING", "")
    return SentTexts(
        form=form.fields,
        url=_read_url(query) if query else {},
        password=form.fields.get("password", ""),
    )


def _read_url(query: str) -> dict[str, str]:
    """Of names that come twice the first that says something counts, as in forms."""
    texts: dict[str, str] = {}
    for name, value in decode_query(query):
        texts[fold_field(name)] = texts.get(fold_field(name)) or value
    return texts


def _inspect(form: UploadedForm, hash_check: str) -> Photo:
    photo = open_photo(form)
    form.hash_recipe = "" if hash_check == "off" else form.match_recipe()
    if hash_check == "strict" and form.hash_recipe in ("", "none"):
        raise ChecksumMismatch("the hash is missing or follows no known recipe")
    return photo


def open_photo(form: UploadedForm) -> Photo:
    """The form's file as a photo. Blocking. Raises UnsupportedMediaType, InvalidImage."""
    if form.file is None:
        raise InvalidImage("the photo is empty")
    return Photo.open(
        form.file,
        max_megapixels=settings.MAX_PHOTO_MEGAPIXELS,
        size_bytes=form.size_bytes,
        sha256=form.compute_sha256(),
    )


def read_idempotency_key(request: HttpRequest) -> str:
    """Raises InvalidRequest."""
    header = request.headers.get("Idempotency-Key", "")
    key = decode_header(header).strip() if header else ""
    if len(key) > MAX_KEY or not key.isprintable():
        raise BadIdempotencyKey(f"Idempotency-Key must be printable and at most {MAX_KEY} long")
    return key


@asynccontextmanager
async def prepare_order(order: Order) -> AsyncIterator[Order]:
    """The order with the photo to send, which lives in this block; its own photo stays as it is.

    One decoding serves both. Raises InvalidImage when a pixel is missing, and PhotoQueueFull when
    its turn does not come before the deadline.
    """
    photo = order.photo
    check_unreadable(photo.sha256)
    try:
        async with asyncio.timeout_at(order.deadline.at):
            outgoing = await run_in_worker(
                choose_line(order), prepare_photo, photo, max_side_px=choose_side_px(order.slot)
            )
    except UnreadablePicture as exc:
        keep_unreadable(photo.sha256, str(exc))
        raise InvalidImage(f"the photo {exc}") from exc
    except TimeoutError as exc:
        raise PhotoQueueFull("not decoded in time", retry_after_s=RETRY_AFTER_S) from exc
    if outgoing is photo:
        yield replace(order, outgoing=photo)
        return
    outgoing = replace(outgoing, file=await move_to_disk(outgoing.file))
    try:
        yield replace(order, outgoing=outgoing)
    finally:
        close_soon(outgoing.file)


def check_unreadable(sha256: str) -> None:
    """Raises InvalidImage for what has just been decoded in vain."""
    until, why = _unreadable.get(sha256, (0.0, ""))
    if until > time.monotonic():
        raise InvalidImage(f"the photo {why}")


def keep_unreadable(sha256: str, why: str) -> None:
    _unreadable[sha256] = time.monotonic() + UNREADABLE_KEPT_S, why
    while len(_unreadable) > MAX_UNREADABLE:
        _unreadable.popitem(last=False)


def choose_line(order: Order) -> str:
    """Behind whom the photo waits to be decoded."""
    if order.photo.is_dear:
        return DEAR
    return order.source if order.source == Job.Source.LAB else order.slot.pk


def choose_side_px(slot: Slot) -> int | None:
    """The longest side to send. A slot that cannot work as it is set up says so later."""
    try:
        return build_photo_recipe(slot).choose_send_side_px()
    except (ValidationError, KeyError):
        return None
