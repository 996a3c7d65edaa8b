"""The statistics page: figures of a window, plots over it, and what went wrong last."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from ingest.cleanup import load_last_cleanup
from ingest.console.details import Detail, describe_detail
from ingest.console.jobs import JobRow
from ingest.console.messages import get_failure_sentence
from ingest.costs.money import CostWords, Currency, load_currency
from media.models import MediaObject
from photochanger.db import clock
from slots.console.pages import console_page
from stats import services
from stats.console.query import StatisticsQuery
from stats.faces import load_figures_by_slot, load_figures_by_version, load_last_wrong
from stats.outcomes import Costs, Figures
from stats.plots import (
    KPI,
    Plot,
    draw_outcomes,
    draw_shares,
    draw_timings,
    format_labels,
    to_percent,
    to_seconds,
)
from stats.series import Failure, Point
from stats.services import Overview, SlotFigures, StoredFiles
from stats.slot_state import State

SHOWN_FAILURES, SHOWN_WORDS = 10, 200


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A row of the table of slots."""

    figures: SlotFigures
    query: str
    is_chosen: bool
    cost: CostWords

    @property
    def last_error(self) -> str:
        recent = self.figures.recent
        return get_failure_sentence(recent.last_error_reason, recent.last_failure_detail)

    @property
    def is_idle(self) -> bool:
        """Nothing to show but its state: a short row on a phone."""
        return not (self.figures.window.outcomes.jobs or self.figures.recent.last_photo_at)

    @property
    def percent(self) -> float | None:
        return to_percent(self.figures.window.outcomes.success_share)

    @property
    def p50_s(self) -> float | None:
        return to_seconds(self.figures.window.timings.duration_p50_ms)

    @property
    def p95_s(self) -> float | None:
        return to_seconds(self.figures.window.timings.duration_p95_ms)


@dataclass(frozen=True, slots=True)
class FailureRow:
    failure: Failure
    slot: str

    @property
    def sentence(self) -> str:
        return get_failure_sentence(self.failure.failure_reason, self._words)

    @property
    def detail(self) -> Detail:
        """The provider's own words in quotes, ours for operators without."""
        found = describe_detail(self._words)
        return Detail(found.ours, Truncator(found.theirs).chars(SHOWN_WORDS))

    @property
    def _words(self) -> str:
        return self.failure.provider_said or self.failure.detail


@require_GET
def statistics_page(request: HttpRequest) -> HttpResponse:
    """The page; for a script only the parts that change."""
    if request.GET.get("since") == "now":
        now = int(clock.now().timestamp())
        where = reverse("admin:statistics") + StatisticsQuery.of(request).query(since=now)
        return HttpResponseRedirect(where)
    asked = StatisticsQuery.of(request)
    context = {"asked": asked} | _load_figures(asked)
    if request.headers.get("HX-Request") == "true":
        return render(request, "stats/console/_figures.html", context | {"is_part": True})
    frame = {
        "title": _("Statistics"),
        "all_slots": asked.query(slot=""),
        "not_reset": asked.query(since=None),
    }
    return console_page(request, "stats/console/statistics.html", frame | context)


@require_GET
def plots_part(request: HttpRequest) -> HttpResponse:
    """Loaded after the page, with one query, so that a month does not delay the page."""
    asked = StatisticsQuery.of(request)
    seen = services.load_timeline(
        asked.window, asked.slot_id or None, until=asked.until, event_id=asked.event_id
    )
    drawn = [plot(seen.points, seen.step_seconds) for plot in PLOTS]
    context = {"plots": drawn, "table": list(_make_table(drawn, seen.points, seen.step_seconds))}
    return render(request, "stats/console/_plots.html", context)


@require_GET
def storage_part(request: HttpRequest) -> HttpResponse:
    """Stored files; refreshed less often than the rest, as it takes longest."""
    stored = services.load_stored_files()
    context = {
        "storage": [(_get_kind_title(files), files) for files in stored],
        "storage_bytes": sum(files.size_bytes for files in stored),
        "cleanup": load_last_cleanup(),
    }
    return render(request, "stats/console/_storage.html", context)


PLOTS = (draw_outcomes, draw_timings, draw_shares)


