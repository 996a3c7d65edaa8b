"""What must hold after a soak, each as a function that lists what speaks against it."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from photochanger.testing.soak.evidence import Answer, Evidence, Row

LATE_S = 2.0  # beyond T_sync
GRACE_S = 5.0  # after its deadline a job that was killed holds no place any more
OURS = re.compile(r"[a-z][a-z_]+")
OWN_FAULTS = {"internal_error", "invalid_request"}  # of photos as these, never to be said
INTERRUPTED = "interrupted"  # a row that was closed by somebody else


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    against: list[str]


def judge(evidence: Evidence) -> list[Finding]:
    return [Finding(name, list(rule(evidence))) for name, rule in RULES.items()]


def _tell(answer: Answer) -> str:
    came = answer.status if answer.status is not None else answer.broken
    return f"photo {answer.number} ({answer.slot_id}): {came} {answer.reason} {answer.took_s:.1f} s"


def find_wrong_pictures(evidence: Evidence) -> Iterator[str]:
    for answer in evidence.answers:
        if answer.status == 200 and answer.number_read != answer.number:
            yield f"{_tell(answer)}: number {answer.number_read}"


def find_late(evidence: Evidence) -> Iterator[str]:
    for answer in evidence.answers:
        is_late = answer.took_s > evidence.t_sync_s + LATE_S
        if is_late and not _is_killed(evidence, answer):
            yield _tell(answer)


def find_unanswered(evidence: Evidence) -> Iterator[str]:
    for answer in evidence.answers:
        if answer.status is None and not _is_killed(evidence, answer):
            yield _tell(answer)


def _is_killed(evidence: Evidence, answer: Answer) -> bool:
    return any(
        trouble.kills and answer.sent_at <= trouble.ended_at and trouble.begun_at <= answer.ended_at
        for trouble in evidence.troubles
    )


def find_strange_refusals(evidence: Evidence) -> Iterator[str]:
    """In no words of ours, or blaming the booth for our own trouble."""
    for answer in evidence.answers:
        if answer.status not in (None, 200):
            is_ours = OURS.fullmatch(answer.reason) and answer.reason not in OWN_FAULTS
            if not is_ours:
                yield _tell(answer)


def find_stuck_jobs(evidence: Evidence) -> Iterator[str]:
    for job in evidence.jobs:
        if job["status"] == "processing":
            yield f"job {job['job_id']}"


def find_orphans(evidence: Evidence) -> Iterator[str]:
    """Files that no row names, and rows whose file is gone."""
    named = {row["path"] for row in evidence.media if not row["cleaned_at"]}
    files = {file for file in evidence.files if not file.startswith(".")}
    yield from (f"file without a row: {file}" for file in sorted(files - named))
    yield from (f"row without its file: {path}" for path in sorted(named - set(evidence.files)))


def find_crowds(evidence: Evidence) -> Iterator[str]:
    """More photos at one time than a slot or a service may have."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for job in evidence.jobs:
        if job["called"] is not None:
            groups["slot", job["slot_id"]].append(job)
            groups["service", job["provider"]].append(job)
    for (kind, name), jobs in groups.items():
        limit = evidence.slot_limit if kind == "slot" else evidence.provider_limit
        most = count_most_at_once([(job["called"], _get_end(job)) for job in jobs])
        if most > limit:
            yield f"{kind} {name}: {most} at once, at most {limit}"


def _get_end(job: Row) -> float:
    last = float(job["deadline"]) + GRACE_S
    return min(last, float(job["finished"])) if job["finished"] is not None else last


def count_most_at_once(spans: list[tuple[float, float]]) -> int:
    """Whoever ends at the moment in which another begins has made room."""
    steps = sorted(chain.from_iterable(((start, 1), (end, -1)) for start, end in spans))
    at_once = most = 0
    for _at, step in steps:
        at_once += step
        most = max(most, at_once)
    return most


def find_differing_rows(evidence: Evidence) -> Iterator[str]:
    """Answers whose row says something else, and photos that have more rows than one."""
    rows = {job["job_id"]: job for job in evidence.jobs}
    for answer in evidence.answers:
        job = rows.get(answer.job_id)
        if answer.status == 200 and job is None:
            yield f"{_tell(answer)}: no row"
        elif answer.status is not None and job is not None and not _agree(answer, job):
            yield f"{_tell(answer)}: its row says {job['status']} {job['failure_reason']}"
    unanswered = sum(answer.status is None for answer in evidence.answers)
    surplus = len(set(rows) - {answer.job_id for answer in evidence.answers})
    if surplus > unanswered:
        yield f"{surplus} rows that nobody was told of, {unanswered} photos without an answer"


def _agree(answer: Answer, job: Row) -> bool:
    if answer.status == 200:
        return job["status"] == "done" or bool(job["fell_back"])
    return job["failure_reason"] in (answer.reason, INTERRUPTED)


def find_wrong_statistics(evidence: Evidence) -> Iterator[str]:
    counted = {
        "done_last_window": sum(job["status"] == "done" for job in evidence.jobs),
        "timeouts_last_window": sum(job["failure_reason"] == "timeout" for job in evidence.jobs),
        "jobs_last_window": len(evidence.jobs),
        "in_flight": 0,
    }
    for name, count in counted.items():
        if evidence.statistics.get(name) != count:
            yield f"{name}: {evidence.statistics.get(name)}, counted {count}"


def find_told_secrets(evidence: Evidence) -> Iterator[str]:
    for name, secret in evidence.secrets.items():
        if secret in evidence.logs:
            yield f"{name} stands in a log"


RULES: dict[str, Callable[[Evidence], Iterator[str]]] = {
    "pictures that are not the guest's own": find_wrong_pictures,
    "answers later than T_sync + 2 s": find_late,
    "photos without an answer": find_unanswered,
    "refusals in no words of ours": find_strange_refusals,
    "jobs that never ended": find_stuck_jobs,
    "orphans": find_orphans,
    "more photos at once than allowed": find_crowds,
    "answers that their row contradicts": find_differing_rows,
    "statistics that count otherwise": find_wrong_statistics,
    "secrets in logs": find_told_secrets,
}
