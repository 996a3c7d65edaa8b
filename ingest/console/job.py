"""The page of one job: its times, its provider calls and its result."""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from ingest.console.credentials import CredentialsView
from ingest.console.details import Detail, describe_detail
from ingest.console.jobs import JobRow, get_provider_title
from ingest.console.messages import get_failure_sentence
from ingest.console.remedies import Remedy, can_use_reserve, list_remedies
from ingest.console.step_bar import StepSegment, draw_step_bar
from ingest.costs.money import CostWords, Currency, describe_call_cost, load_currency
from ingest.faces.words import FacesView
from ingest.models import Attempt, Job
from ingest.refusals.causes import find_cause, name_failure
from media.deletion import delete_result, undo_deletion
from media.erasure.held import HeldPicture, find_held
from media.links import build_url, find_links
from media.models import MediaObject
from photochanger.errors import ResultExpired, ResultNotFound
from providers.registry import DRIVERS
from slots.console.pages import confirm_page, console_page

STOP_POLLING = 286  # the status at which htmx ends its polling
RECIPES = {
    "": gettext_lazy("none sent"),
    "none": gettext_lazy("came, and matches no recipe we know"),
    "md5": gettext_lazy("MD5 of the photo"),
    "sha1": gettext_lazy("SHA-1 of the photo"),
    "sha256": gettext_lazy("SHA-256 of the photo"),
}
TIMELINE_WIDTH = 1000  # units of the drawing's x axis


@dataclass(frozen=True)
class CallView:
    """One call of the provider, for the page."""

    attempt: Attempt
    job: Job
    currency: Currency

    @property
    def cost(self) -> str:
        return describe_call_cost(self.attempt, self.currency)

    @property
    def provider(self) -> str:
        return get_provider_title(self.attempt.provider)

    @property
    def sentence(self) -> str:
        return get_failure_sentence(self.attempt.failure_reason, self.attempt.detail)

    @property
    def faces(self) -> FacesView:
        return FacesView(self.attempt)

    @property
    def after_s(self) -> float:
        return (self.attempt.started_at - self.job.started_at).total_seconds()

    @property
    def took_s(self) -> float:
        return self.attempt.duration_ms / 1000

    @property
    def detail(self) -> Detail:
        return describe_detail(self.attempt.detail, self.attempt.provider)

    @property
    def usage(self) -> str:
        usage, driver = self.attempt.usage, DRIVERS.get(self.attempt.provider)
        if driver:
            return driver.describe_usage(usage)
        return ", ".join(f"{name}: {value}" for name, value in usage.items())


@dataclass(frozen=True)
class Bar:
    """A stretch of time in the drawing; ``TIMELINE_WIDTH`` is the longest."""

    kind: str
    x: int
    width: int


