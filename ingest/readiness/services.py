"""The AI services: keys, models, quota."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from pydantic import ValidationError as RecipeError

from ingest.models import Attempt, Job
from ingest.readiness.result import (
    FAIL,
    OK,
    WARN,
    CheckResult,
    format_moment,
    list_active_slots,
    list_used_providers,
)
from photochanger.db import clock
from photochanger.errors import ProviderAuth, ProviderConfig, ProviderQuota
from providers.base import Model
from providers.checking import NO_KEY, NOT_CHECKED, KeyCheck
from providers.meanings import BUSY_MARK
from providers.registry import DRIVERS
from slots.checked_keys.listed_models import remember_models
from slots.model_retirement import WARN_DAYS
from slots.models import Setting, Slot
from slots.provider_keys import provider_row_key, read_provider_key
from slots.reserve.in_use import list_used_recipes

RETIRES_SOON, QUOTA_SEEN = timedelta(days=WARN_DAYS), timedelta(hours=24)
# Key, models and clock ask the same service, one after the other, so one check serves them all. A
# failure is cached for a shorter time: the page must soon show that a key or connection is mended.
CHECK_FRESH_S, FAILURE_FRESH_S = 20.0, 4.0
LATEST_JOBS, FEW_ORDERS = 20, 100
ABOUT_THE_KEY = {NO_KEY, ProviderAuth.reason, ProviderConfig.reason}


@dataclass(frozen=True, slots=True)
class _CachedCheck:
    checked: KeyCheck
    key_and_address: tuple[str, str]
    expires_at: float  # time.monotonic()


_cached_checks: dict[str, _CachedCheck] = {}  # by provider, in this process


def check_provider(name: str) -> KeyCheck:
    """The driver's free check of the stored key, cached for a few seconds.

    Blocking, up to ``CHECK_SECONDS``.
    """
    row = Setting.objects.filter(pk=provider_row_key(name)).values_list("value", flat=True).first()
    try:
        key = read_provider_key(name, row)
    except ProviderConfig:
        words = _("The stored key cannot be read with this server's FIELD_ENCRYPTION_KEY.")
        return KeyCheck(ok=False, reason=ProviderConfig.reason, sentence=words)
    key_and_address = (key, str(getattr(settings, f"{name.upper()}_BASE_URL", "")))
    cached = _cached_checks.get(name)
    if (
        cached
        and cached.key_and_address == key_and_address
        and time.monotonic() < cached.expires_at
    ):
        return cached.checked
    checked = async_to_sync(DRIVERS[name].check)(key)
    fresh_s = CHECK_FRESH_S if checked.ok else FAILURE_FRESH_S
    remember_models(name, key, checked.models)
    _cached_checks[name] = _CachedCheck(checked, key_and_address, time.monotonic() + fresh_s)
    return checked


def check_provider_key(name: str) -> CheckResult:
    checked = check_provider(name)
    if not checked.ok:
        is_the_key = checked.reason in ABOUT_THE_KEY
        to_do = _("Enter a working key in the settings.") if is_the_key else ""
        return CheckResult(FAIL, checked.sentence, to_do)
    if checked.reason == NOT_CHECKED:
        return CheckResult(WARN, checked.sentence, _("Make a test photo below."))
    took = _("It answered in %(ms)s ms.") % {"ms": checked.latency_ms}
    return CheckResult(OK, f"{checked.sentence} {took}")


def check_models() -> CheckResult:
    """Do the services of active slots and reserves still offer their models, and until when?"""
    dead, dying, unknown = [], [], []
    checks = {name: check_provider(name) for name in list_used_providers()}
    for slot, model_id in _iterate_models_in_use():
        checked = checks[slot.provider]
        if not checked.ok:
            unknown.append(slot.pk)
            continue
        listed: dict[str, Model] = {model.id: model for model in slot.driver.models}
        model = listed.get(model_id)
        retires = model.retires_on if model else None
        if checked.models is not None and model_id not in checked.models:
            dead.append(f"{slot.pk}: {model_id}")
        elif retires and retires <= timezone.localdate() + RETIRES_SOON:
            dying.append(f"{slot.pk}: {model_id} ({date_format(retires, 'SHORT_DATE_FORMAT')})")
    if dead:
        words = _("The service has no such model (any more): %(models)s.")
        to_do = _("Choose another model in the slot.")
        return CheckResult(FAIL, words % {"models": "; ".join(dead)}, to_do)
    if dying:
        words = _("The service has announced the end of this model: %(models)s.")
        to_do = _("Choose another model before the event and make a test photo.")
        return CheckResult(WARN, words % {"models": "; ".join(dying)}, to_do)
    if unknown:
        words = _("The service could not be asked about the models of %(slots)s.")
        words %= {"slots": ", ".join(sorted(set(unknown)))}
        return CheckResult(WARN, words, _("Mend its key or the connection first."))
    return CheckResult(OK, _("The models of all slots that are switched on are in service."))


def _iterate_models_in_use() -> Iterator[tuple[Slot, str]]:
    for used in list_used_recipes(list_active_slots()):
        if used.has_own_access:  # its key is not the one that was checked
            continue
        try:
            models = used.slot.recipe().models_used()
        except (RecipeError, KeyError):
            continue  # the check of the slots reports it
        for model in models:
            yield used.slot, model


def check_quota() -> CheckResult:
    """What can be known without paying: the last refusals, and how many photos are left."""
    slots = list_active_slots()
    refused = Job.objects.filter(
        slot__in=slots,
        status__in=[Job.Status.TIMEOUT, Job.Status.FAILED],
        started_at__gte=clock.now() - QUOTA_SEEN,
        failure_reason=ProviderQuota.reason,
    ).exclude(failure_detail__contains=BUSY_MARK)  # which passed by itself
    refused = refused.order_by("-started_at")
    to_do = _("Look into the service's account: raise the limits or top it up.")
    if job := refused.first():
        is_over = Job.objects.filter(
            slot__provider=job.provider, status=Job.Status.DONE, started_at__gt=job.started_at
        ).exists()
        at = format_moment(job.started_at)
        words = _("%(provider)s refused a photo of %(slot)s for its quota: %(at)s.")
        words %= {"provider": DRIVERS[job.provider].title, "slot": job.slot_id, "at": at}
        if is_over:
            since = _("Later photos went through.")
            return CheckResult(WARN, f"{words} {since}", to_do)
        return CheckResult(FAIL, words, to_do)
    left = _count_calls_left(slots)
    if left is not None and left < FEW_ORDERS:
        words = _("The service says that %(count)s photos are left.") % {"count": left}
        return CheckResult(WARN if left else FAIL, words, to_do)
    return CheckResult(OK, _("No photo was refused for quota in the last 24 hours."))


def _count_calls_left(slots: list[Slot]) -> int | None:
    """The newest word of a service on how many calls are left; of several, the smallest."""
    found = []
    for name in {slot.provider for slot in slots} & DRIVERS.keys():
        if not DRIVERS[name].tells_calls_left:
            continue
        ids = [slot.pk for slot in slots if slot.provider == name]
        latest = Job.objects.filter(slot_id__in=ids).order_by("-started_at")[:LATEST_JOBS]
        usages = Attempt.objects.filter(job__in=list(latest)).order_by("-started_at")
        counts = map(DRIVERS[name].calls_left, usages.values_list("usage", flat=True))
        found.append(next((left for left in counts if left is not None), None))
    return min((left for left in found if left is not None), default=None)
