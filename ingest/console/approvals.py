"""Which slots of an event wait for somebody to approve pictures, all or some, and how many do;
and how a helper gets in."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from django.http import HttpRequest

from media.links import build_url
from slots.approval.decisions import count_waiting
from slots.approval.links import load_link, read_pin, select_good_links
from slots.approval.models import ApprovalLink
from slots.approval.scope import Scope
from slots.console.approval import format_pin
from slots.models import Event, Slot

ASKING = (Slot.Publishing.SORTED, Slot.Publishing.AFTER_APPROVAL)


@dataclass(frozen=True, slots=True)
class Approval:
    """``has_link``: somebody has a link that is still good, of the slot or of its event."""

    slot: Slot
    waiting: int
    has_link: bool


def list_approvals(slots: Iterable[Slot]) -> list[Approval]:
    """Two queries, where there is such a slot."""
    asking = [one for one in slots if one.publishing in ASKING]
    if not asking:
        return []
    waiting = count_waiting(asking)
    linked = set(select_good_links().values_list("pk", flat=True))
    return [
        Approval(one, waiting.get(one.pk, 0), not linked.isdisjoint(_list_keys(one)))
        for one in asking
    ]


def _list_keys(slot: Slot) -> list[str]:
    return [Scope(slot_id=slot.pk).key, Scope(event_id=slot.event_id).key]


@dataclass(frozen=True, slots=True)
class HelperLink:
    """What the card for the helper says."""

    link: ApprovalLink = field(repr=False)
    address: str = field(repr=False)
    pin: str = field(default="", repr=False)

    def with_pin(self) -> "HelperLink":
        """Only for who has just confirmed to be there."""
        return replace(self, pin=format_pin(read_pin(self.link)))


def load_helper_link(request: HttpRequest, event: Event) -> HelperLink | None:
    """None while there is none. One query."""
    link = load_link(Scope(event_id=event.pk))
    if link is None:
        return None
    return HelperLink(link, build_url(request, "api:approval", token=link.token))
