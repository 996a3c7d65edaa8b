"""When a picture whose people were not kept is worth a second call, and which of two is better."""

from django.db.models import Count

from ingest.models import Attempt, Job
from media.faces.verdict import Report, Rules, Verdict

# The style itself changes faces where more of the last photos were asked for again.
HISTORY, MOST_REPEATED = 50, 10
BEST_FIRST = (
    *(Verdict.KEPT, Verdict.UNKNOWN, Verdict.NOBODY),
    *(Verdict.CHANGED, Verdict.STRANGER, Verdict.LOST),
)
KEEP_FACES = (
    "Keep each person's face exactly as in the photo: same features, proportions, age, skin and "
    "expression; change only clothes, background and style."
)


def is_worth_repeating(report: Report, rules: Rules) -> bool:
    """In drawn styles likeness says too little to pay for another picture."""
    if report.verdict == Verdict.CHANGED:
        return not rules.is_drawn
    return report.verdict in (Verdict.LOST, Verdict.STRANGER)


def is_better(second: Report, first: Report) -> bool:
    """By verdict, and of equal ones by likeness."""
    return _rank(second) < _rank(first)


def _rank(report: Report) -> tuple[int, int]:
    return BEST_FIRST.index(report.verdict), -(report.likeness or 0)


def choose_firmer_words(report: Report) -> str:
    """What is added to the prompt of the second call, for a model."""
    if report.verdict == Verdict.CHANGED:
        return KEEP_FACES
    if report.people_in == 1:
        return (
            "The photo shows exactly one person. The result must show exactly this person and "
            "nobody else."
        )
    return (
        f"The photo shows exactly {report.people_in} people. The result must show exactly these "
        f"{report.people_in} people, none left out, none added."
    )


def is_braked(slot_id: str) -> bool:
    """Whether too many of the slot's last photos were asked for twice. Two queries."""
    photos = Job.objects.filter(slot=slot_id).exclude(source=Job.Source.LAB)
    last = photos.exclude(faces="").order_by("-started_at")
    jobs = list(last.values_list("pk", flat=True)[:HISTORY])
    pictures = Attempt.objects.filter(job__in=jobs, failure_reason="").order_by()
    repeated = pictures.values("job").annotate(pictures=Count("pk")).filter(pictures__gt=1)
    return repeated.count() > MOST_REPEATED
