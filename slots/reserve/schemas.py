"""What the API takes and gives for a slot's reserves."""

from typing import Any

from ninja import Field, Schema
from pydantic import BaseModel, StrictBool, model_validator

from photochanger.openapi import allow_absent, allow_read_only_keys, drop_read_only

MAX_RESERVES = 3


class ReserveOut(Schema):
    provider: str
    operation: str
    settings: dict[str, Any]
    base_url: str
    is_enabled: bool
    api_key_set: bool = Field(description="It has a key of its own.")


class ReserveIn(
    BaseModel,
    extra="forbid",
    json_schema_extra=lambda schema: allow_read_only_keys(schema, ReserveOut),
):
    """Another way to make the slot's picture, with a recipe of its own."""

    provider: str = Field(description="One of `GET /api/providers`.", max_length=30)
    operation: str = Field(description="One of the provider's.", max_length=50)
    settings: dict[str, Any] = Field(
        default_factory=dict, description="The recipe. Without a prompt it has the slot's."
    )
    base_url: str = Field(
        "",
        max_length=200,
        description="Another address of the service, such as a relay. It gets only a key of its "
        "own. Empty: the service's.",
    )
    is_enabled: StrictBool = Field(True, description="Whether it is asked at all.")
    api_key: str = allow_absent(
        "A key of its own; empty: that of the settings. Absent: as it is, if provider and address "
        "stay.",
        max_length=500,
    )

    @model_validator(mode="before")
    @classmethod
    def _what_was_read_may_come_back(cls, values: Any) -> Any:
        return drop_read_only(values, cls, ReserveOut)
