"""The part of the statistics that shows where the time of each slot's pictures goes."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from ingest.console.step_bar import StepSegment, draw_step_bar
from photochanger.db import clock
from slots.models import Slot
from stats.console.query import StatisticsQuery
from stats.steps import StepMedians, load_step_medians


@dataclass(frozen=True, slots=True)
class StepRow:
    """A slot's bar, and what to do about its slow link."""

    slot: Slot
    medians: StepMedians

    @property
    def segments(self) -> list[StepSegment]:
        return draw_step_bar(self.medians.seconds)

    @property
    def pictures(self) -> str:
        count = self.medians.pictures
        return ngettext("%(count)d picture", "%(count)d pictures", count) % {"count": count}

    @property
    def advice(self) -> str:
        link = self.medians.slow_link
        if link is None:
            return ""
        facts = {
            "took": f"{self.medians.seconds[link]:.1f}",
            "total": f"{self.medians.total_s:.1f}",
        }
        words = {
            "upload": _("The booth's link is slow: %(took)s s of %(total)s s."),
            "send": _("The way to the AI service is slow: %(took)s s of %(total)s s."),
            "receive": _("The way from the AI service is slow: %(took)s s of %(total)s s."),
            "answer": _("The way back to the booth is slow: %(took)s s of %(total)s s."),
        }
        return f"{words[link] % facts} {self._get_remedy()}"

    def _get_remedy(self) -> str:
        if self.medians.slow_link == "upload" and self.medians.has_large_photos:
            return _("Set the booth's maximum picture size to 3000 px.")
        if self.medians.slow_link in ("upload", "answer"):
            return _("Give the booth a cable, or a better network.")
        return _("Look at the server's internet connection, or at the proxy to the service.")


@require_GET
def steps_part(request: HttpRequest) -> HttpResponse:
    """Loaded after the page; two queries."""
    asked, now = StatisticsQuery.of(request), clock.now()
    found = load_step_medians(
        asked.begins_at, asked.until or now, asked.slot_id or None, asked.event_id
    )
    slots = Slot.objects.only("pk", "display_name").in_bulk(found)
    rows = [StepRow(slots[slot_id], medians) for slot_id, medians in found.items()]
    return render(request, "stats/console/_steps.html", {"rows": rows})
