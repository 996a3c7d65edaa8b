"""Putting a run together: its photos come and go one by one, its recipes are chosen at the end."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from ingest.lab.plan import MAX_PHOTOS, add_photo, add_samples, remove_photo, start_run
from ingest.models import LabRun
from photochanger.errors import AppError

MOST_KEPT = 40  # of the choices that a refusal brings back, in an address


@require_POST
def add_photos(request: HttpRequest, run_id: int) -> HttpResponse:
    """Of a script one file at a time, with the list of photos as the answer."""
    run = get_object_or_404(LabRun, pk=run_id)
    files = request.FILES.getlist("photos")[: MAX_PHOTOS + 1]
    wrong = [words for file in files if (words := _try_to_add(run, file))]
    if request.headers.get("HX-Request") == "true":
        context = {"run": run, "photos": list(run.photos.all()), "wrong": "\n".join(wrong)}
        return render(request, "ingest/console/lab/_photos.html", context)
    for words in wrong:
        messages.error(request, words)
    return redirect("admin:lab_run", run_id)


def _try_to_add(run: LabRun, file: "UploadedFile[Any]") -> str:
    """What is wrong with it; empty when it was taken."""
    try:
        add_photo(run, file, file.name or "")
    except AppError as exc:
        return f"{file.name}: {exc.sentence}"
    return ""


@require_POST
def add_sample_photos(request: HttpRequest, run_id: int) -> HttpResponse:
    def add(run: LabRun) -> str:
        count = add_samples(run)
        return ngettext("%d photo added.", "%d photos added.", count) % count

    return _change(request, run_id, add)


@require_POST
def remove_lab_photo(request: HttpRequest, run_id: int, photo_id: int) -> HttpResponse:
    def remove(run: LabRun) -> str:
        remove_photo(run, photo_id)
        return ""

    return _change(request, run_id, remove)


@require_POST
def start_lab_run(request: HttpRequest, run_id: int) -> HttpResponse:
    """Or only another slot for the library's recipes, with what is chosen already."""
    chosen, slot_id = request.POST.getlist("recipe"), request.POST.get("slot", "")
    shown = [("slot", slot_id[:16]), *(("recipe", one[:120]) for one in chosen[:MOST_KEPT])]
    kept = f"?{urlencode(shown)}"
    if "look" in request.POST:
        return redirect(reverse("admin:lab_run", args=[run_id]) + kept)

    def start(run: LabRun) -> str:
        start_run(run.pk, chosen, slot_id)
        return ""

    return _change(request, run_id, start, kept=kept)


def _change(
    request: HttpRequest, run_id: int, step: Callable[[LabRun], str], *, kept: str = ""
) -> HttpResponse:
    """Do it, say how it went, and show the run; after a refusal with what is ``kept``."""
    page = reverse("admin:lab_run", args=[run_id])
    try:
        if words := step(get_object_or_404(LabRun, pk=run_id)):
            messages.success(request, words)
    except AppError as exc:
        messages.error(request, str(exc.sentence))
        page += kept
    return redirect(page)
