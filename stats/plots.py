"""Plots over time as inline SVG that obeys the page's content security policy.

The SVG holds no styles: classes name the curves, and the page's style sheet colours them in the
light and the dark theme. For screen readers there is a table next to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from pygal import Line, StackedBar
from pygal.etree import etree
from pygal.style import Style

from stats.series import Point

KPI = 95  # per cent of the photos that are answered with a picture in time
WIDTH, HEIGHT = 800, 260
LABELS = {StackedBar: 8, Line: 6}  # at most so many on the time axis
FONT_PX = {StackedBar: 13, Line: 17}  # as in the style sheet; lines are drawn at half the width
HOUR_S, DAY_S = 60 * 60, 24 * 60 * 60
TICKS_S = (
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(HOUR_S * hours for hours in (1, 2, 3, 6, 12)),
    *(DAY_S * days for days in (1, 2, 7, 14)),
)
AXIS_PX = 60  # what the plot's y axis takes of its width
CHAR_SHARE = 0.56  # of a digit's width in the height of its font
NOT_SHOWN = {"text-overlay", "tooltip-overlay", "titles"}

Value = float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """One line or one colour of the bars; ``name`` is its class too."""

    name: str
    title: str
    values: Sequence[Value]
    has_dots: bool = True


@dataclass(frozen=True, slots=True)
class Plot:
    name: str
    title: str
    curves: list[Curve]
    svg: SafeString
    is_empty: bool


def draw_outcomes(points: Sequence[Point], step_s: int) -> Plot:
    kinds = {
        "done": _("done"),
        "timeouts": _("too late (504)"),
        "provider_errors": _("errors of the AI service"),
        "own_errors": _("our errors"),
        "client_gone": _("the booth hung up"),
        "in_progress": _("in work"),
    }
    curves = [
        Curve(name, title, [getattr(point.outcomes, name) for point in points])
        for name, title in kinds.items()
    ]
    top = max((point.outcomes.jobs for point in points), default=0)
    chart = _make_chart(StackedBar, points, step_s, compute_ticks(top), "{:g}".format)
    return _make_plot("outcomes", _("Photos by outcome"), chart, curves)


def draw_pictures(points: Sequence[Point], step_s: int) -> Plot:
    """For an event's client: what was made, and when."""
    curve = Curve("done", _("pictures"), [point.outcomes.done for point in points])
    top = max((point.outcomes.done for point in points), default=0)
    chart = _make_chart(StackedBar, points, step_s, compute_ticks(top), "{:g}".format)
    return _make_plot("pictures", _("Pictures over the event"), chart, [curve])


def draw_timings(points: Sequence[Point], step_s: int) -> Plot:
    curves = [
        Curve(
            "p50",
            _("half are faster (p50)"),
            [to_seconds(p.duration_p50_ms) for p in _get_timings(points)],
        ),
        Curve(
            "p95",
            _("95 % are faster (p95)"),
            [to_seconds(p.duration_p95_ms) for p in _get_timings(points)],
        ),
    ]
    chart = _make_chart(Line, points, step_s, compute_ticks(_get_top(curves)), _format_seconds)
    return _make_plot("timings", _("Time until the picture"), chart, curves)


def draw_shares(points: Sequence[Point], step_s: int) -> Plot:
    curves = [
        Curve(
            "done", _("pictures in time"), [to_percent(p.outcomes.success_share) for p in points]
        ),
        Curve(
            "timeouts", _("too late (504)"), [to_percent(p.outcomes.timeout_share) for p in points]
        ),
    ]
    kpi = Curve("kpi", _("goal: 95 %"), [KPI] * len(points), has_dots=False)
    chart = _make_chart(Line, points, step_s, [0, 25, 50, 75, KPI], "{:g} %".format, top=100)
    is_empty = not any(_get_values(curve) for curve in curves)
    return _make_plot("shares", _("Share of photos, %"), chart, [*curves, kpi], is_empty=is_empty)


def _format_seconds(value: float) -> str:
    return f"{value:g} {_('s')}"


def _get_timings(points: Sequence[Point]) -> list[Any]:
    return [point.timings for point in points]


def to_seconds(milliseconds: int | None) -> Value:
    return None if milliseconds is None else round(milliseconds / 1000, 1)


def to_percent(share: float | None) -> Value:
    return None if share is None else round(share * 100, 1)


def _get_values(curve: Curve) -> list[float]:
    return [value for value in curve.values if value]


def _get_top(curves: Sequence[Curve]) -> float:
    return max((value for curve in curves for value in _get_values(curve)), default=0)


