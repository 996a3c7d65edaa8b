"""The report of an event for its client: one page to print, in Russian or English."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from ingest.costs.money import load_currency
from slots.console.pages import console_page
from slots.models import Event
from stats.client_report.figures import ReportFigures, load_report_figures
from stats.plots import draw_pictures

LANGUAGES = ("ru", "en")


@require_GET
def client_report(request: HttpRequest, event_id: int) -> HttpResponse:
    """``lang``: of the paper, whatever the console speaks. ``cost=1``: with what it has cost."""
    event = get_object_or_404(Event.objects.select_related("logo"), pk=event_id)
    wanted = request.GET.get("lang", "")
    language = wanted if wanted in LANGUAGES else (translation.get_language() or "")[:2]
    with translation.override(language if language in LANGUAGES else settings.LANGUAGE_CODE):
        context = _describe(event, load_report_figures(event))
        if request.GET.get("cost") == "1":
            context |= _describe_cost(context["seen"])
        return console_page(request, "stats/console/client_report.html", context)


def _describe(event: Event, seen: ReportFigures) -> dict[str, Any]:
    return {
        "title": event.public_title or event.name,
        "event": event,
        "seen": seen,
        "plot": draw_pictures(seen.points, seen.step_s),
        "begins_at": event.started_at or event.starts_at,
        "ends_at": event.closed_at or event.ends_at,
        "most": max((style.pictures for style in seen.styles), default=0),
        "languages": [("ru", "Русский"), ("en", "English")],
        "language": translation.get_language(),
        "note": _("Counted by PhotoChanger. Faces were compared by a computer and not kept."),
    }


def _describe_cost(seen: ReportFigures) -> dict[str, Any]:
    """In the operator's currency. One query."""
    currency, per_picture = load_currency(), seen.micros_per_picture
    return {
        "cost": currency.format(seen.cost_micros),
        "probable_cost": currency.format(seen.probable_micros) if seen.probable_micros else "",
        "cost_per_picture": currency.format(per_picture) if per_picture is not None else "",
    }
