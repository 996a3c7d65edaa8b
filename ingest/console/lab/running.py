"""A run that goes on: the next picture, stop and go, the winner, and the end."""

import re

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ingest.console.lab.pages import draw_news
from ingest.console.lab.rows import describe_deletion
from ingest.lab.claims import Turn
from ingest.lab.keeping import delete_run
from ingest.lab.plan import resume_run, stop_run
from ingest.lab.run import run_next_cell
from ingest.lab.winner import replaces_templates, take_recipe
from ingest.models import LabRecipe, LabRun
from photochanger.db import in_db
from photochanger.errors import AppError, InvalidFields, VersionConflict
from slots.console.async_views import async_admin_view
from slots.console.library.shelf import describe_lost_templates
from slots.console.pages import confirm_page
from slots.models import Slot
from slots.prints.frames import list_sent_templates
from slots.services import find_slot

VERSION = re.compile(r"[1-9]\d{0,8}", re.ASCII)
ASK_LATER = 202  # the next picture could not be begun yet


@async_admin_view
async def next_picture(request: HttpRequest, run_id: int) -> HttpResponse:
    """Make the next picture; the answer is what has changed, at most a minute later."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    turn = await run_next_cell(run_id)
    if request.headers.get("HX-Request") != "true":
        return redirect("admin:lab_run", run_id)
    response = await in_db(draw_news, request, run_id)
    response.status_code = ASK_LATER if turn == Turn.WAITS else 200
    return response


@require_POST
def stop_lab_run(request: HttpRequest, run_id: int) -> HttpResponse:
    stop_run(run_id)
    messages.success(request, _("Stopped. What was begun is finished; nothing new begins."))
    return redirect("admin:lab_run", run_id)


@require_POST
def resume_lab_run(request: HttpRequest, run_id: int) -> HttpResponse:
    resume_run(run_id)
    return redirect("admin:lab_run", run_id)


@require_POST
def take_winner(request: HttpRequest, run_id: int, recipe_id: int) -> HttpResponse:
    recipes = LabRecipe.objects.select_related("run", "slot")
    recipe = get_object_or_404(recipes, pk=recipe_id, run=run_id)
    slot_id, _dot, version = request.POST.get("target", "").partition(":")
    if not VERSION.fullmatch(version):
        messages.error(request, _("Choose the slot to copy to."))
        return redirect("admin:lab_run", run_id)
    try:
        slot = find_slot(slot_id)
        if "confirmed" not in request.POST:
            return _ask_for_slot(request, recipe, slot)
        slot = take_recipe(recipe, slot.pk, version=int(version), by=request.user.get_username())
    except VersionConflict:
        words = _("Somebody has changed the slot meanwhile. Look at it, and take the recipe again.")
        messages.error(request, words)
    except InvalidFields as exc:
        first = next(iter(exc.fields.values()), exc.sentence)
        messages.error(request, f"{exc.sentence} {first}")
    except AppError as exc:
        messages.error(request, str(exc.sentence))
    else:
        words = _("Recipe %(letter)s is in %(slot)s now. This run stays with it.")
        messages.success(request, words % {"letter": recipe.letter, "slot": slot})
    return redirect("admin:lab_run", run_id)


def _ask_for_slot(request: HttpRequest, recipe: LabRecipe, slot: Slot) -> HttpResponse:
    names = {"letter": recipe.letter, "slot": slot}
    title = _("Put recipe %(letter)s into “%(slot)s”?") % names
    if slot.is_active:
        title = _("“%(slot)s” takes photos now. Put recipe %(letter)s into it?") % names
    words = _(
        "Its next photo is made by it. What the slot has now is replaced; its history keeps it."
    )
    if replaces_templates(recipe, slot.pk):
        words = f"{words} {describe_lost_templates(len(list_sent_templates(slot)))}".strip()
    return confirm_page(
        request,
        title=title,
        words=words,
        yes=_("Put it there"),
        carried={"target": request.POST["target"]},
        back=reverse("admin:lab_run", args=[recipe.run_id]),
    )


@require_POST
def delete_lab_run(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(LabRun, pk=run_id)
    if "confirmed" not in request.POST:
        asked, back = describe_deletion(run), reverse("admin:lab_run", args=[run_id])
        return confirm_page(request, **asked._asdict(), back=back)
    delete_run(run, by=request.user.get_username())
    messages.success(request, _("The run is deleted, with its photos and pictures."))
    return redirect("admin:lab")
