"""Who may go in: limits and duplicates, decided in the database so that all processes agree."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils import timezone

from ingest.models import Job
from ingest.reception import Order
from photochanger.errors import IdempotencyConflict, RateLimited, SlotDisabled
from slots.models import Setting, Slot
from slots.services import PlatformSettings, provider_row_key

FULL_RETRY_AFTER_S = 3


def admit(order: Order) -> tuple[Job, bool]:
    """A place for one photo: its new row and False, or an equal photo's earlier job and True.

    One short transaction, right across processes and machines. Raises RateLimited,
    IdempotencyConflict, SlotDisabled.
    """
    # An unlocked look first: a clear refusal or a replay costs no lock, which under a storm of
    # refusals lets half as many photos in again.
    if earlier := find_earlier(order, order.slot):
        return earlier, True
    refuse_when_full(order.slot, order.platform)
    try:
        return _admit_locked(order)
    except IntegrityError:
        # The unique replay key has the last word: an equal photo was a moment quicker.
        if earlier := find_earlier(order, order.slot):
            return earlier, True
        raise


@transaction.atomic
def _admit_locked(order: Order) -> tuple[Job, bool]:
    # no_key: plain FOR UPDATE deadlocks with the foreign keys of rows inserted meanwhile.
    slot = Slot.objects.select_for_update(no_key=True).get(pk=order.slot.pk)
    Setting.objects.select_for_update(no_key=True).get_or_create(pk=provider_row_key(slot.provider))
    if not slot.is_active:
        raise SlotDisabled(slot.pk)
    if earlier := find_earlier(order, slot):
        return earlier, True
    refuse_when_full(slot, order.platform)
    key = replay_key(order, slot)
    if key:  # whoever still holds the key has failed, died or expired
        Job.objects.filter(replay_key=key).update(replay_key=None)
    return Job.objects.create(**_row(order, slot), replay_key=key), False


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


def refuse_when_full(slot: Slot, platform: PlatformSettings) -> None:
    """Photos whose deadline has passed do not count: their process died."""
    in_flight = Job.objects.filter(
        Q(slot=slot) | Q(provider=slot.provider),
        status=Job.Status.PROCESSING,
        deadline__gt=timezone.now(),
    ).aggregate(
        slot=Count("pk", filter=Q(slot=slot)),
        provider=Count("pk", filter=Q(provider=slot.provider)),
    )
    if in_flight["slot"] >= platform.max_jobs_per_slot:
        raise RateLimited(f"{slot.pk} is full", retry_after_s=FULL_RETRY_AFTER_S)
    if in_flight["provider"] >= platform.max_jobs_per_provider:
        raise RateLimited(f"{slot.provider} is full", retry_after_s=FULL_RETRY_AFTER_S)


# --- Duplicates ----------------------------------------------------------------------------------
def replay_key(order: Order, slot: Slot) -> str | None:
    """What makes two photos the same order, or None when each is an order of its own."""
    if order.source == Job.Source.UI_TEST:
        return None
    if order.idempotency_key:
        return f"key:{slot.pk}:{order.idempotency_key}"
    if order.platform.replay_by_hash:
        return f"hash:{slot.pk}:{slot.version}:{order.photo.sha256}"
    return None


def find_earlier(order: Order, slot: Slot) -> Job | None:
    """The job of an equal photo that is in progress, or whose picture is still kept.

    Raises IdempotencyConflict when the same key came with another photo.
    """
    key = replay_key(order, slot)
    job = Job.objects.filter(replay_key=key).first() if key else None
    if job is None or not may_be_replayed(job, timezone.now()):
        return None
    if job.photo_sha256 != order.photo.sha256:
        raise IdempotencyConflict("the key belongs to another photo", job_id=str(job.pk))
    return job


def may_be_replayed(job: Job, now: datetime) -> bool:
    if job.status == Job.Status.PROCESSING:
        return not job.is_overdue(now)
    return job.result_is_kept(now)
