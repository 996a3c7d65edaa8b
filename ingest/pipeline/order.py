"""One checked photo and what to do with it: what the path of a photo hands from step to step."""

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.http import HttpRequest

from ingest.models import Job
from photochanger.db import clock
from photochanger.pictures import Photo
from photochanger.request_scope import get_arrival_time
from photochanger.threads.time_limit import limit_waits
from slots.models import Slot, SlotTemplateMedia
from slots.platform_settings import PlatformSettings
from slots.prompts.texts import SentTexts, read_texts
from slots.reserve.recipes import list_used_variables
from slots.reserve.sources import Source

MAX_IDENTITY, MAX_RAW, MIN_SECRET = 64, 1000, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When a photo must be answered: ``wait_s`` seconds after its first byte.

    It counts in the event loop's time, which no clock change can move; ``started_at`` and
    ``expires_at`` are the same moments for rows and people.
    """

    arrived_at: float
    started_at: datetime
    wait_s: float

    @classmethod
    def of(cls, request: HttpRequest, wait_s: float) -> "Deadline":
        """Counted from the request's first byte."""
        return cls.from_arrival(get_arrival_time(request), wait_s)

    @classmethod
    def from_now(cls, wait_s: float) -> "Deadline":
        return cls.from_arrival(asyncio.get_running_loop().time(), wait_s)

    @classmethod
    def from_arrival(cls, arrived_at: float, wait_s: float) -> "Deadline":
        elapsed = timedelta(seconds=asyncio.get_running_loop().time() - arrived_at)
        return cls(arrived_at=arrived_at, started_at=clock.now() - elapsed, wait_s=wait_s)

    @property
    def at(self) -> float:
        """In the event loop's time."""
        return self.arrived_at + self.wait_s

    @property
    def left_s(self) -> float:
        return self.at - asyncio.get_running_loop().time()

    @property
    def expires_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.wait_s)

    def limit_waits(self) -> AbstractContextManager[None]:
        """Within the block no step waits for a thread, the database or a disk any longer."""
        return limit_waits(self.at)

    def shorten(self, reserve_s: float) -> "Deadline":
        """The same deadline, a little earlier: what is left then is for another step."""
        return replace(self, wait_s=self.wait_s - reserve_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booth:
    """Who sent the photo; the only form fields that are stored. Hostile text, cut and printable."""

    id: str = ""
    name: str = ""
    version: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> "Booth":
        password = fields.get("password", "").strip()
        return cls(
            id=_clean_identity(fields.get("id", ""), password),
            name=_clean_identity(fields.get("name", ""), password),
            version=_clean_identity(fields.get("version", ""), password),
        )


def _clean_identity(value: str, password: str) -> str:
    is_short = len(password) < MIN_SECRET  # and so a part of many a name
    if value.strip() == password or (not is_short and password.lower() in value.lower()):
        return ""  # typed into the wrong box too
    return re.sub(r"[^\w .:/\\-]", "", value[:MAX_RAW])[:MAX_IDENTITY].strip()


def _do_nothing() -> None:
    """The default, of test runs: whoever started one sees how it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One checked photo, the slot it is for, and the time there is."""

    slot: Slot  # as it was when the photo arrived; admission brings it up to date
    platform: PlatformSettings
    photo: Photo
    deadline: Deadline
    # Of the job that admission opens: known before, so that it can be asked for afterwards.
    job_id: UUID = field(default_factory=uuid4)
    source: Job.Source = Job.Source.INGEST
    booth: Booth = Booth()
    sent_texts: SentTexts = SentTexts()  # beside the photo; only what the prompt names is used
    received_at: float = 0.0  # the photo's last byte, in the event loop's time; 0: as it arrived
    # What the provider gets of it: the photo itself, or a copy that lives as long as the order.
    outgoing: Photo | None = None
    hash_recipe: str = ""
    idempotency_key: str = ""
    phone_base: str = ""  # what links for guests' phones begin with; empty: none could follow
    note_job: Callable[[], None] = _do_nothing  # called once a job tells what becomes of the photo
    # Of a test run: its slot is a draft that nobody saved, and these are its template pictures.
    draft_templates: tuple[SlotTemplateMedia, ...] = ()
    reserves: tuple[Source, ...] = ()  # of a test run: these are asked, and not the slot's service

    @classmethod
    def for_trial(
        cls,
        slot: Slot,
        templates: tuple[SlotTemplateMedia, ...],
        *,
        platform: PlatformSettings,
        photo: Photo,
        arrived_at: float,
        received_at: float = 0.0,
        reserves: tuple[Source, ...] = (),
        source: Job.Source = Job.Source.UI_TEST,
        job_id: UUID | None = None,
        phone_base: str = "",
    ) -> "Order":
        """The order of a test run or of the lab, whose time is the slot's too."""
        wait_s = slot.wait_s(platform.sync_response_seconds)
        return cls(
            slot=slot,
            platform=platform,
            photo=photo,
            deadline=Deadline.from_arrival(arrived_at, wait_s),
            received_at=received_at,
            source=source,
            job_id=job_id or uuid4(),
            draft_templates=templates,
            reserves=reserves,
            phone_base=phone_base,
            sent_texts=SentTexts.of_examples(slot.list_variables()),
        )

    @property
    def photo_to_send(self) -> Photo:
        return self.outgoing or self.photo

    @property
    def guest_texts(self) -> dict[str, str]:
        """The booth's texts that the slot's prompt names, fit to stand there, by their keys."""
        if not self.slot.variables:
            return {}
        return read_texts(list_used_variables(self.slot), self.sent_texts)

    @property
    def is_trial(self) -> bool:
        """No booth waits for it: a test run, or a picture of the lab."""
        return self.source != Job.Source.INGEST

    @property
    def result_lifetime(self) -> timedelta:
        return timedelta(hours=self.platform.result_ttl_hours)
