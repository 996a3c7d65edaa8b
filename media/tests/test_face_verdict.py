"""The verdict on made-up faces: no models, no pictures."""

import itertools
import random
from dataclasses import replace

from django.test import SimpleTestCase

from media.faces.face import Face
from media.faces.pairing import pair_cheapest
from media.faces.verdict import (
    DRAWN,
    PHOTO,
    Report,
    Rules,
    Verdict,
    compare_faces,
    rate_likeness,
)

WIDTH = 0.1


def face(who: float, x: float = 0.5, *, score: float = 0.9, width: float = WIDTH) -> Face:
    """A face whose distance from another is the difference of their ``who``."""
    return Face(centre=(x, 0.4), width=width, score=score, descriptor=(who, 0.0))


def counted(one: Face) -> Face:
    return replace(one, descriptor=None)


class VerdictTests(SimpleTestCase):
    photo = (face(0.0, 0.2), face(1.0, 0.5), face(2.0, 0.8))

    def judge(self, *after: Face, rules: Rules = PHOTO) -> Report:
        return compare_faces(self.photo, after, rules)

    def test_everybody_kept_whatever_their_order_and_place(self) -> None:
        after = (face(2.1, 0.1), face(0.1, 0.6), face(0.9, 0.9))
        report = self.judge(*after)
        self.assertEqual(report.verdict, Verdict.KEPT)
        self.assertEqual((report.people_in, report.people_out), (3, 3))
        self.assertEqual(report.likeness, rate_likeness(0.1))

    def test_a_person_is_lost(self) -> None:
        report = self.judge(self.photo[0], self.photo[2])
        self.assertEqual(report.verdict, Verdict.LOST)
        self.assertEqual((report.people_in, report.people_out), (3, 2))
        self.assertEqual(report.likeness, 100)  # of those who are there

    def test_nobody_is_left(self) -> None:
        report = self.judge()
        self.assertEqual(report.verdict, Verdict.LOST)
        self.assertEqual((report.people_in, report.people_out, report.likeness), (3, 0, None))

    def test_a_stranger_is_added(self) -> None:
        report = self.judge(*self.photo, face(5.0, 0.95))
        self.assertEqual(report.verdict, Verdict.STRANGER)
        self.assertEqual((report.people_in, report.people_out), (3, 4))

    def test_a_person_is_replaced(self) -> None:
        report = self.judge(self.photo[0], face(5.0, 0.5), self.photo[2])
        self.assertEqual(report.verdict, Verdict.CHANGED)
        self.assertEqual((report.people_in, report.people_out, report.likeness), (3, 3, 0))

    def test_a_lost_one_and_a_stranger_are_a_person_replaced(self) -> None:
        report = self.judge(self.photo[0], self.photo[1], face(5.0, 0.1))
        self.assertEqual(report.verdict, Verdict.CHANGED)

    def test_the_limit_is_fifty_per_cent(self) -> None:
        self.assertEqual(rate_likeness(PHOTO.limit), 50)
        self.assertEqual((rate_likeness(0.0), rate_likeness(3.0)), (100, 0))
        near, far = (face(1.0 + by, 0.5) for by in (PHOTO.limit - 0.01, PHOTO.limit + 0.01))
        self.assertEqual(self.judge(*self.photo[::2], near).verdict, Verdict.KEPT)
        self.assertEqual(self.judge(*self.photo[::2], far).verdict, Verdict.CHANGED)
        self.assertEqual(self.judge(*self.photo[::2], far, rules=DRAWN).verdict, Verdict.KEPT)

    def test_faint_faces_count_as_expected_ones_and_not_as_strangers(self) -> None:
        faint = replace(self.photo[1], score=0.45)
        self.assertEqual(self.judge(*self.photo[::2], faint).verdict, Verdict.KEPT)
        doubtful = face(5.0, 0.9, score=0.5)
        self.assertEqual(self.judge(*self.photo, doubtful).verdict, Verdict.KEPT)
        fainter = replace(self.photo[1], score=0.35)
        self.assertEqual(self.judge(*self.photo[::2], fainter).verdict, Verdict.LOST)
        kept = self.judge(*self.photo[::2], fainter, rules=DRAWN)
        self.assertEqual(kept.verdict, Verdict.KEPT)

    def test_a_poster_in_the_photo_is_nobody_and_may_come_back_in_the_result(self) -> None:
        poster = face(7.0, 0.95, width=0.02)
        photo = (*self.photo, poster)
        self.assertEqual(compare_faces(photo, self.photo, PHOTO).verdict, Verdict.KEPT)
        larger = replace(poster, width=WIDTH)
        self.assertEqual(compare_faces(photo, (*self.photo, larger), PHOTO).verdict, Verdict.KEPT)
        small = face(9.0, 0.95, width=0.02)
        self.assertEqual(self.judge(*self.photo, small).verdict, Verdict.KEPT)

    def test_no_people_in_the_photo(self) -> None:
        for after, out in (((), 0), ((face(1.0),), 1)):
            report = compare_faces((), after, PHOTO)
            self.assertEqual(report, Report(verdict=Verdict.NOBODY, people_in=0, people_out=out))

    def test_a_drawing_without_any_face_says_nothing(self) -> None:
        report = self.judge(rules=DRAWN)
        self.assertEqual((report.verdict, report.likeness), (Verdict.UNKNOWN, None))

    def test_counting_alone_sees_numbers_and_judges_no_likeness(self) -> None:
        people = [counted(one) for one in self.photo]
        for after, verdict in (
            (people, Verdict.KEPT),
            (people[1:], Verdict.LOST),
            ([*people, counted(face(5.0, 0.9))], Verdict.STRANGER),
            ([*people[1:], counted(face(5.0, 0.2))], Verdict.KEPT),
        ):
            report = compare_faces(people, after, PHOTO)
            self.assertEqual((report.verdict, report.likeness), (verdict, None))

    def test_a_face_tells_nothing_of_itself(self) -> None:
        self.assertEqual(repr(face(0.125, 0.25)), "Face(score=0.9)")


class PairingTests(SimpleTestCase):
    def test_it_is_the_cheapest_of_all_pairings(self) -> None:
        source = random.Random(5)
        for _ in range(200):
            rows, columns = source.randint(1, 5), source.randint(1, 5)
            costs = [[source.random() for _ in range(columns)] for _ in range(rows)]
            pairs = pair_cheapest(costs)
            self.assertEqual(len(pairs), min(rows, columns))
            self.assertEqual(len({row for row, _ in pairs}), len(pairs))
            self.assertEqual(len({column for _, column in pairs}), len(pairs))
            total = sum(costs[row][column] for row, column in pairs)
            self.assertAlmostEqual(total, find_least_cost(costs))


def find_least_cost(costs: list[list[float]]) -> float:
    """By trying them all."""
    if len(costs) > len(costs[0]):
        costs = [list(column) for column in zip(*costs, strict=True)]
    return min(
        sum(row[column] for row, column in zip(costs, chosen, strict=True))
        for chosen in itertools.permutations(range(len(costs[0])), len(costs))
    )
