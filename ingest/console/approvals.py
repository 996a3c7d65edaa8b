"""Which slots of an event wait for somebody to approve pictures, all or some, and how many do."""

from collections.abc import Iterable
from dataclasses import dataclass

from photochanger.db import clock
from slots.approval.decisions import count_waiting
from slots.approval.models import ApprovalLink
from slots.models import Slot

ASKING = (Slot.Publishing.SORTED, Slot.Publishing.AFTER_APPROVAL)


@dataclass(frozen=True, slots=True)
class Approval:
    """``has_link``: somebody has a link that is still good."""

    slot: Slot
    waiting: int
    has_link: bool


def list_approvals(slots: Iterable[Slot]) -> list[Approval]:
    """Two queries, where there is such a slot."""
    asking = [one for one in slots if one.publishing in ASKING]
    if not asking:
        return []
    waiting = count_waiting(asking)
    links = ApprovalLink.objects.filter(slot__in=asking, expires_at__gt=clock.now())
    linked = set(links.values_list("slot_id", flat=True))
    return [Approval(one, waiting.get(one.pk, 0), one.pk in linked) for one in asking]
