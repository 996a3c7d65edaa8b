"""The rule on budgets: somebody must know before the last guest's picture is not made."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from ingest.budgets.models import Budget
from ingest.budgets.queries import BudgetState, load_all_states
from ingest.costs.money import Currency, load_currency
from slots.history.records import ALL_SLOTS
from stats.models import Severity
from stats.watch.findings import Finding


def find_low_budgets(now: datetime) -> Iterator[Finding]:
    """One for each that is used from its own percentage on. One query; three where there is any."""
    budgets = list(Budget.objects.filter(is_active=True).select_related("event"))
    if not budgets:
        return
    states = load_all_states(day=timezone.localtime(now).date(), now=now)
    currency = load_currency()
    for budget in budgets:
        state = states.get(budget.pk)
        if state is None or state.used_percent < budget.soft_percent:
            continue
        is_spent = state.used_percent >= 100
        yield Finding(
            rule="budget",
            subject=str(budget.pk),
            severity=Severity.CRITICAL if is_spent else Severity.WARNING,
            facts={
                "budget": budget.slot_id or str(budget.event or ALL_SLOTS),
                "percent": state.used_percent,
                "used": ", ".join(_describe_use(state, currency)),
                # By its number a purge of the event finds where its name stands.
                **({"event": budget.event_id} if budget.event_id else {}),
            },
        )


def _describe_use(state: BudgetState, currency: Currency) -> Iterator[str]:
    """In figures that every language reads alike; what is in work is in them."""
    if state.hard_micros is not None:
        used, limit = state.spent_micros + state.reserved_micros, state.hard_micros
        yield f"{currency.convert(used):.2f} / {currency.convert(limit):.2f} {currency.code}"
    if state.hard_pictures is not None:
        yield f"{state.spent_pictures + state.reserved_pictures} / {state.hard_pictures}"
