"""What a picture's page is headed with; whoever knows slots says how to find it."""

from collections.abc import Callable

TitleFinder = Callable[[str], str]
_finders: list[TitleFinder] = []


def set_title_finder(finder: TitleFinder) -> None:
    """At the start, once; ``finder`` is blocking and gets a slot's id."""
    _finders[:] = [finder]


def find_title(slot_id: str) -> str:
    """Empty where nothing was set for guests. Blocking."""
    return _finders[0](slot_id) if _finders else ""
