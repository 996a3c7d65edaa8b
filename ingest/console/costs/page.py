"""The page of costs: what was spent, what an event will cost, and the prices behind both."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ingest.console.costs.forms import (
    KIND_TITLES,
    CurrencyForm,
    ForecastForm,
    PriceForm,
    RecountForm,
    read_initial,
)
from ingest.console.jobs import get_provider_title
from ingest.costs.forecast import HISTORY, Forecast, forecast_cost
from ingest.costs.models import Price
from ingest.costs.money import CostWords, Currency, change_currency, load_currency
from ingest.costs.price_table import AMOUNTS, PriceTable, add_price, load_price_table, read_row
from ingest.costs.pricing import PriceEntry
from ingest.costs.recount import recount_costs
from ingest.costs.spending import Amounts, load_days, load_events, load_slots
from providers.registry import DRIVERS
from slots.console.pages import console_page
from slots.history.wording import name_author
from slots.models import Event, Slot
from slots.platform_settings import load_platform_settings

SHOWN_PRICES = 50  # of the history
MOST_RECOUNTED = 20_000  # photos in one request: a quarter of a minute


@dataclass(frozen=True, slots=True)
class SpentRow:
    """A day, or a slot."""

    name: Any
    amounts: Amounts
    currency: Currency

    @property
    def cost(self) -> CostWords:
        one = self.amounts
        return CostWords(self.currency, one.known_micros, one.probable_micros, one.unpriced_calls)

    @property
    def per_picture(self) -> str:
        """Of all that was spent, failures and tests too."""
        one = self.amounts
        if not one.pictures or one.unpriced_calls:
            return ""
        return self.currency.format((one.known_micros + one.probable_micros) // one.pictures)


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price as it is valid, in dollars, as services name it."""

    entry: PriceEntry
    entered: Price | None = None  # by an operator, for the history

    @property
    def provider(self) -> str:
        return get_provider_title(self.entry.provider)

    @property
    def model(self) -> str:
        driver = DRIVERS.get(self.entry.provider)
        titles = {one.id: one.title for one in driver.models} if driver else {}
        return titles.get(self.entry.model, self.entry.model)

    @property
    def amounts(self) -> list[tuple[Any, str]]:
        known = [(KIND_TITLES[name], getattr(self.entry, name)) for name in AMOUNTS]
        return [(title, Currency().format(micros)) for title, micros in known if micros is not None]

    @property
    def author(self) -> str:
        return name_author(self.entered.entered_by) if self.entered else ""


@require_GET
def costs_page(request: HttpRequest) -> HttpResponse:
    return _show(request)


def _show(request: HttpRequest, *, status: int = 200, **forms: Any) -> HttpResponse:
    """At most ten queries of its own."""
    currency = load_currency()
    prices = load_price_table(load_platform_settings().prices_version)
    slots = list(Slot.objects.order_by("pk"))
    today = timezone.localdate()
    since = today - HISTORY
    by_slot = load_slots(since)
    asked = prices.find_on(request.GET.get("provider", ""), request.GET.get("model", ""), today)
    names = {slot.pk: str(slot) for slot in slots}
    context = {
        "title": _("Costs"),
        "currency": currency,
        "events": _make_rows(_name_events(load_events(since)), currency),
        "days": _make_rows(load_days(since), currency),
        "slots": _make_rows(((names[key], sums) for key, sums in by_slot), currency),
        "total": SpentRow(None, Amounts.add_up(sums for _key, sums in by_slot), currency),
        "prices": [PriceRow(entry) for entry in prices.list_current(today)],
        "history": _load_history(),
        "price_form": PriceForm(initial=read_initial(asked)),
        "currency_form": CurrencyForm(initial=currency.model_dump()),
        "recount_form": RecountForm(initial={"since": today - timedelta(days=6)}),
        **_load_forecast(request, slots, dict(by_slot), prices, currency),
    }
    return console_page(request, "ingest/console/costs/costs.html", context | forms, status=status)


def _name_events(found: list[tuple[int, Amounts]]) -> list[tuple[str, Amounts]]:
    names = {event.pk: str(event) for event in Event.objects.filter(pk__in=dict(found))}
    return [(names.get(number, f"№ {number}"), amounts) for number, amounts in found]


def _make_rows(found: Iterable[tuple[Any, Amounts]], currency: Currency) -> list[SpentRow]:
    return [SpentRow(name, amounts, currency) for name, amounts in found]


def _load_history() -> list[PriceRow]:
    """What operators entered, the newest first."""
    rows = Price.objects.order_by("-pk")[:SHOWN_PRICES]
    return [PriceRow(read_row(row), row) for row in rows]


def _load_forecast(
    request: HttpRequest,
    slots: list[Any],
    spent: dict[str, Amounts],
    prices: PriceTable,
    currency: Currency,
) -> dict[str, Any]:
    choices = [(slot.pk, f"{slot.pk} {slot.display_name}".strip()) for slot in slots]
    is_asked = "guests" in request.GET
    initial = {"guests": 100, "shots": 1}
    form = ForecastForm(request.GET if is_asked else None, slots=choices, initial=initial)
    if not is_asked or not form.is_valid():
        return {"forecast_form": form}
    slot = next(one for one in slots if one.pk == form.cleaned_data["slot"])
    found = forecast_cost(
        slot,
        form.photos,
        spent=spent.get(slot.pk, Amounts()),
        prices=prices,
        kinds=[one.media_kind for one in slot.template_media.all()],
    )
    return {"forecast_form": form, "forecast": found, **_format_forecast(found, currency)}


def _format_forecast(found: Forecast, currency: Currency) -> dict[str, str]:
    if found.of_photo is None or found.total is None:
        return {}
    return {
        "forecast_total": currency.format(found.total),
        "forecast_of_photo": currency.format(found.of_photo),
    }


@require_POST
def save_price(request: HttpRequest) -> HttpResponse:
    form = PriceForm(request.POST)
    if not form.is_valid():
        return _show(request, price_form=form, status=422)
    add_price(form.make_entry(), by=request.user.get_username())
    messages.success(request, _("The price is saved: it counts from the next photo on."))
    return redirect("admin:costs")


@require_POST
def save_currency(request: HttpRequest) -> HttpResponse:
    form = CurrencyForm(_take_comma(request, "per_dollar"))
    if not form.is_valid():
        return _show(request, currency_form=form, status=422)
    change_currency(form.make_currency(), by=request.user.get_username())
    messages.success(request, _("Costs are shown in %(code)s now.") % form.cleaned_data)
    return redirect("admin:costs")


def _take_comma(request: HttpRequest, name: str) -> dict[str, str]:
    typed = {key: str(value) for key, value in request.POST.items()}
    return typed | {name: typed.get(name, "").replace(",", ".")}


@require_POST
def recount(request: HttpRequest) -> HttpResponse:
    form = RecountForm(request.POST)
    if not form.is_valid():
        return _show(request, recount_form=form, status=422)
    since: date = form.cleaned_data["since"]
    every = Amounts.add_up(amounts for _day, amounts in load_days(since))
    if every.photos + every.tests > MOST_RECOUNTED:
        words = _("That is too much for a page. On the server: manage.py recount_costs %(since)s")
        messages.error(request, words % {"since": since.isoformat()})
        return redirect("admin:costs")
    words = _("Calculated again: %(count)s photos have another cost now.")
    messages.success(request, words % {"count": recount_costs(since)})
    return redirect("admin:costs")
