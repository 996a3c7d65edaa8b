import uuid
from datetime import datetime
from typing import Literal

from ninja import Field, Schema

from ingest.models import Job


class ErrorOut(Schema):
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


class JobOut(Schema):
    """One photo's state; links appear with the result and go with it."""

    job_id: uuid.UUID
    slot_id: str
    status: Job.Status
    source: Job.Source
    provider: str
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
