"""Turbotext's photo AI: a queue. One call creates an order, others poll for its picture.

It takes no pictures but links to them, which it fetches from us; and it names a link in return,
see ``downloads.py``. Facts and their sources are in spec/providers/turbotext.md; D (documented),
R (reported) and G (guessed) are its confidence marks. Nearly every failure is a guess: the service
documents none.
"""

import asyncio
import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.conf import settings as django_settings
from django.utils.translation import gettext_lazy, ngettext
from django.utils.translation import gettext_noop as _  # translated where a form is drawn

from photochanger.errors import (
    BadResponse,
    ContentBlocked,
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderNetwork,
    ProviderQuota,
    ProviderRejected,
)
from photochanger.pictures import Picture, UnreadablePicture
from providers import http
from providers.base import Needs, ProviderDriver, ProviderRequest
from providers.checking import (
    CHECK_SECONDS,
    MAX_CHECK_BYTES,
    NOT_CHECKED,
    KeyCheck,
    measure_clock_skew,
)
from providers.downloads import download
from providers.error_body import read_error_body
from providers.meanings import explain_failure
from providers.retry_hints import find_retry_delay
from providers.turbotext.answer import (
    WITHOUT_PICTURE,
    Answer,
    explain_refusal,
    find_picture_urls,
    parse_answer,
    says_nothing,
)
from providers.turbotext.operations import (
    TEMPLATE_KINDS,
    TEMPLATE_ROLES,
    TurbotextSettings,
    find_conflicts,
    find_needs,
    find_operation,
)
from providers.turbotext.order_form import build_form, plan_operation, publish_pictures

FIRST_POLL_S, SECOND_POLL_S, NEXT_POLLS_S = 1.0, 1.5, 2.0  # no rule is documented [G]
LONGEST_POLL_PAUSE_S = 10.0  # whatever the service asks for
POLL_TIMEOUT_S = 10.0  # of one poll; a silent connection must not use up the deadline
MAX_ADDRESSES = 3  # of one result that are tried
BAD_POLLS_TOLERATED = 3  # in a row: the order is paid for, whatever a failing poll says
FORM = "application/x-www-form-urlencoded"
UNCERTAIN = gettext_lazy(
    "The service answers. Whether it takes the key shows only with a paid photo; here only the "
    "key's look was checked."
)


class TurbotextDriver(ProviderDriver[TurbotextSettings]):
    name = "turbotext"
    title = "Turbotext"
    icon = "layers"
    operations = {
        "style_transfer": _("Style of a template picture"),
        "identity_transfer": _("Face swap"),
        "image_edit": _("Edit by prompt"),
    }
    template_kinds = TEMPLATE_KINDS
    template_roles = TEMPLATE_ROLES
    requires_public_media = True
    tells_calls_left = True
    charges_orders = True
    Settings = TurbotextSettings

    @property
    def base_url(self) -> str:
        return str(django_settings.TURBOTEXT_BASE_URL)

    def settings_for(self, operation: str) -> Collection[str]:
        known = find_operation(operation, TurbotextSettings())
        return known.settings if known else ()

    def find_conflicts(
        self, operation: str, settings: TurbotextSettings, kinds: Collection[str]
    ) -> dict[str, str]:
        known = find_operation(operation, settings)
        return find_conflicts(known, settings, kinds) if known else {}

    def find_needs(self, operation: str, typed: Mapping[str, str]) -> Needs:
        return find_needs(operation, typed)

    def describe_setting(self, operation: str, name: str) -> str:
        is_optional = (operation, name) == ("style_transfer", "prompt")
        return _("May be empty: it strengthens the effect of the style.") if is_optional else ""

    def calls_left(self, usage: Mapping[str, Any]) -> int | None:
        """The service names it in some answers [R]; `foto_limit` is its own spelling."""
        return max(0, int(usage["foto_limit"])) if "foto_limit" in usage else None

    def describe_usage(self, usage: Mapping[str, Any]) -> str:
        left = self.calls_left(usage)
        words = ngettext(
            "%(count)s photo left at the service", "%(count)s photos left at the service", left or 0
        )
        return "" if left is None else words % {"count": left}

    async def process(self, request: ProviderRequest[TurbotextSettings]) -> Picture:
        operation = plan_operation(request)
        request.trace.model = method = request.settings.method or operation.method
        try:
            links = await publish_pictures(request, operation)
        except UnreadablePicture as exc:
            # The photo was decoded before: it is a template picture, or there is no room left.
            raise ProviderConfig(f"the picture cannot be sent: {exc}") from exc
        queue_id = await create_order(method, build_form(request, links), request)
        addresses = await wait_for_result(method, queue_id, request, sent=links.values())
        return await download_first(addresses, request.base_url or self.base_url)

    async def probe(self, api_key: str, base_url: str = "") -> KeyCheck:
        """Whether the service responds. No free call that needs a key is documented: each operation
        costs an attempt, and the response to a poll without an order is unknown [G]. So the key is
        not sent, only checked for its characters."""
        http.check_headers({"authorization": api_key})
        reply = await http.get(
            base_url or self.base_url,
            max_bytes=MAX_CHECK_BYTES,
            timeout_s=CHECK_SECONDS,
        )
        if reply.status >= 500:
            raise http.error_for_status(reply.status, "at the service's address")
        return KeyCheck(
            ok=True,
            reason=NOT_CHECKED,
            sentence=UNCERTAIN,
            clock_skew_s=measure_clock_skew(reply.headers),
        )


