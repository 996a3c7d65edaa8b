from functools import partial
from typing import Annotated

from django.http import HttpRequest, HttpResponseBase
from ninja import Path, Router

from ingest.capture.recorder import capture_request
from ingest.job_status import get_job_status
from ingest.openapi import INGEST
from ingest.pipeline.process import handle_booth_photo
from ingest.pipeline.response import result_url
from ingest.schemas import ErrorOut, JobOut
from photochanger.db import in_db
from photochanger.errors import JobNotFound
from photochanger.openapi import error_responses
from photochanger.parsing import parse_id
from slots.schemas import SlotId

ingest_router = Router(tags=["ingest"])
short_router = Router(tags=["ingest"])
jobs_router = Router(tags=["jobs"])

# A text, so that what is no UUID at all is answered as a photo that is not there.
JobId = Annotated[str, Path(format="uuid")]


@capture_request
async def ingest(request: HttpRequest, slot_id: SlotId) -> HttpResponseBase:
    """Take a booth's photo, wait for the provider, answer with the new picture.

    The answer comes within the slot's time limit (10-60 s, 48 by default): set the booth's own
    time-out 10 s longer.
    """
    return await handle_booth_photo(request, slot_id)


# Both spellings of both paths, never a redirect: a booth loses a redirected POST.
for router, name in ((ingest_router, "ingest_photo"), (short_router, "ingest_photo_short")):
    router.post(
        "/{slot_id}",
        operation_id=name,
        url_name=name,
        summary="Send a photo",
        openapi_extra=INGEST,
    )(ingest)
    router.post("/{slot_id}/", include_in_schema=False)(ingest)


@jobs_router.get(
    "/{job_id}",
    response={200: JobOut, 404: ErrorOut},
    operation_id="get_job",
    summary="Look at a photo's state",
    openapi_extra={
        "responses": error_responses("job_not_found", "internal_error", "storage_error")
    },
)
async def get_job(request: HttpRequest, job_id: JobId) -> JobOut:
    """Status, times and link of one photo, until its time is over."""
    link = partial(result_url, request)
    return await in_db(get_job_status, parse_id(job_id, JobNotFound), link=link)
