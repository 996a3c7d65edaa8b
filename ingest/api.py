import uuid

from django.http import HttpRequest, HttpResponseBase
from ninja import Router

from ingest import services
from ingest.answers import picture_answer, result_url
from ingest.pipeline import process_photo
from ingest.reception import received_order
from ingest.schemas import ErrorOut, JobOut

ingest_router = Router(tags=["ingest"])
jobs_router = Router(tags=["jobs"])

REFUSALS = {400, 401, 404, 409, 413, 415, 429, 500, 502, 503, 504}
FORM = {
    "type": "object",
    "required": ["password", "fileToUpload"],
    "properties": {
        "password": {"type": "string"},
        "fileToUpload": {
            "type": "string",
            "format": "binary",
            "description": "JPEG, PNG or WEBP; `file` and `image` are accepted names too.",
        },
        "hash": {"type": "string", "description": "Hex digest of the file; opaque by default."},
    },
    "additionalProperties": True,
}
OPENAPI = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}},
    "responses": {
        200: {
            "description": "The new picture.",
            "content": {
                mime: {"schema": {"type": "string", "format": "binary"}}
                for mime in ("image/jpeg", "image/png", "image/webp")
            },
        }
    },
}


async def ingest(request: HttpRequest, slot_id: str) -> HttpResponseBase:
    """Take a booth's photo, wait for the provider, answer with the new picture."""
    async with received_order(request, slot_id) as order:
        return picture_answer(request, await process_photo(order))


# Both spellings, never a redirect: a booth loses a redirected POST.
ingest_router.post("/{slot_id}", response=dict.fromkeys(REFUSALS, ErrorOut), openapi_extra=OPENAPI)(
    ingest
)
ingest_router.post("/{slot_id}/", include_in_schema=False)(ingest)


@jobs_router.get("/{uuid:job_id}", response={200: JobOut, 404: ErrorOut})
def job_status(request: HttpRequest, job_id: uuid.UUID) -> JobOut:
    """Status, times and link of one photo, until its time is over."""
    return services.job_status(job_id, link=lambda job: result_url(request, job))
