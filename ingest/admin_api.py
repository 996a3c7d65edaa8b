"""The API of administrators for a slot's photos: trial, cleanup, download, purge."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Field, Query, Router, Schema
from pydantic import BaseModel

from ingest import openapi
from ingest.cleanup import CleanupReport, clean_up
from ingest.models import Job
from ingest.pipeline.process import process_photo
from ingest.pipeline.response import make_picture_response, result_url
from ingest.pipeline.trial import receive_trial, run_trial
from ingest.schemas import TestRunOut
from media.archive import build_zip
from media.deletion import PurgeReport
from media.links import find_link_base
from photochanger.db import in_db
from photochanger.errors import InvalidFields
from photochanger.openapi import error_responses
from slots.api import get_username
from slots.console.dates import OUT_OF_REACH, is_near
from slots.schemas import SlotId
from slots.services import find_slot, purge_pictures

console_router = Router(tags=["console"])
purge_router = Router(tags=["console"])

Moment = Annotated[
    datetime | None, Query(description="Stored from then on, or before. Without a zone: ours.")
]
EVERYTHING = "everything"


@console_router.post(
    "/{slot_id}/test-run",
    response=TestRunOut,
    operation_id="test_run",
    summary="Try a slot on a photo",
    openapi_extra=openapi.TEST_RUN,
)
async def post_trial(
    request: HttpRequest,
    response: HttpResponse,
    slot_id: SlotId,
    as_: Annotated[
        Literal["picture", "json"],
        Query(alias="as", description="`json`: how it went, instead of the picture itself."),
    ] = "picture",
) -> HttpResponseBase | TestRunOut:
    """The path of a booth's photo, without the booth password, on a slot that is switched off
    too, and never with an equal photo's earlier picture. Public lists do not show the result.
    """
    async with receive_trial(request, slot_id) as order:
        if as_ == "picture":
            link_base = find_link_base(request)
            return make_picture_response(await process_photo(order), link_base)
        result, facts = await run_trial(order)
        url = result_url(request, result.job)
        response["X-Job-Id"], response["X-Result-Url"] = str(result.job.pk), url
        return TestRunOut(
            job_id=result.job.pk,
            status=Job.Status.DONE,
            result_url=url,
            preview_url=f"{url}/preview",
            page_url=f"{url}/page",
            **facts,
        )


@console_router.post(
    "/{slot_id}/cleanup",
    response=CleanupReport,
    operation_id="cleanup_slot",
    summary="Clean up a slot's files",
    openapi_extra={"responses": error_responses("slot_not_found", *openapi.ADMIN)},
)
def cleanup(request: HttpRequest, slot_id: SlotId) -> CleanupReport:
    """Removes only what is over: expired results, test photos, template pictures nobody uses.
    What guests can still fetch stays."""
    return clean_up(find_slot(slot_id).pk, by=get_username(request))


@console_router.get(
    "/{slot_id}/results.zip",
    operation_id="download_results",
    summary="Download a slot's results",
    openapi_extra=openapi.RESULTS_ZIP,
)
async def download_results(
    request: HttpRequest, slot_id: SlotId, since: Moment = None, until: Moment = None
) -> HttpResponseBase:
    """All that are kept, or those of a time, in one ZIP; no test runs."""
    slot = await in_db(find_slot, slot_id)
    archive = await in_db(
        build_zip,
        slot.pk,
        since=parse_moment("since", since),
        until=parse_moment("until", until),
    )
    return StreamingHttpResponse(
        archive.chunks,
        content_type="application/zip",
        headers={
            "Content-Length": str(archive.size_bytes),
            "Content-Disposition": f'attachment; filename="{archive.name}"',
            "Cache-Control": "no-store",
        },
    )


def parse_moment(name: str, moment: datetime | None) -> datetime | None:
    """With a time zone, and within what every zone can express. Raises InvalidFields."""
    if moment is None:
        return None
    if not is_near(moment):
        raise InvalidFields({name: OUT_OF_REACH})
    moment = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    return moment.astimezone(UTC)  # PostgreSQL knows no zone of 16 hours and more


class PurgeIn(BaseModel, extra="forbid"):
    confirm: str = Field(
        max_length=20,
        description="The slot's id once more: so that nobody does it by mistake.",
        examples=["slot-001"],
    )


class PurgeEverythingIn(PurgeIn):
    confirm: str = Field(
        max_length=20,
        description="`everything`: so that nobody does it by mistake.",
        json_schema_extra={"const": EVERYTHING, "examples": [EVERYTHING]},
    )


class PurgeOut(Schema):
    files: int
    bytes: int
    failed: int = Field(description="Files that could not be deleted yet; their links are dead.")


@console_router.post(
    "/{slot_id}/purge",
    response=PurgeOut,
    operation_id="purge_slot",
    summary="Delete all results of a slot",
    openapi_extra=openapi.PURGE,
)
def purge_slot(request: HttpRequest, slot_id: SlotId, order: PurgeIn) -> PurgeReport:
    """Results, previews and test photos, at once and for ever; template pictures stay."""
    slot = find_slot(slot_id)
    check_confirmed(order, slot.pk)
    return purge_pictures(slot.pk, by=get_username(request))


@purge_router.post(
    "",
    response=PurgeOut,
    operation_id="purge_everything",
    summary="Delete all results of all slots",
    openapi_extra=openapi.PURGE,
)
def purge_everything(request: HttpRequest, order: PurgeEverythingIn) -> PurgeReport:
    """Results, previews and test photos, at once and for ever; template pictures stay."""
    check_confirmed(order, EVERYTHING)
    return purge_pictures(None, by=get_username(request))


def check_confirmed(order: PurgeIn, word: str) -> None:
    """Raises InvalidFields."""
    if order.confirm != word:
        raise InvalidFields({"confirm": _("Type what is to be deleted, to confirm it.")})
