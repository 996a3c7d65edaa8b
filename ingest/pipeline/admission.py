"""Admit a photo: limits and duplicates, decided in the database so that all processes agree.

The two statements of the hot path (``row_locks``, ``in_flight``) are written by hand: they run for
every photo, and the ORM took 8 ms for what they do in 3.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import orjson
from django.db import Error as AnyDatabaseError
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from ingest.booth.drill_key import PREFIX as DRILL
from ingest.booth.drill_key import is_drill_key
from ingest.budgets.limits import Limit, Use
from ingest.budgets.reservation import check_budgets, estimate_photo
from ingest.costs.price_table import NO_PRICES, PriceTable, load_price_table
from ingest.costs.spending import choose_day
from ingest.models import Job
from ingest.pipeline.closing import Closing
from ingest.pipeline.in_flight import FULL_RETRY_AFTER_S, count_in_flight
from ingest.pipeline.lab_share import check_lab_places
from ingest.pipeline.late_closings import keep_closing
from ingest.pipeline.order import Order
from ingest.pipeline.outcome import JobRun, close_failed
from ingest.pipeline.row_locks import load_templates, lock_rows
from ingest.refusals.errors import DatabaseAway, PhotoQueueFull, ProviderFull, SlotFull
from media.services import select_live_results
from photochanger import metrics
from photochanger.db import clock, in_db
from photochanger.db.limits import PHOTO_STEP_S
from photochanger.errors import ClientGone, IdempotencyConflict, SlotDisabled
from photochanger.threads.time_limit import choose_end, limit_waits
from photochanger.threads.turns import take_turn
from slots.models import Slot, SlotTemplateMedia
from slots.reserve.sources import Source, plan_sources

PROVIDER_ADMISSIONS = 2  # of the photos' lanes in one process


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A place for one photo: its open job, and what the provider will need, read under the same
    lock. ``is_replay``: it is an equal photo's earlier job, and the rest is empty."""

    job: Job
    stored_key: object = None  # of the provider, as its settings row keeps it
    templates: tuple[SlotTemplateMedia, ...] = ()
    base_url: str = ""  # where the provider is called, if not at its own address
    prices: PriceTable = NO_PRICES
    sources: tuple[Source, ...] = ()  # of a slot with reserves, in the order they are asked in
    is_replay: bool = False


def take_turn_of_equals(order: Order) -> AbstractAsyncContextManager[None]:
    """Around the way from the first query to admission: of equal photos that come at once the first
    is decoded, and the others find its job.

    By the photo alone, which is known without the database. A test run or a picture of the lab is
    equal to none. Raises PhotoQueueFull when the turn does not come before the request's end.
    """
    if order.is_trial:
        return nullcontext()
    refuse = partial(PhotoQueueFull, retry_after_s=FULL_RETRY_AFTER_S)
    return take_turn(f"{order.slot.pk}:{order.photo.sha256}", at_once=1, make_error=refuse)


async def admit_photo(order: Order) -> Admission:
    """``admit``, and the place given back when the booth hangs up at this very moment."""
    admitting = asyncio.ensure_future(_admit_in_turn(order))
    try:
        return await asyncio.shield(admitting)
    except asyncio.CancelledError:
        admission = await admitting
        if not admission.is_replay:
            run = JobRun(admission.job, order)
            await in_db(close_failed, run, ClientGone("the booth hung up on its way in"))
        raise


async def _admit_in_turn(order: Order) -> Admission:
    """One photo of a slot at a time, and two of a provider: the row's lock lets no more in anyway,
    and where somebody else holds it, lanes are left for the other slots."""
    slot = order.slot
    with limit_waits(choose_end(PHOTO_STEP_S)):
        async with (
            take_turn(slot.pk, at_once=1, make_error=DatabaseAway),
            take_turn(slot.provider, at_once=PROVIDER_ADMISSIONS, make_error=DatabaseAway),
        ):
            try:
                admission = await in_db(admit, order)
            except AnyDatabaseError:
                keep_closing(describe_unknown(order))
                raise
    if not admission.is_replay:
        order.note_job()
    return admission


def describe_unknown(order: Order) -> Closing:
    """How to close a job of which nobody knows whether it was opened: no answer came."""
    return Closing.of(
        Job(**_job_fields(order, order.slot)),
        [],
        finished_at=clock.now(),
        status=Job.Status.FAILED,
        failure_reason=DatabaseAway.reason,
        failure_detail="the database did not say in time whether the photo was let in",
        replay_key=None,
    )


def find_equal_job(order: Order) -> Job | None:
    """The job of an equal photo, or None when there may be a place for this one.

    The first query, unlocked: a clear refusal or a replay costs no lock, which under a storm of
    refusals lets half as many photos in again, and no decoding. Raises as ``admit``.
    """
    return check_capacity(order).earlier


def admit(order: Order) -> Admission:
    """A place for this photo, or the job of an equal one.

    One short transaction, right across processes and machines. Raises RateLimited,
    IdempotencyConflict, SlotDisabled.
    """
    try:
        return _admit_locked(order)
    except IntegrityError:
        # The unique replay key has the last word: an equal photo was a moment quicker.
        if (earlier := check_capacity(order).earlier) is not None:
            return Admission(job=earlier, is_replay=True)
        raise


