"""The history of a slot, field by field, and the way back to an earlier state of it."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from photochanger.errors import InvalidFields, VersionConflict
from photochanger.parsing import parse_number
from slots.console.pages import console_page
from slots.history.field_names import get_label
from slots.history.pictures import find_version_pictures
from slots.history.records import Record, find_entries, get_author_name, read_record
from slots.history.restoration import Restoration, plan_restoration, restore_slot
from slots.history.wording import Line, describe_entry, describe_record, name_author
from slots.models import Slot

PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class Row:
    """An entry with what it tells; one of Django's own has only its message."""

    entry: LogEntry
    record: Record | None
    is_current: bool = False
    picture: UUID | None = None  # the job that shows what this version makes

    @property
    def lines(self) -> list[Line]:
        return describe_record(self.record) if self.record else []

    @property
    def message(self) -> str:
        return describe_entry(self.entry)

    @property
    def by(self) -> str:
        return name_author(get_author_name(self.entry))


@require_GET
def history_page(request: HttpRequest, slot_id: str) -> HttpResponse:
    slot = get_object_or_404(Slot, pk=slot_id)
    page = Paginator(find_entries(Slot, slot.pk), PER_PAGE).get_page(request.GET.get("page"))
    records = [(entry, read_record(entry)) for entry in page]
    pictures = find_version_pictures(slot.pk, [record for _entry, record in records if record])
    rows = [_make_row(slot, entry, record, pictures) for entry, record in records]
    first = rows[-1] if rows and not page.has_next() else None
    context = {
        "title": _("History"),
        "slot": slot,
        "rows": rows,
        "page": page,
        "first": first if first and first.record else None,
    }
    return console_page(request, "slots/console/history.html", context)


def _make_row(slot: Slot, entry: LogEntry, record: Record | None, pictures: dict[int, UUID]) -> Row:
    if record is None or record.version is None:
        return Row(entry, record)
    is_current = record.version == slot.version
    return Row(entry, record, is_current=is_current, picture=pictures.get(record.version))


@require_http_methods(["GET", "POST"])
def restore_page(request: HttpRequest, slot_id: str, entry_id: int) -> HttpResponse:
    """Shows what would change, and what cannot come back; changes it when that is agreed to."""
    slot = get_object_or_404(Slot, pk=slot_id)
    entry = get_object_or_404(find_entries(Slot, slot.pk), pk=entry_id)
    found = plan_restoration(slot.pk, entry, before="before" in request.GET)
    if found is None:
        raise Http404
    seen = parse_number(request.POST.get("version", ""))
    if request.method == "POST" and seen is not None and _restored(request, found, seen):
        return redirect(reverse("admin:slots_slot_history", args=[slot.pk]))
    context = {
        "title": _("Restore"),
        "slot": found.slot,
        "entry": entry,
        "found": found,
        "is_before": "before" in request.GET,
        "lines": describe_record(found.becoming),
        "obstacles": [
            (get_label(place, found.becoming.now), words)
            for place, words in found.obstacles.items()
        ],
    }
    return console_page(request, "slots/console/restore.html", context)


def _restored(request: HttpRequest, found: Restoration, seen_version: int) -> bool:
    try:
        slot = restore_slot(found, seen_version=seen_version, by=request.user.get_username())
    except VersionConflict:
        words = _("Somebody has changed the slot meanwhile. Look again at what would change.")
        messages.error(request, words)
    except InvalidFields as exc:
        messages.error(request, str(exc.sentence))
    else:
        messages.success(request, _("“%(slot)s” is as it was then.") % {"slot": slot})
        return True
    return False
