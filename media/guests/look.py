"""How a picture's page looks and what it offers; whoever knows slots says how to find it."""

from collections.abc import Callable
from dataclasses import dataclass

from media.models import MediaObject


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestLook:
    """What an operator has chosen for guests; without it a page has our own looks."""

    title: str = ""
    offers_letters: bool = False
    stylesheet: str = ""  # the path of its colours
    logo: str = ""  # the path of its picture


LookFinder = Callable[[MediaObject], GuestLook]
_finders: list[LookFinder] = []


def set_look_finder(finder: LookFinder) -> None:
    """At the start, once; ``finder`` is blocking and gets a result's row."""
    _finders[:] = [finder]


def find_look(media: MediaObject) -> GuestLook:
    """Blocking."""
    return _finders[0](media) if _finders else GuestLook()
