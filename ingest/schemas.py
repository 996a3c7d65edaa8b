import uuid
from datetime import datetime
from typing import Literal

from ninja import Field, Schema

from ingest.models import Job
from media.faces.verdict import Verdict


class FacesOut(Schema):
    """Figures on the people in a photo and its result; nothing of their faces is ever stored."""

    people_in: int | None = Field(None, description="In the photo; null: not looked at.")
    people_out: int | None = Field(None, description="In the result.")
    faces: str = Field("", description=f"Empty: not looked at. Else one of {', '.join(Verdict)}.")
    likeness: int | None = Field(
        None, description="Of the least alike person, 0-100; no proof of identity."
    )


class AttemptOut(Schema):
    """One call of the provider."""

    number: int
    provider: str
    model: str
    duration_ms: int
    http_status: int | None
    finish_reason: str
    failure_reason: str
    detail: str = Field(description="What the provider said: for operators only.")


class CostOut(Schema):
    """In millionths of a dollar, by our calculation: the service's bill has the last word."""

    cost_micros: int | None = Field(None, description="Paid for sure; null: not calculated.")
    probable_micros: int | None = Field(None, description="Cut off after sending; at most this.")
    unpriced_calls: int | None = Field(None, description="Paid calls whose price is not known.")


class TestRunOut(FacesOut, CostOut):
    """How a test run went, and where its picture is."""

    __test__ = False  # pytest: not a test

    job_id: uuid.UUID
    status: Job.Status
    result_url: str
    preview_url: str
    page_url: str
    duration_ms: int
    provider_ms: int | None
    overhead_ms: int | None = Field(description="What of it was ours.")
    attempts: list[AttemptOut]


class ErrorOut(CostOut):
    """Every refusal and failure; the fields from ``job_id`` on only where they are known."""

    status: Literal["error", "timeout"]
    failure_reason: str
    details: str
    job_id: uuid.UUID | None = None
    retry_after: int | None = None
    fields: dict[str, str] | None = Field(
        None, description="What is wrong with each field, by its place: `settings.prompt`."
    )
    version: int | None = Field(None, description="The slot's current version, on a conflict.")
    attempts: list[AttemptOut] | None = Field(
        None, description="Of a failed test run: every call of the provider."
    )
    duration_ms: int | None = Field(None, description="Of a failed test run.")
    provider_ms: int | None = Field(None, description="Of a failed test run.")
    overhead_ms: int | None = Field(None, description="Of a failed test run.")


class JobOut(Schema):
    """One photo's state; links appear with the result and go with it."""

    job_id: uuid.UUID
    slot_id: str
    status: Job.Status
    source: Job.Source
    provider: str
    reserve: int = Field(description="0: the slot's own service made it; else which reserve.")
    started_at: datetime
    deadline: datetime
    finished_at: datetime | None
    duration_ms: int | None
    provider_ms: int | None
    failure_reason: str | None
    result_url: str | None
    result_mime: str | None
    result_bytes: int | None
    result_expires_at: datetime | None
