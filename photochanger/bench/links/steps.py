"""Where the product's time went over a link, by the steps of its jobs; what overlapping could win.

A cut-through server could prepare a photo while it still arrives, and no longer than that takes.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from photochanger.testing import live

if TYPE_CHECKING:
    from photochanger.bench.links.section import Cell

NEWEST = "SELECT steps_ms FROM job_history ORDER BY started_at DESC LIMIT 1"
STEPS = ("upload", "prepare", "send", "provider", "receive", "store", "answer")


def read_steps(site: live.LiveSite) -> dict[str, int]:
    """Milliseconds of the newest job; ``answer`` lacks while its row is still being written."""
    [(found,)] = site.rows(NEWEST)
    steps_ms: dict[str, int] = json.loads(found) if isinstance(found, str) else found
    return steps_ms


def draw_steps(cells: "Sequence[Cell]") -> Table:
    table = Table(title="The product's steps in its best run (ms)")
    for column in ("where the server stands", "photo"):
        table.add_column(column)
    for column in (*STEPS, "to overlap", "of the wait"):
        table.add_column(column, justify="right")
    for cell in cells:
        overlap_ms = min(cell.steps_ms.get("upload", 0), cell.steps_ms.get("prepare", 0))
        table.add_row(
            *(cell.place, cell.name),
            *(str(cell.steps_ms.get(step, "")) for step in STEPS),
            *(str(overlap_ms), f"{overlap_ms / 1000 / cell.product_s:.0%}"),
        )
    return table
