"""Drills: send a photo through every way a provider can fail, and report what the booth got.

Only against the provider simulator: a scenario is a marker in the slot's prompt. The spare slots
are put back as they were, whatever happens. Their photos count as test runs.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

from django.db import connection

from ingest.booth.client import send_photo
from ingest.booth.drill_key import make_drill_key
from ingest.booth.form import BoothRequest
from ingest.booth.report import Shot, make_shot
from slots.models import Slot

MAX_SLOTS = 8  # tried side by side
WAIT_S = 10  # the shortest a slot may have: slow scenarios end soon
CHANGED = ("provider", "operation", "settings", "is_active", "on_failure", "sync_response_seconds")


@dataclass(frozen=True, slots=True)
class Drill:
    scenario: str
    shot: Shot


def run_drills(scenarios: Sequence[str], pattern: Slot, request: BoothRequest) -> Iterator[Drill]:
    """Send one photo per scenario to copies of ``pattern``; yields each as soon as it is answered.

    Takes the slots that are switched off, or the pattern itself when all are on.
    """
    # Without reserves, which would hide what the provider does.
    spare = list(Slot.objects.filter(is_active=False, reserves=None)[:MAX_SLOTS]) or [pattern]
    free: SimpleQueue[Slot] = SimpleQueue()
    for slot in spare:
        free.put(slot)

    def run_drill(scenario: str) -> Drill:
        slot = free.get()
        try:
            prepare_slot(slot, pattern, scenario)
            order = replace(request, slot=slot.pk, idempotency_key=make_drill_key())
            return Drill(scenario, make_shot(order, send_photo(order)))
        finally:
            free.put(slot)
            connection.close()  # this thread's own

    with restored_slots(spare), ThreadPoolExecutor(len(spare)) as booths:
        for future in as_completed([booths.submit(run_drill, name) for name in scenarios]):
            yield future.result()


def prepare_slot(slot: Slot, pattern: Slot, scenario: str) -> None:
    recipe = dict(pattern.settings)
    recipe["prompt"] = f"{recipe.get('prompt', '')} [sim:{scenario}]".strip()
    Slot.objects.filter(pk=slot.pk).update(
        provider=pattern.provider,
        operation=pattern.operation,
        settings=recipe,
        is_active=True,
        on_failure=Slot.OnFailure.ERROR,
        sync_response_seconds=WAIT_S,
    )


@contextmanager
def restored_slots(slots: Sequence[Slot]) -> Iterator[None]:
    """Give the slots their columns back at the end, whatever happens in the block."""
    before: list[dict[str, Any]] = [{name: getattr(s, name) for name in CHANGED} for s in slots]
    try:
        yield
    finally:
        for slot, columns in zip(slots, before, strict=True):
            Slot.objects.filter(pk=slot.pk).update(**columns)
