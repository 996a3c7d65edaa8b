"""The lab's pages: all runs, one run while it is put together, and its grid."""

import io
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from ingest.console.lab.offers import OfferRow, make_groups
from ingest.console.lab.rows import describe_deletion, describe_grid, describe_phase, make_cell_rows
from ingest.lab.claims import AT_ONCE, settle_dead
from ingest.lab.grid import Grid, Phase, find_phase, load_grid
from ingest.lab.offers import list_offers, list_preset_offers
from ingest.lab.plan import MAX_PHOTOS, MAX_RECIPES, make_run
from ingest.lab.problems import LabProblem
from ingest.models import LabCell, LabPhoto, LabRecipe, LabRun
from media.models import MediaObject
from media.previews import PREVIEW_SIDE_PX, make_preview
from media.uploads import read_upload
from photochanger.db import clock
from photochanger.errors import AppError
from photochanger.pictures import WEBP, UnreadablePicture, decode_file
from slots.console.library.shelf import choose_slot
from slots.console.pages import console_page, show_picture
from slots.models import Slot

PER_PAGE = 20
NEWS_REACH = timedelta(seconds=30)  # longer than a page goes without asking


@require_http_methods(["GET", "POST"])
def lab_page(request: HttpRequest) -> HttpResponse:
    """All runs; a POST makes a new one."""
    if request.method == "POST":
        try:
            return redirect("admin:lab_run", make_run(by=request.user.get_username()).pk)
        except LabProblem as exc:
            messages.error(request, str(exc.sentence))
            return redirect("admin:lab")
    page = Paginator(LabRun.objects.all(), PER_PAGE).get_page(request.GET.get("page"))
    context = {"title": _("Lab"), "page": page, "rows": _list_runs([run.pk for run in page])}
    return console_page(request, "ingest/console/lab/lab.html", context)


def _list_runs(keys: list[int]) -> list[dict[str, Any]]:
    """Three queries."""
    now = clock.now()
    ended = Q(cells__state__in=(LabCell.State.DONE, LabCell.State.FAILED))
    busy = Q(cells__state=LabCell.State.RUNNING, cells__claimed_until__gt=now)
    runs: Any = LabRun.objects.filter(pk__in=keys).annotate(
        total=Count("cells"),
        ended=Count("cells", filter=ended),
        busy=Count("cells", filter=busy),
    )
    photos = dict(_count(LabPhoto.objects.filter(run__in=keys)))
    recipes: dict[int, list[LabRecipe]] = {}
    for recipe in LabRecipe.objects.filter(run__in=keys):
        recipes.setdefault(recipe.run_id, []).append(recipe)
    return [
        {
            "run": run,
            "photos": photos.get(run.pk, 0),
            "recipes": recipes.get(run.pk, []),
            "phase": (phase := find_phase(run, run.ended < run.total, now, is_busy=run.busy > 0)),
            "phase_words": describe_phase(phase),
        }
        for run in runs
    ]


def _count(photos: Any) -> Any:
    return photos.order_by().values_list("run").annotate(n=Count("*"))


@require_GET
def run_page(request: HttpRequest, run_id: int) -> HttpResponse:
    run = LabRun.objects.filter(pk=run_id).first()
    if run is None:  # linked from the history of a slot
        messages.error(request, _("This run of the lab has been deleted."))
        return redirect("admin:lab")
    if run.started_at is None:
        return console_page(request, "ingest/console/lab/draft.html", _describe_draft(request, run))
    grid = _load_settled(run)
    context = describe_grid(grid) | {
        "title": _("Lab run %(number)s") % {"number": run.pk},
        "lanes": range(AT_ONCE if grid.progress.phase == Phase.GOING else 0),
        "targets": list(Slot.objects.only("pk", "display_name", "version", "is_active")),
    }
    return console_page(request, "ingest/console/lab/run.html", context)


def _load_settled(run: LabRun) -> Grid:
    """Seven queries. Of a run that was stopped nobody but who looks at it asks what became of a
    cell whose server was killed."""
    settle_dead(run, clock.now())
    return load_grid(run)


def _describe_draft(request: HttpRequest, run: LabRun) -> dict[str, Any]:
    slots = list(Slot.objects.prefetch_related("template_media"))
    goal = choose_slot(slots, request.GET.get("slot", ""))
    chosen = set(request.GET.getlist("recipe"))
    return {
        "title": _("New lab run"),
        "run": run,
        "deletion": describe_deletion(run),
        "photos": list(run.photos.all()),
        "offers": [OfferRow(one, chosen) for one in list_offers()],
        "groups": make_groups(list_preset_offers(goal), chosen),
        "slots": slots,
        "goal": goal,
        "most_photos": MAX_PHOTOS,
        "most_recipes": MAX_RECIPES,
        "most_mb": settings.MAX_UPLOAD_MB,
    }


def draw_news(request: HttpRequest, run_id: int) -> HttpResponse:
    """What may have changed lately, for a page that shows the run already."""
    run = get_object_or_404(LabRun, pk=run_id)
    grid = _load_settled(run)
    context = describe_grid(grid)
    changed = grid.list_changed(clock.now() - NEWS_REACH)
    context["changed"] = make_cell_rows(changed, context["recipes"])
    return render(request, "ingest/console/lab/_news.html", context)


@require_GET
def run_news(request: HttpRequest, run_id: int) -> HttpResponse:
    return draw_news(request, run_id)


@require_GET
def photo_picture(request: HttpRequest, run_id: int, photo_id: int) -> HttpResponse:
    """A photo of a run, small."""
    photo = get_object_or_404(LabPhoto, pk=photo_id, run=run_id)
    try:
        _media, body = read_upload(MediaObject.Kind.TEST_PHOTO, photo.media_id)
        small = decode_file(
            io.BytesIO(body),
            max_megapixels=settings.MAX_PHOTO_MEGAPIXELS,
            max_side_px=PREVIEW_SIDE_PX,
        )
    except (AppError, UnreadablePicture) as exc:
        raise Http404 from exc
    return show_picture(make_preview(small.image), WEBP)
