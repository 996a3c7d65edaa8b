"""What to do about a photo that failed: by its reason, the places where the remedy is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from ingest.models import Job
from ingest.refusals.causes import name_failure
from providers.registry import DRIVERS


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button of a job's page."""

    words: str
    url: str
    icon: str


# The first one is the most likely to help.
REMEDIES = {
    "timeout": ("model", "wait", "provider", "test"),
    "network": ("server", "provider", "original"),
    "provider_5xx": ("second_model", "provider", "test"),
    "quota": ("provider", "key", "server"),
    "busy": ("second_model", "provider"),
    "provider_auth": ("key", "server"),
    "provider_config": ("slot", "test", "key"),
    "content_blocked": ("prompt", "second_model", "provider", "original"),
    "bad_response": ("prompt", "second_model", "provider", "test"),
    "provider_rejected": ("test", "model", "prompt"),
    "client_gone": ("wait", "booths"),
    "storage_error": ("cache", "server"),
    "interrupted": ("server",),
    "invalid_image": ("capture",),
}
OTHERS = ("test", "server")
# Where another source may do better; with a reserve it is one press away, without one a good idea.
MENDED_BY_A_RESERVE = (
    *("timeout", "network", "provider_5xx", "quota", "busy", "provider_auth"),
    *("bad_response", "content_blocked"),
)


def list_remedies(job: Job, reason: str) -> list[Remedy]:
    """Empty for a photo that did not fail."""
    if not reason:
        return []
    names = REMEDIES.get(name_failure(reason, job.failure_detail), OTHERS)
    return [remedy for name in names for remedy in FINDERS[name](job)]


def can_use_reserve(job: Job, reason: str) -> bool:
    """Whether the slot has a reserve that could take over from its main service. One query."""
    is_asked = name_failure(reason, job.failure_detail) in MENDED_BY_A_RESERVE
    has_main = is_asked and job.slot.is_active and not job.slot.on_reserve
    return has_main and job.slot.reserves.filter(is_enabled=True).exists()


def _open_slot(job: Job, place: str, words: str, icon: str) -> Iterator[Remedy]:
    yield Remedy(words, f"{reverse('admin:slots_slot_change', args=[job.slot_id])}#{place}", icon)


def _open_recipe_field(job: Job, field: str, words: str, icon: str) -> Iterator[Remedy]:
    """Only where the slot still uses that service, and the service has such a setting."""
    driver = DRIVERS.get(job.slot.provider)
    if driver and field in driver.Settings.model_fields:
        yield from _open_slot(job, f"settings.{field}", words, icon)


def _change_model(job: Job) -> Iterator[Remedy]:
    driver = DRIVERS.get(job.slot.provider)
    for field in driver.Settings.MODEL_FIELDS[:1] if driver else ():
        yield from _open_recipe_field(job, field, _("Choose another model"), "spark")


def _name_second_model(job: Job) -> Iterator[Remedy]:
    driver = DRIVERS.get(job.slot.provider)
    for field in driver.Settings.MODEL_FIELDS[1:2] if driver else ():
        is_named = bool(job.slot.settings.get(field))
        words = _("Change the second model") if is_named else _("Name a second model")
        yield from _open_recipe_field(job, field, words, "layers")


def _change_provider(job: Job) -> Iterator[Remedy]:
    for name, driver in DRIVERS.items():
        if name != job.slot.provider:
            words = _("Switch the slot to %(service)s") % {"service": driver.title}
            yield from _open_slot(job, f"provider-{name}", words, driver.icon)


def _change_key(job: Job) -> Iterator[Remedy]:
    url = reverse("admin:slots_setting_changelist")
    yield Remedy(_("Enter another key"), f"{url}#id_key_of_{job.provider}", "lock")


def _open_page(name: str, words: str, icon: str, place: str = "") -> Iterator[Remedy]:
    yield Remedy(words, f"{reverse(f'admin:{name}')}{place}", icon)


FINDERS: dict[str, Callable[[Job], Iterator[Remedy]]] = {
    "prompt": lambda job: _open_recipe_field(job, "prompt", _("Change the prompt"), "pencil"),
    "model": _change_model,
    "second_model": _name_second_model,
    "provider": _change_provider,
    "key": _change_key,
    "wait": lambda job: _open_slot(
        job, "id_sync_response_seconds", _("Change the waiting time"), "clock"
    ),
    "original": lambda job: _open_slot(
        job, "id_on_failure", _("Print the guest's own photo on failure"), "images"
    ),
    "slot": lambda job: _open_slot(job, "recipe", _("Open the slot"), "pencil"),
    "test": lambda job: _open_slot(job, "trial", _("Try it on a test photo"), "play"),
    "server": lambda job: _open_page("event", _("Check the server"), "flag"),
    "booths": lambda job: _open_page("refusals", _("See how long the booth waits"), "clock"),
    "cache": lambda job: _open_page(
        "slots_setting_changelist", _("Clean the media cache"), "broom", "#clean-cache"
    ),
    "capture": lambda job: _open_page(
        "capture", _("Look at what the booth sends"), "eye", f"?slot={job.slot_id}"
    ),
}
