"""The last tests of a slot beside each other, and the way of a recipe from there into the form."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ingest.console.jobs import JobRow
from ingest.costs.money import CostWords, Currency, load_currency
from ingest.models import Attempt, TrialRecord
from ingest.trials.records import KeptTrial, find_trial, list_trials
from photochanger.errors import AppError
from providers.registry import DRIVERS
from slots.console.pages import find_slot_or_404
from slots.console.recipe_form import format_stored, get_prefix
from slots.console.slot import draw_recipe
from slots.console.slot_form import read_typed
from slots.library.presets import LibraryPreset, find_same_recipe, list_presets
from slots.models import Slot


@dataclass(frozen=True)
class KeptTrialRow(JobRow):
    """A kept test as the page shows it."""

    kept: KeptTrial = field(kw_only=True)
    preset: LibraryPreset | None = field(kw_only=True, default=None)  # that it has tried
    currency: Currency = field(kw_only=True)

    @property
    def cost(self) -> str:
        return CostWords.of_job(self.job, self.currency).words

    @property
    def prompt(self) -> str:
        return str(self.kept.record.settings.get("prompt") or "")

    @property
    def operation(self) -> str:
        driver = DRIVERS.get(self.kept.record.provider)
        titles = driver.operations if driver else {}
        title = titles.get(self.kept.record.operation)
        return _(title) if title and len(titles) > 1 else ""

    @property
    def _last_call(self) -> Attempt | None:
        return self.kept.attempts[-1] if self.kept.attempts else None

    @property
    def model(self) -> str:
        """By the name people know, where there is one."""
        model = self._last_call.model if self._last_call else ""
        driver = DRIVERS.get(self.kept.record.provider)
        titles = {one.id: one.title for one in driver.models} if driver else {}
        return titles.get(model, model)

    @property
    def usage(self) -> str:
        driver, call = DRIVERS.get(self.kept.record.provider), self._last_call
        return driver.describe_usage(call.usage) if driver and call else ""


@require_GET
def kept_trials(request: HttpRequest, slot_id: str) -> HttpResponse:
    """The strip, for the slot's page; seven queries."""
    return render_strip(request, find_slot_or_404(slot_id))


def render_strip(
    request: HttpRequest, slot: Slot, *, wrong: AppError | None = None
) -> HttpResponse:
    context = {"slot": slot, "rows": list_rows(slot), "wrong": wrong.sentence if wrong else ""}
    return render(request, "ingest/console/_kept_trials.html", context)


def list_rows(slot: Slot) -> list[KeptTrialRow]:
    """Newest first. Six queries."""
    presets, currency = list_presets(), load_currency()
    return [
        KeptTrialRow(
            kept.job, kept=kept, preset=find_tried(kept.record, presets), currency=currency
        )
        for kept in list_trials(slot.pk)
    ]


def find_tried(record: TrialRecord, presets: Sequence[LibraryPreset]) -> LibraryPreset | None:
    """The preset of the library that a test was made with, if nobody has changed it before."""
    given: dict[str, Any] = {"provider": record.provider, "operation": record.operation}
    return find_same_recipe(presets, **given, settings=record.settings)


@require_POST
def take_trial(request: HttpRequest, slot_id: str, job_id: UUID) -> HttpResponse:
    """The form's recipe as a kept test had it; nothing is saved, and the rest of the form stays."""
    slot = find_slot_or_404(slot_id)
    record = find_trial(slot.pk, job_id)
    if record is None or record.provider not in DRIVERS:
        raise Http404
    chosen: dict[str, Any] = {"provider": record.provider, "operation": record.operation}
    replaced = f"{get_prefix(DRIVERS[record.provider])}-"
    typed = {
        name: value
        for name, value in read_typed(request.POST).items()
        if not name.startswith(replaced)
    }
    tried = format_stored(Slot(pk=slot.pk, settings=record.settings, **chosen))
    return draw_recipe(request, slot, typed | tried | chosen, carries_prompt=False)
