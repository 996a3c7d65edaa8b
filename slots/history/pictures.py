"""A picture for each version in a slot's history; whoever knows photos says how to find it."""

from collections.abc import Callable, Sequence
from uuid import UUID

from slots.history.records import Record

# Gets a slot's id and records of its history, gives the job that shows each version.
PictureFinder = Callable[[str, Sequence[Record]], dict[int, UUID]]
_finders: list[PictureFinder] = []


def set_picture_finder(finder: PictureFinder) -> None:
    """At the start, once; ``finder`` is blocking."""
    _finders[:] = [finder]


def find_version_pictures(slot_id: str, records: Sequence[Record]) -> dict[int, UUID]:
    """By version, the job whose result shows what it makes; only such as can be looked at."""
    return _finders[0](slot_id, records) if _finders else {}
