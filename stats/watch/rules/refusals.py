"""Rules on requests that were refused before they became a photo."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from ingest.refusals.queries import RefusalGroup, load_recent_refusals
from photochanger.errors import InvalidPassword, PathNotFound, SlotNotFound
from stats.models import Severity
from stats.watch.findings import AlertSettings, Finding

WRONG_PASSWORD, UNKNOWN_LINK, REFUSED = "wrong_password", "unknown_link", "refused"
RULE_BY_CAUSE = {
    InvalidPassword.reason: WRONG_PASSWORD,
    "password_guessed": WRONG_PASSWORD,
    "password_unset": WRONG_PASSWORD,
    "no_password": WRONG_PASSWORD,
    SlotNotFound.reason: UNKNOWN_LINK,
    PathNotFound.reason: UNKNOWN_LINK,
    "unknown_host": UNKNOWN_LINK,
}
TOLD_OTHERWISE = {"database_away", "disk_full"}  # by rules of their own, which know more
MOST_NAMED = 4


def find_refusals(limits: AlertSettings, now: datetime) -> Iterator[Finding]:
    """One finding for each cause: a flood of one kind is one trouble. Two queries."""
    by_cause: dict[str, list[RefusalGroup]] = defaultdict(list)
    for group in load_recent_refusals(now):
        if group.cause.is_grave and not group.is_over and group.word not in TOLD_OTHERWISE:
            by_cause[group.word].append(group)
    for cause, groups in by_cause.items():
        count = sum(group.count for group in groups)
        if count < limits.failures_in_row:
            continue
        # A booth at a slot's link loses guests; a stranger at a wrong link may be a robot.
        is_booth = any(group.is_of_slot or group.booth_name for group in groups)
        yield Finding(
            rule=RULE_BY_CAUSE.get(cause, REFUSED),
            subject=cause,
            severity=Severity.CRITICAL if is_booth else Severity.WARNING,
            facts={
                "cause": cause,
                "slots": _name_some(group.slot_asked for group in groups),
                "who": ", ".join(_name_some(group.who for group in groups)),
                "count": count,
            },
        )


def _name_some(names: Iterator[str]) -> list[str]:
    return sorted({name for name in names if name})[:MOST_NAMED]
