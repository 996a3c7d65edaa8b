"""The forms of the page of costs."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ingest.costs.money import CODES, Currency, to_micros
from ingest.costs.price_table import AMOUNTS
from ingest.costs.pricing import MICROS, PriceEntry
from providers.registry import DRIVERS
from slots.console.dates import DayField

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
KIND_TITLES = {
    "text_in": _("text that is sent"),
    "picture_in": _("pictures that are sent"),
    "text_out": _("text that comes back"),
    "picture_out": _("pictures that come back"),
    "thoughts": _("thinking"),
    "per_picture": _("one picture or order"),
}


class MoneyField(forms.DecimalField):
    """An amount with a comma or a point; it may be empty."""

    def __init__(self, *, most: int = 100_000, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(
            required=False, min_value=0, max_value=most, max_digits=15, widget=widget, **kwargs
        )

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)


class PriceForm(forms.Form):
    provider = forms.ChoiceField(label=_("AI service"), choices=[])
    model = forms.CharField(
        required=False,
        max_length=100,
        label=_("model"),
        help_text=_("As the service calls it. Empty: all of its models that have no line."),
    )
    valid_from = DayField(label=_("valid from"), widget=DAY)
    source = forms.CharField(
        max_length=300,
        label=_("source"),
        help_text=_("Where the price is written, such as the address of a page or a contract."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        titles = [(name, driver.title) for name, driver in DRIVERS.items()]
        self.fields["provider"].choices = titles  # type: ignore[attr-defined]
        for name in AMOUNTS:
            self.fields[name] = MoneyField(label=KIND_TITLES[name], decimal_places=6)

    @property
    def amount_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in AMOUNTS]

    def make_entry(self) -> PriceEntry:
        amounts = {
            name: None if (dollars := self.cleaned_data[name]) is None else to_micros(dollars)
            for name in AMOUNTS
        }
        return PriceEntry(
            provider=self.cleaned_data["provider"],
            model=self.cleaned_data["model"].strip(),
            valid_from=self.cleaned_data["valid_from"],
            source=self.cleaned_data["source"],
            **amounts,
        )


def read_initial(entry: PriceEntry | None) -> dict[str, Any]:
    """The price that is valid, to be changed."""
    initial: dict[str, Any] = {"valid_from": timezone.localdate()}
    if entry is None:
        return initial
    amounts = {name: getattr(entry, name) for name in AMOUNTS}
    known = {
        name: f"{Decimal(micros) / MICROS:f}"
        for name, micros in amounts.items()
        if micros is not None
    }
    return initial | known | {"provider": entry.provider, "model": entry.model}


class CurrencyForm(forms.Form):
    code = forms.ChoiceField(label=_("currency"), choices=[(code, code) for code in CODES])
    per_dollar = forms.DecimalField(
        label=_("for one dollar"),
        min_value=Decimal("0.000001"),
        max_value=1_000_000,
        max_digits=13,
        decimal_places=6,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("Your rate, such as 92.5. Services charge dollars; only what you see changes."),
    )

    def make_currency(self) -> Currency:
        return Currency.model_validate(self.cleaned_data)


class ForecastForm(forms.Form):
    slot = forms.ChoiceField(label=_("slot"), choices=[])
    guests = forms.IntegerField(label=_("guests"), min_value=1, max_value=100_000)
    shots = forms.DecimalField(
        label=_("photos of each guest"), min_value=Decimal("0.1"), max_value=100, decimal_places=1
    )

    def __init__(self, *args: Any, slots: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slot"].choices = slots  # type: ignore[attr-defined]

    @property
    def photos(self) -> int:
        return -int(-(self.cleaned_data["guests"] * self.cleaned_data["shots"]) // 1)


class RecountForm(forms.Form):
    since = DayField(label=_("photos from this day on"), widget=DAY)
