"""What can be tried, for the page of a run that is put together."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from ingest.lab.offers import ModelChoice, Offer
from photochanger.errors import Text
from slots.library.presets import GROUPS


@dataclass(frozen=True)
class OfferRow:
    """``chosen``: the values of all choices that are ticked."""

    offer: Offer
    chosen: Collection[str]

    @cached_property
    def choices(self) -> list[tuple[ModelChoice, bool]]:
        """Each with whether it is ticked; none where something stands in the way."""
        return [(choice, choice.value in self.chosen) for choice in self.offer.choices]

    @property
    def own_choice(self) -> tuple[ModelChoice, bool]:
        return self.choices[0]

    @property
    def other_choices(self) -> list[tuple[ModelChoice, bool]]:
        return self.choices[1:]

    @property
    def is_open(self) -> bool:
        """Another model is ticked."""
        return any(is_chosen for _choice, is_chosen in self.other_choices)


@dataclass(frozen=True, slots=True)
class Group:
    """Recipes of the library that stand together."""

    key: str
    title: Text
    rows: list[OfferRow]

    @property
    def is_open(self) -> bool:
        """Something in it is ticked."""
        return any(is_chosen for row in self.rows for _choice, is_chosen in row.choices)


def make_groups(offers: Iterable[Offer], chosen: Collection[str]) -> list[Group]:
    by_group: dict[str, list[OfferRow]] = {key: [] for key in GROUPS}
    for offer in offers:
        if offer.preset:
            by_group[offer.preset.group].append(OfferRow(offer, chosen))
    return [Group(key, GROUPS[key], rows) for key, rows in by_group.items() if rows]
