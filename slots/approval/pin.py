"""Typing the PIN: few tries for each source, and one line for all who try.

A PIN is short, so it must not be guessed; and whoever guesses must not keep others out. Each source
(an address, or a browser that was let in once) has five wrong tries in ten minutes of its own. All
sources together stand in one line that moves on once a second, so that many addresses guess no
faster than one. A browser that was let in once does not stand in that line.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from photochanger.db import clock
from slots.approval.links import select_good_links
from slots.approval.models import ApprovalLink, ApprovalTry
from slots.secrets import match_keyed_hash

TRIES, WINDOW = 5, timedelta(minutes=10)
PACE, LONGEST_LINE = timedelta(seconds=1), timedelta(seconds=8)


@dataclass(frozen=True, slots=True)
class Turn:
    """When a source may try: in so many seconds; or not now, and when to come again."""

    wait_s: float = 0.0
    retry_after_s: float = 0.0


@transaction.atomic
def take_turn(link_id: str, source: str, *, is_known: bool) -> Turn:
    """A place in line. It counts as a wrong try until the PIN turns out to be right."""
    link = ApprovalLink.objects.select_for_update(no_key=True).filter(pk=link_id).first()
    if link is None:
        return Turn()  # it has ended meanwhile: no PIN is right
    now = clock.now()
    ApprovalTry.objects.filter(link=link, failed_at__lte=now - WINDOW).delete()
    failed = ApprovalTry.objects.filter(link=link, source=source).order_by("failed_at")
    times = list(failed.values_list("failed_at", flat=True))
    if len(times) >= TRIES:
        return Turn(retry_after_s=(times[-TRIES] + WINDOW - now).total_seconds())
    at = now if is_known else max(now, link.next_try_at)
    if at - now > LONGEST_LINE:
        return Turn(retry_after_s=(at - now).total_seconds())
    if not is_known:
        link.next_try_at = at + PACE
        link.save(update_fields=["next_try_at"])
    ApprovalTry.objects.create(link=link, source=source, failed_at=now)
    return Turn(wait_s=(at - now).total_seconds())


def check_pin(link_id: str, pin: str, source: str) -> bool:
    """Whether the PIN is right now; a right one forgives its source the wrong ones."""
    link = select_good_links().filter(pk=link_id).first()
    digits = "".join(char for char in pin if char.isdecimal())
    if link is None or not match_keyed_hash(digits, link.pin_hash):
        return False
    ApprovalTry.objects.filter(link=link, source=source).delete()
    return True


def forget_tries() -> None:
    """Addresses of who was wrong, once they count no more; links that are over."""
    ApprovalTry.objects.filter(failed_at__lte=clock.now() - WINDOW).delete()
    ApprovalLink.objects.exclude(pk__in=select_good_links().values("pk")).delete()
