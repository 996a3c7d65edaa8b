"""The simulator's record of its calls: never a key, and only the last photo."""

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

CALLS_KEPT = 10_000
PROMPT_CHARS_KEPT = 8_000


@dataclass(frozen=True, slots=True)
class PictureSeen:
    """One picture as the client sent it; no pixel size when its header could not be read."""

    mime: str
    size_bytes: int
    width: int | None = None
    height: int | None = None


@dataclass(slots=True)
class Fetch:
    """One link that a service was given and fetched; ``error`` is empty on success."""

    field: str
    url: str
    status: int | None = None  # None: no answer came
    mime: str = ""
    size_bytes: int = 0
    width: int | None = None
    height: int | None = None
    error: str = ""

    @property
    def needs_authorization(self) -> bool:
        """Whether the link requires a login, which no provider can do."""
        return self.status in (401, 403, 407)


@dataclass(slots=True)
class Call:
    """One call. ``status`` stays None when no answer was sent; times are ``time.monotonic()``."""

    service: str
    method: str
    path: str
    headers: dict[str, str]
    model: str = ""
    scenario: str = ""
    status: int | None = None
    prompt: str = ""
    pictures: tuple[PictureSeen, ...] = ()
    aspect_ratio: str = ""
    image_size: str = ""
    body_bytes: int = 0
    billed_model: str = ""
    bill: dict[str, int] = field(default_factory=dict)  # tokens that the answer charges, by kind
    key_in_query: bool = False
    form: dict[str, str] = field(default_factory=dict)
    queueid: str = ""
    # Filled in when the links were fetched, which is after the call was answered.
    fetched: tuple[Fetch, ...] = ()
    authorization_sent: bool = False
    client_left: bool = False
    started: float = field(default_factory=time.monotonic)
    read_at: float = field(default_factory=time.monotonic)  # its last byte
    finished: float | None = None


class Journal:
    """All counters, and calls up to a limit, so that a day of load does not fill the memory."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.count = self.in_flight = self.max_in_flight = self.clients_left = 0
        self.by_scenario: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.last_photo: bytes | None = None
        self.last_body: bytes | None = None

    def open(self, call: Call) -> None:
        self.calls.append(call)
        self.count += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def close(self, call: Call) -> None:
        """Count the outcome, once; a call opened before a reset must not count below zero."""
        if call.finished is not None:
            return
        call.finished = time.monotonic()
        self.in_flight = max(0, self.in_flight - 1)
        self.by_scenario[call.scenario or "none"] += 1
        self.by_status[str(call.status or "none")] += 1

    def client_left(self, call: Call) -> None:
        """The client left before the answer, or during it: then the call is closed already."""
        call.client_left = True
        self.clients_left += 1

    def state(self) -> dict[str, Any]:
        return {
            "calls": self.count,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "clients_left": self.clients_left,
            "by_scenario": dict(self.by_scenario),
            "by_status": dict(self.by_status),
        }
