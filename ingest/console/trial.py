"""The slot page's trial: a photo sent with the form as it stands, of which nothing is saved."""

import asyncio
import io
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from ingest.console.details import Detail, describe_detail
from ingest.costs.money import CostWords, Currency, load_currency
from ingest.faces.words import FacesView
from ingest.models import Job
from ingest.pipeline.trial import COSTS, TrialFailed, make_trial_order, run_trial
from media.links import find_phone_base
from photochanger.db import in_db
from photochanger.errors import (
    ERROR_BY_REASON,
    AppError,
    InvalidFields,
    Text,
)
from photochanger.pictures import JPEG, Photo
from photochanger.request_scope import get_arrival_time
from slots.console.async_views import async_admin_view
from slots.console.pages import show_picture
from slots.console.slot_form import read_slot_form
from slots.editing import Draft, build_draft
from slots.history.field_names import get_label
from slots.models import Slot
from slots.platform_settings import PlatformSettings, load_platform_settings
from slots.services import find_slot

SAMPLE = Path(__file__).parents[1] / "sample/portrait.jpg"


@dataclass(frozen=True, slots=True)
class TrialCall:
    """One call of the provider, for the page."""

    facts: dict[str, Any]

    @property
    def seconds(self) -> float:
        return float(self.facts["duration_ms"] / 1000)

    @property
    def detail(self) -> Detail:
        return describe_detail(self.facts["detail"] or "", self.facts["provider"])

    @property
    def sentence(self) -> Text:
        """Why it brought no picture; empty when it did."""
        reason = self.facts["failure_reason"]
        return ERROR_BY_REASON[reason].sentence if reason in ERROR_BY_REASON else reason


@dataclass(frozen=True)
class TrialView:
    """The outcome of a trial, for the page; ``facts`` are those of the API's test run."""

    wait_s: int
    facts: dict[str, Any]
    job_id: str | None
    error: AppError | None = None
    wrong: tuple[tuple[str, str, str], ...] = ()  # field, its label, what is wrong with it
    prints_original: bool = False
    currency: Currency | None = None

    @cached_property
    def calls(self) -> list[TrialCall]:
        return [TrialCall(facts) for facts in self.facts.get("attempts", ())]

    @property
    def picture_url(self) -> str:
        """On this site, not at the guests' address: the CSP allows pictures of this site only."""
        return reverse("api:public_result", kwargs={"job_id": self.job_id})

    @property
    def faces(self) -> FacesView:
        seen = ("people_in", "people_out", "faces", "likeness")
        return FacesView(Job(**{name: self.facts[name] for name in seen if name in self.facts}))

    @property
    def cost(self) -> str:
        if self.currency is None:
            return ""
        job = Job(**{name: self.facts[name] for name in COSTS if name in self.facts})
        return CostWords.of_job(job, self.currency).words

    @property
    def took_s(self) -> float | None:
        return _to_seconds(self.facts.get("duration_ms"))

    @property
    def theirs_s(self) -> float:
        return _to_seconds(self.facts.get("provider_ms")) or 0.0

    @property
    def ours_s(self) -> float | None:
        return _to_seconds(self.facts.get("overhead_ms"))

    @property
    def spare_s(self) -> float:
        return max(self.wait_s - (self.took_s or 0), 0)

    @property
    def theirs_share(self) -> str:
        return self._to_percent(self.theirs_s)

    @property
    def ours_share(self) -> str:
        return self._to_percent(self.ours_s or 0)

    def _to_percent(self, seconds: float) -> str:
        """Percent of the waiting time, with a point in every language, as SVG wants it."""
        return f"{100 * seconds / max(self.wait_s, self.took_s or 0, 1):.2f}"


def _to_seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


@require_GET
def sample_photo(request: HttpRequest) -> HttpResponse:
    """The portrait that a trial sends when no photo is chosen."""
    return show_picture(SAMPLE.read_bytes(), JPEG)


@async_admin_view
async def slot_trial(request: HttpRequest, slot_id: str) -> HttpResponse:
    """Run a trial; the outcome, failures too, is a part of the page with status 200."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    trial = await _run_trial(request, slot_id, get_arrival_time(request))
    trial = replace(trial, currency=await in_db(load_currency))
    return await in_db(render, request, "ingest/console/_trial_result.html", {"trial": trial})


async def _run_trial(request: HttpRequest, slot_id: str, arrived_at: float) -> TrialView:
    wait_s, prints_original = 0, False
    try:
        form, platform = await in_db(_load_draft, request, slot_id)
        wait_s = form.slot.wait_s(platform.sync_response_seconds)
        prints_original = form.slot.on_failure == Slot.OnFailure.ORIGINAL
        photo = await asyncio.to_thread(_open_photo, request)
        with photo.file:
            base = find_phone_base(request)
            order = make_trial_order(form, platform, photo, arrived_at=arrived_at, phone_base=base)
            result, facts = await run_trial(order)
    except InvalidFields as exc:
        return TrialView(wait_s, {}, None, exc, _list_field_errors(exc, request))
    except AppError as exc:
        facts = exc.facts if isinstance(exc, TrialFailed) else {}
        return TrialView(wait_s, facts, exc.job_id, exc, prints_original=prints_original)
    return TrialView(wait_s, facts, str(result.job.pk))


def _load_draft(request: HttpRequest, slot_id: str) -> tuple[Draft, PlatformSettings]:
    slot = find_slot(slot_id)
    return build_draft(slot_id, read_slot_form(request, slot)), load_platform_settings()


def _open_photo(request: HttpRequest) -> Photo:
    """The photo that came, or the sample. Blocking. Raises UnsupportedMediaType, InvalidImage."""
    upload = request.FILES.get("test_photo")
    file: IO[bytes] = upload.file if upload and upload.file else io.BytesIO(SAMPLE.read_bytes())
    return Photo.open(file, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS)


def _list_field_errors(
    exc: InvalidFields, request: HttpRequest
) -> tuple[tuple[str, str, str], ...]:
    state = {"provider": request.POST.get("provider", "")}
    return tuple(
        (place, get_label(place, state), str(words)) for place, words in exc.fields.items()
    )
