"""The AI services: keys, models, quota."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from pydantic import ValidationError as RecipeError

from ingest.models import Attempt, Job
from ingest.readiness.result import FAIL, OK, WARN, Verdict, active_slots, used_providers, when
from photochanger.errors import ProviderAuth, ProviderConfig, ProviderQuota
from providers.base import Model
from providers.checking import NO_KEY, NOT_CHECKED, KeyCheck
from providers.registry import DRIVERS
from slots.model_retirement import WARN_DAYS
from slots.models import Setting, Slot
from slots.provider_keys import provider_row_key, read_provider_key

RETIRES_SOON, QUOTA_SEEN = timedelta(days=WARN_DAYS), timedelta(hours=24)
# Key, models and clock ask the same service, one after the other. What is being mended must not
# look broken for long.
CHECK_FRESH_S, FAILURE_FRESH_S = 20.0, 4.0
LATEST_JOBS, FEW_ORDERS = 20, 100
ABOUT_THE_KEY = {NO_KEY, ProviderAuth.reason, ProviderConfig.reason}


@dataclass(frozen=True, slots=True)
class _Known:
    checked: KeyCheck
    about: tuple[str, str]  # the key and the address
    until: float


_known: dict[str, _Known] = {}  # by provider; of this process


def check_provider(name: str) -> KeyCheck:
    """The driver's free check of the stored key, a few seconds old at most."""
    row = Setting.objects.filter(pk=provider_row_key(name)).values_list("value", flat=True).first()
    try:
        key = read_provider_key(name, row)
    except ProviderConfig:
        words = _("The stored key cannot be read with this server's FIELD_ENCRYPTION_KEY.")
        return KeyCheck(ok=False, reason=ProviderConfig.reason, sentence=words)
    about = (key, str(getattr(settings, f"{name.upper()}_BASE_URL", "")))
    known = _known.get(name)
    if known and known.about == about and time.monotonic() < known.until:
        return known.checked
    checked = check_key(name, key)
    fresh_s = CHECK_FRESH_S if checked.ok else FAILURE_FRESH_S
    _known[name] = _Known(checked, about, time.monotonic() + fresh_s)
    return checked


def check_key(name: str, key: str) -> KeyCheck:
    """Of a key that may not be stored yet. Blocking, up to ``CHECK_SECONDS``."""
    return async_to_sync(DRIVERS[name].check)(key)


def look_at_key(name: str) -> Verdict:
    checked = check_provider(name)
    if not checked.ok:
        is_the_key = checked.reason in ABOUT_THE_KEY
        to_do = _("Enter a working key in the settings.") if is_the_key else ""
        return Verdict(FAIL, checked.sentence, to_do)
    if checked.reason == NOT_CHECKED:
        return Verdict(WARN, checked.sentence, _("Make a test photo below."))
    took = _("It answered in %(ms)s ms.") % {"ms": checked.latency_ms}
    return Verdict(OK, f"{checked.sentence} {took}")


def look_at_models() -> Verdict:
    """Of every slot that is switched on: does its service still offer its model, and until when?"""
    dead, dying, unknown = [], [], []
    checks = {name: check_provider(name) for name in used_providers()}
    for slot, model_id in _models_in_use():
        checked = checks[slot.provider]
        if not checked.ok:
            unknown.append(slot.pk)
            continue
        known: dict[str, Model] = {model.id: model for model in slot.driver.models}
        model = known.get(model_id)
        retires = model.retires_on if model else None
        if checked.models is not None and model_id not in checked.models:
            dead.append(f"{slot.pk}: {model_id}")
        elif retires and retires <= timezone.localdate() + RETIRES_SOON:
            dying.append(f"{slot.pk}: {model_id} ({date_format(retires, 'SHORT_DATE_FORMAT')})")
    if dead:
        words = _("The service has no such model (any more): %(models)s.")
        to_do = _("Choose another model in the slot.")
        return Verdict(FAIL, words % {"models": "; ".join(dead)}, to_do)
    if dying:
        words = _("The service switches this model off, or has announced it: %(models)s.")
        to_do = _("Choose another model before the event and make a test photo.")
        return Verdict(WARN, words % {"models": "; ".join(dying)}, to_do)
    if unknown:
        words = _("The service could not be asked about the models of %(slots)s.")
        words %= {"slots": ", ".join(sorted(set(unknown)))}
        return Verdict(WARN, words, _("Mend its key or the connection first."))
    return Verdict(OK, _("The models of all slots that are switched on are in service."))


def _models_in_use() -> Iterator[tuple[Slot, str]]:
    for slot in active_slots():
        try:
            recipe: Any = slot.recipe()
        except (RecipeError, KeyError):
            continue  # told by the slots' own line
        for name in ("model", "fallback_model"):
            if model := getattr(recipe, name, None):
                yield slot, str(model).removeprefix("models/")


def look_at_quota() -> Verdict:
    """What is known without paying: the last refusals, and what a service said is left."""
    slots = active_slots()
    refused = Job.objects.filter(
        slot__in=slots,
        status__in=[Job.Status.TIMEOUT, Job.Status.FAILED],
        started_at__gte=timezone.now() - QUOTA_SEEN,
        failure_reason=ProviderQuota.reason,
    ).order_by("-started_at")
    to_do = _("Look into the service's account: raise the limits or top it up.")
    if job := refused.first():
        is_over = Job.objects.filter(
            slot__provider=job.provider, status=Job.Status.DONE, started_at__gt=job.started_at
        ).exists()
        at = when(job.started_at)
        words = _("%(provider)s refused a photo of %(slot)s for its quota: %(at)s.")
        words %= {"provider": DRIVERS[job.provider].title, "slot": job.slot_id, "at": at}
        if is_over:
            since = _("Later photos went through.")
            return Verdict(WARN, f"{words} {since}", to_do)
        return Verdict(FAIL, words, to_do)
    left = _orders_left(slots)
    if left is not None and left < FEW_ORDERS:
        words = _("The service says that %(count)s photos are left.") % {"count": left}
        return Verdict(WARN if left else FAIL, words, to_do)
    return Verdict(OK, _("No photo was refused for quota in the last 24 hours."))


def _orders_left(slots: list[Slot]) -> int | None:
    """Turbotext says sometimes how many orders are left; the newest word of it."""
    ids = [slot.pk for slot in slots if slot.provider == "turbotext"]
    latest = Job.objects.filter(slot_id__in=ids).order_by("-started_at")[:LATEST_JOBS]
    attempts = Attempt.objects.filter(job__in=list(latest)) if ids else Attempt.objects.none()
    for usage in attempts.order_by("-started_at").values_list("usage", flat=True):
        if "foto_limit" in usage:
            return max(0, int(usage["foto_limit"]))
    return None
