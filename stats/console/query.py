"""Which photos the statistics tell of: of the last hour, of yesterday, of a period one chose."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple, Self

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from photochanger.db import clock
from photochanger.parsing import parse_number
from slots.console.dates import MomentField
from slots.models import SLOT_IDS, Event
from slots.validation_messages import DATE, REQUIRED
from stats.services import MAX_WINDOW_MINUTES

HOUR, DAY, WEEK, MONTH = 60, 24 * 60, 7 * 24 * 60, MAX_WINDOW_MINUTES
WINDOWS = {
    HOUR: gettext_lazy("Hour"),
    DAY: gettext_lazy("Day"),
    WEEK: gettext_lazy("Week"),
    MONTH: gettext_lazy("Month"),
}
WORDS = {
    HOUR: gettext_lazy("in the last hour"),
    DAY: gettext_lazy("in the last day"),
    WEEK: gettext_lazy("in the last week"),
    MONTH: gettext_lazy("in the last 31 days"),
}
YESTERDAY = "yesterday"
SETTLED = timedelta(minutes=1)
# Seconds between two refreshes; a wide window costs the database more, and changes less.
FIGURES_EVERY, PLOTS_EVERY = {HOUR: 10, DAY: 30}, {HOUR: 30, DAY: 120}
DEFAULT_FIGURES_EVERY_S, DEFAULT_PLOTS_EVERY_S = 60, 600
LOCAL = "%Y-%m-%dT%H:%M"
FORMATS = [LOCAL, "%Y-%m-%d"]
MESSAGES = {"invalid": DATE, "required": REQUIRED}


class Period(NamedTuple):
    since: datetime
    until: datetime


class PeriodForm(forms.Form):
    """From when to when, in the server's time zone; the page has it as two inputs."""

    first = MomentField(input_formats=FORMATS, error_messages=MESSAGES)
    last = MomentField(input_formats=FORMATS, error_messages=MESSAGES)

    def read(self) -> Period | None:
        """None when it is not right; ``problem`` says why."""
        if not self.is_valid():
            return None
        since, until = self.cleaned_data["first"], self.cleaned_data["last"]
        now = clock.now()
        if since >= until or since >= now:
            self.add_error(None, _("The period must begin before it ends, and not in the future."))
        elif until - since > timedelta(minutes=MONTH):
            self.add_error(None, _("A period has 31 days at most."))
        return Period(since, min(until, now)) if self.is_valid() else None

    @property
    def problem(self) -> str:
        return next((str(words[0]) for words in self.errors.values()), "")


