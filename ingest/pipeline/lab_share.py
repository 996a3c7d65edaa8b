"""The lab's own small share of the limits: it takes what booths leave free, and no booth waits for
it."""

from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from photochanger.errors import RateLimited
from slots.platform_settings import PlatformSettings

SHARE = 4  # the lab gets a quarter of the places, at least one


class LabFull(RateLimited):
    """Booths have the places, or the lab has its share of them: it waits and tries again."""

    sentence = _("No place is free for the lab now: booths go first. It tries again by itself.")


class InFlight(NamedTuple):
    """Photos in work, of a slot and of a provider; those of the lab apart."""

    in_slot: int
    in_provider: int
    lab_in_slot: int
    lab_in_provider: int


def choose_share(limit: int) -> int:
    return max(1, limit // SHARE)


def check_lab_places(found: InFlight, limits: PlatformSettings, *, retry_after_s: int) -> None:
    """Raises LabFull unless a place is free, and the lab has not its share of them yet."""
    places = (
        (limits.max_jobs_per_slot, found.in_slot, found.lab_in_slot),
        (limits.max_jobs_per_provider, found.in_provider, found.lab_in_provider),
    )
    for limit, of_booths, of_lab in places:
        if of_booths + of_lab >= limit or of_lab >= choose_share(limit):
            raise LabFull("no place for the lab", retry_after_s=retry_after_s)
