"""The slot page's test run: the form as it stands, nothing of it saved, on the booth's own path."""

import asyncio
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from ingest.console.decorators import waiting_page
from ingest.pipeline.trial import TrialFailed, make_trial_order, run_trial
from photochanger.db import in_db
from photochanger.errors import (
    ERROR_BY_REASON,
    AppError,
    InvalidFields,
    Text,
)
from photochanger.request_scope import get_arrival_time
from providers.pictures import JPEG, Photo
from slots.console.slot_form import read_slot_form
from slots.editing import Draft, draft
from slots.history.field_names import label
from slots.models import Slot
from slots.platform_settings import PlatformSettings, load_platform_settings
from slots.services import find_slot

SAMPLE = Path(__file__).parents[1] / "sample/portrait.jpg"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the provider, for people."""

    facts: dict[str, Any]

    @property
    def seconds(self) -> float:
        return float(self.facts["duration_ms"] / 1000)

    @property
    def sentence(self) -> Text:
        """Why it brought no picture; empty when it did."""
        reason = self.facts["failure_reason"]
        return ERROR_BY_REASON[reason].sentence if reason in ERROR_BY_REASON else reason


@dataclass(frozen=True)
class Trial:
    """How a test run went, for the page; ``facts`` are those of the API's test run."""

    wait_s: int
    facts: dict[str, Any]
    job_id: str | None
    error: AppError | None = None
    wrong: tuple[tuple[str, str, str], ...] = ()  # place, what it is called, what is wrong
    prints_original: bool = False

    @cached_property
    def calls(self) -> list[Call]:
        return [Call(one) for one in self.facts.get("attempts", ())]

    @property
    def picture_url(self) -> str:
        """On this site, whatever the guests' address is: a page may show nothing from elsewhere."""
        return reverse("api:public_result", kwargs={"job_id": self.job_id})

    @property
    def took_s(self) -> float | None:
        return _seconds(self.facts.get("duration_ms"))

    @property
    def theirs_s(self) -> float:
        return _seconds(self.facts.get("provider_ms")) or 0.0

    @property
    def ours_s(self) -> float | None:
        return _seconds(self.facts.get("overhead_ms"))

    @property
    def spare_s(self) -> float:
        return max(self.wait_s - (self.took_s or 0), 0)

    @property
    def theirs_share(self) -> str:
        return self._share(self.theirs_s)

    @property
    def ours_share(self) -> str:
        return self._share(self.ours_s or 0)

    def _share(self, seconds: float) -> str:
        """Percent of the waiting time, as SVG spells numbers in every language."""
        return f"{100 * seconds / max(self.wait_s, self.took_s or 0, 1):.2f}"


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


@require_GET
def sample_photo(request: HttpRequest) -> FileResponse:
    """The portrait that is tried when no photo is chosen."""
    headers = {"Cache-Control": "private, max-age=86400"}
    return FileResponse(SAMPLE.open("rb"), content_type=JPEG, headers=headers)


@waiting_page
async def slot_try(request: HttpRequest, slot_id: str) -> HttpResponse:
    """How it went, as a part of the page. Everything expected is an answer, so that it is shown."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    shown = await _try(request, slot_id, get_arrival_time(request))
    return await in_db(render, request, "ingest/console/_trial_result.html", {"trial": shown})


async def _try(request: HttpRequest, slot_id: str, arrived_at: float) -> Trial:
    wait_s, prints_original = 0, False
    try:
        form, platform = await in_db(_form, request, slot_id)
        wait_s = form.slot.wait_s(platform.sync_response_seconds)
        prints_original = form.slot.on_failure == Slot.OnFailure.ORIGINAL
        photo = await asyncio.to_thread(_photo, request)
        with photo.file:
            order = make_trial_order(form, platform, photo, arrived_at=arrived_at)
            result, facts = await run_trial(order)
    except InvalidFields as exc:
        return Trial(wait_s, {}, None, exc, _wrong(exc, request))
    except AppError as exc:
        facts = exc.facts if isinstance(exc, TrialFailed) else {}
        return Trial(wait_s, facts, exc.job_id, exc, prints_original=prints_original)
    return Trial(wait_s, facts, str(result.job.pk))


def _form(request: HttpRequest, slot_id: str) -> tuple[Draft, PlatformSettings]:
    slot = find_slot(slot_id)
    if not admin.site.get_model_admin(Slot).has_change_permission(request, slot):
        raise PermissionDenied
    return draft(slot_id, read_slot_form(request, slot)), load_platform_settings()


def _photo(request: HttpRequest) -> Photo:
    """The photo that came, or the sample. Blocking. Raises UnsupportedMediaType, InvalidImage."""
    upload = request.FILES.get("test_photo")
    file: IO[bytes] = upload.file if upload and upload.file else io.BytesIO(SAMPLE.read_bytes())
    return Photo.open(file, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS)


def _wrong(exc: InvalidFields, request: HttpRequest) -> tuple[tuple[str, str, str], ...]:
    state = {"provider": request.POST.get("provider", "")}
    return tuple((place, label(place, state), str(words)) for place, words in exc.fields.items())
