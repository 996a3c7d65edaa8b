"""Every template picture there is, each once, with all that use it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from media.models import MediaObject
from photochanger.pictures.paper import Size
from slots.console.template_list.sizes import read_sizes
from slots.events.models import Event, EventTemplate
from slots.history.records import TEMPLATES
from slots.models import Slot, SlotTemplateMedia

KINDS: dict[str, Any] = dict(SlotTemplateMedia.MediaKind.choices)
SECTION = "#toggle-second"  # of the slot's page, where its template pictures are changed


@dataclass(frozen=True, slots=True)
class Use:
    """A part that the picture plays; ``event``: only when that one starts, by its recipe."""

    slot: Slot
    kind: str
    event: Event | None = None

    @property
    def title(self) -> str:
        return str(KINDS.get(self.kind, self.kind))

    @property
    def url(self) -> str:
        """Where it is changed."""
        if self.event is not None:
            return reverse("admin:slots_event_change", args=[self.event.pk])
        return reverse("admin:slots_slot_change", args=[self.slot.pk]) + SECTION


@dataclass(slots=True)
class TemplateCard:
    """A picture: copies of it in other slots are files of their own, and here the same one."""

    media: MediaObject
    uses: list[Use] = field(default_factory=list)
    size_px: Size | None = None
    is_lost: bool = False  # there is no file, or it is no picture

    @property
    def picture_url(self) -> str:
        return reverse("admin:template_small", args=[self.media.pk.hex])

    @property
    def kinds(self) -> list[str]:
        """Their titles, each once."""
        return list(dict.fromkeys(use.title for use in self.uses))


def list_templates(*, slot_id: str = "", kind: str = "") -> list[TemplateCard]:
    """Of that slot or kind, or of all. Two queries."""
    cards: dict[str, TemplateCard] = {}
    for media, use in [*_list_of_slots(), *_list_of_events()]:
        cards.setdefault(media.sha256 or media.path, TemplateCard(media)).uses.append(use)
    found = [card for card in cards.values() if _fits(card, slot_id, kind)]
    _add_sizes(found)
    return found


def _fits(card: TemplateCard, slot_id: str, kind: str) -> bool:
    return any(slot_id in ("", use.slot.pk) and kind in ("", use.kind) for use in card.uses)


def _list_of_slots() -> Iterable[tuple[MediaObject, Use]]:
    rows = SlotTemplateMedia.objects.select_related("media_object", "slot")
    for row in rows.order_by("slot", "pk"):
        yield row.media_object, Use(row.slot, row.media_kind)


def _list_of_events() -> Iterable[tuple[MediaObject, Use]]:
    """What planned and running events keep for their slots: those that are over change nothing."""
    rows = EventTemplate.objects.filter(event_slot__event__closed_at=None).select_related(
        "media_object", "event_slot__event", "event_slot__slot"
    )
    for row in rows.order_by("event_slot__event", "event_slot", "pk"):
        link = row.event_slot
        for one in (link.recipe or {}).get(TEMPLATES, ()):
            if one["media_object_id"].replace("-", "") == row.media_object_id.hex:
                yield row.media_object, Use(link.slot, one["media_kind"], link.event)


def _add_sizes(cards: list[TemplateCard]) -> None:
    sizes = read_sizes({card.media.path for card in cards})
    for card in cards:
        card.size_px = sizes.get(card.media.path)
        card.is_lost = card.media.path in sizes and card.size_px is None
