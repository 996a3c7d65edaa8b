"""A failure's detail as people read it: our own words translated, the AI service's in quotes.

Details are written in English, for the log: by us, with what the service said behind a colon.
"""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from ingest.console.own_words import OWN
from slots.history.field_names import get_label

NEVER_FETCHED = "; the provider never fetched the photo"
PATTERNS = [(re.compile(pattern, re.DOTALL), words) for pattern, words in OWN.items()]
STATUS = re.compile(r"HTTP \d{3}(?:, busy)?: (?P<said>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Detail:
    ours: str = ""  # sentences, translated
    theirs: str = ""  # word for word, for quotes

    def __bool__(self) -> bool:
        return bool(self.ours or self.theirs)


def describe_detail(detail: str, provider: str = "") -> Detail:
    """What is not known to be ours is taken for the service's."""
    rest = detail.removesuffix(NEVER_FETCHED)
    found = _find_ours(rest, provider)
    if rest == detail:
        return found
    never_fetched = _("It never fetched the photo from this server.")
    return Detail(" ".join(filter(None, (found.ours, never_fetched))), found.theirs)


def _find_ours(detail: str, provider: str) -> Detail:
    if found := STATUS.fullmatch(detail):  # the status is shown beside it
        detail = found["said"]
    for pattern, words in PATTERNS:
        if found := pattern.fullmatch(detail):
            values = found.groupdict("")
            said = values.pop("said", "")
            if "fields" in values:
                values["fields"] = _name_fields(values["fields"], provider)
            return Detail(_(words) % values if values else _(words), said)
    return Detail("", detail)


def _name_fields(places: str, provider: str) -> str:
    return ", ".join(get_label(place, {"provider": provider}) for place in places.split(", "))
