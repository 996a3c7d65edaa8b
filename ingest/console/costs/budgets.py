"""The page of budgets: how far each is used, and the form of one."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ingest.budgets.editing import delete_budget, save_budget
from ingest.budgets.models import Budget
from ingest.budgets.queries import load_all_states
from ingest.budgets.slot_estimates import BudgetUse, load_slot_estimates
from ingest.console.costs.budget_form import BudgetForm
from ingest.costs.money import Currency, load_currency
from photochanger.db import clock
from slots.console.pages import confirm_page, console_page


@dataclass(frozen=True, slots=True)
class Meter:
    """One limit of a budget. ``reserved``: for photos in work, at most what they may take."""

    spent: str
    reserved: str
    limit: str
    percent: int


@dataclass(frozen=True, slots=True)
class BudgetRow:
    budget: Budget
    use: BudgetUse
    currency: Currency

    @property
    def of_photo(self) -> str:
        """Empty: money is not limited, or no price is known."""
        micros = self.use.dearest_micros
        is_told = micros and self.use.state.hard_micros is not None
        return self.currency.format(micros) if is_told else ""

    @property
    def meters(self) -> list[Meter]:
        state, money = self.use.state, self.currency.format
        found = []
        if state.hard_micros is not None:
            held = money(state.reserved_micros) if state.reserved_micros else ""
            found.append((money(state.spent_micros), held, money(state.hard_micros)))
        if state.hard_pictures is not None:
            held = str(state.reserved_pictures or "")
            limit = _("%(count)s pictures") % {"count": state.hard_pictures}
            found.append((str(state.spent_pictures), held, limit))
        shares = zip(found, state.used_percents, strict=True)
        return [Meter(*words, percent=min(100, share)) for words, share in shares]

    @property
    def stopped(self) -> str:
        """Whose photos do not fit in any more while others' still do."""
        return ", ".join(slot.pk for slot in self.use.stopped)

    @property
    def is_low(self) -> bool:
        return self.use.state.used_percent >= self.budget.soft_percent


@require_GET
def budgets_page(request: HttpRequest) -> HttpResponse:
    """Eight queries of its own at most."""
    currency, today = load_currency(), timezone.localdate()
    states = load_all_states(day=today, now=clock.now())
    budgets = Budget.objects.select_related("slot", "event")
    photos = load_slot_estimates(today)
    rows = [
        BudgetRow(one, BudgetUse.of(one, states[one.pk], photos), currency)
        for one in budgets
        if one.pk in states
    ]
    context = {"title": _("Budgets"), "rows": rows}
    return console_page(request, "ingest/console/costs/budgets.html", context)


@require_http_methods(["GET", "POST"])
def budget_page(request: HttpRequest, budget_id: int | None = None) -> HttpResponse:
    """The form of one, or of a new one."""
    if budget_id is None:
        budget = Budget(counts_from=timezone.localdate())
    else:
        budget = get_object_or_404(Budget, pk=budget_id)
    form = BudgetForm(request.POST or None, currency=load_currency(), budget=budget)
    if request.method == "POST" and form.is_valid():
        save_budget(form.fill(budget), by=request.user.get_username())
        messages.success(request, _("The budget is saved: it counts from the next photo on."))
        return redirect("admin:budgets")
    title = _("Budget") if budget.pk else _("New budget")
    context = {"title": title, "form": form, "budget": budget}
    return console_page(request, "ingest/console/costs/budget.html", context)


@require_POST
def remove_budget(request: HttpRequest, budget_id: int) -> HttpResponse:
    budget = get_object_or_404(Budget, pk=budget_id)
    if "confirmed" not in request.POST:
        return confirm_page(
            request,
            title=_("Remove this budget?"),
            words=_("Nothing limits these photos any more. What was spent stays counted."),
            yes=_("Remove"),
        )
    delete_budget(budget, by=request.user.get_username())
    messages.success(request, _("The budget is removed."))
    return redirect("admin:budgets")
