"""Figures of the links in `bench/history`: the last run's, and those of releases for comparison."""

import datetime
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pygal

from photochanger.testing.databases import BASE_DIR

if TYPE_CHECKING:
    from photochanger.bench.links.section import Cell

HISTORY = BASE_DIR / "bench/history"
LATEST = "latest"  # not committed


def save(cells: "Sequence[Cell]", *, is_tls: bool, release: str) -> Path:
    HISTORY.mkdir(parents=True, exist_ok=True)
    path = HISTORY / f"links-{release or LATEST}.json"
    figures = {
        "day": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "tls": is_tls,
        "cells": [_round(asdict(cell)) for cell in cells],
    }
    path.write_text(json.dumps(figures, indent=1) + "\n")
    draw_plot(cells).render_to_file(str(path.with_suffix(".svg")))
    return path.relative_to(BASE_DIR)


def find_earlier(release: str) -> dict[str, float]:
    """The product's seconds of the newest other release, by place and photo."""
    others = [
        path
        for path in HISTORY.glob("links-*.json")
        if path.stem not in (f"links-{LATEST}", f"links-{release}")
    ]
    if not others:
        return {}
    kept = [json.loads(path.read_text()) for path in others]
    newest = max(kept, key=lambda figures: str(figures["day"]))
    return {
        f"{cell['place']} {cell['photo']}{' after a pause' * cell['is_paused']}": cell["product_s"]
        for cell in newest["cells"]
    }


def draw_plot(cells: "Sequence[Cell]") -> Any:
    chart = pygal.HorizontalBar(
        title="Seconds waited beyond the provider's time",
        x_title="seconds",
        legend_at_bottom=True,
        js=(),  # the file works without any network
    )
    chart.x_labels = [f"{cell.place}, {cell.name}" for cell in reversed(cells)]
    for name in ("limit", "product", "plain"):
        values = [round(getattr(cell, f"{name}_s"), 2) for cell in reversed(cells)]
        chart.add(name, values)
    return chart


def _round(cell: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 3) if isinstance(value, float) else value for name, value in cell.items()
    }