def compute_ticks(top: float) -> list[int]:
    """Round numbers from nothing to at least ``top``, three to six of them."""
    sizes = (base * 10**power for power in count() for base in (1, 2, 5))
    size = next(size for size in sizes if top <= 5 * size)
    return list(range(0, max(2, -(-int(-(-top // 1)) // size)) * size + 1, size))


def format_labels(points: Sequence[Point], step_s: int) -> list[str]:
    """The times of intervals: of one day the hour, of several the day and the hour."""
    is_long = len(points) * step_s > DAY_S + step_s
    return [_format_label(localtime(point.starts_at), step_s, is_long) for point in points]


def _format_label(at: datetime, step_s: int, is_long: bool) -> str:
    if not is_long:
        return date_format(at, "H:i")
    is_midnight = step_s >= DAY_S or at.hour == at.minute == 0
    return date_format(at, "d.m" if is_midnight else "d.m H:i")


def choose_ticks(points: Sequence[Point], step_s: int, most: int, char_px: float) -> list[int]:
    """Which intervals get a label: whole hours or midnights, as many as there is room for.

    ``char_px``: how wide a letter is. The last one is left out where it would be cut off.
    """
    span_s = len(points) * step_s
    tick_s = next((one for one in TICKS_S if one >= step_s and span_s <= one * most), span_s)
    found = [n for n, point in enumerate(points) if _is_round(localtime(point.starts_at), tick_s)]
    labels = format_labels(points, step_s)
    return [n for n in found if _fits(n, len(points), len(labels[n]) * char_px)]


def _is_round(at: datetime, tick_s: int) -> bool:
    seconds = at.hour * HOUR_S + at.minute * 60 + at.second
    if tick_s < DAY_S:
        return seconds % tick_s == 0
    return seconds == 0 and at.toordinal() % (tick_s // DAY_S) == 0


def _fits(number: int, count: int, width_px: float) -> bool:
    """Whether half of a label stands within the drawing, to the right of its interval's middle."""
    return (WIDTH - AXIS_PX) * (count - number - 0.5) / count >= width_px / 2


def _make_chart(
    kind: type[Line] | type[StackedBar],
    points: Sequence[Point],
    step_s: int,
    y_labels: list[int],
    texts: Callable[[float], str],
    top: int | None = None,
) -> Any:
    size = FONT_PX[kind]
    font = {"label_font_size": size, "major_label_font_size": size, "font_family": "Inter"}
    chart = kind(
        **{"width": WIDTH, "height": HEIGHT, "margin": 6, "spacing": 6, "dots_size": 3},
        **{"show_legend": False, "js": [], "css": [], "no_data_text": ""},
        **{"show_minor_x_labels": False},
        **{"truncate_label": -1, "allow_interruptions": True, "range": (0, top or y_labels[-1])},
        style=Style(**font),
    )
    chart.x_labels = labels = format_labels(points, step_s)
    ticks = choose_ticks(points, step_s, LABELS[kind], CHAR_SHARE * size)
    chart.x_labels_major = [labels[n] for n in ticks]
    chart.y_labels, chart.value_formatter = y_labels, texts
    return chart


def _make_plot(
    name: str, title: str, chart: Any, curves: list[Curve], *, is_empty: bool | None = None
) -> Plot:
    shown = [curve for curve in curves if _get_values(curve)]
    for curve in shown:
        chart.add(curve.title, curve.values, show_dots=curve.has_dots)
    is_empty = not shown if is_empty is None else is_empty
    svg = mark_safe("") if is_empty else _render_svg(chart, title, shown)
    return Plot(name, title, curves, svg, is_empty)


def _render_svg(chart: Any, title: str, curves: list[Curve]) -> SafeString:
    root = chart.render_tree()
    root.set("role", "img")
    root.set("aria-label", title)
    root.set("class", "plot-svg")
    root.attrib.pop("id", None)
    _strip(root, curves)
    text: str = etree.tostring(root, encoding="unicode")
    return mark_safe(text)  # noqa: S308 - no words but ours


def _strip(element: Any, curves: list[Curve]) -> None:
    for child in list(element):
        words = set(str(child.get("class", "")).split())
        is_flat = child.get("height") == "0.0"
        if not isinstance(child.tag, str) or _is_left_out(child.tag, words) or is_flat:
            element.remove(child)
            continue
        child.attrib.pop("style", None)
        if "series" in words:
            number = next(int(word[6:]) for word in words if word.startswith("serie-"))
            child.set("class", f"series {curves[number].name}")
        _strip(child, curves)
        _set_tooltip(child)


def _is_left_out(tag: str, words: set[str]) -> bool:
    return tag in ("defs", "title") or bool(words & NOT_SHOWN) or "background" in words


def _set_tooltip(mark: Any) -> None:
    """The tooltip of a bar or a dot: time and value."""
    texts = {str(desc.get("class")): desc.text or "" for desc in mark.findall("desc")}
    for desc in mark.findall("desc"):
        mark.remove(desc)
    if texts:
        etree.SubElement(
            mark, "title"
        ).text = f"{texts.get('x_label', '')}: {texts.get('value', '')}"
