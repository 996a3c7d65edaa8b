"""A run as it is looked at: each cell with its job, and each recipe's figures over all photos."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from statistics import mean
from uuid import UUID

from ingest.models import Attempt, Job, LabCell, LabPhoto, LabRecipe, LabRun
from media.faces.verdict import Verdict
from media.services import select_live_results
from photochanger.db import clock

State = LabCell.State
UNATTENDED_AFTER = timedelta(minutes=1)  # without a page that asks for the next picture
ALL_THERE = (Verdict.KEPT, Verdict.CHANGED)


class Phase(StrEnum):
    DRAFT = "draft"  # photos and recipes are being chosen
    GOING = "going"
    PAUSED = "paused"  # no page is open that asks for the next picture
    STOPPED = "stopped"
    DONE = "done"
    EXPIRED = "expired"  # its photos are no longer there


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    phase: Phase
    total: int
    done: int
    failed: int
    running: int

    @property
    def ended(self) -> int:
        return self.done + self.failed

    @property
    def left(self) -> int:
        return self.total - self.ended


def measure_progress(run: LabRun, states: Iterable[str], now: datetime) -> Progress:
    """``states``: of all its cells."""
    counted = list(states)
    running = counted.count(State.RUNNING)
    is_left = running or State.WAITING in counted
    return Progress(
        phase=find_phase(run, bool(is_left), now, is_busy=bool(running)),
        total=len(counted),
        done=counted.count(State.DONE),
        failed=counted.count(State.FAILED),
        running=running,
    )


def find_phase(run: LabRun, is_left: bool, now: datetime, *, is_busy: bool = False) -> Phase:
    """``is_left``: some of its pictures are not made yet; ``is_busy``: one is being made."""
    if run.started_at is None:
        return Phase.EXPIRED if run.is_over(now) else Phase.DRAFT
    if not is_left:
        return Phase.DONE
    if run.is_over(now):
        return Phase.EXPIRED
    if run.stopped_at is not None:
        return Phase.STOPPED
    is_attended = run.active_at is not None and now - run.active_at < UNATTENDED_AFTER
    return Phase.GOING if is_busy or is_attended else Phase.PAUSED


@dataclass(frozen=True, slots=True)
class Cell:
    """``has_picture``: it can still be looked at."""

    row: LabCell
    job: Job | None
    attempts: list[Attempt]
    has_picture: bool


@dataclass(frozen=True)
class Column:
    """A recipe with all its cells."""

    recipe: LabRecipe
    cells: Sequence[Cell]

    @cached_property
    def _done(self) -> list[Job]:
        return [c.job for c in self.cells if c.job and c.row.state == State.DONE]

    @property
    def done(self) -> int:
        return len(self._done)

    @property
    def failed(self) -> int:
        return sum(c.row.state == State.FAILED for c in self.cells)

    @property
    def mean_s(self) -> float | None:
        took = [job.duration_ms for job in self._done if job.duration_ms is not None]
        return mean(took) / 1000 if took else None

    @property
    def looked_at(self) -> int:
        """Pictures whose people could be counted."""
        return sum(job.faces in (*ALL_THERE, Verdict.LOST, Verdict.STRANGER) for job in self._done)

    @property
    def people_kept(self) -> int:
        """Of them, those with as many people as their photo."""
        return sum(job.faces in ALL_THERE for job in self._done)

    @property
    def likeness(self) -> int | None:
        """The mean over photos, each of its least alike person."""
        found = [job.likeness for job in self._done if job.likeness is not None]
        return round(mean(found)) if found else None


@dataclass(frozen=True, slots=True)
class Row:
    photo: LabPhoto
    cells: list[Cell]  # in the order of the recipes


@dataclass(frozen=True, slots=True)
class Grid:
    run: LabRun
    progress: Progress
    columns: list[Column]
    rows: list[Row]

    def list_changed(self, since: datetime) -> list[Cell]:
        cells = [cell for row in self.rows for cell in row.cells]
        return [c for c in cells if c.row.changed_at >= since or c.row.state == State.RUNNING]


def load_grid(run: LabRun) -> Grid:
    """Six queries."""
    photos, recipes = list(run.photos.all()), list(run.recipes.select_related("slot"))
    rows = list(run.cells.all())
    cells = {(c.row.photo_id, c.row.recipe_id): c for c in _join_jobs(rows)}

    def find(photo: LabPhoto, recipe: LabRecipe) -> Cell | None:
        return cells.get((photo.pk, recipe.pk))

    return Grid(
        run=run,
        progress=measure_progress(run, (row.state for row in rows), clock.now()),
        columns=[Column(one, [c for p in photos if (c := find(p, one))]) for one in recipes],
        rows=[Row(one, [c for r in recipes if (c := find(one, r))]) for one in photos],
    )


def _join_jobs(rows: list[LabCell]) -> list[Cell]:
    keys = [row.job_id for row in rows if row.job_id and row.state != State.RUNNING]
    jobs = Job.objects.prefetch_related("attempts").in_bulk(keys)
    live = set(select_live_results().filter(job_id__in=keys).values_list("job_id", flat=True))
    return [_join(row, jobs.get(row.job_id) if row.job_id else None, live) for row in rows]


def _join(row: LabCell, job: Job | None, live: set[UUID | None]) -> Cell:
    attempts = sorted(job.attempts.all(), key=lambda one: one.number) if job else []
    return Cell(row, job, attempts, has_picture=job is not None and job.pk in live)
