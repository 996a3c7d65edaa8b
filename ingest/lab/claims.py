"""Whose turn it is: cells are claimed for a time, so that a process that dies leaves nothing behind
but a claim that runs out."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import F, QuerySet

from ingest.lab.keeping import keep_pictures
from ingest.models import Job, LabCell, LabRun
from media.deletion import expire_result
from photochanger.db import clock
from photochanger.errors import Interrupted
from slots.platform_settings import PlatformSettings, load_platform_settings

State = LabCell.State
AT_ONCE = 2  # pictures of one run; the limits may let in fewer
GRACE = timedelta(seconds=30)  # beyond the job's deadline, to close its row
MOST_TRIES = 2  # of a cell whose process died: it may be the cell that kills them


class Turn(StrEnum):
    """What came of asking for the next picture."""

    MADE = "made"  # or failed: its cell tells
    WAITS = "waits"  # no place is free, or others are at work: ask again
    OVER = "over"  # stopped, finished, expired or deleted


@dataclass(frozen=True, slots=True)
class Claim:
    cell: LabCell  # with its photo, recipe and slot
    job_id: uuid.UUID
    platform: PlatformSettings


@transaction.atomic
def claim_cell(run_id: int) -> Claim | Turn:
    """The next cell of a run, for who asks; those of dead processes come back first."""
    run = LabRun.objects.select_for_update(no_key=True).filter(pk=run_id).first()
    if run is None:
        return Turn.OVER
    now, platform = clock.now(), load_platform_settings()
    settle_dead(run, now)
    if not run.is_going:
        return Turn.OVER
    LabRun.objects.filter(pk=run.pk).update(active_at=now)
    running = list(run.cells.filter(state=State.RUNNING).values_list("recipe__slot", flat=True))
    if len(running) >= AT_ONCE:
        return Turn.WAITS
    cell = _find_next(run.cells.filter(state=State.WAITING), running)
    if cell is None:
        return Turn.WAITS if running else Turn.OVER
    wait = timedelta(seconds=cell.recipe.slot.wait_s(platform.sync_response_seconds))
    claim = Claim(cell, uuid.uuid4(), platform)
    LabCell.objects.filter(pk=cell.pk).update(
        state=State.RUNNING,
        job_id=claim.job_id,
        claimed_until=now + wait + GRACE,
        changed_at=now,
        tries=cell.tries + 1,
    )
    return claim


def _find_next(waiting: QuerySet[LabCell], busy_slots: list[str]) -> LabCell | None:
    """A photo by all recipes, then the next one; rather of a slot that has a place."""
    in_turn = waiting.select_related("photo", "recipe__slot").order_by(
        F("postponed_at").asc(nulls_first=True), "photo__number", "recipe__number"
    )
    return in_turn.exclude(recipe__slot__in=busy_slots).first() or in_turn.first()


def settle_dead(run: LabRun, now: datetime) -> None:
    """What became of cells whose claim ran out: their job tells, or they are tried once more.

    Several may do it at once: each cell is settled by one.
    """
    for cell in run.cells.filter(state=State.RUNNING, claimed_until__lte=now):
        job = Job.objects.filter(pk=cell.job_id).first() if cell.job_id else None
        outcome = job.outcome[0] if job else None
        is_lost = job is None or job.outcome[1] == Interrupted.reason
        values: dict[str, object] = {"claimed_until": None, "changed_at": now}
        if outcome == Job.Status.DONE:
            values |= {"state": State.DONE}
        elif is_lost and cell.tries < MOST_TRIES:
            values |= {"state": State.WAITING, "job_id": None}
        else:
            values |= {"state": State.FAILED, "failure_reason": Interrupted.reason}
        same = LabCell.objects.filter(pk=cell.pk, job_id=cell.job_id, state=State.RUNNING)
        if same.update(**values) and outcome == Job.Status.DONE and cell.job_id:
            _keep_with_run(run.pk, cell.job_id)


def settle_all_dead() -> None:
    """Of all runs: of one that was stopped or closed nobody asks for the next picture."""
    now = clock.now()
    dead = LabCell.objects.filter(state=State.RUNNING, claimed_until__lte=now)
    for run in LabRun.objects.filter(pk__in=dead.values("run")):
        settle_dead(run, now)


def _select_claimed(claim: Claim) -> QuerySet[LabCell]:
    return LabCell.objects.filter(pk=claim.cell.pk, job_id=claim.job_id, state=State.RUNNING)


def release_cell(claim: Claim) -> None:
    """Nothing was begun: it waits for another turn."""
    now = clock.now()
    _select_claimed(claim).update(
        state=State.WAITING,
        job_id=None,
        claimed_until=None,
        postponed_at=now,
        changed_at=now,
        tries=F("tries") - 1,
    )


def finish_cell(claim: Claim, state: LabCell.State, *, reason: str = "") -> None:
    """Its picture goes, where the run has been deleted meanwhile, and stays where the run stays."""
    ended = {"state": state, "failure_reason": reason}
    if _select_claimed(claim).update(claimed_until=None, changed_at=clock.now(), **ended):
        _keep_with_run(claim.cell.run_id, claim.job_id)
    elif not LabCell.objects.filter(job_id=claim.job_id, state=State.DONE).exists():
        expire_result(claim.job_id)  # else it was late, and its job has told what came of it


def _keep_with_run(run_id: int, job_id: uuid.UUID) -> None:
    if LabRun.objects.filter(pk=run_id, expires_at__isnull=True).exists():
        keep_pictures([job_id], [])
