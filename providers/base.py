"""The contract of every AI service's driver; `ADDING_A_PROVIDER.md` explains it."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, ClassVar, Generic, Literal, NamedTuple, Protocol, Self, TypeVar

from django.utils.translation import gettext_noop as _  # translated where the form is rendered
from pydantic import BaseModel, Field, field_validator

from photochanger.pictures import Photo, Picture
from photochanger.redaction import redact, remember_secret
from providers.checking import KeyCheck, check_key
from providers.clean_photo import Slices
from providers.tokens import TokenCounts


# hide_input_in_errors: messages of errors go to logs and rows, and prompts must not.
class DriverSettings(BaseModel, extra="forbid", hide_input_in_errors=True):
    """Settings of every driver: rules for the picture that is stored and printed.

    ``MODEL_FIELDS`` are the settings that hold the id of one of the driver's models,
    ``PROMPT_FIELDS`` those whose words may change with the photo: they are filled for each call.
    ``CHOICE_TITLES`` says how people read the choices of a setting where the service's own word is
    not theirs, marked for translation. ``OFFERED_TEXTS`` are the usual values of a text that has
    a form of its own. ``STEERING_FIELDS`` change what ``ProviderDriver.find_needs`` finds.
    """

    MODEL_FIELDS: ClassVar[tuple[str, ...]] = ()
    PROMPT_FIELDS: ClassVar[tuple[str, ...]] = ()
    CHOICE_TITLES: ClassVar[Mapping[str, str]] = {}
    OFFERED_TEXTS: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    STEERING_FIELDS: ClassVar[tuple[str, ...]] = ()

    DEFAULT_SEND_SIDE_PX: ClassVar[int] = 2048
    MIN_SEND_SIDE_PX: ClassVar[int] = 256

    send_max_side_px: int | None = Field(
        None,
        ge=0,
        le=8192,
        title=_("Longest side sent, px"),
        description=_(
            "A larger photo is made smaller before it is sent: of 14 MB about 1 MB is left, the "
            "guest waits seconds less, and the model loses nothing that it can use. Empty: 2048, "
            "for pictures of 2K and 4K 3072. 0: as it came."
        ),
    )
    output_format: Literal["jpeg", "png"] | None = Field(
        None,
        title=_("Picture format"),
        description=_("Empty: JPEG, a quarter of a PNG's bytes for the same print."),
    )
    output_max_side_px: int | None = Field(None, ge=256, le=8192, title=_("Longest side, px"))
    output_quality: int = Field(92, ge=50, le=100, title=_("Quality when encoded again"))

    @field_validator("output_format", mode="before")
    @classmethod
    def _read_earlier_format(cls, value: Any) -> Any:
        """A choice of earlier versions that booths could not print."""
        return "jpeg" if value == "webp" else value

    @field_validator("send_max_side_px")
    @classmethod
    def _check_send_side(cls, value: int | None) -> int | None:
        if value and value < cls.MIN_SEND_SIDE_PX:
            raise ValueError(f"0, {cls.MIN_SEND_SIDE_PX}–8192")
        return value

    def choose_send_side_px(self) -> int | None:
        """The longest side of a photo that is sent; None: as it came."""
        return (
            self.default_send_side_px
            if self.send_max_side_px is None
            else (self.send_max_side_px or None)
        )

    def fit_print(self, width_px: int, height_px: int) -> Self:
        """The recipe for a picture that will be printed in this size: the settings of its shape
        and size, if the service has any, where they are not set."""
        return self

    @property
    def default_send_side_px(self) -> int:
        return self.DEFAULT_SEND_SIDE_PX

    def models_used(self) -> tuple[str, ...]:
        """The ids of the models that a photo may be sent to, the first choice first."""
        return tuple(filter(None, (getattr(self, name) for name in self.MODEL_FIELDS)))


SECOND_MODEL_TURN = 3  # the call from which on a slot's second model is asked
ALL_TEMPLATE_KINDS = ("style", "background", "base", "overlay", "face")

S = TypeVar("S", bound=DriverSettings)
# Puts a picture under a public link that a provider can fetch until the job is closed. Raises
# ProviderConfig when there is no public address, StorageError, UnreadablePicture.
Publish = Callable[[Slices], Awaitable[str]]


@dataclass(slots=True, kw_only=True)
class CallTrace:
    """What one call returned, filled in as it proceeds, so that a failure has it too."""

    model: str = ""
    http_status: int | None = None
    finish_reason: str = ""
    provider_request_id: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    note: str = ""  # what was odd about an answer that was good

    def redact(self) -> None:
        """Cut secrets from what the service said, before it goes to rows and pages."""
        for name in ("model", "finish_reason", "provider_request_id", "note"):
            setattr(self, name, redact(getattr(self, name)))
        self.usage = {
            redact(name): redact(value) if isinstance(value, str) else value
            for name, value in self.usage.items()
        }


@dataclass(frozen=True, slots=True)
class Reference:
    """A template picture of a slot; ``kind`` says what it is for (``style``, ``background``...)."""

    kind: str
    photo: Photo


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRequest(Generic[S]):
    """One photo and everything a driver may know of it: no slot, no job, no database."""

    operation: str
    photo: Photo
    references: tuple[Reference, ...] = ()
    settings: S
    api_key: str = field(repr=False)
    base_url: str = ""  # another address of the same service, a relay; empty: the driver's own
    budget_s: float
    call_number: int = 1  # from SECOND_MODEL_TURN on a driver asks its second model
    firmer: str = ""  # for a second call, when the first picture did not keep the people
    trace: CallTrace = field(default_factory=CallTrace)
    publish: Publish | None = None  # None: a driver that needs it raises ProviderConfig

    def __post_init__(self) -> None:
        remember_secret(self.api_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbilledCall:
    """A call that a link is measured with."""

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Needs(NamedTuple):
    """What no picture can be made without, besides the guest's photo.

    ``template_kinds``: a template picture of one of them.
    """

    settings: tuple[str, ...] = ()
    template_kinds: tuple[str, ...] = ()


class Model(Protocol):
    """A model a provider offers, for people to choose."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def retires_on(self) -> date | None: ...
    @property
    def note(self) -> str: ...


