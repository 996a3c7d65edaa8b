"""The proof of a purge in words: how much of what was deleted."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from slots.events.models import EventPurge

WORDS: dict[str, Any] = {
    "photos": _("photos whose data were emptied"),
    "result": _("pictures"),
    "preview": _("small pictures"),
    "provider_input": _("copies for AI services"),
    "template": _("template pictures"),
    "logo": _("logos"),
    "trials": _("tests of recipes that were kept"),
    "requests": _("refused or recorded requests of booths"),
    "alerts": _("alerts that named a booth or the event"),
    "letters": _("addresses of guests"),
}


def list_proof(purge: EventPurge) -> Iterator[tuple[str, int]]:
    """All of them, also what there was nothing of: a nought is a proof too."""
    for name, words in WORDS.items():
        yield str(words), int(purge.counts.get(name, 0))
