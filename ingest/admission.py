"""Who may go in: limits and duplicates, decided in the database so that all processes agree."""

from dataclasses import dataclass
from typing import NamedTuple

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ingest.models import Job
from ingest.reception import Order
from photochanger.errors import IdempotencyConflict, RateLimited, SlotDisabled
from slots.models import Setting, Slot, SlotTemplateMedia
from slots.services import PlatformSettings, lock_provider

FULL_RETRY_AFTER_S = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A place for one photo: its open job, and what the provider will need, read under the same
    lock. ``is_replay``: it is an equal photo's earlier job, and the rest is empty."""

    job: Job
    provider_row: Setting | None = None
    templates: tuple[SlotTemplateMedia, ...] = ()
    is_replay: bool = False


def admit(order: Order) -> Admission:
    """A place for this photo, or the job of an equal one.

    One short transaction, right across processes and machines. Raises RateLimited,
    IdempotencyConflict, SlotDisabled.
    """
    # An unlocked look first: a clear refusal or a replay costs no lock, which under a storm of
    # refusals lets half as many photos in again.
    if (earlier := look(order, order.slot).earlier) is not None:
        return Admission(job=earlier, is_replay=True)
    try:
        return _admit_locked(order)
    except IntegrityError:
        # The unique replay key has the last word: an equal photo was a moment quicker.
        if (earlier := look(order, order.slot).earlier) is not None:
            return Admission(job=earlier, is_replay=True)
        raise


@transaction.atomic
def _admit_locked(order: Order) -> Admission:
    # no_key: plain FOR UPDATE deadlocks with the foreign keys of rows inserted meanwhile.
    slot = Slot.objects.select_for_update(no_key=True).get(pk=order.slot.pk)
    provider_row = lock_provider(slot.provider)
    if not slot.is_active:
        raise SlotDisabled(slot.pk)
    seen = look(order, slot)
    if seen.earlier is not None:
        return Admission(job=seen.earlier, is_replay=True)
    key = replay_key(order, slot)
    if seen.key_is_stale:
        Job.objects.filter(replay_key=key).update(replay_key=None)
    job = Job.objects.create(**_row(order, slot), replay_key=key)
    templates = tuple(slot.template_media.select_related("media_object"))
    return Admission(job=job, provider_row=provider_row, templates=templates)


def _row(order: Order, slot: Slot) -> dict[str, object]:
    return {
        "slot": slot,
        "slot_version": slot.version,
        "source": order.source,
        "provider": slot.provider,
        "operation": slot.operation,
        "started_at": order.started_at,
        "deadline": order.deadline,
        "photo_sha256": order.photo.sha256,
        "photo_bytes": order.photo.size_bytes,
        "hash_recipe": order.hash_recipe,
        "idempotency_key": order.idempotency_key,
        "booth_id": order.booth.id,
        "booth_name": order.booth.name,
        "booth_version": order.booth.version,
    }


# --- Limits and duplicates -----------------------------------------------------------------------
class Look(NamedTuple):
    earlier: Job | None  # an equal photo's job, in progress or with its picture still kept
    key_is_stale: bool  # held by a job that has died or expired


def look(order: Order, slot: Slot) -> Look:
    """Is there an equal photo's job, or else a place?

    Raises RateLimited, and IdempotencyConflict when the key came with another photo.
    """
    key = replay_key(order, slot)
    holder = Job.objects.filter(replay_key=key).order_by().first() if key else None
    if holder is not None and is_replay(order, holder):
        return Look(earlier=holder, key_is_stale=False)
    refuse_when_full(slot, order.platform)
    return Look(earlier=None, key_is_stale=holder is not None)


# By hand, since it runs twice per photo and the ORM takes four times as long to build it. Photos
# whose deadline has passed do not count: their process died.
IN_FLIGHT = """
    SELECT count(*) FILTER (WHERE slot_id = %s), count(*) FILTER (WHERE provider = %s)
    FROM job_history WHERE status = 'processing' AND deadline > %s
"""


def refuse_when_full(slot: Slot, platform: PlatformSettings) -> None:
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(IN_FLIGHT, [slot.pk, slot.provider, now])
        in_slot, in_provider = cursor.fetchone()
    if in_slot >= platform.max_jobs_per_slot:
        raise RateLimited(f"{slot.pk} is full", retry_after_s=FULL_RETRY_AFTER_S)
    if in_provider >= platform.max_jobs_per_provider:
        raise RateLimited(f"{slot.provider} is full", retry_after_s=FULL_RETRY_AFTER_S)


def replay_key(order: Order, slot: Slot) -> str | None:
    """What makes two photos the same order, or None when each is an order of its own."""
    if order.source == Job.Source.UI_TEST:
        return None
    if order.idempotency_key:
        return f"key:{slot.pk}:{order.idempotency_key}"
    if order.platform.replay_by_hash:
        return f"hash:{slot.pk}:{slot.version}:{order.photo.sha256}"
    return None


def is_replay(order: Order, holder: Job) -> bool:
    """Is the holder's job in progress, or its picture still kept? Then this order is the same one.

    Raises IdempotencyConflict when the key came with another photo.
    """
    now = timezone.now()
    is_open = holder.status == Job.Status.PROCESSING and not holder.is_overdue(now)
    if not (is_open or holder.result_is_kept(now)):
        return False
    if holder.photo_sha256 != order.photo.sha256:
        raise IdempotencyConflict("the key belongs to another photo", job_id=str(holder.pk))
    return True
