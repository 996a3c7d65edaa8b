"""The sources of a slot with reserves, in the order in which one photo is to ask them."""

from dataclasses import dataclass, replace

from django.db.models import JSONField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat

from slots.models import ReserveSource, Setting, Slot
from slots.provider_keys import provider_row_key
from slots.reserve.circuits import Circuit, Health, claim_try, load_circuits
from slots.reserve.recipes import apply_reserve


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One way to make a slot's picture. ``slot`` is as it is with this source for its recipe."""

    position: int  # 0: the slot's own service; else that of the reserve
    slot: Slot
    stored_key: object  # as a provider's settings row keeps it
    base_url: str = ""
    circuit: Circuit = Circuit()
    needs_check: bool = False  # this photo is to make the free call that tells whether it is back

    @property
    def is_away(self) -> bool:
        return self.circuit.health in (Health.OPEN, Health.DUE)


def plan_sources(slot: Slot, stored_key: object) -> tuple[Source, ...]:
    """Those that work first, then, as a last resort, those whose circuit is open.

    Two queries, and one for each source that is due to be tried again.
    """
    circuits = load_circuits(slot.pk)
    found = [] if slot.on_reserve else [Source(position=0, slot=slot, stored_key=stored_key)]
    found += list_reserves(slot)
    planned = [_judge(one, circuits.get(one.position, Circuit())) for one in found]
    return tuple(sorted(planned, key=lambda one: one.is_away))


def list_reserves(slot: Slot) -> list[Source]:
    """Those that are switched on, in their order, however they do. One query."""
    return [_make_source(slot, row) for row in _load_reserves(slot)]


def _load_reserves(slot: Slot) -> "QuerySet[ReserveSource]":
    key = Concat(Value(provider_row_key("")), OuterRef("provider"))
    stored = Setting.objects.filter(key=key).values("value")
    return (
        ReserveSource.objects.filter(slot=slot.pk, is_enabled=True)
        .annotate(stored_key=Subquery(stored, output_field=JSONField()))
        .order_by("position")
    )


def _make_source(slot: Slot, row: ReserveSource) -> Source:
    # At another address only a key of its own is used, and without one none.
    is_own = bool(row.api_key or row.base_url)
    stored_key = {"api_key": row.api_key} if is_own else getattr(row, "stored_key", None)
    return Source(
        position=row.position,
        slot=apply_reserve(slot, row),
        stored_key=stored_key,
        base_url=row.base_url,
    )


def _judge(source: Source, circuit: Circuit) -> Source:
    """Of the photos that come at one moment, one tries a source that may be back."""
    is_due = circuit.health in (Health.DUE, Health.ON_TRIAL)
    if is_due and not claim_try(source.slot.pk, source.position):
        circuit, is_due = replace(circuit, health=Health.OPEN), False
    return replace(source, circuit=circuit, needs_check=is_due and circuit.health is Health.DUE)
