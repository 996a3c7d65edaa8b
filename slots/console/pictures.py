"""Pages of the console beside Django's own: the stored pictures."""

from datetime import datetime

from django import forms
from django.contrib import messages
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from media.archive import build_zip
from media.services import select_live_results
from slots.console.dates import MomentField
from slots.console.pages import console_page
from slots.models import Slot
from slots.services import purge_pictures

EVERYTHING = "everything"


class RangeForm(forms.Form):
    """From and until when, in the time zone of the installation; empty is open."""

    since = MomentField(required=False)
    until = MomentField(required=False)


@require_http_methods(["GET", "POST"])
def pictures_page(request: HttpRequest, slot_id: str | None = None) -> HttpResponse:
    """What is stored of a slot, or of all: to be downloaded, or deleted after being asked."""
    slot = get_object_or_404(Slot, pk=slot_id) if slot_id else None
    word = slot.pk if slot else EVERYTHING
    if request.method == "POST":
        if request.POST.get("confirm", "").strip() != word:
            messages.error(request, _("Nothing was deleted: the word was not typed."))
            return redirect(request.path)
        removed = purge_pictures(slot.pk if slot else None, by=request.user.get_username())
        messages.success(
            request,
            ngettext("%d file was deleted.", "%d files were deleted.", removed.files)
            % removed.files,
        )
        return redirect(request.path)
    kept = select_live_results().filter(slot_id=slot.pk) if slot else select_live_results()
    figures = kept.aggregate(files=Count("pk"), size_bytes=Sum("size_bytes"))
    context = {"title": _("Pictures"), "slot": slot, "word": word, **figures}
    return console_page(request, "slots/console/pictures.html", context)


@require_GET
def results_zip(request: HttpRequest, slot_id: str) -> HttpResponse | StreamingHttpResponse:
    """Streamed, its length known beforehand: the browser shows how far it is."""
    slot = get_object_or_404(Slot, pk=slot_id)
    form = RangeForm(request.GET)
    if not form.is_valid():
        messages.error(request, _("A time is written as 2026-11-22 18:30."))
        return redirect(reverse("admin:slot_pictures", args=[slot.pk]))
    since: datetime | None = form.cleaned_data["since"]
    archive = build_zip(slot.pk, since=since, until=form.cleaned_data["until"])
    headers = {
        "Content-Length": str(archive.size_bytes),
        "Content-Disposition": f'attachment; filename="{archive.name}"',
    }
    return StreamingHttpResponse(archive.chunks, content_type="application/zip", headers=headers)
