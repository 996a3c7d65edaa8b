"""Which slots of an event show pictures only once somebody has approved them, and what waits."""

from collections.abc import Iterable
from dataclasses import dataclass

from photochanger.db import clock
from slots.approval.decisions import count_waiting
from slots.approval.models import ApprovalLink
from slots.models import Slot


@dataclass(frozen=True, slots=True)
class Approval:
    """``has_link``: somebody has a link that is still good."""

    slot: Slot
    waiting: int
    has_link: bool


def list_approvals(slots: Iterable[Slot]) -> list[Approval]:
    """Two queries, where there is such a slot."""
    asking = [one for one in slots if one.publishing == Slot.Publishing.AFTER_APPROVAL]
    if not asking:
        return []
    ids = [one.pk for one in asking]
    waiting = count_waiting(ids)
    links = ApprovalLink.objects.filter(slot__in=ids, expires_at__gt=clock.now())
    linked = set(links.values_list("slot_id", flat=True))
    return [Approval(one, waiting.get(one.pk, 0), one.pk in linked) for one in asking]
