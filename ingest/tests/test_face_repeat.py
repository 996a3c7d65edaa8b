"""When a second picture is asked for because of faces, and which of two is taken."""

from datetime import timedelta

from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from ingest.faces.repeat import (
    HISTORY,
    MOST_REPEATED,
    choose_firmer_words,
    is_better,
    is_braked,
    is_worth_repeating,
)
from ingest.models import Attempt, Job
from media.faces.verdict import DRAWN, PHOTO, Report, Verdict
from photochanger.testing.marks import both_databases


def report(verdict: Verdict, likeness: int | None = None, people: int = 3) -> Report:
    return Report(verdict=verdict, people_in=people, people_out=people, likeness=likeness)


class RuleTests(SimpleTestCase):
    def test_mistakes_are_worth_a_second_picture(self) -> None:
        for verdict in Verdict:
            wrong = verdict in (Verdict.LOST, Verdict.STRANGER, Verdict.CHANGED)
            self.assertEqual(is_worth_repeating(report(verdict), PHOTO), wrong, verdict)

    def test_a_drawn_style_is_asked_again_for_numbers_only(self) -> None:
        for verdict, is_asked in (
            (Verdict.CHANGED, False),
            (Verdict.LOST, True),
            (Verdict.STRANGER, True),
        ):
            self.assertEqual(is_worth_repeating(report(verdict), DRAWN), is_asked)

    def test_the_better_picture_is_told_by_verdict_and_then_by_likeness(self) -> None:
        best_first = [
            report(Verdict.KEPT, 90),
            report(Verdict.KEPT, 55),
            report(Verdict.CHANGED, 40),
            report(Verdict.CHANGED),
            report(Verdict.STRANGER, 95),
            report(Verdict.LOST, 99),
        ]
        for better, worse in zip(best_first, best_first[1:], strict=False):
            self.assertTrue(is_better(better, worse))
            self.assertFalse(is_better(worse, better))
        for one in best_first:
            self.assertFalse(is_better(one, one))

    def test_the_second_prompt_says_who_must_be_there(self) -> None:
        self.assertIn("exactly 3 people", choose_firmer_words(report(Verdict.LOST)))
        self.assertIn("nobody else", choose_firmer_words(report(Verdict.STRANGER, people=1)))
        self.assertIn("each person's face", choose_firmer_words(report(Verdict.CHANGED)))


@both_databases
class BrakeTests(TestCase):
    """A style that changes faces by itself would cost a second picture for every photo."""

    def add_photo(self, number: int, *, pictures: int, slot_id: str = "slot-001") -> None:
        started_at = timezone.now() - timedelta(minutes=number)
        job = Job.objects.create(
            slot_id=slot_id,
            slot_version=1,
            source=Job.Source.INGEST,
            status=Job.Status.DONE,
            provider="gemini",
            operation="image_edit",
            started_at=started_at,
            deadline=started_at,
            photo_sha256=f"{number:064}",
            photo_bytes=1,
            faces=Verdict.LOST,
        )
        calls = [
            Attempt(job=job, number=call, provider="gemini", started_at=started_at, duration_ms=1)
            for call in range(1, pictures + 1)
        ]
        failed = Attempt(
            job=job,
            number=pictures + 1,
            provider="gemini",
            started_at=started_at,
            duration_ms=1,
            failure_reason="bad_response",
        )
        Attempt.objects.bulk_create([*calls, failed])

    def test_it_holds_only_where_many_of_the_last_photos_were_asked_for_twice(self) -> None:
        for number in range(MOST_REPEATED):
            self.add_photo(number, pictures=2)
        self.add_photo(HISTORY, pictures=1)
        self.add_photo(HISTORY + 1, pictures=2, slot_id="slot-002")
        self.assertFalse(is_braked("slot-001"))
        self.add_photo(MOST_REPEATED, pictures=2)
        self.assertTrue(is_braked("slot-001"))
        self.assertFalse(is_braked("slot-002"))

    def test_it_lets_go_when_those_photos_are_long_past(self) -> None:
        for number in range(HISTORY):
            self.add_photo(number, pictures=1)
        for number in range(HISTORY, HISTORY + 2 * MOST_REPEATED):
            self.add_photo(number, pictures=2)
        self.assertFalse(is_braked("slot-001"))
