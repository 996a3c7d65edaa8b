"""The statistics of a period as a file for spreadsheets: the report to whoever held the event."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from ingest.costs.money import Currency, load_currency
from photochanger.db import clock
from stats import services
from stats.console.query import StatisticsQuery
from stats.outcomes import Costs, Figures
from stats.plots import to_percent, to_seconds

BOM = "\ufeff"  # or Excel takes the text for another alphabet
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what spreadsheets would compute


@require_GET
def statistics_csv(request: HttpRequest) -> HttpResponse:
    """A line for each slot, or for the one that is shown, and one for all together."""
    asked = StatisticsQuery.of(request)
    seen = services.load_overview(
        asked.window, asked.slot_id or None, until=asked.until, event_id=asked.event_id
    )
    # As spreadsheets of the language expect it: where the comma is in numbers, it separates none.
    is_comma = get_language() != "ru"
    out = io.StringIO()
    writer = csv.writer(out, delimiter="," if is_comma else ";", lineterminator="\r\n")
    for row in _list_rows(asked, seen):
        writer.writerow([_format_cell(cell, is_point=is_comma) for cell in row])
    name = f"photochanger-{_format_day(asked)}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(
        BOM + out.getvalue(), content_type="text/csv; charset=utf-8", headers=headers
    )


def _list_rows(asked: StatisticsQuery, seen: services.Overview) -> Iterator[list[Any]]:
    currency = load_currency()
    first, last = asked.begins_at, asked.until or clock.now()
    yield [_("Period"), *(_format_moment(at) for at in (first, last))]
    yield [
        *(_("Slot"), _("Name"), _("Photos"), _("Pictures"), _("Too late"), _("AI errors")),
        *(_("Our errors"), _("Gave up"), _("Refused"), _("In time, %"), _("Median, s")),
        *(_("95 % within, s"), _("Test runs")),
        *(_("Cost, %(code)s") % {"code": currency.code}, _("Probably besides")),
        _("Calls of unknown price"),
    ]
    for one in seen.slots:
        slot = one.recent.slot
        yield [slot.pk, slot.display_name, *_list_figures(one.window, one.refused, currency)]
    if not asked.slot_id:
        yield [_("All slots"), "", *_list_figures(seen.window, seen.refused, currency)]


def _list_figures(figures: Figures, refused: int, currency: Currency) -> list[Any]:
    found, timings = figures.outcomes, figures.timings
    return [
        *(found.jobs, found.done, found.timeouts, found.provider_errors, found.own_errors),
        *(found.client_gone, refused, to_percent(found.success_share)),
        *(to_seconds(timings.duration_p50_ms), to_seconds(timings.duration_p95_ms)),
        figures.test_runs,
        *_list_costs(figures.costs, currency),
    ]


def _list_costs(costs: Costs, currency: Currency) -> list[Any]:
    if costs.known_micros is None:
        return [None, None, None]
    amounts = (costs.known_micros, costs.probable_micros)
    return [*(round(float(currency.convert(n)), 4) for n in amounts), costs.unpriced_calls]


def _format_cell(cell: Any, *, is_point: bool) -> str:
    """A text that a spreadsheet would compute is made a text that it shows."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:g}" if is_point else f"{cell:g}".replace(".", ",")
    text = str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text


def _format_moment(at: Any) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


def _format_day(asked: StatisticsQuery) -> str:
    slot = slugify(asked.slot_id)
    day = timezone.localtime(asked.begins_at).strftime("%Y-%m-%d")
    return f"{slot}-{day}" if slot else day
