"""Turbotext's photo AI: a queue. One call puts an order in, others ask for its picture.

It takes no pictures but links to them, which it fetches from us; and it names a link in return,
see ``downloads.py``. Facts and their sources are in the provider's fact sheet; D (documented),
R (reported) and G (guessed) are its confidence marks. Nearly every failure is a guess: the service
documents none.
"""

import asyncio
import itertools
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple
from urllib.parse import urlencode

from django.conf import settings as django_settings
from django.utils.translation import gettext_noop as _  # translated where a form is drawn
from pydantic import Field, field_validator

from photochanger.errors import (
    BadResponse,
    ProviderConfig,
    ProviderError,
    ProviderNetwork,
    ProviderRejected,
)
from providers import http
from providers.base import DriverSettings, ProviderDriver, ProviderRequest
from providers.downloads import download
from providers.pictures import Picture, UnreadablePicture
from providers.publishable import publishable
from providers.turbotext_answer import Answer, address_of, explain, parse

FIRST_POLL_S, SECOND_POLL_S, NEXT_POLLS_S = 1.0, 1.5, 2.0  # no rule is documented [G]
POLL_TIMEOUT_S = 10.0  # of one poll; a silent connection must not eat the deadline
BAD_POLLS_TOLERATED = 3  # in a row: the order is paid, and a failing poll says nothing of it
MAX_WORDS_NOT_WANTED = 80
FORM = "application/x-www-form-urlencoded"


