"""The form of one budget: what it is for, how much, and what happens at the limit."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ingest.budgets.models import Budget
from ingest.console.costs.forms import DAY, MoneyField
from ingest.costs.money import Currency
from slots.console.dates import DayField
from slots.models import Event, Slot

ALL, DAILY, TOTAL = "all", "daily", "total"


class BudgetForm(forms.Form):
    scope = forms.ChoiceField(label=_("for"), choices=[])
    period = forms.ChoiceField(
        label=_("counted"),
        choices=[(DAILY, _("each day anew")), (TOTAL, _("in all, from a day on"))],
    )
    counts_from = DayField(
        required=False,
        label=_("from the day"),
        widget=DAY,
        help_text=_("What was spent since then is in it. Not used by a budget for each day."),
    )
    money = MoneyField(most=1_000_000_000, decimal_places=2)
    pictures = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=1_000_000,
        label=_("pictures"),
        help_text=_("Those of guests; test runs count in money only."),
    )
    soft_percent = forms.IntegerField(
        min_value=1,
        max_value=100,
        initial=80,
        label=_("warn me from, %"),
        help_text=_("From this share of the budget on, whoever is named under “Alerts” is told."),
    )
    at_limit = forms.ChoiceField(
        label=_("at the limit, the booth gets"), choices=Budget.AtLimit.choices
    )
    is_active = forms.BooleanField(required=False, label=_("switched on"))

    def __init__(self, data: Any, *, currency: Currency, budget: Budget) -> None:
        super().__init__(data, initial=_read(budget, currency))
        self.currency = currency
        self.fields["scope"].choices = _list_scopes()  # type: ignore[attr-defined]
        self.fields["money"].label = _("money, %(code)s") % {"code": currency.code}
        self.fields["money"].help_text = _("Empty: money is not limited.")

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if values.get("period") == TOTAL and not values.get("counts_from"):
            self.add_error("counts_from", _("From which day on?"))
        if values.get("money") is None and values.get("pictures") is None and not self.errors:
            self.add_error("money", _("Name a limit: money, pictures, or both."))
        return values

    def fill(self, budget: Budget) -> Budget:
        values = self.cleaned_data
        kind, _colon, key = values["scope"].partition(":")
        budget.slot_id = key if kind == "slot" else None
        budget.event_id = int(key) if kind == "event" else None
        budget.is_daily = values["period"] == DAILY
        budget.counts_from = values["counts_from"] or timezone.localdate()
        money: Decimal | None = values["money"]
        budget.hard_micros = None if money is None else self.currency.to_micros(money)
        budget.hard_pictures = values["pictures"]
        budget.soft_percent, budget.at_limit = values["soft_percent"], values["at_limit"]
        budget.is_active = values["is_active"]
        return budget


def _list_scopes() -> list[tuple[str, Any]]:
    """Two queries. Of events those that are not purged."""
    slots = [(f"slot:{one.pk}", f"{one.pk} {one.display_name}") for one in Slot.objects.all()]
    events = Event.objects.filter(purged_at=None)[:50]
    return [
        (ALL, _("all slots")),
        *((f"event:{one.pk}", _("event: %(name)s") % {"name": one}) for one in events),
        *slots,
    ]


def _read(budget: Budget, currency: Currency) -> dict[str, Any]:
    scope = f"slot:{budget.slot_id}" if budget.slot_id else ALL
    if budget.event_id:
        scope = f"event:{budget.event_id}"
    micros = budget.hard_micros
    return {
        "scope": scope,
        "period": DAILY if budget.is_daily else TOTAL,
        "counts_from": budget.counts_from,
        "money": None if micros is None else f"{round(currency.convert(micros), 2):f}",
        "pictures": budget.hard_pictures,
        "soft_percent": budget.soft_percent,
        "at_limit": budget.at_limit,
        "is_active": budget.is_active,
    }
