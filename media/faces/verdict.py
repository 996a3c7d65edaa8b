"""Were the people of a photo kept in the picture that was made of it?

Faces of both are paired so that the likeness of all pairs together is best. The limits were chosen
on photos of parties and their restylings; what they miss is told where the figure is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from media.faces.face import Face
from media.faces.pairing import pair_cheapest


class Verdict(StrEnum):
    KEPT = "kept"  # everybody is there; where likeness is judged, everybody resembles themselves
    CHANGED = "changed"  # somebody is there and does not resemble themselves
    LOST = "lost"  # fewer people than before
    STRANGER = "stranger"  # more people than before
    UNKNOWN = "unknown"  # a drawing without a face that can be found: says nothing
    NOBODY = "nobody"  # no face in the photo


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What counts as a face, and when two are one person's. Scores are 0-1."""

    sure_score: float = 0.40  # of a face in the photo
    expected_score: float = 0.40  # of a face in the result that has somebody to pair with
    extra_score: float = 0.55  # of a face in the result that has nobody
    smallest_share: float = 0.30  # of the median face's width: posters and far tables drop out
    limit: float = 0.55  # the distance from which two faces are two people's
    shift_weight: float = 0.10  # layouts change, so the place only breaks ties
    is_drawn: bool = False  # a style in which a face may be there and not be found


PHOTO = Rules()
DRAWN = Rules(expected_score=0.30, limit=0.70, is_drawn=True)
LEAST_SCORE = min(PHOTO.sure_score, DRAWN.expected_score)

# Likeness in per cent: 100 at the nearer distance (the same shot), 0 at the farther one.
NEAREST, FARTHEST = 0.15, 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is known of a photo and its result: figures only, nothing of a face.

    ``likeness`` is that of the least alike of those who are there, 0-100; None: not judged.
    """

    verdict: Verdict
    people_in: int
    people_out: int
    likeness: int | None = None


def compare_faces(before: Sequence[Face], after: Sequence[Face], rules: Rules) -> Report:
    """Judge a picture by its faces and those of its photo; by numbers alone if not described."""
    people = sorted(find_people(before, rules), key=lambda face: face.centre)
    found = [face for face in after if face.score >= rules.expected_score]
    if not people:
        strangers = [face for face in found if face.score >= rules.extra_score]
        return Report(verdict=Verdict.NOBODY, people_in=0, people_out=len(strangers))
    if not found:
        verdict = Verdict.UNKNOWN if rules.is_drawn else Verdict.LOST
        return Report(verdict=verdict, people_in=len(people), people_out=0)
    pairs = pair_cheapest([[_weigh(one, other, rules) for other in found] for one in people])
    bystanders = [face for face in before if face not in people]
    strangers = _find_strangers(found, {j for _, j in pairs}, bystanders, rules)
    worst = max(people[i].distance_to(found[j]) for i, j in pairs)
    return Report(
        verdict=_judge(len(people) - len(pairs), len(strangers), worst, rules),
        people_in=len(people),
        people_out=len(pairs) + len(strangers),
        likeness=None if people[0].descriptor is None else rate_likeness(worst),
    )


def _judge(lost: int, strangers: int, worst: float, rules: Rules) -> Verdict:
    if lost:
        return Verdict.LOST
    if strangers:
        return Verdict.STRANGER
    return Verdict.CHANGED if worst > rules.limit else Verdict.KEPT


def find_people(faces: Sequence[Face], rules: Rules) -> list[Face]:
    """The people of a photo: not the poster behind them, nor the guests of the next table."""
    sure = [face for face in faces if face.score >= rules.sure_score]
    if not sure:
        return []
    least = rules.smallest_share * median(face.width for face in sure)
    return [face for face in sure if face.width >= least]


def count_people_surely(faces: Sequence[Face], rules: Rules) -> int | None:
    """How many people a photo shows; None when a face as large as theirs may or may not be one."""
    people = find_people(faces, rules)
    if not people:
        return None
    least = rules.smallest_share * median(face.width for face in people)
    is_doubted = any(face.width >= least for face in faces if face.score < rules.sure_score)
    return None if is_doubted else len(people)


def _weigh(one: Face, other: Face, rules: Rules) -> float:
    return one.distance_to(other) + rules.shift_weight * one.shift_to(other)


def _find_strangers(
    found: Sequence[Face], paired: set[int], bystanders: Sequence[Face], rules: Rules
) -> list[Face]:
    """Faces of the result that are nobody's: clear, not small, and not a bystander's."""
    least = rules.smallest_share * median(found[j].width for j in paired)
    return [
        face
        for j, face in enumerate(found)
        if j not in paired
        and face.score >= rules.extra_score
        and face.width >= least
        and not any(_is_alike(face, other, rules) for other in bystanders)
    ]


def _is_alike(one: Face, other: Face, rules: Rules) -> bool:
    return one.descriptor is not None and one.distance_to(other) < rules.limit


def rate_likeness(distance: float) -> int:
    """A distance as per cent, for people: 50 is the limit for photo-like styles."""
    share = (FARTHEST - distance) / (FARTHEST - NEAREST)
    return round(100 * min(1.0, max(0.0, share)))
