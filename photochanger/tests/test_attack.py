"""The judge of `make attack`: it finds what no attack may reach, and nothing where all held."""

import json
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.test import SimpleTestCase

from photochanger.testing.attack.__main__ import find_tracebacks
from photochanger.testing.attack.scene import KINDS, MOST_MB, judge
from photochanger.testing.attack.target import LINE_BYTES_PER_S, Line, Target, send_in_turn
from photochanger.testing.attack.witness import Seen


class AttackTests(SimpleTestCase):
    def find(self, *, kind: str = "strangers", answers: Any = None, **seen: Any) -> list[str]:
        witness = Seen(**{"photos_s": [0.2], **seen})
        return judge(kind, Counter(answers or {"401": 9}), witness)

    def test_whatever_reaches_a_good_booth_or_the_memory_is_found(self) -> None:
        self.assertEqual(self.find(), [])
        (lost,) = self.find(lost=["429 {...}"])
        self.assertIn("429", lost)
        (own,) = self.find(answers={"500": 1, "401": 5})
        self.assertIn("500", own)
        (silence,) = self.find(photos_s=[])
        self.assertIn("no good photo", silence)
        for kind, most_mb in MOST_MB.items():
            self.assertEqual(self.find(kind=kind, grown_mb=most_mb - 1), [])
            (heavy,) = self.find(kind=kind, grown_mb=most_mb + 1)
            self.assertIn(f"at most {most_mb}", heavy)

    def test_tracebacks_in_the_servers_log_are_told_once_for_each_kind(self) -> None:
        trace = 'Traceback (most recent call last):\n  File "a.py"\nBrokenForm: no end'
        lines = [
            *[{"event": f"never retrieved\nfuture: <Task {n}>", "exception": trace} for n in "12"],
            {"event": "ingest.job.closed"},
        ]
        log = "\n".join(["INFO: not JSON", *map(json.dumps, lines)])
        told = ["a traceback in the server's log: never retrieved: BrokenForm: no end"]
        self.assertEqual(find_tracebacks(log), told)

    def test_each_attack_has_a_name_of_its_own(self) -> None:
        names = [attack.__name__ for attacks in KINDS.values() for attack in attacks]
        self.assertEqual(len(set(names)), len(names))

    def test_an_attacker_has_one_line_for_all_connections(self) -> None:
        line, begun = Line(), time.monotonic()
        with ThreadPoolExecutor(4) as callers:
            list(callers.map(line.carry, [LINE_BYTES_PER_S // 80] * 8))
        self.assertGreaterEqual(time.monotonic() - begun, 0.1)

    def test_an_attack_counts_answers_on_connections_that_stay_and_on_those_that_end(self) -> None:
        stays = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"
        ends = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        answers = iter([stays, ends, stays])
        with socket.create_server(("127.0.0.1", 0)) as listener:
            target = Target(listener.getsockname()[1], "", time.monotonic() + 60)

            def serve() -> None:
                for count in (2, 1):
                    connection, _ = listener.accept()
                    with connection:
                        for _ in range(count):
                            connection.recv(1000)
                            connection.sendall(next(answers))
                target.until = 0

            server = threading.Thread(target=serve)
            server.start()
            send_in_turn(target, 1, lambda: b"GET / HTTP/1.1\r\n\r\n")
            server.join()
        self.assertGreaterEqual(target.answers["404"] + target.answers["413"], 3)