class TurbotextSettings(DriverSettings):
    """A slot's recipe for Turbotext. Empty fields are left to the service."""

    prompt: str | None = Field(
        None,
        min_length=1,
        max_length=4000,
        title=_("Prompt"),
        description=_("Needed to edit by prompt; with a style picture it strengthens the effect."),
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
    def _few_words(cls, words: str | None) -> str | None:
        if words and len(words.split()) > MAX_WORDS_NOT_WANTED:
            raise ValueError(f"more than {MAX_WORDS_NOT_WANTED} words")
        return words


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


class TurbotextDriver(ProviderDriver[TurbotextSettings]):
    name = "turbotext"
    title = "Turbotext"
    operations = {
        "style_transfer": _("Style of a template picture"),
        "identity_transfer": _("Face swap"),
        "image_edit": _("Edit by prompt"),
    }
    template_kinds = {
        "style_transfer": STYLE.template_kinds,
        "identity_transfer": GUEST_INTO_SCENE.template_kinds + FACE_ONTO_GUEST.template_kinds,
        "image_edit": EDIT.template_kinds,
    }
    requires_public_media = True
    Settings = TurbotextSettings

    async def process(self, request: ProviderRequest[TurbotextSettings]) -> Picture:
        operation = plan(request)
        request.trace.model = method = request.settings.method or operation.method
        try:
            links = await publish(request, operation)
        except UnreadablePicture as exc:
            raise ProviderRejected(f"the picture cannot be sent: {exc}") from exc
        queue_id = await create(method, form(request, links), request)
        result = await finished(method, queue_id, request)
        return await download(
            result,
            base_url=django_settings.TURBOTEXT_BASE_URL,
            hosts=django_settings.TURBOTEXT_RESULT_HOSTS,
        )


# --- Before any call -----------------------------------------------------------------------------
def plan(request: ProviderRequest[TurbotextSettings]) -> Operation:
    """Raises ProviderConfig for what the service could not honour, ProviderAuth for an odd key."""
    slot = request.settings
    http.check_headers({"authorization": request.api_key})
    operation = {
        "style_transfer": STYLE,
        "identity_transfer": GUEST_INTO_SCENE if slot.guest_is == "face" else FACE_ONTO_GUEST,
        "image_edit": EDIT,
    }.get(request.operation)
    if operation is None:
        raise ProviderConfig(f"no operation {request.operation}")
    idle = set(slot.model_dump(exclude_defaults=True)) - operation.settings
    if idle:
        raise ProviderConfig(f"{', '.join(sorted(idle))}: not for {request.operation}")
    if operation is EDIT and not slot.prompt:
        raise ProviderConfig("the slot has no prompt")
    return operation


async def publish(
    request: ProviderRequest[TurbotextSettings], operation: Operation
) -> dict[str, str]:
    """The pictures' links by the form's fields. Raises ProviderConfig, UnreadablePicture."""
    if request.publish is None:
        raise ProviderConfig("pictures cannot be published from here")
    photos = {operation.photo_field: request.photo}
    if operation.template_kinds:
        by_kind = {reference.kind: reference.photo for reference in reversed(request.references)}
        kind = next((kind for kind in operation.template_kinds if kind in by_kind), None)
        if kind is None:
            wanted = " or ".join(operation.template_kinds)
            raise ProviderConfig(f"the slot has no template picture of kind {wanted}")
        photos[operation.template_field] = by_kind[kind]
    links = {}
    for name, photo in photos.items():
        picture = await asyncio.to_thread(publishable, photo)
        try:
            links[name] = await request.publish(picture)
        finally:
            picture.close()
    return links


def form(request: ProviderRequest[TurbotextSettings], links: dict[str, str]) -> dict[str, str]:
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


# --- The queue -----------------------------------------------------------------------------------
async def create(
    method: str, fields: dict[str, str], request: ProviderRequest[TurbotextSettings]
) -> str:
    """Put the order in, once: an answer that got lost may already have been paid for."""
    answer = read(await send(method, fields, request), request)
    if not answer.success:
        raise explain(answer)
    if not answer.queueid:
        raise BadResponse("accepted, but without a queueid")
    request.trace.provider_request_id = answer.queueid[:100]
    return answer.queueid


async def finished(method: str, queue_id: str, request: ProviderRequest[TurbotextSettings]) -> str:
    """Ask until the order is done; the address of its picture. Ends with the caller's deadline."""
    fields, bad_in_a_row = {"do": "get_result", "queueid": queue_id}, 0
    for pause_s in pauses():
        await asyncio.sleep(pause_s)
        try:
            async with asyncio.timeout(POLL_TIMEOUT_S):
                reply = await send(method, fields, request)
            answer = read(reply, request)
        except (ProviderNetwork, TimeoutError):
            continue  # says nothing of the order; the deadline ends it
        except ProviderError:
            bad_in_a_row += 1
            if bad_in_a_row > BAD_POLLS_TOLERATED or not may_pass(request.trace.http_status):
                raise
            continue
        bad_in_a_row = 0
        if not answer.is_in_work:
            return address_of(answer)
    raise AssertionError("there is always another poll")


def pauses() -> Iterator[float]:
    """Seconds before each poll; polls cost nothing [R]."""
    return itertools.chain((FIRST_POLL_S, SECOND_POLL_S), itertools.repeat(NEXT_POLLS_S))


def may_pass(status: int | None) -> bool:
    """Whether the next poll may fare better: a page instead of JSON, a limit, a server's error."""
    return status is None or status in (200, 408, 429) or status >= 500


async def send(
    method: str, fields: dict[str, str], request: ProviderRequest[TurbotextSettings]
) -> http.Reply:
    """Both phases go to the method's address, as a form; the answer may be anything."""
    reply = await http.post(
        f"{django_settings.TURBOTEXT_BASE_URL}/{method}",
        headers={"authorization": f"Bearer {request.api_key}", "content-type": FORM},
        content=urlencode(fields).encode(),
    )
    request.trace.http_status = reply.status
    return reply


def read(reply: http.Reply, request: ProviderRequest[TurbotextSettings]) -> Answer:
    """The answer in a reply. Raises for a status that is a failure, and for what is no JSON."""
    if reply.status == 404:
        raise ProviderConfig(f"HTTP 404: no method {request.trace.model}")
    answer = parse(reply.body, request.trace, api_key=request.api_key, status=reply.status)
    if reply.status == 200:
        return answer
    error = http.failure_of(reply.status, answer.error[:300])
    if isinstance(error, ProviderRejected):
        error = explain(answer, otherwise=ProviderRejected)
    error.retryable = False  # not a second time: the order may have been taken and billed
    error.retry_after_s = _seconds(reply.headers.get("retry-after", ""))
    raise error


def _seconds(header: str) -> float | None:
    return float(header) if re.fullmatch(r"[0-9]{1,5}", header) else None
