"""What a call costs: pure arithmetic on integers. Money is in micro-dollars throughout."""

from dataclasses import dataclass
from datetime import date

from providers.tokens import TokenCounts

MICROS = 1_000_000  # of a dollar; prices are for as many tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEntry:
    """A price from a day on: micro-dollars for a million tokens of a kind, or for one picture.

    None: not known, or the service does not charge so.
    """

    provider: str
    model: str  # empty: any of the service's that has no price of its own
    valid_from: date
    text_in: int | None = None
    picture_in: int | None = None
    text_out: int | None = None
    picture_out: int | None = None
    thoughts: int | None = None
    per_picture: int | None = None
    source: str = ""

    @property
    def has_token_prices(self) -> bool:
        return any(getattr(self, kind) is not None for kind in TOKEN_KINDS)

    @property
    def is_known(self) -> bool:
        return self.has_token_prices or self.per_picture is not None


TOKEN_KINDS = ("text_in", "picture_in", "text_out", "picture_out", "thoughts")


def compute_cost(price: PriceEntry, tokens: TokenCounts | None, *, pictures: int) -> int | None:
    """Micro-dollars of one call that made so many pictures, rounded half up once, at the end.

    None: the price of something that was used is not known.
    """
    has_rates = price.has_token_prices
    if (has_rates and tokens is None) or (not has_rates and price.per_picture is None):
        return None
    micros = (price.per_picture or 0) * pictures
    if not has_rates or tokens is None:
        return micros
    used: list[tuple[int, int | None]] = [
        (getattr(tokens, kind), getattr(price, kind)) for kind in TOKEN_KINDS
    ]
    # What the service did not name is charged as the dearer kind: no limit is missed by that.
    if tokens.other_in:
        used.append((tokens.other_in, _choose_dearest(price.text_in, price.picture_in)))
    if tokens.other_out:
        used.append((tokens.other_out, _choose_dearest(price.text_out, price.picture_out)))
    if any(count and rate is None for count, rate in used):
        return None
    return micros + (sum(n * (rate or 0) for n, rate in used) + MICROS // 2) // MICROS


def _choose_dearest(*rates: int | None) -> int | None:
    return max((rate for rate in rates if rate is not None), default=None)
