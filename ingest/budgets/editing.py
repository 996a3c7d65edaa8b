"""Change budgets, for all processes from their next photo on; each change is in the history."""

from django.db import transaction

from ingest.budgets.models import Budget
from ingest.costs.money import Currency
from photochanger.db import clock
from slots.history.records import write_settings

HISTORY_KEY = "budget"


@transaction.atomic
def save_budget(budget: Budget, *, by: str) -> None:
    was = Budget.objects.filter(pk=budget.pk).first()
    budget.updated_at, budget.updated_by = clock.now(), by
    budget.save()
    write_settings(_describe(was), _describe(budget), by=by)


@transaction.atomic
def delete_budget(budget: Budget, *, by: str) -> None:
    write_settings(_describe(budget), _describe(None), by=by)
    budget.delete()


def _describe(budget: Budget | None) -> dict[str, str | None]:
    """One line, in dollars."""
    if budget is None:
        return {HISTORY_KEY: None}
    money = None if budget.hard_micros is None else f"{Currency().convert(budget.hard_micros):f} $"
    facts = (
        money,
        budget.hard_pictures,
        f"{budget.soft_percent} %",
        budget.at_limit,
        "" if budget.is_active else "off",
    )
    scope = budget.slot_id or (f"event {budget.event_id}" if budget.event_id else "all slots")
    period = "each day" if budget.is_daily else f"from {budget.counts_from}"
    return {HISTORY_KEY: ", ".join([scope, period, *(str(one) for one in facts if one)])}
