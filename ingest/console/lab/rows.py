"""A run's cells and recipes in words, for its page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from ingest.console.messages import get_failure_sentence
from ingest.faces.words import FacesView
from ingest.lab.grid import Cell, Column, Grid, Phase, Row
from ingest.models import LabCell, LabPhoto, LabRecipe, LabRun
from providers.registry import DRIVERS

State = LabCell.State


@dataclass(frozen=True, slots=True)
class CellRow:
    cell: Cell
    recipe: LabRecipe

    @property
    def words(self) -> str:
        """Instead of a picture."""
        row, job = self.cell.row, self.cell.job
        if row.state != State.DONE:
            return str(State(row.state).label) if row.state != State.FAILED else self.sentence
        return "" if job and self.cell.has_picture else _("The picture is no longer kept.")

    @property
    def sentence(self) -> str:
        """Why there is no picture."""
        job = self.cell.job
        reason, detail = (job.outcome[1], job.failure_detail) if job else ("", "")
        return get_failure_sentence(reason or self.cell.row.failure_reason, detail)

    @property
    def took_s(self) -> float | None:
        job = self.cell.job
        return None if job is None or job.duration_ms is None else job.duration_ms / 1000

    @property
    def faces(self) -> FacesView | None:
        return FacesView(self.cell.job) if self.cell.job else None

    @property
    def usage(self) -> str:
        driver, calls = DRIVERS.get(self.recipe.provider), self.cell.attempts
        return driver.describe_usage(calls[-1].usage) if driver and calls else ""


@dataclass(frozen=True, slots=True)
class ColumnRow:
    column: Column

    @property
    def recipe(self) -> LabRecipe:
        return self.column.recipe

    @property
    def prompt(self) -> str:
        return str(self.recipe.settings.get("prompt") or "")


@dataclass(frozen=True, slots=True)
class PhotoRow:
    photo: LabPhoto
    cells: list[CellRow] = field(default_factory=list)


def make_cell_rows(cells: Sequence[Cell], recipes: dict[int, LabRecipe]) -> list[CellRow]:
    return [CellRow(cell, recipes[cell.row.recipe_id]) for cell in cells]


def make_photo_row(row: Row, recipes: dict[int, LabRecipe]) -> PhotoRow:
    return PhotoRow(row.photo, make_cell_rows(row.cells, recipes))


def describe_grid(grid: Grid) -> dict[str, Any]:
    """What every part of a run's page is drawn from."""
    recipes = {column.recipe.pk: column.recipe for column in grid.columns}
    return {
        "run": grid.run,
        "deletion": describe_deletion(grid.run),
        "progress": grid.progress,
        "phase_words": describe_phase(grid.progress.phase),
        "columns": [ColumnRow(column) for column in grid.columns],
        "photos": [make_photo_row(row, recipes) for row in grid.rows],
        "recipes": recipes,
    }


class Question(NamedTuple):
    title: str
    words: str
    yes: str


def describe_deletion(run: LabRun) -> Question:
    """What is asked before a run is deleted, by a dialog or by a page."""
    if run.started_at is None:
        words = _("Its photos go with it.")
    elif run.expires_at:
        words = _("Its photos and pictures go with it.")
    else:
        words = _(
            "Its photos and pictures go with it, and the slot's history can no longer show this "
            "comparison."
        )
    return Question(_("Delete this run?"), words, _("Delete"))


def describe_phase(phase: Phase) -> str:
    return {
        Phase.DRAFT: _("being put together"),
        Phase.GOING: _("in progress: keep this page open"),
        Phase.PAUSED: _("paused: its page was closed"),
        Phase.STOPPED: _("stopped"),
        Phase.DONE: _("all pictures are made"),
        Phase.EXPIRED: _("its time is over: the photos are no longer kept"),
    }[phase]
