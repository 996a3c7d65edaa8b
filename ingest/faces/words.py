"""What is said to operators of the people in a photo and its result."""

from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from media.faces.verdict import Verdict

VERDICT_TITLES = {
    Verdict.KEPT: gettext_lazy("everybody kept"),
    Verdict.CHANGED: gettext_lazy("somebody looks different"),
    Verdict.LOST: gettext_lazy("a face lost"),
    Verdict.STRANGER: gettext_lazy("a face too many"),
    Verdict.UNKNOWN: gettext_lazy("no face found in the drawing"),
    Verdict.NOBODY: gettext_lazy("nobody in the photo"),
}
VERDICT_CHOICES = [(verdict.value, title) for verdict, title in VERDICT_TITLES.items()]
# Worth a look; the others are as they should be, or say nothing.
WRONG = (Verdict.CHANGED, Verdict.LOST, Verdict.STRANGER)


class SeenFaces(Protocol):
    """A job or a call of a provider."""

    people_in: int | None
    people_out: int | None
    faces: str
    likeness: int | None


@dataclass(frozen=True, slots=True)
class FacesView:
    """The figures of one result, for a page."""

    seen: SeenFaces

    @property
    def is_measured(self) -> bool:
        return bool(self.seen.faces)

    @property
    def is_wrong(self) -> bool:
        return self.seen.faces in WRONG

    @property
    def likeness(self) -> int | None:
        return self.seen.likeness

    @property
    def words(self) -> str:
        """Such as "4 people, 3 in the result: one face lost"; empty where nothing was measured."""
        return describe_faces(self.seen)


def describe_faces(seen: SeenFaces) -> str:
    people_in, people_out = seen.people_in or 0, seen.people_out or 0
    if seen.faces == Verdict.NOBODY:
        return _("nobody in the photo")
    people = ngettext("%(count)d person", "%(count)d people", people_in) % {"count": people_in}
    if seen.faces == Verdict.LOST:
        numbers = _("%(people)s, %(count)d in the result") % {"people": people, "count": people_out}
        return f"{numbers}: {_count_lost(people_in - people_out)}"
    if seen.faces == Verdict.STRANGER:
        numbers = _("%(people)s, %(count)d in the result") % {"people": people, "count": people_out}
        return f"{numbers}: {_count_strangers(people_out - people_in)}"
    if seen.faces == Verdict.CHANGED:
        return _("%(people)s, all there: somebody looks different") % {"people": people}
    if seen.faces == Verdict.UNKNOWN:
        return _("%(people)s: no face can be found in the drawing") % {"people": people}
    return _("%(people)s, all there") % {"people": people} if seen.faces else ""


def _count_lost(count: int) -> str:
    return ngettext("one face lost", "%(count)d faces lost", count) % {"count": count}


def _count_strangers(count: int) -> str:
    return ngettext("one face too many", "%(count)d faces too many", count) % {"count": count}