@dataclass(frozen=True, slots=True)
class StatisticsQuery:
    """The parameters of the page's address; invalid ones are ignored, and a period's are told."""

    minutes: int = HOUR
    slot_id: str = ""
    since: datetime | None = None  # one person's own reset of the counters shown
    period: Period | None = None
    is_yesterday: bool = False
    typed: tuple[str, str] = ("", "")  # of the period, as it is to stand in its inputs
    problem: str = ""
    event: Event | None = None  # only its photos, of all its time

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        asked = request.GET
        window, since = parse_number(asked.get("window", "")), asked.get("since", "")
        slot_id = asked.get("slot", "") if asked.get("slot", "") in SLOT_IDS else ""
        is_yesterday = asked.get("window") == YESTERDAY
        if event := _find_event(asked.get("event", "")):
            return cls(slot_id=slot_id, period=_get_time_of(event), event=event)
        period, problem = _read_period(asked, is_yesterday=is_yesterday)
        return cls(
            minutes=window if window is not None and window in WINDOWS else HOUR,
            slot_id=slot_id,
            since=datetime.fromtimestamp(int(since), UTC) if _is_valid_time(since) else None,
            period=period,
            is_yesterday=is_yesterday,
            typed=_format_typed(asked, period),
            problem=problem,
        )

    @property
    def window(self) -> timedelta:
        if self.period:
            return self.period.until - self.period.since
        if self.since is None:
            return timedelta(minutes=self.minutes)
        longest = timedelta(minutes=MONTH)
        return min(longest, max(timedelta(minutes=1), clock.now() - self.since))

    @property
    def event_id(self) -> int | None:
        return self.event.pk if self.event else None

    @property
    def until(self) -> datetime | None:
        """None: now."""
        return self.period.until if self.period else None

    @property
    def begins_at(self) -> datetime:
        return (self.until or clock.now()) - self.window

    @property
    def words(self) -> str:
        if self.event:
            return _("at “%(event)s”") % {"event": self.event}
        if self.is_yesterday:
            return _("yesterday")
        if self.period:
            first, last = (_format_moment(at) for at in self.period)
            return _("from %(first)s to %(last)s") % {"first": first, "last": last}
        return _("since the reset") if self.since else str(WORDS[self.minutes])

    @property
    def figures_every(self) -> int:
        every = {} if self.period else FIGURES_EVERY
        return every.get(self.minutes, DEFAULT_FIGURES_EVERY_S)

    @property
    def plots_every(self) -> int:
        every = {} if self.period else PLOTS_EVERY
        return every.get(self.minutes, DEFAULT_PLOTS_EVERY_S)

    def query(self, **changes: Any) -> str:
        now: dict[str, Any] = {"window": self.minutes, "slot": self.slot_id, "since": self._epoch}
        if self.event and "window" not in changes:
            now["event"] = self.event.pk
        elif self.is_yesterday:
            now["window"] = YESTERDAY
        elif self.period:
            now |= {"first": self.typed[0], "last": self.typed[1]}
        if "window" in changes or changes.get("since"):
            now |= {"first": "", "last": ""}
        given = {n: value for n, value in (now | changes).items() if value and value != HOUR}
        return f"?{urlencode(given)}" if given else "?"

    @property
    def _epoch(self) -> int | None:
        return int(self.since.timestamp()) if self.since else None

    def choices(self) -> Iterator[tuple[str, Any, bool]]:
        for minutes, name in WINDOWS.items():
            is_chosen = minutes == self.minutes and not self.since and not self.period
            yield self.query(window=minutes, since=None), name, is_chosen
        yield self.query(window=YESTERDAY, since=None), _("Yesterday"), self.is_yesterday


def _find_event(number: str) -> Event | None:
    """One that has begun. One query, when one is asked for."""
    if (pk := parse_number(number)) is None:
        return None
    return Event.objects.filter(pk=pk, started_at__isnull=False).first()


def _get_time_of(event: Event) -> Period:
    """From its start to its end, 31 days at most. A photo is its own until a minute after that."""
    now = clock.now()
    until = min(now, event.closed_at + SETTLED) if event.closed_at else now
    since = event.started_at or now
    return Period(max(since, until - timedelta(minutes=MONTH)), until)


def _read_period(asked: QueryDict, *, is_yesterday: bool) -> tuple[Period | None, str]:
    if is_yesterday:
        return _get_yesterday(), ""
    if not (asked.get("first") or asked.get("last")):
        return None, ""
    form = PeriodForm(asked)
    return form.read(), form.problem


def _get_yesterday() -> Period:
    """From midnight to midnight, in the server's time zone."""
    today = timezone.localdate()
    first, last = (
        timezone.make_aware(datetime.combine(day, time()))
        for day in (today - timedelta(days=1), today)
    )
    return Period(first, last)


def _format_typed(asked: QueryDict, period: Period | None) -> tuple[str, str]:
    if period:
        return (timezone.localtime(period.since).strftime(LOCAL), _format_end(period.until))
    return asked.get("first", "")[:20], asked.get("last", "")[:20]


def _format_end(at: datetime) -> str:
    """Rounded up: a period that ends now must not lose its last minute when it is asked again."""
    return (timezone.localtime(at) + timedelta(seconds=59)).strftime(LOCAL)


def _format_moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


def _is_valid_time(text: str) -> bool:
    longest_s = MONTH * 60
    return text.isdecimal() and len(text) < 12 and 0 <= _age_s(int(text)) <= longest_s


def _age_s(epoch: int) -> float:
    return clock.now().timestamp() - epoch
