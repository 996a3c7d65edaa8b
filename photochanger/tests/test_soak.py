"""The judge of a soak: it finds each thing that must not be, and nothing where all is well."""

from dataclasses import replace
from typing import Any

from django.test import SimpleTestCase
from PIL import Image

from photochanger.testing.soak.evidence import Answer, Evidence, Trouble
from photochanger.testing.soak.judge import RULES, judge
from photochanger.testing.soak.numbered_photos import SIZES, draw_photo, read_number
from providers.simulator.pictures import encode_image, stylise_photo

JOB = {
    "job_id": "a1",
    "slot_id": "slot-001",
    "provider": "gemini",
    "status": "done",
    "failure_reason": "",
    "fell_back": False,
    "called": 100.0,
    "deadline": 120.0,
    "finished": 104.0,
}
FILE = "results/slot-001/a1/payload.jpg"
GOOD = Answer(7, "slot-001", 50.0, 4.5, 200, job_id="a1", number_read=7)
REFUSED = Answer(8, "slot-001", 51.0, 0.1, 429, reason="slot_busy")


def make_evidence(**changes: Any) -> Evidence:
    """Of two photos: one was made, one was refused."""
    seen: dict[str, Any] = {
        "answers": [GOOD, REFUSED],
        "jobs": [JOB],
        "media": [{"path": FILE, "cleaned_at": None}],
        "files": [FILE],
        "secrets": {"SECRET_KEY": "s3cret"},
        "statistics": {
            "done_last_window": 1,
            "timeouts_last_window": 0,
            "jobs_last_window": 1,
            "in_flight": 0,
        },
        "t_sync_s": 20.0,
        "slot_limit": 1,
        "provider_limit": 2,
    }
    return Evidence(**(seen | changes))


def list_broken(evidence: Evidence) -> set[str]:
    return {finding.name for finding in judge(evidence) if finding.against}


class JudgeTests(SimpleTestCase):
    def test_nothing_is_found_where_all_is_well(self) -> None:
        self.assertEqual(list_broken(make_evidence()), set())

    def test_every_rule_finds_what_breaks_it_and_no_other_does(self) -> None:
        beside = JOB | {"job_id": "b2", "called": 101.0}
        broken: dict[str, Evidence] = {
            "pictures that are not the guest's own": self.of(replace(GOOD, number_read=8)),
            "answers later than T_sync + 2 s": self.of(replace(GOOD, took_s=22.5)),
            "photos without an answer": self.of(replace(GOOD, status=None, broken="ReadError")),
            "refusals in no words of ours": self.of(GOOD, replace(REFUSED, reason="")),
            "jobs that never ended": make_evidence(
                answers=[], jobs=[JOB | {"status": "processing"}], statistics=self.count(done=0)
            ),
            "orphans": make_evidence(files=[]),
            "more photos at once than allowed": make_evidence(
                answers=[GOOD, replace(GOOD, job_id="b2")],
                jobs=[JOB, beside],
                statistics=self.count(done=2, jobs=2),
            ),
            "answers that their row contradicts": make_evidence(
                jobs=[JOB | {"status": "failed", "failure_reason": "no_image"}],
                statistics=self.count(done=0),
            ),
            "statistics that count otherwise": make_evidence(statistics=self.count(done=2)),
            "secrets in logs": make_evidence(logs='{"key": "s3cret"}'),
        }
        self.assertEqual(set(broken), set(RULES))
        for name, evidence in broken.items():
            with self.subTest(name):
                also = {"answers that their row contradicts"} if not evidence.answers else set()
                self.assertEqual(list_broken(evidence) - also, {name})

    def of(self, *answers: Answer) -> Evidence:
        return make_evidence(answers=list(answers))

    def count(self, *, done: int, jobs: int = 1) -> dict[str, int]:
        return {
            "done_last_window": done,
            "timeouts_last_window": 0,
            "jobs_last_window": jobs,
            "in_flight": 0,
        }

    def test_a_photo_that_a_killed_server_held_is_excused_and_no_other_one(self) -> None:
        lost = replace(GOOD, status=None, broken="ReadError")
        for name, begun, kills, is_excused in (
            ("kill a worker", 52.0, True, True),
            ("kill a worker", 60.0, True, False),
            ("freeze database", 52.0, False, False),
        ):
            with self.subTest(name, begun=begun):
                evidence = self.of(lost)
                evidence.troubles = [Trouble(name, begun, begun + 1, kills=kills)]
                self.assertEqual(list_broken(evidence) == set(), is_excused)

    def test_a_guests_own_photo_in_the_place_of_a_failed_one_is_no_contradiction(self) -> None:
        job = JOB | {"status": "failed", "failure_reason": "no_image", "fell_back": True}
        self.assertEqual(
            list_broken(make_evidence(jobs=[job], statistics=self.count(done=0))), set()
        )


class NumberTests(SimpleTestCase):
    def test_a_number_is_read_in_the_photo_and_in_the_picture_made_of_it(self) -> None:
        for size in SIZES[:2]:
            for number in (0, 1, 123_456, 2**24 - 1):
                with self.subTest(number, size=size):
                    photo = draw_photo(number, size)
                    self.assertEqual(read_number(photo), number)
                    made = stylise_photo([photo], (1264, 848), title="Gemini", prompt="As oil")
                    self.assertEqual(read_number(encode_image(made, "JPEG")), number)

    def test_a_picture_without_a_number_has_none(self) -> None:
        blank = Image.new("RGB", (900, 600), (96, 110, 96))
        self.assertIsNone(read_number(encode_image(blank, "PNG")))
