"""The judge of `make attack`: it finds what no attack may reach, and nothing where all held."""

import json
from typing import Any
from unittest import mock

from django.test import SimpleTestCase

from photochanger.testing.attack.__main__ import MOST_MB, find_tracebacks, judge
from photochanger.testing.attack.insiders import INSIDERS
from photochanger.testing.attack.strangers import STRANGERS, Target
from photochanger.testing.attack.witness import Witness


class AttackTests(SimpleTestCase):
    def find(self, *, kind: str = "strangers", answers: Any = None, **seen: Any) -> list[str]:
        server = mock.Mock()
        witness = Witness(server, "", photos_s=[0.2])
        witness.bytes_before = 0
        for name, value in seen.items():
            setattr(witness, name, value)
        target = Target(server, "", 0)
        target.answers.update(answers or {"401": 9})
        return judge(kind, target, witness)

    def test_whatever_reaches_a_good_booth_or_the_memory_is_found(self) -> None:
        self.assertEqual(self.find(), [])
        (lost,) = self.find(lost=["429 {...}"])
        self.assertIn("429", lost)
        (own,) = self.find(answers={"500": 1, "401": 5})
        self.assertIn("500", own)
        (silence,) = self.find(photos_s=[])
        self.assertIn("no good photo", silence)
        for kind, most_mb in MOST_MB.items():
            self.assertEqual(self.find(kind=kind, most_bytes=(most_mb - 1) * 1_000_000), [])
            (heavy,) = self.find(kind=kind, most_bytes=(most_mb + 1) * 1_000_000)
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
        names = [attack.__name__ for attack in (*STRANGERS, *INSIDERS)]
        self.assertEqual(len(set(names)), len(names))
