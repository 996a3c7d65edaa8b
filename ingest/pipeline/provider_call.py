"""Call the provider for one job: what it is sent, how long it may take, what it did."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from pydantic import ValidationError

from ingest.costs.payment import price_attempt
from ingest.faces.search import start_face_search
from ingest.models import Attempt
from ingest.pipeline.admission import Admission
from ingest.pipeline.closing import choose_reason, to_milliseconds
from ingest.pipeline.input_links import make_publisher
from ingest.pipeline.order import Deadline
from ingest.pipeline.outcome import JobRun
from ingest.pipeline.photo_print import plan_print
from ingest.pipeline.prompt_words import count_people, fill_prompts
from ingest.pipeline.result_check import ResultPicture, check_result
from ingest.pipeline.retry_policy import FLOOR_S, Retry, choose_retry, estimate_call_s
from ingest.refusals.errors import NoTimeLeft
from media import storage
from media.services import build_result_path
from photochanger import metrics
from photochanger.db import clock, in_db
from photochanger.errors import (
    AppError,
    ProviderConfig,
    ProviderError,
    ProviderNetwork,
    ProviderQuota,
    ProviderTimeout,
    StorageError,
)
from photochanger.pictures import EXTENSIONS, Picture
from photochanger.redaction import redact
from photochanger.tasks import run_to_completion
from photochanger.threads.time_limit import choose_end, limit_waits
from providers.base import CallTrace, DriverSettings, ProviderRequest
from providers.registry import DRIVERS
from providers.traffic import measure_traffic
from slots.prints.recipe import build_photo_recipe
from slots.provider_keys import read_provider_key

log = structlog.get_logger()

STORE_LIMIT_S = 10.0  # a bucket that is slow, and works; one that hangs is not waited for longer
ANSWER_S = 0.4  # kept for the answer itself
BUSY_RETRY_AFTER_S = 5.0  # for the booth, where a busy service names no time of its own
# What the driver may know of the job; each call adds its own time limit, number and trace.
RequestBuilder = Callable[..., ProviderRequest[Any]]
Finish = Callable[[JobRun, Picture, DriverSettings], Awaitable[ResultPicture]]


async def prepare_request(run: JobRun, admission: Admission) -> RequestBuilder:
    """What is the same for every call of the job.

    Raises ProviderConfig for a slot that cannot work.
    """
    slot = admission.job.slot
    try:
        recipe = build_photo_recipe(slot, run.frame)
    except (ValidationError, KeyError) as exc:
        raise ProviderConfig(f"the slot's settings are not valid: {exc}"[:500]) from exc
    api_key = read_provider_key(slot.provider, admission.stored_key)
    if not api_key:
        raise ProviderConfig(f"there is no key for {slot.provider}")
    if run.face_search is None:
        run.face_search = await start_face_search(
            run.order.photo, slot, run.order.platform, run.files
        )
    base_url = admission.base_url
    return partial(
        ProviderRequest,
        operation=slot.operation,
        photo=run.order.photo_to_send,
        references=run.references,
        settings=recipe,
        api_key=api_key,
        base_url=base_url,
        publish=make_publisher(run, base_url) if slot.driver.requires_public_media else None,
    )


async def call_provider(run: JobRun, build: RequestBuilder, deadline: Deadline) -> ResultPicture:
    """A checked and stored picture; calls again where ``retry_policy`` says so.

    Raises ProviderError, which is ProviderTimeout at the deadline, and NoTimeLeft without a call
    when it is so near that no picture could be made by then.
    """
    await count_people(run, deadline)  # where the prompt asks for their number
    if deadline.left_s < FLOOR_S:
        raise NoTimeLeft(f"{max(0.0, deadline.left_s):.1f} s were left: the service was not called")
    turn = 1  # as the driver counts, which changes to a second model
    try:
        async with asyncio.timeout_at(deadline.at) as run.time_limit:
            while True:
                run.time_limit.reschedule(deadline.at)
                try:
                    return await call_once(run, build, deadline, turn=turn)
                except ProviderError as exc:
                    retry = await plan_retry(exc, run, deadline, turn=turn)
                    if retry is None:
                        raise
                await asyncio.sleep(retry.pause_s)
                turn = retry.turn
    except TimeoutError as exc:
        raise ProviderTimeout("the deadline passed while the provider worked") from exc


async def plan_retry(
    error: ProviderError, run: JobRun, deadline: Deadline, *, turn: int
) -> Retry | None:
    """The next call, or None when this failure is the outcome."""
    if not error.retryable:
        return None
    job = run.job
    typical_s = await in_db(estimate_call_s, job.slot_id, job.provider)
    retry = choose_retry(
        error,
        turn=turn,
        left_s=deadline.left_s,
        typical_s=typical_s,
        has_second_model=len(set(job.slot.recipe().models_used())) > 1,
        has_next_source=run.has_next_source,
    )
    if retry is not None:
        log.info(
            "provider.call.retried", job=str(job.pk), reason=error.reason, pause_s=retry.pause_s
        )
    elif isinstance(error, ProviderQuota) and error.retry_after_s is None:
        error.retry_after_s = BUSY_RETRY_AFTER_S
    return retry


async def call_once(
    run: JobRun,
    build: RequestBuilder,
    deadline: Deadline,
    *,
    turn: int,
    finish: Finish | None = None,
) -> ResultPicture:
    """One call, and its attempt row whatever comes of it; ``finish`` instead of storing it."""
    trace = CallTrace()
    attempt = Attempt(
        job=run.job,
        number=len(run.attempts) + 1,
        provider=run.job.provider,
        reserve=run.job.reserve,
        started_at=clock.now(),
    )
    run.attempts.append(attempt)
    request = fill_prompts(build(budget_s=deadline.left_s, call_number=turn, trace=trace), run)
    is_unsent = False
    try:
        picture = await _ask_driver(run, attempt, request)
        attempt.detail = redact(run.hide_texts(trace.note)) or run.frame_problem
        return await (finish or check_and_store)(run, picture, request.settings)
    except BaseException as exc:
        if isinstance(exc, AppError):  # before it goes to rows and logs
            exc.args = (run.hide_texts(str(exc)),)
        attempt.failure_reason = choose_reason(exc, is_late=deadline.left_s <= 0)
        attempt.detail = str(exc)[:500] if isinstance(exc, AppError) else ""
        is_unsent = isinstance(exc, ProviderNetwork) and exc.retryable
        raise
    finally:
        _finish_attempt(attempt, trace)
        price_attempt(attempt, request, run.prices, is_unsent=is_unsent)


async def _ask_driver(run: JobRun, attempt: Attempt, request: ProviderRequest[Any]) -> Picture:
    """The driver's picture; how long it took is known whatever comes of it."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        with measure_traffic(run.stopwatch.traffic):
            return await DRIVERS[run.job.provider].process(request)
    finally:
        run.stopwatch.note_call(started, loop.time())
        attempt.duration_ms = to_milliseconds(loop.time() - started)


