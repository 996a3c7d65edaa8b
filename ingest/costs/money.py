"""Micro-dollars as an operator reads them: in their own currency, by a rate that they set."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, get_args

from django.db import transaction
from django.utils.formats import number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from pydantic import BaseModel, Field

from ingest.costs.models import AttemptCost, JobCost, Payment
from ingest.costs.pricing import MICROS
from slots.history.records import write_settings
from slots.setting_rows import load_fact, store_fact

Code = Literal["USD", "RUB", "EUR", "KZT", "BYN", "UZS", "GEL", "AMD", "TRY", "CNY"]
CODES: tuple[str, ...] = get_args(Code)
SIGNS = {"USD": "$", "RUB": "₽", "EUR": "€", "KZT": "₸", "TRY": "₺", "GEL": "₾", "AMD": "֏"}
CURRENCY_KEY = "currency"
NARROW_SPACE = "\u202f"


class Currency(BaseModel, frozen=True):
    """``per_dollar``: how much of it a dollar costs. Services charge dollars."""

    code: Code = "USD"
    per_dollar: Decimal = Field(Decimal(1), gt=0, le=1_000_000, max_digits=14, decimal_places=6)

    def convert(self, micros: int) -> Decimal:
        return Decimal(micros) / MICROS * self.per_dollar

    def to_micros(self, amount: Decimal) -> int:
        return to_micros(amount / self.per_dollar)

    def format(self, micros: int) -> str:
        """Such as 3,44 ₽ or $0.0372: small amounts with as many digits as tell something."""
        amount = self.convert(micros)
        digits = 2 if amount == 0 or amount >= 1 else 3 if amount >= Decimal("0.1") else 4
        rounded = amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
        number = number_format(rounded, digits, force_grouping=True)
        sign = SIGNS.get(self.code, self.code)
        if get_language() != "ru" and len(sign) == 1:
            return f"{sign}{number}"
        return f"{number}{NARROW_SPACE}{sign}"


def to_micros(dollars: str | Decimal) -> int:
    """Rounded half up, as all money here."""
    return int((Decimal(dollars) * MICROS).to_integral_value(ROUND_HALF_UP))


def load_currency() -> Currency:
    """One query."""
    return Currency.model_validate(load_fact(CURRENCY_KEY) or {})


@transaction.atomic
def change_currency(currency: Currency, *, by: str) -> None:
    """What is shown from now on; what was paid stays in dollars. In the history too."""
    was = load_currency()
    store_fact(CURRENCY_KEY, currency.model_dump(mode="json"), by=by)
    write_settings(_describe(was), _describe(currency), by=by)


def _describe(currency: Currency) -> dict[str, str]:
    return {CURRENCY_KEY: f"{currency.code} {currency.per_dollar:f}"}


@dataclass(frozen=True, slots=True)
class CostWords:
    """What something cost, for a page: what is certain, what is probable, what nobody knows."""

    currency: Currency
    known_micros: int | None  # None: nobody calculated it
    probable_micros: int = 0
    unpriced_calls: int = 0

    @classmethod
    def of_job(cls, job: JobCost, currency: Currency) -> "CostWords":
        return cls(currency, job.cost_micros, job.probable_micros, job.unpriced_calls)

    @property
    def is_calculated(self) -> bool:
        return self.known_micros is not None

    @property
    def known(self) -> str:
        return self.currency.format(self.known_micros or 0)

    @property
    def probable(self) -> str:
        """Empty: nothing is only probable."""
        if not self.probable_micros:
            return ""
        return _("probably %(amount)s more") % {
            "amount": self.currency.format(self.probable_micros)
        }

    @property
    def unpriced(self) -> str:
        """Empty: all prices are known."""
        count = self.unpriced_calls
        words = ngettext(
            "%(count)s call of unknown price", "%(count)s calls of unknown price", count
        )
        return words % {"count": count} if count else ""

    @property
    def words(self) -> str:
        """In one line; empty: nobody calculated it."""
        if not self.is_calculated:
            return ""
        has_known = self.known_micros or not self.unpriced_calls
        parts = (self.known if has_known else "", self.probable, self.unpriced)
        return ", ".join(part for part in parts if part)


def describe_call_cost(call: AttemptCost, currency: Currency) -> str:
    """Of one call, in one line; empty: nobody judged it."""
    if not call.payment:
        return ""
    if call.payment == Payment.FREE:
        return _("not paid")
    if call.cost_micros is None:
        return _("paid; its price is not known")
    amount = currency.format(call.cost_micros)
    if call.payment == Payment.PROBABLE:
        return _("probably paid, %(amount)s at most") % {"amount": amount}
    return amount
