"""Two kept tests of a slot beside each other: pictures, seconds, and where recipes differ."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from ingest.console.kept_trials import KeptTrialRow, list_rows
from slots.console.pages import console_page, find_slot_or_404
from slots.history.records import State, diff_states
from slots.history.wording import Line, describe_change


@require_GET
def compare_page(request: HttpRequest, slot_id: str, job_id: UUID) -> HttpResponse:
    """The test, beside another one: that before it, unless one is asked for by ``with``."""
    slot = find_slot_or_404(slot_id)
    rows = [row for row in list_rows(slot) if row.kept.has_picture]
    right = next((row for row in rows if row.job.pk == job_id), None)
    if right is None:
        raise Http404
    others = [row for row in rows if row is not right]
    left = _choose(others, request.GET.get("with", ""), right)
    context = {
        "title": _("Two tests beside each other"),
        "slot": slot,
        "left": left,
        "right": right,
        "others": [row for row in others if row is not left],
        "lines": _list_differences(left, right) if left else [],
    }
    return console_page(request, "ingest/console/compare_trials.html", context)


def _choose(others: list[KeptTrialRow], wanted: str, right: KeptTrialRow) -> KeptTrialRow | None:
    """Rows are newest first: the one before is the first that is older."""
    asked = (row for row in others if str(row.job.pk) == wanted)
    older = (row for row in others if row.kept.record.made_at < right.kept.record.made_at)
    return next(asked, None) or next(older, None) or next(iter(others), None)


def _list_differences(left: KeptTrialRow, right: KeptTrialRow) -> list[Line]:
    was, now = _get_recipe(left), _get_recipe(right)
    return [describe_change(one, was, now) for one in diff_states(was, now)]


def _get_recipe(row: KeptTrialRow) -> State:
    record = row.kept.record
    names = ("provider", "operation", "settings")
    return {name: getattr(record, name) for name in names}
