"""Booths, which post photo after photo, and a monitor beside them; each writes down what it saw."""

import itertools
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import httpx

from photochanger.testing.soak.evidence import Answer, Probe
from photochanger.testing.soak.numbered_photos import SIZES, draw_photo, read_number

GIVE_UP_S = 10.0  # beyond T_sync
PAUSE_S = 1.0
REFUSED_FOR_S = 60.0  # as long a front server would look for a machine
PROBED = ("/livez", "/healthz")
LARGE_SHARE = 0.05


class Crowd:
    """All booths of a soak, each at its slot, until ``stop``."""

    def __init__(
        self, urls: Sequence[str], password: str, slots: Sequence[str], *, t_sync_s: float
    ) -> None:
        self.urls, self.password, self.t_sync_s = urls, password, t_sync_s
        self.answers: list[Answer] = []
        self.probes: list[Probe] = []
        self.failed: list[BaseException] = []
        self._numbers = itertools.count(1)
        self._ended = threading.Event()
        booths = [(self._post_photos, slot_id) for slot_id in slots]
        monitors = [(self._probe, url) for url in urls]
        self._threads = [
            threading.Thread(target=self._run, args=work, daemon=True)
            for work in (*booths, *monitors)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Until each booth has its last answer. Raises what went wrong in a booth itself."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        if self.failed:
            raise self.failed[0]

    def _run(self, work: Callable[[str], None], where: str) -> None:
        try:
            work(where)
        except BaseException as exc:  # a booth that broke proves nothing: told at the end
            self.failed.append(exc)

    def _post_photos(self, slot_id: str) -> None:
        taste = random.Random(slot_id)  # noqa: S311  the same sizes in each run
        with httpx.Client(timeout=self.t_sync_s + GIVE_UP_S) as client:
            while not self._ended.is_set():
                number = next(self._numbers)
                is_large = taste.random() < LARGE_SHARE
                photo = draw_photo(number, SIZES[2] if is_large else taste.choice(SIZES[:2]))
                self.answers.append(self._post(client, slot_id, number, photo))
                self._ended.wait(taste.uniform(0, 2 * PAUSE_S))

    def _post(self, client: httpx.Client, slot_id: str, number: int, photo: bytes) -> Answer:
        """A machine that takes no connections is passed over, as a front server would do."""
        give_up = time.monotonic() + REFUSED_FOR_S
        for turn in itertools.count(number):
            sent_at = time.monotonic()
            url = f"{self.urls[turn % len(self.urls)]}/ingest/{slot_id}"
            try:
                answer = client.post(
                    url,
                    data={"password": self.password},
                    files={"fileToUpload": (f"IMG_{number:04}.JPG", photo, "image/jpeg")},
                )
            except httpx.ConnectError as exc:
                if time.monotonic() < give_up:
                    time.sleep(0.1)
                    continue
                return self._note_broken(slot_id, number, sent_at, exc)
            except httpx.TransportError as exc:
                return self._note_broken(slot_id, number, sent_at, exc)
            return _note(answer, slot_id, number, sent_at, time.monotonic() - sent_at)
        raise AssertionError("it counts for ever")

    def _note_broken(
        self, slot_id: str, number: int, sent_at: float, exc: httpx.TransportError
    ) -> Answer:
        took_s = time.monotonic() - sent_at
        return Answer(number, slot_id, sent_at, took_s, broken=type(exc).__name__)

    def _probe(self, url: str) -> None:
        with httpx.Client(timeout=30) as client:
            while not self._ended.is_set():
                for path in PROBED:
                    at, took_s = time.monotonic(), None
                    with suppress(httpx.TransportError):
                        client.get(url + path)
                        took_s = time.monotonic() - at
                    self.probes.append(Probe(path, at, took_s))
                self._ended.wait(0.5)


def _note(
    answer: httpx.Response, slot_id: str, number: int, sent_at: float, took_s: float
) -> Answer:
    said: Any = {}
    if answer.status_code != 200:
        with suppress(ValueError):
            said = answer.json()
    if not isinstance(said, dict):
        said = {}
    job_id = said.get("job_id") or answer.headers.get("X-Job-Id", "")
    return Answer(
        number,
        slot_id,
        sent_at,
        took_s,
        answer.status_code,
        reason=str(said.get("failure_reason", "")),
        job_id=job_id.replace("-", ""),
        number_read=read_number(answer.content) if answer.status_code == 200 else None,
    )