def _make_table(
    plots: list[Plot], points: list[Point], step_s: int
) -> Iterator[tuple[str, list[Any]]]:
    """The plots as a table, for screen readers; only intervals with photos."""
    curves = [curve for plot in plots for curve in plot.curves if curve.name != "kpi"]
    labels = format_labels(points, step_s)
    for number, point in enumerate(points):
        if point.outcomes.jobs:
            yield labels[number], [curve.values[number] for curve in curves]


def _load_figures(asked: StatisticsQuery) -> dict[str, Any]:
    """At most twelve queries; one more where anything has been paid."""
    seen = services.load_overview(
        asked.window, is_lean=True, until=asked.until, event_id=asked.event_id
    )
    chosen = [one for one in seen.slots if one.recent.slot.pk == asked.slot_id]
    window = (chosen[0] if chosen else seen).window
    currency = Currency() if seen.window.costs == Costs() else load_currency()
    return {
        "seen": seen,
        "chosen": chosen[0] if chosen else None,
        "window": window,
        "share_percent": to_percent(window.outcomes.success_share),
        "late_percent": to_percent(window.outcomes.timeout_share),
        "p50_s": to_seconds(window.timings.duration_p50_ms),
        "p95_s": to_seconds(window.timings.duration_p95_ms),
        "in_flight": chosen[0].recent.in_flight if chosen else seen.in_flight,
        "kpi": KPI,
        "cost": make_cost_words(window, currency),
        "cost_of_picture": format_cost_of_picture(window, currency),
        **_fold_rows(_make_rows(asked, seen, currency)),
        "failures": _load_failures(asked, seen),
    }


@require_GET
def faces_part(request: HttpRequest) -> HttpResponse:
    """Whether people were kept; loaded after the page, with two queries."""
    asked, now = StatisticsQuery.of(request), clock.now()
    since = asked.begins_at
    among: Any = {"until": asked.until or now, "event_id": asked.event_id}
    if asked.slot_id:
        figures = load_figures_by_version(since, asked.slot_id, **among)
    else:
        figures = load_figures_by_slot(since, **among)
    wrong = load_last_wrong(since, now, asked.slot_id, **among)
    context = {
        "faces": figures,
        "wrong_pictures": [JobRow(job) for job in wrong],
        "chosen": asked.slot_id,
    }
    return render(request, "stats/console/_faces.html", context)


def _make_rows(asked: StatisticsQuery, seen: Overview, currency: Currency) -> list[SlotRow]:
    return [
        SlotRow(
            one,
            asked.query(slot=one.recent.slot.pk),
            one.recent.slot.pk == asked.slot_id,
            make_cost_words(one.window, currency),
        )
        for one in seen.slots
    ]


def make_cost_words(window: Figures, currency: Currency) -> CostWords:
    costs = window.costs
    return CostWords(currency, costs.known_micros, costs.probable_micros, costs.unpriced_calls)


def format_cost_of_picture(window: Figures, currency: Currency) -> str:
    """Of all that booth photos cost, failures too; empty: not known."""
    costs, pictures = window.costs, window.outcomes.done
    if not pictures or costs.known_micros is None or costs.unpriced_calls:
        return ""
    return currency.format((costs.known_micros + costs.probable_micros) // pictures)


def _fold_rows(rows: list[SlotRow]) -> dict[str, list[SlotRow]]:
    """Slots that nobody has set up and no booth has used are told below, in one line."""
    folded = [row for row in rows if row.is_idle and row.figures.state == State.NOT_CONFIGURED]
    shown = [row for row in rows if row not in folded]
    return {"lines": rows, "shown_lines": shown, "folded_lines": folded}


def _load_failures(asked: StatisticsQuery, seen: Overview) -> list[FailureRow]:
    names = {one.recent.slot.pk: str(one.recent.slot) for one in seen.slots}
    found = services.load_failures(asked.slot_id or None, asked.event_id)[:SHOWN_FAILURES]
    return [FailureRow(failure, names[failure.slot_id]) for failure in found]


def _get_kind_title(stored: StoredFiles) -> str:
    names: dict[str, Any] = dict(MediaObject.Kind.choices)
    return str(names.get(stored.kind, stored.kind))
