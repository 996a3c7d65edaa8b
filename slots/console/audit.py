"""Who changed what in the whole console: slots, settings, administrators, files."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from slots.console.dates import DayField
from slots.console.pages import console_page
from slots.history.records import SETTINGS_ID, Record, get_author_name, read_record
from slots.history.wording import Line, describe_entry, describe_record, name_author
from slots.models import Setting, Slot

PER_PAGE = 20
SLOT_PREFIX = "slot:"


@dataclass(frozen=True, slots=True)
class Act:
    """One entry as the page tells it."""

    entry: LogEntry
    record: Record | None

    @property
    def lines(self) -> list[Line]:
        return describe_record(self.record) if self.record else []

    @property
    def by(self) -> str:
        return name_author(get_author_name(self.entry))

    @property
    def kind(self) -> str:
        kind = self.entry.content_type
        model = kind.model_class() if kind else None
        return capfirst(str(model._meta.verbose_name)) if model else ""

    @property
    def is_slot(self) -> bool:
        kind = self.entry.content_type
        return kind is not None and kind.model_class() is Slot

    @property
    def is_settings(self) -> bool:
        return self.entry.object_id == SETTINGS_ID

    @property
    def message(self) -> str:
        return describe_entry(self.entry)

    @property
    def address(self) -> str:
        """Where the thing is; nowhere when it is deleted."""
        entry, kind = self.entry, self.entry.content_type
        if kind is None or entry.action_flag == DELETION:
            return ""
        app = f"admin:{kind.app_label}_{kind.model}"
        try:
            if self.is_settings or not entry.object_id:
                return reverse(f"{app}_changelist")
            page = "history" if self.is_slot else "change"
            return reverse(f"{app}_{page}", args=[entry.object_id])
        except NoReverseMatch:
            return ""


class AuditFilter(forms.Form):
    """Wrong or unknown values filter nothing: links are passed on and grow old."""

    by = forms.CharField(required=False, label=gettext_lazy("Who"), widget=forms.Select)
    what = forms.CharField(required=False, label=gettext_lazy("What"), widget=forms.Select)
    day = DayField(
        required=False,
        label=gettext_lazy("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.fields["by"].widget.choices = _list_people()
        self.fields["what"].widget.choices = _list_subjects()

    def filter_entries(self) -> QuerySet[LogEntry]:
        self.full_clean()
        found = LogEntry.objects.select_related("user", "content_type")
        by, what = self.cleaned_data.get("by", ""), self.cleaned_data.get("what", "")
        day: date | None = self.cleaned_data.get("day")
        if by:
            found = found.filter(user__username=by)
        if what.startswith(SLOT_PREFIX):
            found = _filter_by_model(found, Slot).filter(object_id=what.removeprefix(SLOT_PREFIX))
        elif what == SETTINGS_ID:
            found = _filter_by_model(found, Setting)
        elif what == "others":
            found = found.exclude(content_type__app_label=Slot._meta.app_label)
        if day:
            found = found.filter(action_time__date=day)
        return found.order_by("-pk")  # as they came; indexed, unlike their times


def _filter_by_model(entries: QuerySet[LogEntry], model: Any) -> QuerySet[LogEntry]:
    meta = model._meta
    return entries.filter(
        content_type__app_label=meta.app_label, content_type__model=meta.model_name
    )


def _list_people() -> list[tuple[str, str]]:
    acted = Exists(LogEntry.objects.filter(user=OuterRef("pk")))  # not a join of every entry
    users = get_user_model().objects.filter(acted)
    names = sorted(users.values_list("username", flat=True))
    return [("", _("everybody")), *((name, name_author(name)) for name in names)]


def _list_subjects() -> list[tuple[str, str]]:
    slots = [
        (f"{SLOT_PREFIX}{slot.pk}", f"{slot.pk} · {slot}")
        for slot in Slot.objects.only("pk", "display_name")
    ]
    rest = [(SETTINGS_ID, _("Settings")), ("others", _("Administrators, files and the rest"))]
    return [("", _("everything")), *rest, *slots]


@require_GET
def audit_page(request: HttpRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    page = Paginator(form.filter_entries(), PER_PAGE).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {
        "title": _("Changes"),
        "form": form,
        "acts": [Act(entry, read_record(entry)) for entry in page],
        "page": page,
        "filters": f"{kept.urlencode()}&" if kept else "",
        "is_filtered": any(kept.values()),
    }
    return console_page(request, "slots/console/audit.html", context)
