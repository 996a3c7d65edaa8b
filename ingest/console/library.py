"""Pictures of the library that come of photos: drawn by the simulator, or kept of a test."""

import zlib
from copy import copy
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from PIL import Image

from ingest.console.kept_trials import find_tried, render_strip
from ingest.console.trial import SAMPLE
from ingest.models import TrialRecord
from ingest.trials.records import find_trial
from media.previews import PREVIEW_SIDE_PX, decode_result, make_preview
from media.services import find_result
from photochanger.errors import AppError, InvalidFields
from providers.simulator.pictures import stylise_photo
from slots.console.library.own import read_typed, render_form
from slots.console.library.shelf import can_draw, get_preset
from slots.console.pages import find_slot_or_404, show_picture
from slots.library.editing import MOST_PRESETS, make_preset_of_slot
from slots.library.presets import list_presets, make_key
from slots.library.samples import WEBP, keep_sample
from slots.models import Slot

SIZE_PX = (512, 384)  # as the page shows it
TINT = 0.2  # of a colour of its own, so that twenty drawn ones can be told apart


@require_GET
def drawn_sample(request: HttpRequest, key: str) -> HttpResponse:
    """What the simulator makes of the sample portrait, where it stands in for the service."""
    preset = get_preset(key)
    if preset.driver is None or not can_draw(preset):
        raise Http404
    return show_picture(_draw(str(preset.driver.title), preset.name), WEBP)


@lru_cache(maxsize=MOST_PRESETS + 40)  # the product's beside one's own, or each page draws all anew
def _draw(title: str, name: str) -> bytes:
    """WEBP, about 20 KB, so a process keeps 5 MB at most. Blocking, 50 ms."""
    image = stylise_photo([SAMPLE.read_bytes()], SIZE_PX, title=title, prompt=name)
    hue = zlib.crc32(name.encode()) % 256
    tint = Image.new("HSV", image.size, (hue, 200, 220)).convert("RGB")
    return make_preview(Image.blend(image, tint, TINT))


@require_POST
def keep_as_sample(request: HttpRequest, slot_id: str, job_id: UUID) -> HttpResponse:
    """The picture of a test becomes that of the preset it has tried, where there is none yet."""
    slot = find_slot_or_404(slot_id)
    record = _find_record(slot, job_id)
    preset = find_tried(record, list_presets())
    if preset is None:
        raise Http404
    if preset.sample_id is None:
        try:
            _keep_picture(preset.key, job_id, by=request.user.get_username())
        except AppError as exc:
            return render_strip(request, slot, wrong=exc)
    return render_strip(request, slot)


@require_http_methods(["GET", "POST"])
def preset_of_trial(request: HttpRequest, slot_id: str, job_id: UUID) -> HttpResponse:
    """The recipe of a test, saved or not, as a preset with its picture."""
    slot = find_slot_or_404(slot_id)
    record = _find_record(slot, job_id)
    tried, wrong = copy(slot), None
    tried.provider, tried.operation = record.provider, record.operation
    tried.settings = record.settings
    typed = {"name": "", "description": ""}
    if request.method == "POST":
        typed, by = read_typed(request), request.user.get_username()
        try:
            row = make_preset_of_slot(tried, **typed, by=by)
        except InvalidFields as exc:
            wrong = exc
        else:
            return _finish(request, make_key(row), row.name, job_id)
    context: dict[str, Any] = {"title": _("Save as a preset"), "slot": slot, "typed": typed}
    context |= {"trial": job_id, "has_templates": slot.template_media.exists()}
    template = "slots/console/library/new.html"
    return render_form(request, template, context, wrong, record.provider)


def _finish(request: HttpRequest, key: str, name: str, job_id: UUID) -> HttpResponse:
    words = _("“%(name)s” is in the library now.") % {"name": name}
    try:
        _keep_picture(key, job_id, by=request.user.get_username())
    except AppError:  # a test that failed, or whose picture is gone: the recipe is what counts
        words = " ".join([words, _("The test has no picture to show it with.")])
    messages.success(request, words)
    return redirect("admin:library")


def _find_record(slot: Slot, job_id: UUID) -> TrialRecord:
    """Raises Http404."""
    record = find_trial(slot.pk, job_id)
    if record is None:
        raise Http404
    return record


def _keep_picture(key: str, job_id: UUID, *, by: str) -> None:
    """Small, and without metadata. Raises ResultNotFound, ResultExpired, StorageError."""
    decoded = decode_result(find_result(job_id), max_side_px=PREVIEW_SIDE_PX)
    keep_sample(key, make_preview(decoded.image), by=by)
