"""What the administrators' API tells of providers: all that a form for a slot needs."""

from datetime import date
from typing import Any

from ninja import Field, Schema

from slots.models import SlotTemplateMedia


class ModelOut(Schema):
    id: str
    title: str
    retires_at: date | None
    is_retired: bool


class OperationOut(Schema):
    id: str
    title: str
    media_kinds: list[SlotTemplateMedia.MediaKind] = Field(
        description="Template pictures it makes something of."
    )


class ProviderOut(Schema):
    provider: str
    title: str
    models: list[ModelOut] = Field(description="Empty where there is nothing to choose.")
    operations: list[OperationOut]
    settings_schema: dict[str, Any] = Field(description="JSON Schema of a slot's `settings`.")
    media_kinds: list[SlotTemplateMedia.MediaKind]
    requires_public_media: bool = Field(description="It fetches pictures from us.")
    input_formats: list[str] = Field(description="Of photos and template pictures.")
