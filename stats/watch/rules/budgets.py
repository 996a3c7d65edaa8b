"""The rule on budgets: somebody must know before the last guest's picture is not made."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from ingest.budgets.models import Budget
from ingest.budgets.queries import BudgetState, load_all_states
from ingest.budgets.slot_estimates import BudgetUse, load_slot_estimates
from ingest.costs.money import Currency, load_currency
from slots.history.records import ALL_SLOTS
from stats.models import Severity
from stats.watch.findings import Finding


def find_low_budgets(now: datetime) -> Iterator[Finding]:
    """One for each that is used from its own percentage on, or has no room for one more photo of
    some slot; those of events that are over tell nothing. One query; eight where there is any."""
    rows = Budget.objects.filter(is_active=True, event__closed_at=None)
    budgets = list(rows.select_related("event"))
    if not budgets:
        return
    day = timezone.localtime(now).date()
    states = load_all_states(day=day, now=now)
    currency, photos = load_currency(), load_slot_estimates(day)
    for budget in budgets:
        state = states.get(budget.pk)
        if state is None:
            continue
        use = BudgetUse.of(budget, state, photos)
        if use.is_spent or use.stopped or state.used_percent >= budget.soft_percent:
            yield _make_finding(budget, use, currency)


def _make_finding(budget: Budget, use: BudgetUse, currency: Currency) -> Finding:
    state, stopped = use.state, [slot.pk for slot in use.stopped]
    refuses = use.is_spent or bool(stopped)
    facts = {
        "budget": budget.slot_id or str(budget.event or ALL_SLOTS),
        "event": budget.event_id,  # a purge finds by it where the event's name stands
        "percent": state.used_percent,
        "used": ", ".join(_describe_use(state, currency)),
        "at_limit": budget.at_limit if refuses else "",
        "stopped": [] if use.is_spent else stopped,  # others' photos are cheaper, and still made
    }
    return Finding(
        rule="budget",
        subject=str(budget.pk),
        severity=Severity.CRITICAL if refuses else Severity.WARNING,
        facts=facts,
    )


def _describe_use(state: BudgetState, currency: Currency) -> Iterator[str]:
    """In figures that every language reads alike; what is in work is in them."""
    if state.hard_micros is not None:
        used, limit = state.spent_micros + state.reserved_micros, state.hard_micros
        yield f"{currency.convert(used):.2f} / {currency.convert(limit):.2f} {currency.code}"
    if state.hard_pictures is not None:
        yield f"{state.spent_pictures + state.reserved_pictures} / {state.hard_pictures}"
