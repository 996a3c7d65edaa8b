"""What the administrators' API takes and gives for slots and settings."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from ninja import Field, Form, Path, Schema
from pydantic import AfterValidator, AwareDatetime, BaseModel, StrictBool, model_validator

from photochanger.openapi import (
    allow_absent,
    allow_read_only_keys,
    drop_default,
    drop_read_only,
)
from providers.registry import DRIVERS
from slots.models import DEFAULT_PROVIDER, Slot, SlotTemplateMedia
from slots.passwords import MAX_PASSWORD_BYTES, MIN_PASSWORD
from slots.platform_settings import (
    FacesLevel,
    Galleries,
    GallerySize,
    HashCheck,
    JobLimit,
    TtlHours,
    WaitSeconds,
)
from slots.prints.rules import COLOR
from slots.prompts.variables import PromptVariable, PromptVariables, dump_variables
from slots.reserve.schemas import MAX_RESERVES, ReserveIn, ReserveOut

_SLOT_ID = {"description": "slot-001 to slot-015", "example": "slot-001"}
SlotId = Annotated[str, Path(**_SLOT_ID)]
FormSlotId = Annotated[str, Form(**_SLOT_ID)]

ID_PATTERN = r"^[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}$"
MediaId = Annotated[str, Field(pattern=ID_PATTERN, examples=["8b6f0fa6b5b0459fb887c249f2eb5b21"])]

# Near enough for any time zone's arithmetic.
NearDate = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2999, 1, 1, tzinfo=UTC)),
    AfterValidator(lambda moment: moment.astimezone(UTC)),  # PostgreSQL has none of +16:00
]


def describe_provider_keys(schema: dict[str, Any]) -> None:
    """Of providers that there are; what an answer tells of a key may come back, and is ignored."""
    drop_default(schema)
    told = {"type": "object", "description": "As answered: ignored."}
    schema["propertyNames"] = {"enum": list(DRIVERS)}
    schema["additionalProperties"]["anyOf"].append(told)


class TemplateMediaIn(BaseModel):
    media_kind: SlotTemplateMedia.MediaKind = Field(description="The part the picture plays.")
    media_object_id: MediaId = Field(description="As registering it has answered.")


class SlotIn(
    BaseModel,
    extra="forbid",
    json_schema_extra=lambda schema: allow_read_only_keys(schema, SlotOut),
):
    """A slot's new values. Absent keys keep theirs; what only answers hold is ignored."""

    display_name: str = allow_absent("The name operators see.", max_length=100)
    public_title: str = allow_absent("What guests read; empty: the name.", max_length=100)
    provider: str = allow_absent("One of `GET /api/providers`.", max_length=30)
    operation: str = allow_absent("One of the provider's.", max_length=50)
    is_active: StrictBool = allow_absent("Whether photos may be sent to it.")
    size_limit_mb: int = allow_absent("Of one photo.", ge=1, le=20, strict=True)
    sync_response_seconds: WaitSeconds | None = allow_absent("Null: as in the settings.")
    settings: dict[str, Any] = allow_absent(
        "The recipe, replaced as a whole; its schema is in `GET /api/providers`."
    )
    variables: PromptVariables = allow_absent(
        "The booth's texts that may stand in the prompt, replaced as a whole. "
        "Words that are not here stay as they are written."
    )
    template_media: list[TemplateMediaIn] = allow_absent(
        "Replaces the slot's template pictures; an empty list removes them. A picture that is no "
        "longer used is deleted.",
        max_length=10,
    )
    reserves: list[ReserveIn] = allow_absent(
        "Asked in this order when the slot's own service fails; replaces those that there are.",
        max_length=MAX_RESERVES,
    )
    reserve_may_cost_twice: StrictBool = allow_absent(
        "Whether a reserve is asked also after a failure that may have been paid for."
    )
    on_reserve: StrictBool = allow_absent(
        "`true`: from now on only the reserves are asked. `false`: the slot's own service first."
    )
    on_failure: Slot.OnFailure = allow_absent("`original`: a failure is answered with the photo.")
    faces: Slot.Faces = allow_absent("Whether the people of photo and result are compared.")
    face_style: Slot.FaceStyle = allow_absent("`drawn`: a face may be there and not be found.")
    paper: Slot.Paper = allow_absent(
        "What pictures are printed on, inches across and down; they get exactly its pixels at "
        "300 dpi, with no head cut. Empty: as the service makes them."
    )
    frame_text: str = allow_absent("Words on the print; {guest} as in the prompt.", max_length=200)
    frame_text_place: Slot.TextPlace = allow_absent("Where they stand.")
    frame_text_color: str = allow_absent("Their colour.", pattern=COLOR)
    frame_text_mm: int = allow_absent("Height of their letters.", ge=2, le=40, strict=True)
    frame_qr: Slot.QrCorner = allow_absent("The guest's QR code; empty: none.")
    gallery_mode: Slot.GalleryMode = allow_absent(
        "Who sees the gallery: whoever guesses the slot's link, who has its secret address, nobody."
    )
    gallery_enabled: StrictBool = allow_absent(
        "For older programs, and only without `gallery_mode`: `false` is `closed`, `true` opens a "
        "closed one."
    )
    publishing: Slot.Publishing = allow_absent(
        "When its pictures appear in gallery and slide show; `never` closes them."
    )
    gallery_until: NearDate | None = allow_absent("When the gallery closes; null: never.")
    ingest_password: str = allow_absent(
        "The slot's own booth password instead of that of all slots; empty removes it. "
        f"{MIN_PASSWORD} characters or more, {MAX_PASSWORD_BYTES} bytes or less, hard to guess.",
        max_length=MAX_PASSWORD_BYTES,
    )
    version: int = allow_absent(
        "The version that was read: if the slot has another one by now, nothing is saved.",
        ge=1,
        strict=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _what_was_read_may_come_back(cls, values: Any) -> Any:
        return drop_read_only(values, cls, SlotOut)

    def get_sent(self, *names: str) -> dict[str, Any]:
        """Those of the keys that were sent, as a slot keeps them."""
        sent = {name: getattr(self, name) for name in names if name in self.model_fields_set}
        if "variables" in sent:
            sent["variables"] = dump_variables(self.variables)
        return sent


class SlotShortOut(Schema):
    id: str = Field(examples=["slot-001"])
    display_name: str = Field(examples=["Slot 1 (Gemini)"])
    provider: str = Field(examples=[DEFAULT_PROVIDER])
    operation: str = Field(examples=["image_edit"])
    is_active: bool
    is_configured: bool = Field(
        description="Its recipe is whole, and the template pictures that it needs are there."
    )
    ingest_url: str = Field(examples=["https://photos.example.com/ingest/slot-001"])
    version: int
    updated_at: datetime
    updated_by: str


class TemplateMediaOut(Schema):
    media_kind: SlotTemplateMedia.MediaKind
    media_object_id: str = Field(pattern="^[0-9a-f]{32}$")
    mime: str
    size_bytes: int
    url: str = Field(description="The picture, for administrators.")


class RecentResultOut(Schema):
    job_id: uuid.UUID
    created_at: datetime
    expires_at: datetime | None
    mime: str
    size_bytes: int
    result_url: str
    preview_url: str
    page_url: str


class SlotOut(SlotShortOut):
    public_title: str = Field(description="What guests read; empty: the name.")
    size_limit_mb: int
    sync_response_seconds: int | None = Field(description="Null: as in the settings.")
    effective_sync_response_seconds: int
    settings: dict[str, Any]
    variables: list[PromptVariable] = Field(
        description="The booth's texts that may stand in the prompt."
    )
    template_media: list[TemplateMediaOut]
    reserves: list[ReserveOut] = Field(description="In the order in which they are asked.")
    reserve_may_cost_twice: bool
    on_reserve: bool
    on_reserve_since: datetime | None = Field(description="When an operator switched to it.")
    on_failure: Slot.OnFailure
    faces: Slot.Faces
    face_style: Slot.FaceStyle
    paper: Slot.Paper
    frame_text: str
    frame_text_place: Slot.TextPlace
    frame_text_color: str
    frame_text_mm: int
    frame_qr: Slot.QrCorner
    gallery_mode: Slot.GalleryMode
    gallery_enabled: bool = Field(description="`gallery_mode` is not `closed`.")
    publishing: Slot.Publishing
    gallery_until: datetime | None
    gallery_open: bool = Field(description="Guests can look at it now.")
    gallery_url: str = Field(description="Where guests find it: a secret address is a secret.")
    ingest_password_set: bool = Field(description="The slot has a booth password of its own.")
    recent_results: list[RecentResultOut] = Field(description="Newest first, without test runs.")


class UploadOut(Schema):
    media_object_id: str = Field(pattern="^[0-9a-f]{32}$")
    slot_id: str
    mime: str
    size_bytes: int
    width: int
    height: int
    expires_at: datetime = Field(description="When it is deleted.")


class TemplateUploadOut(UploadOut):
    media_kind: SlotTemplateMedia.MediaKind
    url: str = Field(description="The picture, for administrators.")
    expires_at: datetime = Field(description="When it is deleted, unless a slot uses it by then.")


class ProviderKeyOut(Schema):
    configured: bool
    updated_at: datetime | None = Field(description="When it was entered; null if it was not.")
    source: Literal["console", "environment"] | None


class SettingsOut(Schema):
    sync_response_seconds: int
    result_ttl_hours: int
    ingest_password_rotated_at: datetime | None
    ingest_password_rotated_by: str | None
    ingest_password_set: bool = Field(description="Without one, no booth gets in.")
    provider_keys: dict[str, ProviderKeyOut]
    max_jobs_per_slot: int
    max_jobs_per_provider: int
    hash_check: HashCheck
    replay_by_hash: bool
    faces: FacesLevel
    gallery_size: int
    galleries: Galleries
    galleries_open: bool = Field(description="`galleries` is not `closed`.")


class SettingsIn(
    BaseModel,
    extra="forbid",
    json_schema_extra=lambda schema: allow_read_only_keys(schema, SettingsOut),
):
    """New values of some settings. Absent keys keep theirs; what only answers hold is ignored."""

    sync_response_seconds: WaitSeconds = allow_absent("How long a booth waits for its picture.")
    result_ttl_hours: TtlHours = allow_absent("How long results live, also those there are.")
    ingest_password: str = allow_absent(
        "The password every booth must send, from now on. "
        f"{MIN_PASSWORD} characters or more, {MAX_PASSWORD_BYTES} bytes or less, hard to guess.",
        min_length=MIN_PASSWORD,
        max_length=MAX_PASSWORD_BYTES,
    )
    provider_keys: dict[str, Annotated[str, Field(max_length=500)] | None] = Field(
        default_factory=dict,
        description="Keys by provider; null or empty goes back to the key of the environment.",
        json_schema_extra=describe_provider_keys,
    )
    max_jobs_per_slot: JobLimit = allow_absent("Photos at one time.")
    max_jobs_per_provider: JobLimit = allow_absent("Photos at one time.")
    hash_check: HashCheck = allow_absent("What to do with the booth's `hash` of the photo.")
    replay_by_hash: StrictBool = allow_absent("Answer an equal photo with its earlier picture.")
    faces: FacesLevel = allow_absent(
        "What is computed of the people in photos and results: their number, also their likeness."
    )
    gallery_size: GallerySize = allow_absent("Results in a gallery.")
    galleries: Galleries = allow_absent(
        "The widest that any slot's gallery may be: `secret` puts open ones behind their secret "
        "addresses, `closed` closes all."
    )
    galleries_open: StrictBool = allow_absent(
        "For older programs, and only without `galleries`: `false` is `closed`, `true` opens again."
    )

    @model_validator(mode="before")
    @classmethod
    def _what_was_read_may_come_back(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        only_read = SettingsOut.model_fields.keys() - cls.model_fields.keys()
        change = {name: value for name, value in values.items() if name not in only_read}
        keys = change.get("provider_keys")
        if isinstance(keys, dict):  # an answer's entry tells of a key and is none
            entered = {
                name: key
                for name, key in keys.items()
                if name not in DRIVERS or not isinstance(key, dict)
            }
            change["provider_keys"] = entered
        return change
