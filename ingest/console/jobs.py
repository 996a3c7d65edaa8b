"""The log of jobs: what came lately and what is in work, however many photos there are.

A page is found from where the last one ended, never by counting: among a million rows that stays
a matter of milliseconds.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from ingest.console.messages import sentence_of
from ingest.models import Job
from photochanger.errors import ERROR_BY_REASON, Interrupted
from providers.registry import DRIVERS
from slots.models import Slot

PER_PAGE = 30
WORKING_SHOWN = 60
UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
START_OF_ID = re.compile(r"[0-9a-f][0-9a-f-]{3,35}", re.ASCII | re.IGNORECASE)
FAILED = (Job.Status.TIMEOUT, Job.Status.FAILED)
PLACE = re.compile(r"(\d{1,17})-([0-9a-f]{32})", re.ASCII)
ONE_LOOK = timedelta(days=31)
MICROSECOND = timedelta(microseconds=1)
FIRST_ID = uuid.UUID(int=0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    job: Job

    @property
    def status(self) -> str:
        return self.job.outcome[0]

    @property
    def status_words(self) -> str:
        return str(Job.Status(self.status).label)

    @property
    def sentence(self) -> str:
        return sentence_of(self.job.outcome[1])

    @property
    def provider(self) -> str:
        return provider_title(self.job.provider)

    @property
    def took_s(self) -> float | None:
        return seconds(self.job.duration_ms)

    @property
    def provider_s(self) -> float | None:
        return seconds(self.job.provider_ms)

    @property
    def since_s(self) -> int:
        """Of a photo in work: how long its booth has been waiting."""
        return max(0, round((timezone.now() - self.job.started_at).total_seconds()))

    @property
    def is_test(self) -> bool:
        return self.job.source == Job.Source.UI_TEST


def seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def provider_title(provider: str) -> str:
    return str(DRIVERS[provider].title) if provider in DRIVERS else provider


# --- What is asked for ---------------------------------------------------------------------------
def _reasons() -> list[tuple[str, Any]]:
    return [("", _("any")), *((error.reason, error.sentence) for error in ERROR_BY_REASON.values())]


class JobFilter(forms.Form):
    """Wrong or unknown values filter nothing: links are passed on and grow old."""

    slot = forms.CharField(required=False, label=gettext_lazy("Slot"), widget=forms.Select)
    outcome = forms.CharField(
        required=False,
        label=gettext_lazy("Outcome"),
        widget=forms.Select(choices=[("", gettext_lazy("any")), *Job.Status.choices]),
    )
    reason = forms.CharField(required=False, label=gettext_lazy("Reason"), widget=forms.Select)
    provider = forms.CharField(
        required=False, label=gettext_lazy("AI service"), widget=forms.Select
    )
    day = forms.DateField(
        required=False,
        label=gettext_lazy("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )

    def __init__(self, data: QueryDict, slots: list[Slot]) -> None:
        super().__init__(data)
        named = [(slot.pk, f"{slot.pk} · {slot}") for slot in slots]
        titles = [(name, str(driver.title)) for name, driver in DRIVERS.items()]
        self._offer("slot", [("", _("all")), *named])
        self._offer("reason", _reasons())
        self._offer("provider", [("", _("all")), *titles])
        self.full_clean()

    def _offer(self, name: str, choices: list[tuple[str, Any]]) -> None:
        widget = self.fields[name].widget
        assert isinstance(widget, forms.Select)
        widget.choices = choices

    def chosen(self, name: str) -> str:
        """The value when it is one of those offered."""
        value = self.cleaned_data.get(name, "")
        offered = self.fields[name].widget.choices
        return value if value in dict(offered) else ""

    @property
    def day_chosen(self) -> date | None:
        day: date | None = self.cleaned_data.get("day")
        return day if day and 2000 <= day.year <= 2999 else None

    def query(self, **more: str) -> str:
        names = ("slot", "outcome", "reason", "provider")
        values = {name: self.chosen(name) for name in names}
        values["day"] = self.day_chosen.isoformat() if self.day_chosen else ""
        return urlencode({name: value for name, value in (values | more).items() if value})


def of_slot_and_provider(form: JobFilter) -> QuerySet[Job]:
    jobs = Job.objects.select_related("slot").order_by("-started_at", "-pk")
    if slot := form.chosen("slot"):
        jobs = jobs.filter(slot=slot)
    if provider := form.chosen("provider"):
        jobs = jobs.filter(provider=provider)
    return jobs


def in_work(jobs: QuerySet[Job], now: datetime) -> list[Row]:
    found = jobs.filter(status=Job.Status.PROCESSING, deadline__gte=now)[:WORKING_SHOWN]
    return [Row(job) for job in found]


def closed(jobs: QuerySet[Job], form: JobFilter, now: datetime) -> list[QuerySet[Job]]:
    """What is over, as one or two questions: one with OR would find no index.

    A photo that nobody closed before its deadline is a failure, as every reader of it is told.
    """
    left_open = jobs.filter(status=Job.Status.PROCESSING, deadline__lt=now)
    outcome, reason = form.chosen("outcome"), form.chosen("reason")
    if outcome == Job.Status.PROCESSING:
        return []
    if outcome:
        asked = [jobs.filter(status=outcome)]
        with_open = outcome == Job.Status.FAILED
    else:
        asked = [jobs.filter(status__in=FAILED) if reason else jobs.exclude(status="processing")]
        with_open = True
    if reason:
        asked = [one.filter(failure_reason=reason) for one in asked]
        with_open = with_open and reason == Interrupted.reason
    return [*asked, left_open] if with_open else asked


def on_day(jobs: QuerySet[Job], day: date | None) -> QuerySet[Job]:
    if day is None:
        return jobs
    start = timezone.make_aware(datetime.combine(day, time.min))
    end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    return jobs.filter(started_at__gte=start, started_at__lt=end)


# --- Pages of it ---------------------------------------------------------------------------------
def place_of(started_at: datetime, pk: uuid.UUID) -> str:
    """Where a page ended, for the address of the next one."""
    return f"{(started_at - EPOCH) // MICROSECOND}-{pk.hex}"


def _moment_of(place: str) -> datetime | None:
    found = PLACE.fullmatch(place)
    return EPOCH + int(found[1]) * MICROSECOND if found else None


def after(jobs: QuerySet[Job], place: str) -> QuerySet[Job]:
    at = _moment_of(place)
    if at is None:
        return jobs
    pk = uuid.UUID(place.rpartition("-")[2])
    return jobs.filter(started_at__lte=at).exclude(started_at=at, pk__gte=pk)


def looked_back_to(form: JobFilter, place: str, now: datetime) -> datetime | None:
    """How far one look goes when no index knows what is asked for: it may be nowhere at all."""
    if form.day_chosen or not (form.chosen("provider") or form.chosen("reason")):
        return None
    return min(now, _moment_of(place) or now) - ONE_LOOK


def page_of(
    form: JobFilter, place: str, now: datetime, back_to: datetime | None = None
) -> list[Row]:
    """One row more than a page when there is another page."""
    jobs = after(on_day(of_slot_and_provider(form), form.day_chosen), place)
    if back_to:
        jobs = jobs.filter(started_at__gte=back_to)
    found = [job for asked in closed(jobs, form, now) for job in asked[: PER_PAGE + 1]]
    found.sort(key=lambda job: (job.started_at, job.pk), reverse=True)
    return [Row(job) for job in found[: PER_PAGE + 1]]


def with_id(text: str) -> QuerySet[Job] | None:
    """By an id, by what it begins with, or by a link that holds it. None: that is no id."""
    jobs = Job.objects.select_related("slot").order_by("-started_at")
    if found := UUID.search(text):
        return jobs.filter(pk=uuid.UUID(found[0]))
    if not START_OF_ID.fullmatch(text.strip()):
        return None
    start = text.strip().replace("-", "").lower()[:32]
    low, high = (uuid.UUID(start.ljust(32, end)) for end in "0f")
    return jobs.filter(Q(pk__gte=low), Q(pk__lte=high))


@require_GET
def jobs_page(request: HttpRequest) -> HttpResponse:
    """At most seven queries."""
    if not admin.site.get_model_admin(Job).has_view_permission(request):
        raise PermissionDenied
    form = JobFilter(request.GET, list(Slot.objects.only("pk", "display_name")))
    asked = request.GET.get("q", "").strip()[:200]
    found = _searched(asked) if asked else _listed(request, form)
    if asked and len(found["rows"]) == 1:
        return redirect("admin:ingest_job_change", found["rows"][0].job.pk)
    context = {"form": form, "asked": asked, "title": _("Log of jobs"), **found}
    if request.headers.get("HX-Request") == "true":
        return render(request, "ingest/console/_jobs.html", context)
    frame = admin.site.each_context(request)
    return render(request, "ingest/console/jobs.html", frame | context)


def _searched(asked: str) -> dict[str, Any]:
    found = with_id(asked)
    rows = [Row(job) for job in found[:PER_PAGE]] if found is not None else []
    return {"rows": rows, "is_no_id": found is None}


def _listed(request: HttpRequest, form: JobFilter) -> dict[str, Any]:
    now, place = timezone.now(), request.GET.get("after", "")
    back_to = looked_back_to(form, place, now)
    rows = page_of(form, place, now, back_to)
    is_first = not PLACE.fullmatch(place)
    shows_work = is_first and form.chosen("outcome") in ("", Job.Status.PROCESSING)
    shows_work = shows_work and not form.chosen("reason") and not form.day_chosen
    return {
        "rows": rows[:PER_PAGE],
        "working": in_work(of_slot_and_provider(form), now) if shows_work else [],
        "shows_work": shows_work,
        "is_first": is_first,
        "is_filtered": bool(form.query()),
        "here": form.query(),
        **_older(form, rows, back_to),
    }


def _older(form: JobFilter, rows: list[Row], back_to: datetime | None) -> dict[str, Any]:
    if len(rows) > PER_PAGE:
        last = rows[PER_PAGE - 1].job
        return {"older": form.query(after=place_of(last.started_at, last.pk))}
    if back_to and Job.objects.filter(started_at__lt=back_to).exists():
        return {"back_to": back_to, "older": form.query(after=place_of(back_to, FIRST_ID))}
    return {}
