"""Ask the sources of a slot with reserves in turn, until one has made the picture.

The deadline is one for all of them, and no photo is paid for twice unless the slot allows it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import structlog
from django.db import Error as AnyDatabaseError

from ingest.pipeline.admission import Admission
from ingest.pipeline.order import Deadline
from ingest.pipeline.outcome import JobRun
from ingest.pipeline.provider_call import RequestBuilder, call_provider, prepare_request
from ingest.pipeline.provider_places import move_to_provider
from ingest.pipeline.result_check import ResultPicture
from ingest.pipeline.retry_policy import FLOOR_S, is_known_unpaid
from ingest.refusals.errors import ProviderFull
from photochanger import metrics
from photochanger.db import in_db
from photochanger.errors import (
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderNetwork,
    ProviderQuota,
    ProviderTimeout,
    ProviderUnavailable,
)
from slots.provider_keys import read_provider_key
from slots.reserve.circuits import Health, note_check, note_failure, note_success
from slots.reserve.sources import Source

log = structlog.get_logger()

# Kept of the time that is left for the next source, where it may be asked after a time-out.
KEPT_SHARE, KEPT_LEAST_S, KEPT_MOST_S = 0.4, FLOOR_S + 1.0, 20.0
# How much a failure says of the service itself; others are about one photo. A time-out costs a
# guest most, so two of them are enough.
WEIGHTS: dict[type[ProviderError], int] = {
    **dict.fromkeys((ProviderNetwork, ProviderUnavailable, ProviderQuota), 1),
    **dict.fromkeys((ProviderAuth, ProviderConfig), 1),
    ProviderTimeout: 2,
}


async def call_sources(
    run: JobRun, admission: Admission, deadline: Deadline
) -> tuple[ResultPicture, RequestBuilder]:
    """The picture of the first source that makes one, and how that one is asked.

    Raises ProviderError, that of the source which was asked last; ProviderFull where none was
    asked, since each service works on as many photos as may be.
    """
    failed: ProviderError | None = None
    async with check_absent(admission.sources):
        for source in admission.sources:
            run.has_next_source = source is not admission.sources[-1]
            try:
                await move_to_provider(run, source.slot.provider)
                return await _call_source(run, admission, source, deadline)
            except ProviderFull as exc:
                if not run.has_next_source:
                    raise failed or exc from exc  # what went wrong first tells more
            except ProviderError as exc:
                if not run.has_next_source or not may_go_on(run, exc, deadline):
                    raise
                failed = exc
    raise AssertionError("there is always a source")


async def _call_source(
    run: JobRun, admission: Admission, source: Source, deadline: Deadline
) -> tuple[ResultPicture, RequestBuilder]:
    """Whatever comes of it goes to the source's circuit and the metrics."""
    slot_id, position = source.slot.pk, source.position
    share = choose_share(run, deadline)
    try:
        build = await prepare_request(run, use_source(run, admission, source))
        result = await call_provider(run, build, share)
    except ProviderError as exc:
        log.warning("provider.source.failed", slot=slot_id, position=position, reason=exc.reason)
        metrics.count_source(slot=slot_id, position=position, outcome="failed")
        if not run.order.is_trial and (weight := WEIGHTS.get(type(exc))):
            await _note(partial(note_failure, slot_id, position, exc.reason, weight=weight))
        raise
    metrics.count_source(slot=slot_id, position=position, outcome="picture")
    if source.circuit.health is not Health.CLOSED:
        await _note(partial(note_success, slot_id, position))
    return result, build


async def _note(step: Callable[[], None]) -> None:
    """The circuit is for the next photos: what fails here must not cost this one its picture."""
    try:
        await in_db(step)
    except AnyDatabaseError:
        log.exception("provider.source.note_failed")


def use_source(run: JobRun, admission: Admission, source: Source) -> Admission:
    """From now on the job is this source's: what it is sent, and what its row tells."""
    job = run.job
    job.slot, job.reserve = source.slot, source.position
    job.provider, job.operation = source.slot.provider, source.slot.operation
    return replace(admission, stored_key=source.stored_key, base_url=source.base_url)


def choose_share(run: JobRun, deadline: Deadline) -> Deadline:
    """A source that hangs must not use up the time of the next one, if that may be asked then."""
    if not (run.has_next_source and run.job.slot.reserve_may_cost_twice):
        return deadline
    kept_s = min(max(KEPT_SHARE * deadline.left_s, KEPT_LEAST_S), KEPT_MOST_S)
    share = deadline.shorten(kept_s)
    return share if share.left_s > FLOOR_S else deadline  # too little for either of them


def may_go_on(run: JobRun, error: ProviderError, deadline: Deadline) -> bool:
    """Is the next source to be asked after this failure: in time, and not for a second price?"""
    if deadline.left_s <= FLOOR_S:
        return False
    last = run.attempts[-1] if run.attempts else None
    is_accepted = last is not None and bool(last.provider_request_id)
    is_free = is_known_unpaid(error, is_accepted=is_accepted)
    return is_free or run.job.slot.reserve_may_cost_twice


@asynccontextmanager
async def check_absent(sources: Sequence[Source]) -> AsyncIterator[None]:
    """While the photo is made elsewhere, find out by a free call which sources are back.

    No guest waits for it: a call that is not over when the picture is there is given up.
    """
    checks = [asyncio.ensure_future(_check(one)) for one in sources if one.needs_check]
    try:
        yield
    finally:
        for check in checks:
            check.cancel()
        await asyncio.gather(*checks, return_exceptions=True)


async def _check(source: Source) -> None:
    try:
        key = read_provider_key(source.slot.provider, source.stored_key)
    except ProviderError:
        key = ""
    found = await source.slot.driver.check(key, source.base_url)
    log.info(
        "provider.source.checked",
        slot=source.slot.pk,
        position=source.position,
        reason=found.reason,
    )
    await _note(partial(note_check, source.slot.pk, source.position, is_ok=found.ok))