@transaction.atomic
def _admit_locked(order: Order) -> Admission:
    day = choose_day(order.deadline.started_at)
    locked = lock_rows(order.slot, day)
    read = order.slot.version, order.slot.event_id
    is_stale = (locked.slot_version, locked.event_id) != read
    if is_stale and not order.is_trial:  # it was saved, or its event began, since the photo arrived
        order.slot.refresh_from_db()  # for the rest of the photo's path, the print included
        locked = lock_rows(order.slot, day)
    slot = order.slot
    if not slot.is_active:
        raise SlotDisabled(slot.pk)
    capacity = check_capacity(order, locked.limits)
    if capacity.earlier is not None:
        return Admission(job=capacity.earlier, is_replay=True)
    key = replay_key(order)
    if capacity.key_is_stale:
        Job.objects.filter(replay_key=key).update(replay_key=None)
    texts = order.guest_texts or None
    templates = order.draft_templates if order.is_trial else load_templates(slot, locked)
    has_sources = locked.reserves and not order.is_trial
    sources = plan_sources(slot, locked.stored_key) if has_sources else order.reserves
    prices = load_price_table(order.platform.prices_version)
    services = [source.slot for source in sources] or [slot]
    kinds = [one.media_kind for one in templates]
    micros = estimate_photo(services, prices, day, kinds=kinds)
    if capacity.uses:
        check_budgets(order, capacity.uses, micros)
    fields = _job_fields(order, slot) | {"reserved_micros": micros}
    job = Job.objects.create(**fields, guest_texts=texts, replay_key=key)
    return Admission(
        job=job,
        stored_key=locked.stored_key,
        templates=templates,
        prices=prices,
        sources=sources,
    )


def _job_fields(order: Order, slot: Slot) -> dict[str, object]:
    key = order.idempotency_key
    is_drill = key.startswith(DRILL) and is_drill_key(key)  # a booth's way, a test's figures
    return {
        "job_id": order.job_id,
        "slot": slot,
        "slot_version": slot.version,
        "event_id": slot.event_id,
        "source": Job.Source.UI_TEST if is_drill else order.source,
        "provider": slot.provider,
        "operation": slot.operation,
        "started_at": order.deadline.started_at,
        "deadline": order.deadline.expires_at,
        "photo_sha256": order.photo.sha256,
        "photo_bytes": order.photo.size_bytes,
        "hash_recipe": order.hash_recipe,
        "idempotency_key": order.idempotency_key,
        "booth_id": order.booth.id,
        "booth_name": order.booth.name,
        "booth_version": order.booth.version,
    }


class Capacity(NamedTuple):
    earlier: Job | None  # an equal photo's job, in progress or with its picture still kept
    key_is_stale: bool  # held by a job that has died or expired
    uses: Sequence[Use] = ()  # of the photo's budgets


def check_capacity(order: Order, limits: Sequence[Limit] = ()) -> Capacity:
    """Is there an equal photo's job, or else a place? ``limits``: of the budgets to add up.

    Raises RateLimited, and IdempotencyConflict when the key came with another photo.
    """
    slot, platform = order.slot, order.platform
    key = replay_key(order)
    found, holder_id, uses = count_in_flight(
        slot.pk, slot.provider, besides=order.job_id, replay_key=key, limits=limits
    )
    holder = Job.objects.filter(pk=holder_id).first() if holder_id else None
    if holder is not None and is_replay(order, holder):
        return Capacity(earlier=holder, key_is_stale=False)
    if order.source == Job.Source.LAB:
        check_lab_places(found, platform)
    if found.in_slot >= platform.max_jobs_per_slot:
        metrics.count_queue_full(slot=slot.pk, limit="slot")
        raise SlotFull(f"{slot.pk} is full", retry_after_s=FULL_RETRY_AFTER_S)
    if found.in_provider >= platform.max_jobs_per_provider:
        metrics.count_queue_full(slot=slot.pk, limit="provider")
        raise ProviderFull(f"{slot.provider} is full", retry_after_s=FULL_RETRY_AFTER_S)
    return Capacity(earlier=None, key_is_stale=holder is not None, uses=uses)


def replay_key(order: Order) -> str | None:
    """What makes two photos the same order, or None when each is an order of its own."""
    slot = order.slot
    if order.is_trial:
        return None
    if order.idempotency_key:
        return f"key:{slot.pk}:{order.idempotency_key}"
    if order.platform.replay_by_hash:
        return f"hash:{slot.pk}:{slot.version}:{order.photo.sha256}{_sign(order.guest_texts)}"
    return None


def _sign(texts: dict[str, str]) -> str:
    """Of the words of a prompt, so that nobody gets a picture with another guest's name on it.

    Keyed: names are guessed too easily from a plain hash.
    """
    if not texts:
        return ""
    payload = orjson.dumps(texts, option=orjson.OPT_SORT_KEYS)
    return ":" + salted_hmac("ingest.guest_texts", payload, algorithm="sha256").hexdigest()


def is_replay(order: Order, holder: Job) -> bool:
    """Is the holder's job in progress, or its picture still kept? Then this order is the same one.

    Raises IdempotencyConflict when the key came with another photo, or with other words.
    """
    is_open = holder.status == Job.Status.PROCESSING and not holder.is_overdue()
    if not (is_open or select_live_results().filter(job_id=holder.pk).exists()):
        return False
    if holder.photo_sha256 != order.photo.sha256:
        raise IdempotencyConflict("the key belongs to another photo", job_id=str(holder.pk))
    if (holder.guest_texts or {}) != order.guest_texts:
        raise IdempotencyConflict("the key belongs to other words", job_id=str(holder.pk))
    return True