async def create_order(
    method: str, fields: dict[str, str], request: ProviderRequest[TurbotextSettings]
) -> str:
    """Create the order, without a retry: a lost response may already have been paid for."""
    answer = read_answer(await send(method, fields, request), request)
    if answer.is_refused or not answer.queueid:
        raise explain_refusal(answer, if_successful="accepted, but without a queueid")
    request.trace.provider_request_id = answer.queueid[:100]
    return answer.queueid


async def wait_for_result(
    method: str,
    queue_id: str,
    request: ProviderRequest[TurbotextSettings],
    *,
    sent: Collection[str] = (),
) -> tuple[str, ...]:
    """Poll until the order is done; returns its picture's addresses. Cancelled at the deadline.

    ``sent``: the links of our own pictures, which are no result.
    """
    fields, bad_in_a_row, asked_pause_s = {"do": "get_result", "queueid": queue_id}, 0, 0.0
    for pause_s in iter_poll_pauses():
        await asyncio.sleep(max(pause_s, min(asked_pause_s, LONGEST_POLL_PAUSE_S)))
        asked_pause_s, body = 0.0, b""
        try:
            async with asyncio.timeout(POLL_TIMEOUT_S):
                reply = await send(method, fields, request)
            body = reply.body
            answer = read_answer(reply, request, sent=sent)
            if not answer.is_pending:
                return find_picture_urls(answer)
            bad_in_a_row, asked_pause_s = 0, answer.retry_after_s or 0.0
        except (ProviderNetwork, TimeoutError):
            continue  # the order may be fine; the deadline ends the loop
        except ProviderError as exc:
            asked_pause_s = exc.retry_after_s or 0.0
            if is_busy(exc, request):
                continue  # with us; the order is paid for all the same
            bad_in_a_row += 1
            if bad_in_a_row > BAD_POLLS_TOLERATED or is_final(exc, body):
                raise
    raise AssertionError("there is always another poll")


def iter_poll_pauses() -> Iterator[float]:
    """Seconds before each poll; polls cost nothing [R]."""
    return itertools.chain((FIRST_POLL_S, SECOND_POLL_S), itertools.repeat(NEXT_POLLS_S))


def is_busy(error: ProviderError, request: ProviderRequest[TurbotextSettings]) -> bool:
    """Whether the service would answer less often asked."""
    is_status = request.trace.http_status == 429
    return isinstance(error, ProviderQuota) and (error.retryable or is_status)


def is_final(error: ProviderError, body: bytes) -> bool:
    """Whether the service itself says what no other poll changes: of content, key, money, photo.

    A page, a silence and whatever is not understood may be gone with the next poll.
    """
    spoken = (ContentBlocked, ProviderAuth, ProviderQuota, ProviderRejected)
    return isinstance(error, spoken) and not says_nothing(body)


async def download_first(addresses: Collection[str], base_url: str) -> Picture:
    """The first picture that can be had: the order is paid for. Raises as ``download``."""
    hosts, failure = django_settings.TURBOTEXT_RESULT_HOSTS, None
    for address in itertools.islice(addresses, MAX_ADDRESSES):
        try:
            return await download(address, base_url=base_url, hosts=hosts)
        except ProviderError as exc:
            failure = failure or exc
    raise failure or BadResponse(WITHOUT_PICTURE)


async def send(
    method: str, fields: dict[str, str], request: ProviderRequest[TurbotextSettings]
) -> http.Reply:
    """POST a form to the method's address, in both phases."""
    reply = await http.post(
        f"{request.base_url or django_settings.TURBOTEXT_BASE_URL}/{method}",
        headers={"authorization": f"Bearer {request.api_key}", "content-type": FORM},
        content=urlencode(fields).encode(),
    )
    request.trace.http_status = reply.status
    return reply


def read_answer(
    reply: http.Reply,
    request: ProviderRequest[TurbotextSettings],
    *,
    sent: Collection[str] = (),
) -> Answer:
    """The parsed reply. Raises for a status that is a failure, and for what is no JSON."""
    answer = parse_answer(reply.body, request.trace, status=reply.status, sent=sent)
    is_accepted = answer.success and bool(answer.queueid or answer.pictures)
    if reply.is_good or is_accepted:  # whatever a gateway has made of the status: it is paid for
        delay_s = find_retry_delay(reply.headers) or answer.retry_after_s
        return replace(answer, retry_after_s=delay_s)
    if reply.status == 404:
        raise ProviderConfig(f"HTTP 404: no method {request.trace.model}")
    raise explain_status(reply, answer)


def explain_status(reply: http.Reply, answer: Answer) -> ProviderError:
    """Repeated is only what was refused for a limit: any other order may have been accepted."""
    said = read_error_body(reply.body)
    is_wordless = not (said.explains_itself or said.plain_text)
    text = None if said.is_page else said.json
    said = replace(said, message=answer.words[:300], is_documented=True, is_page=False, json=text)
    error = explain_failure(reply.status, said, reply.headers)
    if reply.status == 403 and is_wordless:
        error = ProviderAuth(str(error))  # a page is its own, for people who are not logged in
    told = explain_refusal(answer, otherwise=ProviderRejected)
    if isinstance(error, ProviderRejected) or (
        isinstance(error, ProviderQuota) and isinstance(told, ProviderQuota)
    ):
        told.retry_after_s = error.retry_after_s or told.retry_after_s
        error = told  # the service's own words are more exact: attempts that are used up
    error.retryable = error.retryable and isinstance(error, ProviderQuota)
    return error
