"""The lab's own small share of the limits: it takes what booths leave free, and no booth waits for
it."""

from django.utils.translation import gettext_lazy as _

from ingest.pipeline.in_flight import FULL_RETRY_AFTER_S, InFlight
from photochanger.errors import RateLimited
from slots.platform_settings import PlatformSettings

SHARE = 4  # the lab gets a quarter of the places, at least one


class LabFull(RateLimited):
    """Booths have the places, or the lab has its share of them: it waits and tries again."""

    sentence = _("No place is free for the lab now: booths go first. It tries again by itself.")


def choose_share(limit: int) -> int:
    return max(1, limit // SHARE)


def check_lab_places(found: InFlight, limits: PlatformSettings) -> None:
    """Raises LabFull unless a place is free, and the lab has not its share of them yet."""
    places = (
        (limits.max_jobs_per_slot, found.in_slot, found.lab_in_slot),
        (limits.max_jobs_per_provider, found.in_provider, found.lab_in_provider),
    )
    for limit, of_booths, of_lab in places:
        if of_booths + of_lab >= limit or of_lab >= choose_share(limit):
            raise LabFull("no place for the lab", retry_after_s=FULL_RETRY_AFTER_S)
