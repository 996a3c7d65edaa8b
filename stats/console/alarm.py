"""A problem and a photo's mark as pages show them: with the link to the remedy, or to the job."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ingest.console.messages import get_failure_sentence
from ingest.refusals.causes import Page
from slots.models import Slot
from stats.now.last_photos import Fate, LastPhoto
from stats.now.problems import Problem

LINK_WORDS = {
    Page.SLOT: gettext_lazy("Open the slot"),
    Page.SETTINGS: gettext_lazy("Open the settings"),
    Page.BOARD: gettext_lazy("The slots' links"),
    Page.EVENT: gettext_lazy("Check the server"),
    Page.CAPTURE: gettext_lazy("Look at what the booth sends"),
    Page.BUDGETS: gettext_lazy("Open the budgets"),
}
FATES = {
    Fate.DONE: gettext_lazy("picture made"),
    Fate.FAILED: gettext_lazy("failed"),
    Fate.GONE: gettext_lazy("the booth gave up"),
    Fate.OPEN: gettext_lazy("in progress"),
}


@dataclass(frozen=True, slots=True)
class Alarm:
    problem: Problem
    slot: Slot | None = None

    @property
    def url(self) -> str:
        page = Page.BOARD if self.problem.page == Page.SLOT and self.slot is None else None
        return find_page(page or self.problem.page, self.slot.pk if self.slot else "")

    @property
    def link_words(self) -> str:
        return str(LINK_WORDS[self.problem.page])

    @property
    def job_url(self) -> str:
        job_id = self.problem.job_id
        return reverse("admin:ingest_job_change", args=[job_id]) if job_id else ""


def find_page(page: Page, slot_id: str) -> str:
    if page == Page.SLOT:
        return reverse("admin:slots_slot_change", args=[slot_id])
    if page == Page.BOARD:
        return f"{reverse('admin:index')}#cards"
    url = reverse("admin:slots_setting_changelist" if page == Page.SETTINGS else f"admin:{page}")
    return f"{url}?slot={slot_id}" if page == Page.CAPTURE and slot_id else url


@dataclass(frozen=True, slots=True)
class PhotoMark:
    photo: LastPhoto

    @property
    def url(self) -> str:
        return reverse("admin:ingest_job_change", args=[self.photo.job_id])

    @property
    def words(self) -> str:
        """One line: when, what became of it, why, how long it took."""
        at = timezone.localtime(self.photo.started_at)
        what = str(FATES[self.photo.fate])
        if self.photo.fate == Fate.FAILED:
            what = get_failure_sentence(self.photo.reason) or what
        took = self.photo.duration_ms
        seconds = _("%(seconds)s s") % {"seconds": round(took / 1000, 1)} if took else ""
        return " · ".join(part for part in (f"{at:%H:%M:%S}", what, seconds) if part)
