"""What was refused, noted in memory: the answer never waits for it, and a flood costs no more.

A note says who was refused, where and why; never a password or another field's value. Notes of
one minute that are alike become one, counted; only a few kinds of one cause are kept apart, so
that neither memory nor rows grow with what strangers send. ``store`` writes them.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import NamedTuple

from ingest.pipeline.order import MIN_SECRET, Booth
from ingest.refusals.booth_fields import peek_fields
from photochanger.parsing import make_printable
from slots.models import SLOT_IDS

PLACES = 4  # kinds of one cause that are told apart within a minute
MAX_NOTES = 500  # between two writes; later ones are counted without the booth's name
MAX_MINUTES = 60  # kept while the database is away
MAX_SLOT = 40
MAX_BOOTHS = 200
BOOTH_PREFIXES = ("/api/ingest/", "/ingest/")


@dataclass(slots=True, kw_only=True)
class Note:
    """One refused request. ``head`` is what came of an unread body, to read the booth's name."""

    at: datetime
    path: str
    cause: str
    reason: str
    status: int
    address: str = ""
    booth: Booth = Booth()
    content_type: str = ""
    head: bytearray = field(default_factory=bytearray)
    waited_ms: int | None = None  # how long a booth waited that hung up

    def read_head(self) -> None:
        """Learn the booth's name from what it sent unread."""
        if fields := peek_fields(self.head, self.content_type):
            self.identify(fields)
            self.head = bytearray()

    def identify(self, fields: Mapping[str, str]) -> None:
        self.booth = Booth.of(fields)
        self.path = hide_password(self.path, fields.get("password", ""))

    def make_kind(self) -> "Kind":
        return Kind(
            self.at.replace(second=0, microsecond=0),
            self.cause,
            read_slot(self.path),
            clean_address(self.address),
            self.booth.name,
        )


class Kind(NamedTuple):
    """What makes refusals alike. Without an address: of several who found no place of their own."""

    minute: datetime
    cause: str
    slot: str = ""
    address: str = ""
    booth_name: str = ""

    def widen(self) -> "Kind":
        return Kind(self.minute, self.cause, self.slot if self.slot in SLOT_IDS else "")

    @property
    def is_wide(self) -> bool:
        return self == self.widen()


@dataclass(slots=True)
class Tally:
    """How often one kind of refusal came, and the last one's facts."""

    reason: str
    status: int
    first_at: datetime
    last_at: datetime
    count: int = 0
    booth_version: str = ""
    waited_ms: int | None = None

    def add(self, note: Note) -> None:
        self.count += 1
        self.last_at = max(self.last_at, note.at)
        self.booth_version = note.booth.version or self.booth_version
        self.waited_ms = note.waited_ms if note.waited_ms is not None else self.waited_ms


@dataclass(slots=True, kw_only=True)
class Sighting:
    """What the last photos of one booth told of it."""

    slot_id: str
    version: str
    first_at: datetime
    last_at: datetime
    clock_skew_s: float | None
    photos: int = 1


Sightings = dict[tuple[str, str, str], Sighting]  # by name, address and slot


class Notebook:
    """What this process has seen and not written yet. Every method is thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sightings: Sightings = {}
        self._notes: list[Note] = []
        self._tallies: dict[Kind, Tally] = {}
        self._places: dict[tuple[datetime, str], set[Kind]] = {}
        self.lost = 0

    def add(self, note: Note) -> None:
        with self._lock:
            if len(self._notes) < MAX_NOTES:
                self._notes.append(note)
            else:
                self._count(note)

    def take(self) -> dict[Kind, Tally]:
        """All that is to be written, for the caller to keep."""
        with self._lock:
            notes, self._notes = self._notes, []
        for note in notes:  # outside the lock, which a request may wait for
            note.read_head()
        with self._lock:
            for note in notes:
                self._count(note)
            taken, self._tallies = self._tallies, {}
            self._forget_places()
        return taken

    def put_back(self, tallies: dict[Kind, Tally]) -> None:
        """What could not be written: to be tried again, as far as there is room."""
        with self._lock:
            minutes = sorted({kind.minute for kind in [*tallies, *self._tallies]})[-MAX_MINUTES:]
            for kind, tally in tallies.items():
                if kind.minute < minutes[0]:
                    self.lost += tally.count
                elif newer := self._tallies.get(kind):
                    newer.count += tally.count
                    newer.first_at = min(newer.first_at, tally.first_at)
                else:
                    self._tallies[kind] = tally

    def add_booth(self, booth: Booth, address: str, seen: Sighting) -> None:
        key = (booth.name, clean_address(address), seen.slot_id)
        with self._lock:
            if earlier := self._sightings.get(key):
                seen.first_at, seen.photos = earlier.first_at, earlier.photos + 1
            if earlier or len(self._sightings) < MAX_BOOTHS:
                self._sightings[key] = seen

    def take_booths(self) -> Sightings:
        with self._lock:
            taken, self._sightings = self._sightings, {}
        return taken

    @property
    def is_empty(self) -> bool:
        return not (self._notes or self._tallies or self._sightings)

    def clear(self) -> None:
        with self._lock:
            self._notes, self._tallies, self._places, self.lost = [], {}, {}, 0
            self._sightings = {}

    def _count(self, note: Note) -> None:
        kind = self._find_place(note.make_kind())
        tally = self._tallies.get(kind)
        if tally is None:
            tally = Tally(note.reason, note.status, first_at=note.at, last_at=note.at)
            self._tallies[kind] = tally
        tally.add(note)

    def _find_place(self, kind: Kind) -> Kind:
        """The kind itself while there is a place for it this minute, or else the wide one."""
        places = self._places.setdefault((kind.minute, kind.cause), set())
        if kind in places:
            return kind
        if len(places) >= PLACES:
            return kind.widen()
        places.add(kind)
        return kind

    def _forget_places(self) -> None:
        if self._places:
            newest = max(minute for minute, _cause in self._places)
            oldest = newest - timedelta(minutes=1)
            self._places = {key: kinds for key, kinds in self._places.items() if key[0] >= oldest}


notebook = Notebook()  # of this process


def read_slot(path: str) -> str:
    """The slot as the link had it, printable and cut; the path itself where it is none of ours."""
    for prefix in BOOTH_PREFIXES:
        if path.startswith(prefix):
            path = path.removeprefix(prefix)
            break
    return make_printable(path.strip("/")[:MAX_SLOT], MAX_SLOT, replacement="·")


def hide_password(path: str, password: str) -> str:
    """A link may hold what was meant for another box."""
    secret = password.strip().lower()
    is_there = len(secret) >= MIN_SECRET and secret in path.lower()
    return f"‹{len(path)}›" if is_there else path


def clean_address(address: str) -> str:
    try:
        return str(ip_address(address))
    except ValueError:
        return ""
