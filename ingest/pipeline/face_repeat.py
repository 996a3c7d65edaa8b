"""Ask once more for a picture whose people were not kept; the better of both is the result.

The first picture is stored and stays the result until a better one is stored in its place:
whatever fails here costs nobody anything.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from django.conf import settings

from ingest.faces.measure import compare_pictures, make_figures
from ingest.faces.repeat import choose_firmer_words, is_better, is_braked, is_worth_repeating
from ingest.pipeline.order import Deadline
from ingest.pipeline.outcome import JobRun
from ingest.pipeline.photo_print import plan_print
from ingest.pipeline.provider_call import call_once, store_in_time
from ingest.pipeline.result_check import ResultPicture, check_result
from ingest.pipeline.retry_policy import FLOOR_S, estimate_call_s
from media.faces.verdict import Report
from photochanger import metrics
from photochanger.db import in_db
from photochanger.errors import AppError
from photochanger.pictures import Picture
from photochanger.tasks import run_to_completion
from providers.base import DriverSettings
from slots.models import Slot

log = structlog.get_logger()

NOT_USED = "not used: the second picture keeps the people better"
NO_BETTER = "not used: it keeps the people no better than the first"
NOT_COMPARED = "not used: it could not be compared with the photo in time"


async def mend_faces(run: JobRun, build: Callable[..., Any], deadline: Deadline) -> None:
    """Judge the result where its slot wants that before the answer, and mend it if that helps.

    Raises nothing but CancelledError: the picture that there is remains.
    """
    slot = run.job.slot
    if slot.faces != Slot.Faces.RETRY or not slot.driver.takes_firmer_words:
        return
    try:
        first = await _judge(run, run.result)
        if first is None:  # no engine, or load: it is measured after the answer, if at all
            return
        _note(run, first)
        if await _may_repeat(run, first, deadline):
            await _repeat(run, build, first, deadline)
        run.face_search = None  # judged: nothing is left to do after the answer
        metrics.count_faces(slot=slot.pk, verdict=run.figures["faces"])
    except Exception as exc:  # a bug must not cost the picture that is paid for
        log.exception("faces.repeat.failed", job=str(run.job.pk), detail=type(exc).__name__)


async def _judge(run: JobRun, picture: ResultPicture | None) -> Report | None:
    if run.face_search is None or picture is None:
        return None
    try:
        async with asyncio.timeout(settings.FACES_JUDGE_SECONDS):
            return await compare_pictures(run.face_search, picture.face_image)
    except TimeoutError:
        return None


def _note(run: JobRun, report: Report) -> None:
    """To the job, and to the call that brought the picture."""
    run.figures = make_figures(report)
    for name, value in run.figures.items():
        setattr(run.attempts[-1], name, value)


async def _may_repeat(run: JobRun, report: Report, deadline: Deadline) -> bool:
    """Only for people, only once, only in time, and not where the style itself changes faces."""
    if run.face_search is None or not is_worth_repeating(report, run.face_search.rules):
        return False
    typical_s = await in_db(estimate_call_s, run.job.slot_id, run.job.provider)
    if deadline.left_s - settings.FACES_JUDGE_SECONDS <= max(typical_s, FLOOR_S):
        return False
    if await in_db(is_braked, run.job.slot_id):
        log.info("faces.repeat.braked", job=str(run.job.pk), slot=run.job.slot_id)
        return False
    return True


async def _repeat(
    run: JobRun, build: Callable[..., Any], first: Report, deadline: Deadline
) -> None:
    firmer = partial(build, firmer=choose_firmer_words(first))
    log.info("faces.repeat.begun", job=str(run.job.pk), verdict=first.verdict)
    first_call, first_figures, is_helped = run.attempts[-1], run.figures, False
    try:
        async with asyncio.timeout_at(deadline.at):
            picture = await call_once(run, firmer, deadline, turn=1, finish=_only_check)
            second = await _judge(run, picture)
        if second is not None:
            _note(run, second)
            is_helped = is_better(second, first)
    except (AppError, TimeoutError) as exc:
        log.info("faces.repeat.missed", job=str(run.job.pk), detail=type(exc).__name__)
    else:
        run.attempts[-1].detail = NO_BETTER if second else NOT_COMPARED
    if is_helped:
        first_call.detail, run.attempts[-1].detail = NOT_USED, ""
        await run_to_completion(_take(run, picture))
    else:
        run.figures = first_figures
    metrics.count_faces_repeat(slot=run.job.slot_id, is_helped=is_helped)


async def _only_check(run: JobRun, picture: Picture, rules: DriverSettings) -> ResultPicture:
    """The file of the first picture stays until the second is known to be better."""
    plan = plan_print(run.order, run.frame, people=run.people_told)
    return await asyncio.to_thread(check_result, picture, rules, plan)


async def _take(run: JobRun, picture: ResultPicture) -> None:
    await store_in_time(run, picture)
    run.result = picture
