"""The filter of the log of jobs, and the queries behind one page of it.

A page is found from where the last one ended (a cursor), never by counting: among a million rows
that stays a matter of milliseconds.
"""

import re
import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ingest.console.job_reasons import count_reasons, list_choices
from ingest.faces.words import VERDICT_CHOICES
from ingest.models import Job
from photochanger.errors import ERROR_BY_REASON, Interrupted
from photochanger.parsing import parse_number
from providers.registry import DRIVERS
from slots.console.dates import DayField
from slots.models import Event, Slot

PER_PAGE = 30
WORKING_SHOWN = 60
UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
START_OF_ID = re.compile(r"[0-9a-f][0-9a-f-]{3,35}", re.ASCII | re.IGNORECASE)
FAILED = (Job.Status.TIMEOUT, Job.Status.FAILED)
CURSOR = re.compile(r"(\d{1,17})-([0-9a-f]{32})", re.ASCII)
SEARCH_WINDOW = timedelta(days=31)
MICROSECOND = timedelta(microseconds=1)
FIRST_ID = uuid.UUID(int=0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOURS = range(24)


EVENTS_SHOWN = 30
LOST = "lost"  # an outcome of the filter: every kind of failure
LAST_HOUR = "hour"


class JobFilter(forms.Form):
    """The filter above the log. Wrong or unknown values filter nothing: links grow old."""

    slot = forms.CharField(required=False, label=gettext_lazy("Slot"), widget=forms.Select)
    outcome = forms.CharField(
        required=False,
        label=gettext_lazy("Outcome"),
        widget=forms.Select(
            choices=[
                ("", gettext_lazy("any")),
                (LOST, gettext_lazy("failures of every kind")),
                *Job.Status.choices,
            ]
        ),
    )
    event = forms.CharField(required=False, label=gettext_lazy("Event"), widget=forms.Select)
    reason = forms.CharField(required=False, label=gettext_lazy("Reason"), widget=forms.Select)
    faces = forms.CharField(
        required=False,
        label=gettext_lazy("Faces"),
        widget=forms.Select(choices=[("", gettext_lazy("any")), *VERDICT_CHOICES]),
    )
    provider = forms.CharField(
        required=False, label=gettext_lazy("AI service"), widget=forms.Select
    )
    day = DayField(
        required=False,
        label=gettext_lazy("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )
    hour = forms.CharField(
        required=False,
        label=gettext_lazy("Hour"),
        widget=forms.Select(
            choices=[("", gettext_lazy("any")), *((f"{n}", f"{n:02}:00–{n:02}:59") for n in HOURS)]
        ),
    )
    last = forms.CharField(
        required=False,
        label=gettext_lazy("Time"),
        widget=forms.Select(
            choices=[("", gettext_lazy("any")), (LAST_HOUR, gettext_lazy("the last hour"))]
        ),
    )

    def __init__(self, data: QueryDict, slots: list[Slot], now: datetime) -> None:
        super().__init__(data)
        self.now = now
        named = [(slot.pk, f"{slot.pk} · {slot}") for slot in slots]
        titles = [(name, str(driver.title)) for name, driver in DRIVERS.items()]
        self._set_choices("slot", [("", _("all")), *named])
        self._set_choices("event", [("", _("all")), *_list_events(data.get("event", ""))])
        self._set_choices("provider", [("", _("all")), *titles])
        self.full_clean()
        chosen = self.cleaned_data.get("reason", "")
        counts = count_reasons(now, *self.period)
        known = chosen if chosen in ERROR_BY_REASON else ""
        self._set_choices("reason", [("", _("any")), *list_choices(counts, known)])

    def _set_choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        widget = self.fields[name].widget
        assert isinstance(widget, forms.Select)
        widget.choices = choices

    def get_choice(self, name: str) -> str:
        """The value if it is one of the choices, else empty."""
        value = self.cleaned_data.get(name, "")
        offered = self.fields[name].widget.choices
        return value if value in dict(offered) else ""

    @property
    def day_chosen(self) -> date | None:
        day: date | None = self.cleaned_data.get("day")
        return day

    @property
    def period(self) -> tuple[datetime | None, datetime | None]:
        """From when and before when; an hour without a day is one of today."""
        if self.get_choice("last"):
            return self.now - timedelta(hours=1), None
        hour = self.get_choice("hour")
        day = self.day_chosen or (timezone.localdate(self.now) if hour else None)
        if day is None:
            return None, None
        first = datetime.combine(day, time(int(hour or 0)))
        last = first + timedelta(hours=1) if hour else first + timedelta(days=1)
        return timezone.make_aware(first), timezone.make_aware(last)

    @property
    def is_by_hand(self) -> bool:
        """Whether more is chosen than the chips above the form can show."""
        names = ("slot", "event", "reason", "faces", "provider", "hour")
        return self.get_choice("outcome") not in ("", LOST) or any(
            (*map(self.get_choice, names), self.day_chosen)
        )

    def build_query(self, **more: str) -> str:
        names = ("slot", "event", "outcome", "reason", "faces", "provider", "hour", "last")
        values = {name: self.get_choice(name) for name in names}
        values["day"] = self.day_chosen.isoformat() if self.day_chosen else ""
        return urlencode({name: value for name, value in (values | more).items() if value})


def _list_events(asked: str) -> list[tuple[str, str]]:
    """The last ones that have begun, and the one that is asked for. One query."""
    begun = Event.objects.filter(started_at__isnull=False).order_by("-started_at")
    found = list(begun[:EVENTS_SHOWN])
    number = parse_number(asked)
    if number is not None and number not in {one.pk for one in found}:
        found += begun.filter(pk=number)
    return [(str(one.pk), str(one)) for one in found]


def filter_by_slot_and_provider(form: JobFilter) -> QuerySet[Job]:
    jobs = Job.objects.select_related("slot").order_by("-started_at", "-pk")
    if slot := form.get_choice("slot"):
        jobs = jobs.filter(slot=slot)
    if event := form.get_choice("event"):
        jobs = jobs.filter(event=int(event))
    if provider := form.get_choice("provider"):
        jobs = jobs.filter(provider=provider)
    if faces := form.get_choice("faces"):
        jobs = jobs.filter(faces=faces)
    return jobs


def list_in_progress(jobs: QuerySet[Job], now: datetime) -> list[Job]:
    found = jobs.filter(status=Job.Status.PROCESSING, deadline__gte=now)[:WORKING_SHOWN]
    return list(found)


def find_closed(jobs: QuerySet[Job], form: JobFilter, now: datetime) -> list[QuerySet[Job]]:
    """Jobs that are over, as one or two queries: a single one with OR would use no index.

    A row that nobody closed before its deadline counts as failed, as for every reader.
    """
    left_open = jobs.filter(status=Job.Status.PROCESSING, deadline__lt=now)
    outcome, reason = form.get_choice("outcome"), form.get_choice("reason")
    if outcome == Job.Status.PROCESSING:
        return []
    if outcome == LOST:
        queries, with_open = [jobs.filter(status__in=FAILED)], True
    elif outcome:
        queries = [jobs.filter(status=outcome)]
        with_open = outcome == Job.Status.FAILED
    else:
        queries = [jobs.filter(status__in=FAILED) if reason else jobs.exclude(status="processing")]
        with_open = True
    if reason:
        queries = [query.filter(failure_reason=reason) for query in queries]
        with_open = with_open and reason == Interrupted.reason
    return [*queries, left_open] if with_open else queries


def filter_by_time(jobs: QuerySet[Job], form: JobFilter) -> QuerySet[Job]:
    since, until = form.period
    if since:
        jobs = jobs.filter(started_at__gte=since)
    return jobs.filter(started_at__lt=until) if until else jobs


def make_cursor(started_at: datetime, pk: uuid.UUID) -> str:
    """The last row of a page, as a parameter in the address of the next page."""
    return f"{(started_at - EPOCH) // MICROSECOND}-{pk.hex}"


def parse_cursor(cursor: str) -> datetime | None:
    found = CURSOR.fullmatch(cursor)
    return EPOCH + int(found[1]) * MICROSECOND if found else None


def filter_after(jobs: QuerySet[Job], cursor: str) -> QuerySet[Job]:
    at = parse_cursor(cursor)
    if at is None:
        return jobs
    pk = uuid.UUID(cursor.rpartition("-")[2])
    return jobs.filter(started_at__lte=at).exclude(started_at=at, pk__gte=pk)


def find_search_limit(form: JobFilter, cursor: str, now: datetime) -> datetime | None:
    """How far back one request searches for what no index helps to find.

    None: without a limit. Rows of a provider or reason may be rare or missing, and the search
    would read the whole table.
    """
    if any(form.period) or not any(map(form.get_choice, ("provider", "reason", "faces"))):
        return None
    return min(now, parse_cursor(cursor) or now) - SEARCH_WINDOW


def load_page(
    form: JobFilter, cursor: str, now: datetime, back_to: datetime | None = None
) -> list[Job]:
    """The jobs of one page, and one more when there is another page."""
    jobs = filter_after(filter_by_time(filter_by_slot_and_provider(form), form), cursor)
    if back_to:
        jobs = jobs.filter(started_at__gte=back_to)
    found = [job for query in find_closed(jobs, form, now) for job in query[: PER_PAGE + 1]]
    found.sort(key=lambda job: (job.started_at, job.pk), reverse=True)
    return found[: PER_PAGE + 1]


def find_by_id(text: str) -> QuerySet[Job] | None:
    """Find by an id, by its beginning, or by a link that holds it. None: ``text`` holds no id."""
    jobs = Job.objects.select_related("slot").order_by("-started_at")
    if found := UUID.search(text):
        return jobs.filter(pk=uuid.UUID(found[0]))
    if not START_OF_ID.fullmatch(text.strip()):
        return None
    start = text.strip().replace("-", "").lower()[:32]
    low, high = (uuid.UUID(start.ljust(32, end)) for end in "0f")
    return jobs.filter(Q(pk__gte=low), Q(pk__lte=high))