class ProviderDriver(ABC, Generic[S]):
    """One AI service. Raises only ProviderError; stops at once when it is cancelled.

    The caller stops a driver at the deadline by cancelling it, and decides about retries.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    icon: ClassVar[str] = "slot"  # a symbol of the console's icons, to tell services apart
    operations: ClassVar[dict[str, Any]]  # operation -> title for people
    # operation -> kinds of template pictures that it uses
    template_kinds: ClassVar[dict[str, tuple[str, ...]]]
    template_roles: ClassVar[Mapping[str, str]] = {}  # kind -> what becomes of it, for people
    models: ClassVar[tuple["Model", ...]] = ()  # to choose from; none where there is no choice
    requires_public_media: ClassVar[bool] = False  # it fetches pictures from us
    takes_firmer_words: ClassVar[bool] = False  # ``ProviderRequest.firmer`` goes into its prompt
    tells_calls_left: ClassVar[bool] = False  # in some answers: ``calls_left`` reads them
    charges_orders: ClassVar[bool] = False  # paid is what it has given a number, picture or none
    key_pattern: ClassVar[str] = ""  # a pattern of any key of the service, never to be shown
    Settings: type[S]

    def find_conflicts(self, operation: str, settings: S, kinds: Collection[str]) -> dict[str, str]:
        """What would fail every photo though each setting is right by itself: by the slot's
        fields, sentences to translate. ``kinds``: of the slot's template pictures."""
        return {}

    def settings_for(self, operation: str) -> Collection[str]:
        """The settings that an operation makes something of; a form shows no others."""
        return self.Settings.model_fields.keys()

    def find_needs(self, operation: str, typed: Mapping[str, str]) -> Needs:
        """What an operation needs. ``typed``: the settings as a form has them, right or wrong."""
        fields = self.Settings.model_fields
        wanted = self.settings_for(operation)
        return Needs(
            tuple(name for name in fields if name in wanted and fields[name].is_required())
        )

    def describe_setting(self, operation: str, name: str) -> str:
        """What a setting does in an operation, where its own description does not say it."""
        return ""

    def calls_left(self, usage: Mapping[str, Any]) -> int | None:
        """How many more calls the account has, where the service said so in ``CallTrace.usage``."""
        return None

    def build_unbilled_call(self, api_key: str, filler: str) -> UnbilledCall | None:
        """A POST that carries ``filler`` (base64) and costs nothing; None: the service has none."""
        return None

    def describe_usage(self, usage: Mapping[str, Any]) -> str:
        """What a call has used up, in the reader's words."""
        return ", ".join(f"{name}: {value}" for name, value in usage.items())

    def count_tokens(self, usage: Mapping[str, Any]) -> TokenCounts | None:
        """What a call is charged by; None: the service said nothing, or does not charge so."""
        return None

    def estimate_tokens(self, settings: S, model: str, pictures: int) -> TokenCounts:
        """At most what one call with so many pictures may be charged by."""
        return TokenCounts()

    @property
    @abstractmethod
    def base_url(self) -> str:
        """Where its calls go, so that a connection is there when a photo has arrived."""

    @abstractmethod
    async def process(self, request: ProviderRequest[S]) -> Picture:
        """The picture, its type detected from its bytes; the caller checks that it decodes."""

    async def check(self, api_key: str, base_url: str = "") -> KeyCheck:
        """Whether the service takes this key, by a call that costs nothing. Never raises.

        ``base_url``: as in ``ProviderRequest``.
        """
        return await check_key(api_key, partial(self.probe, base_url=base_url))

    @abstractmethod
    async def probe(self, api_key: str, base_url: str = "") -> KeyCheck:
        """An unbilled call with this key, within ``CHECK_SECONDS``. Raises ProviderError."""
