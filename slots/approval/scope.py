"""Whose pictures a link shows: those of a slot, or those of an event."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from media.models import MediaObject
from slots.approval.models import ApprovalLink
from slots.models import Slot


@dataclass(frozen=True, slots=True)
class Scope:
    """One of the two. Nothing else is seen, decided on or brought back by its link."""

    slot_id: str = ""
    event_id: int | None = None

    @property
    def key(self) -> str:
        """Of its link's row."""
        return self.slot_id if self.event_id is None else f"event-{self.event_id}"

    def select(self, rows: QuerySet[MediaObject]) -> QuerySet[MediaObject]:
        """Of these rows the results in it; no test runs.

        Of an event: what came while its slots worked for it, and nothing of before or after. Of a
        slot: while it works for an event, what is that event's.
        """
        results = rows.filter(kind=MediaObject.Kind.RESULT, is_listed=True, job_id__isnull=False)
        if self.event_id is not None:
            return results.filter(event_id=self.event_id)
        return limit_to_events(results.filter(slot_id=self.slot_id))


def get_scope(link: ApprovalLink) -> Scope:
    return Scope(slot_id=link.key) if link.event_id is None else Scope(event_id=link.event_id)


def load_title(link: ApprovalLink) -> str:
    """What stands above the pictures. One query."""
    if link.event is not None:
        return link.event.public_title or link.event.name
    return str(Slot.objects.get(pk=link.key))


def limit_to_events(results: QuerySet[MediaObject]) -> QuerySet[MediaObject]:
    """Where a slot works for an event, to those of that event."""
    working = Slot.objects.filter(pk=OuterRef("slot_id"), event__isnull=False)
    return results.filter(~Exists(working) | Q(event_id=Subquery(working.values("event_id"))))
