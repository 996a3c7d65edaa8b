"""The booths that are known: what they sent last, their clock, and the time-out they betray."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from ingest.models import Job, KnownBooth
from photochanger.errors import ClientGone

HANGUPS_SEEN, MAX_HANGUPS = timedelta(days=1), 500
WRONG_CLOCK_S = 120  # booths tell whole seconds, and their photo takes a while to come


@dataclass(frozen=True, slots=True, kw_only=True)
class BoothFacts:
    booth: KnownBooth
    hangups: int  # of its photos, within a day
    timeout_s: float | None  # how long it waits, as its hang-ups betray; None: it never gave up

    @property
    def clock_is_wrong(self) -> bool:
        skew_s = self.booth.clock_skew_s
        return skew_s is not None and abs(skew_s) > WRONG_CLOCK_S


def load_booths(now: datetime) -> list[BoothFacts]:
    """The one seen last comes first. Two queries."""
    waited = load_hangups(now)
    return [_describe_booth(booth, waited[booth.name]) for booth in KnownBooth.objects.all()]


def load_hangups(now: datetime) -> dict[str, list[int]]:
    """How long each booth waited for the photos that it gave up, in milliseconds; by its name."""
    gone = Job.objects.filter(
        source=Job.Source.INGEST,
        status=Job.Status.FAILED,
        failure_reason=ClientGone.reason,
        started_at__gte=now - HANGUPS_SEEN,
        duration_ms__isnull=False,
    )
    found: dict[str, list[int]] = defaultdict(list)
    rows = gone.order_by("-started_at").values_list("booth_name", "duration_ms")
    for name, duration_ms in rows[:MAX_HANGUPS]:
        found[name].append(int(duration_ms or 0))
    return found


def _describe_booth(booth: KnownBooth, waited_ms: list[int]) -> BoothFacts:
    timeout_s = round(median(waited_ms) / 1000, 1) if waited_ms else None
    return BoothFacts(booth=booth, hangups=len(waited_ms), timeout_s=timeout_s)
