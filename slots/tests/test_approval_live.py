"""The wall under load: photos arrive, two processes are polled, somebody decides on a phone."""

import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from django.test import SimpleTestCase, override_settings

from media.view_ids import make_view_id
from photochanger.testing import live
from photochanger.testing.databases import chosen_database
from photochanger.testing.marks import both_databases, live_server
from photochanger.testing.server_process import Server
from photochanger.testing.waiting import PATIENCE_S
from slots.tests.support import picture

pytestmark = [both_databases, live_server]

PICTURES, POLLERS = 40, 6
STALE_S = 1.5  # GALLERY_FRESH_SECONDS, what a process may still remember, and a little
MAKE_LINK = (
    "from slots.approval.links import make_link\n"
    "from slots.approval.scope import Scope\n"
    "made = make_link(Scope(slot_id='slot-001'), hours=6, by='serg')\n"
    "print(made.link.token, made.pin)"
)


class Wall:
    """What was seen of the gallery, and what was decided, each with its moment."""

    def __init__(self) -> None:
        self.sent_approvals: set[str] = set()  # before the request leaves
        self.done_hiding: dict[str, float] = {}  # after its answer
        self.wrong: list[str] = []
        self.polls = 0
        self.seen: set[str] = set()

    def judge(self, shown: list[str], asked_at: float) -> None:
        self.polls += 1
        self.seen.update(shown)
        for view_id in shown:
            if view_id not in self.sent_approvals:
                self.wrong.append(f"{view_id} was shown and never approved")
            hidden_at = self.done_hiding.get(view_id)
            if hidden_at is not None and asked_at > hidden_at + STALE_S:
                self.wrong.append(f"{view_id} was shown {asked_at - hidden_at:.2f} s after hiding")


class WallTests(SimpleTestCase):
    site: live.LiveSite
    servers: list[Server]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site = cls.enterClassContext(live.site(chosen_database()))
        cls.site.configure(slot={"publishing": "after_approval"})
        cls.servers = [cls.enterClassContext(cls.site.server()) for _ in range(2)]
        printed = cls.site.manage("shell", "--verbosity", "0", "-c", MAKE_LINK)
        cls.token, cls.pin = printed.split()[-2:]
        cls.body = picture(size=(96, 96))

    def add(self) -> tuple[str, str]:
        """A picture as the photo's path stores it: its row's id and the one that is published."""
        job_id, media_id = uuid.uuid4(), uuid.uuid4()
        path = f"results/slot-001/{job_id}/payload.jpg"
        file = self.site.media_root / path
        file.parent.mkdir(parents=True)
        file.write_bytes(self.body)
        now = datetime.now(UTC)
        is_lite = chosen_database() == "sqlite"
        values: dict[str, Any] = {
            **{"id": media_id.hex if is_lite else str(media_id)},
            **{"job_id": job_id.hex if is_lite else str(job_id)},
            **{"slot_id": "slot-001", "kind": "result", "path": path, "mime": "image/jpeg"},
            **{"size_bytes": len(self.body), "sha256": "", "created_at": f"{now:%F %T.%f}"},
            **{"expires_at": f"{now + timedelta(hours=72):%F %T.%f}", "fetches": 0},
        }
        cells = ", ".join(f"'{v}'" if isinstance(v, str) else str(v) for v in values.values())
        listed = "1" if is_lite else "true"
        self.site.execute(
            f"INSERT INTO media_object ({', '.join(values)}, is_listed) VALUES ({cells}, {listed})"
        )
        with override_settings(SECRET_KEY=self.site.env["SECRET_KEY"]):
            return str(media_id), str(make_view_id(job_id))

    def poll(self, wall: Wall, stop: threading.Event, server: Server) -> None:
        """As walls and phones do, one after the other, as fast as they get answers."""
        with httpx.Client(base_url=server.url, timeout=PATIENCE_S) as client:
            while not stop.is_set():
                asked_at = time.monotonic()
                answer = client.get("/public/slots/slot-001?format=json")
                answer.raise_for_status()
                wall.judge([one["id"] for one in answer.json()["results"]], asked_at)

    def log_in(self, server: Server) -> httpx.Client:
        client = httpx.Client(base_url=server.url, timeout=PATIENCE_S)
        self.addCleanup(client.close)
        answer = client.post(f"/public/approval/{self.token}", data={"pin": self.pin})
        self.assertEqual(answer.status_code, 302, answer.text[:300])
        return client

    def send(self, client: httpx.Client, media_id: str, what: str, seen: str) -> None:
        address = f"/public/approval/{self.token}/pictures/{media_id}"
        answer = client.post(address, data={"do": what, "seen": seen})
        self.assertEqual(answer.status_code, 302, answer.text[:300])

    def decide(self, wall: Wall, media_id: str, view_id: str, choice: int) -> None:
        """A third waits for ever, a third is approved, a third approved and hidden or deleted."""
        if choice == 0:
            return
        wall.sent_approvals.add(view_id)
        self.send(self.phones[0], media_id, "approve", "new")
        if choice == 2:
            self.send(self.phones[1], media_id, random.choice(["hide", "delete"]), "approved")
            wall.done_hiding[view_id] = time.monotonic()

    def test_the_wall_never_shows_what_is_not_approved(self) -> None:
        self.phones = [self.log_in(server) for server in self.servers]
        wall, stop = Wall(), threading.Event()
        with ThreadPoolExecutor(POLLERS) as pool:
            jobs = [
                pool.submit(self.poll, wall, stop, self.servers[number % 2])
                for number in range(POLLERS)
            ]
            try:
                for number in range(PICTURES):
                    self.decide(wall, *self.add(), number % 3)
                time.sleep(STALE_S * 1.5)  # the last ones, too, are looked at after they are gone
            finally:
                stop.set()
            for job in jobs:
                job.result()
        self.assertEqual(wall.wrong[:5], [])
        self.assertGreater(wall.polls, PICTURES)
        self.assertTrue(wall.seen, "nothing was ever shown: the test saw nothing")
        self.assert_both_show_the_same(wall)

    def assert_both_show_the_same(self, wall: Wall) -> None:
        left = wall.sent_approvals - wall.done_hiding.keys()
        for server in self.servers:
            answer = httpx.get(f"{server.url}/public/slots/slot-001?format=json")
            shown = {one["id"] for one in answer.json()["results"]}
            self.assertLessEqual(shown, left)
            self.assertEqual(len(shown), min(10, len(left)))

    def test_of_those_who_decide_at_once_on_two_processes_hiding_wins(self) -> None:
        self.phones = [self.log_in(server) for server in self.servers]
        for _ in range(10):
            media_id, view_id = self.add()
            with ThreadPoolExecutor(2) as pool:
                both = [
                    pool.submit(self.send, phone, media_id, what, "new")
                    for phone, what in zip(self.phones, ("approve", "hide"), strict=True)
                ]
                for one in both:
                    one.result()
            time.sleep(STALE_S)
            for server in self.servers:
                page = httpx.get(f"{server.url}/public/slots/slot-001?format=json").text
                self.assertNotIn(view_id, page)

    def test_a_new_mode_holds_within_a_second_on_every_process(self) -> None:
        address = "/public/slots/slot-001?format=json"
        for server in self.servers:
            self.assertEqual(httpx.get(server.url + address).status_code, 200)
        self.site.execute("UPDATE slot SET gallery_mode = 'secret' WHERE id = 'slot-001'")
        self.addCleanup(self.site.execute, "UPDATE slot SET gallery_mode = 'open'")
        time.sleep(STALE_S)
        for server in self.servers:
            self.assertEqual(httpx.get(server.url + address).status_code, 404)
