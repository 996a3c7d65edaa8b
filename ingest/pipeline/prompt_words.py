"""What a job's prompts are filled with: the number of people, and what the booth sent for them."""

import asyncio
from dataclasses import replace
from typing import Any

import structlog

from ingest.faces.measure import wait_for_faces
from ingest.pipeline.order import Deadline
from ingest.pipeline.outcome import JobRun
from ingest.pipeline.retry_policy import FLOOR_S
from media.faces.verdict import count_people_surely
from photochanger import metrics
from providers.base import ProviderRequest
from slots.prompts.filling import PhotoWords, fill_recipe

log = structlog.get_logger()

PEOPLE_WAIT_S = 1.0  # a detection of 0.1-0.2 s that has not begun by then is not waited for


async def count_people(run: JobRun, deadline: Deadline) -> None:
    """Set ``run.people_told`` where a prompt asks for it, once; 0 when it is not known in time.

    Raises nothing but CancelledError: words for an unknown number are always there.
    """
    if run.people_told is not None or not run.job.slot.asks_for_people:
        return
    run.people_told = await _count(run, deadline) or 0
    metrics.count_prompt_people(slot=run.job.slot_id, is_known=bool(run.people_told))


async def _count(run: JobRun, deadline: Deadline) -> int | None:
    if run.face_search is None:  # off, no engine, or too many photos at this moment
        return None
    wait_s = min(PEOPLE_WAIT_S, deadline.left_s - FLOOR_S)  # the picture needs the rest
    try:
        async with asyncio.timeout(max(0.0, wait_s)):
            faces = await wait_for_faces(run.face_search.detection)
    except TimeoutError:
        return None
    except Exception as exc:  # a photo is not lost to this
        log.warning("faces.people.failed", job=str(run.job.pk), detail=type(exc).__name__)
        return None
    return count_people_surely(faces, run.face_search.rules) if faces else None


def fill_prompts(request: ProviderRequest[Any], run: JobRun) -> ProviderRequest[Any]:
    """The request with its prompts in words for this photo, whichever recipe it has."""
    slot, words = run.job.slot, PhotoWords(run.people_told, run.job.guest_texts or {})
    filled = fill_recipe(request.settings, slot.list_variables() if slot.variables else [], words)
    return request if filled is request.settings else replace(request, settings=filled)