def _finish_attempt(attempt: Attempt, trace: CallTrace) -> None:
    """What the provider said goes to the row, the log and the metrics."""
    trace.redact()
    attempt.model, attempt.http_status = trace.model, trace.http_status
    attempt.finish_reason, attempt.usage = trace.finish_reason, trace.usage
    attempt.provider_request_id = trace.provider_request_id
    log.info(
        "provider.call.finished",
        job=str(attempt.job_id),
        provider=attempt.provider,
        http_status=attempt.http_status,
        reason=attempt.failure_reason,
        duration_ms=attempt.duration_ms,
    )
    metrics.count_provider_call(
        provider=attempt.provider, reason=attempt.failure_reason, duration_ms=attempt.duration_ms
    )


async def check_and_store(run: JobRun, picture: Picture, rules: DriverSettings) -> ResultPicture:
    """The picture, checked, and on disk if that takes it in time. Raises BadResponse."""
    if run.time_limit is not None:
        with suppress(RuntimeError):  # it has just passed
            # Paid for: from here on there is all the time that the booth waits.
            run.time_limit.reschedule(run.order.deadline.at)
    plan = plan_print(run.order, run.frame, people=run.people_told)
    result = await asyncio.to_thread(check_result, picture, rules, plan)
    await run_to_completion(store_in_time(run, result))
    return result


async def store_in_time(run: JobRun, result: ResultPicture) -> None:
    """Like ``store_picture``, off the event loop; one that hangs costs the guest's link too."""
    try:
        with limit_waits(min(choose_end(STORE_LIMIT_S), run.order.deadline.at - ANSWER_S)):
            await storage.in_threads(store_picture, run, result.mime, result.body)
    except StorageError as exc:
        run.stored_path, run.storage_error = "", f"sent, but not stored: {exc}"[:500]
        log.error("ingest.result.write_hangs", job=str(run.job.pk))


def store_picture(run: JobRun, mime: str, body: bytes) -> None:
    """Put the job's one result on disk. Blocking.

    A disk that does not take it costs the guest's link, never the booth's print: the picture is
    paid for, and its bytes are here.
    """
    path = build_result_path(run.job.slot_id, run.job.pk, EXTENSIONS[mime])
    try:
        if run.stored_path:
            storage.remove(run.stored_path)
        storage.write(path, body)
    except (StorageError, OSError) as exc:
        run.stored_path, run.storage_error = "", f"sent, but not stored: {exc}"[:500]
        log.exception("ingest.result.write_failed", job=str(run.job.pk))
        with suppress(StorageError, OSError):
            storage.remove(path)  # nor the empty folder that was made for it
    else:
        run.stored_path, run.storage_error = path, ""
