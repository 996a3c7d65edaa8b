"""Copying a slot over another: what each of the others is, and what would be lost there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from media.services import select_listed_results
from photochanger.errors import AppError
from photochanger.parsing import parse_number
from slots.console.pages import console_page, find_slot_or_404
from slots.editing import copy_slot
from slots.models import Slot
from slots.services import is_complete


@dataclass(frozen=True, slots=True)
class Target:
    """A slot that could be copied over; ``last_job`` and ``last_at``: of its newest picture."""

    slot: Slot
    last_job: UUID | None
    last_at: datetime | None

    @property
    def is_empty(self) -> bool:
        return not self.slot.is_active and not is_complete(self.slot)

    @property
    def question(self) -> str:
        """Empty where nothing can be lost."""
        if self.is_empty:
            return ""
        if not self.slot.is_active:
            return _("Copy over “%(slot)s”?") % {"slot": self.slot}
        return _("“%(slot)s” takes photos now. Copy over it?") % {"slot": self.slot}


@require_http_methods(["GET", "POST"])
def copy_page(request: HttpRequest, slot_id: str) -> HttpResponse:
    slot = find_slot_or_404(slot_id)
    if request.method == "POST":
        return _copy(request, slot)
    context = {"title": _("Copy the slot"), "slot": slot, "targets": _list_targets(slot)}
    return console_page(request, "slots/console/copy.html", context)


def _copy(request: HttpRequest, slot: Slot) -> HttpResponse:
    chosen, _dot, seen = request.POST.get("target", "").partition(":")
    version = parse_number(seen)
    target = Slot.objects.exclude(pk=slot.pk).filter(pk=chosen).first()
    if target is None or version is None:
        messages.error(request, _("Choose the slot to copy to."))
        return redirect(request.path)
    try:
        by = request.user.get_username()
        copy_slot(slot.pk, target.pk, version=version, by=by)
    except AppError as exc:
        messages.error(request, str(exc.sentence))
        return redirect(request.path)
    messages.success(request, _("Copied to %(slot)s. Look at it here.") % {"slot": target.pk})
    return redirect("admin:slots_slot_change", target.pk)


def _list_targets(slot: Slot) -> list[Target]:
    """Two queries."""
    newest = select_listed_results().filter(slot_id=OuterRef("pk"))
    others: Any = Slot.objects.exclude(pk=slot.pk).prefetch_related("template_media")
    annotated = others.annotate(
        last_job=Subquery(newest.values("job_id")[:1]),
        last_at=Subquery(newest.values("created_at")[:1]),
    )
    return [Target(one, one.last_job, one.last_at) for one in annotated]