@dataclass(frozen=True)
class JobDetail(JobRow):
    """A job with its calls and its files, for the page; three more queries."""

    @cached_property
    def _currency(self) -> Currency:
        return load_currency()

    @property
    def cost(self) -> CostWords:
        return CostWords.of_job(self.job, self._currency)

    @cached_property
    def calls(self) -> list[CallView]:
        attempts = Attempt.objects.filter(job=self.job).order_by("number")
        return [CallView(attempt, self.job, self._currency) for attempt in attempts]

    @cached_property
    def _files(self) -> dict[str, MediaObject]:
        files = MediaObject.objects.filter(job_id=self.job.pk).order_by("created_at")
        return {media.kind: media for media in files}

    @property
    def result(self) -> MediaObject | None:
        media = self._files.get(MediaObject.Kind.RESULT)
        return media if media and not media.is_over() else None

    @property
    def input(self) -> MediaObject | None:
        """What the provider may still fetch."""
        media = self._files.get(MediaObject.Kind.PROVIDER_INPUT)
        return media if media and not media.is_over() else None

    @cached_property
    def held(self) -> HeldPicture | None:
        """What a guest has deleted and an operator may still bring back."""
        media = self._files.get(MediaObject.Kind.RESULT)
        return find_held(media) if media and media.is_over() else None

    @property
    def had_result(self) -> bool:
        return bool(self.job.result_path)

    @property
    def is_in_work(self) -> bool:
        return self.status == Job.Status.PROCESSING

    @property
    def operation(self) -> str:
        driver = DRIVERS.get(self.job.provider)
        title = driver.operations.get(self.job.operation) if driver else None
        return _(title) if title else self.job.operation

    @property
    def recipe(self) -> str:
        return str(RECIPES.get(self.job.hash_recipe, self.job.hash_recipe))

    @property
    def prompt_words(self) -> list[tuple[str, str]]:
        """What the booth sent for the prompt, by what it is called; until it is forgotten."""
        titles = {one.key: one.title for one in self.job.slot.list_variables()}
        texts = self.job.guest_texts or {}
        return [(titles.get(key, key), text) for key, text in texts.items()]

    @cached_property
    def credentials(self) -> CredentialsView:
        return CredentialsView(self.job)

    @property
    def wait_s(self) -> float:
        return (self.job.deadline - self.job.started_at).total_seconds()

    @property
    def ours_s(self) -> float | None:
        took, provider = self.job.duration_ms, self.job.provider_ms
        return None if took is None else (took - (provider or 0)) / 1000

    @property
    def detail(self) -> Detail:
        """The failure's detail for operators, unless one of the calls shows it already."""
        shown = [call.attempt.detail for call in self.calls]
        detail = self.job.failure_detail
        return Detail() if detail in shown else describe_detail(detail, self.job.provider)

    @cached_property
    def remedies(self) -> list[Remedy]:
        return list_remedies(self.job, self.job.outcome[1])

    @cached_property
    def can_use_reserve(self) -> bool:
        return can_use_reserve(self.job, self.job.outcome[1])

    @property
    def remedy_words(self) -> str:
        word = name_failure(self.job.outcome[1], self.job.failure_detail)
        return str(find_cause(word, of_photo=True).remedy)

    @property
    def spare_s(self) -> float:
        """How much of the waiting time a failure has left unused."""
        return max(0, self.wait_s - (self.took_s or self.wait_s))

    @property
    def bars(self) -> list[Bar]:
        """The whole time first, drawn as ours, then the provider's calls on top of it."""
        if self.took_s is None:
            return []
        whole = self._make_bar("ours", 0, self.took_s)
        calls = [
            self._make_bar(
                "refused" if call.attempt.failure_reason else "call", *self._get_span(call)
            )
            for call in self.calls
        ]
        return [whole, *calls]

    @property
    def steps(self) -> list[StepSegment]:
        """Empty for photos of the time before steps were recorded."""
        taken = self.job.steps_ms or {}
        return draw_step_bar({step: took_ms / 1000 for step, took_ms in taken.items()})

    @property
    def deadline_x(self) -> int:
        return round(TIMELINE_WIDTH * self.wait_s / self._longest_s)

    @property
    def _longest_s(self) -> float:
        return max(self.wait_s, self.took_s or 0, 0.001)

    def _get_span(self, call: CallView) -> tuple[float, float]:
        return max(0, call.after_s), call.took_s

    def _make_bar(self, kind: str, start_s: float, took_s: float) -> Bar:
        x = min(TIMELINE_WIDTH, round(TIMELINE_WIDTH * start_s / self._longest_s))
        return Bar(
            kind,
            x,
            max(2, min(TIMELINE_WIDTH - x, round(TIMELINE_WIDTH * took_s / self._longest_s))),
        )


@require_GET
def job_page(request: HttpRequest, job_id: str) -> HttpResponse:
    detail = JobDetail(_find_job(job_id))
    pages = {
        "guest_page": build_url(request, "api:guest_page", job_id=detail.job.pk),
        "links": find_links(request),
    }
    context = {"detail": detail, "job": detail.job, **pages}
    if request.headers.get("HX-Request") == "true":
        status = 200 if detail.is_in_work else STOP_POLLING
        return render(request, "ingest/console/_job.html", context, status=status)
    return console_page(request, "ingest/console/job.html", context | {"title": _("Photo")})


def _find_job(job_id: str) -> Job:
    try:
        return Job.objects.select_related("slot", "event").get(pk=UUID(job_id))
    except (ValueError, Job.DoesNotExist) as exc:
        raise Http404 from exc


@require_POST
def delete_picture(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Delete result and preview for good; the job's row stays, since it is history."""
    if "confirmed" not in request.POST:
        return confirm_page(
            request,
            title=_("Delete this picture?"),
            words=_("The guest's link will be dead. It cannot be brought back."),
            yes=_("Delete"),
        )
    try:
        delete_result(job_id, by=request.user.get_username())
    except (ResultNotFound, ResultExpired) as exc:
        messages.error(request, str(exc.sentence))
    else:
        messages.success(request, _("The picture is deleted; its link is dead."))
    return redirect("admin:ingest_job_change", job_id)


@require_POST
def undo_guest_deletion(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Within an hour: whoever deleted somebody else's picture has done no lasting harm."""
    try:
        undo_deletion(job_id, by=request.user.get_username())
    except (ResultNotFound, ResultExpired) as exc:
        messages.error(request, str(exc.sentence))
    else:
        messages.success(request, _("The picture is back; its link works again."))
    return redirect("admin:ingest_job_change", job_id)
