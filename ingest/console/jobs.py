"""The log of jobs: photos in progress, and those that are over, newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from ingest.console.job_filter import (
    CURSOR,
    FIRST_ID,
    LAST_HOUR,
    LOST,
    PER_PAGE,
    JobFilter,
    filter_by_slot_and_provider,
    find_by_id,
    find_search_limit,
    list_in_progress,
    load_page,
    make_cursor,
)
from ingest.console.messages import get_failure_sentence
from ingest.faces.words import FacesView
from ingest.models import Job
from media.services import select_live_results
from photochanger.db import clock
from providers.registry import DRIVERS
from slots.console.pages import console_page
from slots.models import Slot


@dataclass(frozen=True, slots=True)
class JobRow:
    job: Job
    has_picture: bool = False  # that is still kept, for the log's small pictures

    @property
    def status(self) -> str:
        return self.job.outcome[0]

    @property
    def status_words(self) -> str:
        return str(Job.Status(self.status).label)

    @property
    def sentence(self) -> str:
        return get_failure_sentence(self.job.outcome[1], self.job.failure_detail)

    @property
    def provider(self) -> str:
        return get_provider_title(self.job.provider)

    @property
    def faces(self) -> FacesView:
        return FacesView(self.job)

    @property
    def took_s(self) -> float | None:
        return to_seconds(self.job.duration_ms)

    @property
    def provider_s(self) -> float | None:
        return to_seconds(self.job.provider_ms)

    @property
    def since_s(self) -> int:
        """Of a photo in work: how long its booth has been waiting."""
        return max(0, round((clock.now() - self.job.started_at).total_seconds()))

    @property
    def is_test(self) -> bool:
        return self.job.source != Job.Source.INGEST


@dataclass(frozen=True, slots=True)
class Chip:
    words: str
    query: str
    is_on: bool


def to_seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def get_provider_title(provider: str) -> str:
    return str(DRIVERS[provider].title) if provider in DRIVERS else provider


@require_GET
def jobs_page(request: HttpRequest) -> HttpResponse:
    """At most ten queries."""
    form = JobFilter(request.GET, list(Slot.objects.only("pk", "display_name")), clock.now())
    asked = request.GET.get("q", "").strip()[:200]
    found = _search(asked) if asked else _list_jobs(request, form)
    if asked and len(found["rows"]) == 1:
        return redirect("admin:ingest_job_change", found["rows"][0].job.pk)
    context = {"form": form, "asked": asked, "title": _("Log of jobs"), **found}
    context["chips"] = _list_chips(form)
    if request.headers.get("HX-Request") == "true":
        return render(request, "ingest/console/_jobs.html", context)
    return console_page(request, "ingest/console/jobs.html", context)


def _search(asked: str) -> dict[str, Any]:
    found = find_by_id(asked)
    rows = _make_rows(list(found[:PER_PAGE])) if found is not None else []
    return {"rows": rows, "is_no_id": found is None}


def _make_rows(jobs: list[Job]) -> list[JobRow]:
    """With one query for all their pictures."""
    made = [job.pk for job in jobs if job.result_path]
    kept = set(select_live_results().filter(job_id__in=made).values_list("job_id", flat=True))
    return [JobRow(job, job.pk in kept) for job in jobs]


def _list_chips(form: JobFilter) -> list[Chip]:
    """The two questions of an evening, each pressed or taken back by one touch."""
    has_lost, has_hour = form.get_choice("outcome") == LOST, bool(form.get_choice("last"))
    return [
        Chip(_("Failures only"), form.build_query(outcome="" if has_lost else LOST), has_lost),
        Chip(
            _("The last hour"),
            form.build_query(last="" if has_hour else LAST_HOUR, day="", hour=""),
            has_hour,
        ),
    ]


def _list_jobs(request: HttpRequest, form: JobFilter) -> dict[str, Any]:
    now, cursor = form.now, request.GET.get("after", "")
    back_to = find_search_limit(form, cursor, now)
    jobs = load_page(form, cursor, now, back_to)
    is_first = not CURSOR.fullmatch(cursor)
    shows_work = is_first and form.get_choice("outcome") in ("", Job.Status.PROCESSING)
    shows_work = shows_work and not form.get_choice("reason") and not any(form.period[1:])
    working = list_in_progress(filter_by_slot_and_provider(form), now) if shows_work else []
    return {
        "rows": _make_rows(jobs[:PER_PAGE]),
        "working": [JobRow(job) for job in working],
        "shows_work": shows_work,
        "is_first": is_first,
        "is_filtered": bool(form.build_query()),
        "here": form.build_query(),
        **_link_to_older(form, jobs, back_to),
    }


def _link_to_older(form: JobFilter, jobs: list[Job], back_to: datetime | None) -> dict[str, Any]:
    if len(jobs) > PER_PAGE:
        last = jobs[PER_PAGE - 1]
        return {"older": form.build_query(after=make_cursor(last.started_at, last.pk))}
    if back_to and Job.objects.filter(started_at__lt=back_to).exists():
        return {"back_to": back_to, "older": form.build_query(after=make_cursor(back_to, FIRST_ID))}
    return {}
