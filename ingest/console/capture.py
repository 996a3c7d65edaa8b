"""The page that shows the requests which a running capture records, as they come."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from ingest.capture.recorder import MAX_REQUESTS, delete_captures, start_capture, stop_capture
from ingest.capture.snapshot import RequestSnapshot
from ingest.console.details import Detail, describe_detail
from ingest.models import Capture, CapturedRequest
from photochanger.errors import ERROR_BY_REASON
from photochanger.parsing import parse_number
from slots.console.pages import console_page
from slots.models import Slot

MAX_SHOWN = 50
STEPS = {
    "form": gettext_lazy("whole form received"),
    "password": gettext_lazy("password checked"),
    "photo": gettext_lazy("photo looked at"),
    "answer": gettext_lazy("answered"),
}
VALUE_KINDS = {
    "empty": gettext_lazy("empty"),
    "digits": gettext_lazy("digits"),
    "hex": gettext_lazy("hex digits"),
    "text": gettext_lazy("text"),
}


def _label_slot(obj: Any) -> str:
    return f"{obj.pk} · {obj}" if obj.display_name else str(obj.pk)


class CaptureForm(forms.Form):
    slot = forms.ModelChoiceField(
        Slot.objects.all(),
        label=gettext_lazy("Slot"),
        required=False,
        empty_label=gettext_lazy("all slots"),
    )
    wanted = forms.IntegerField(
        label=gettext_lazy("How many requests"),
        initial=5,
        min_value=1,
        max_value=MAX_REQUESTS,
        help_text=gettext_lazy("1 to 50. Capture ends by itself after them, or after an hour."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["slot"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.label_from_instance = _label_slot  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class RequestView:
    """One captured request, for the page."""

    row: CapturedRequest
    seen: RequestSnapshot

    @property
    def is_fine(self) -> bool:
        return self.seen.status == 200

    @property
    def sentence(self) -> str:
        if self.seen.reason in ERROR_BY_REASON:
            return str(ERROR_BY_REASON[self.seen.reason].sentence)
        return _("The booth got a picture.") if self.is_fine else ""

    @property
    def detail(self) -> Detail:
        return describe_detail(self.seen.detail)

    @property
    def steps(self) -> Iterator[tuple[str, int]]:
        for step, ms in self.seen.marks_ms:
            yield str(STEPS.get(step, step)), ms

    @property
    def parts(self) -> Iterator[tuple[Any, str]]:
        for part in self.seen.parts:
            yield part, str(VALUE_KINDS.get(part.looks, ""))

    @property
    def has_photo(self) -> bool:
        return any(part.is_photo for part in self.seen.parts)

    @property
    def has_password(self) -> bool:
        return any(part.name == "password" for part in self.seen.parts)


@require_http_methods(["GET", "POST"])
def capture_page(request: HttpRequest) -> HttpResponse:
    form = CaptureForm(request.POST or None, initial={"slot": request.GET.get("slot")})
    if request.method == "POST" and _apply_action(request, form):
        return redirect("admin:capture")
    context = _state(request) | {"form": form, "title": _("Capture")}
    return console_page(request, "ingest/console/capture.html", context)


def _apply_action(request: HttpRequest, form: CaptureForm) -> bool:
    """Do what a button asks for and leave a message; False when the form is not valid."""
    by, act = request.user.get_username(), request.POST.get("act", "start")
    if act == "stop":
        stop_capture(by=by)
        messages.success(request, _("Capture is stopped. What was seen stays for a day."))
    elif act == "forget":
        if "confirmed" not in request.POST:
            messages.error(request, _("Nothing was deleted: it was not confirmed."))
        else:
            stop_capture(by=by)
            delete_captures(older_than=timedelta())
            messages.success(request, _("What was captured is deleted."))
    elif form.is_valid():
        start_capture(form.cleaned_data["slot"], form.cleaned_data["wanted"], by=by)
        messages.success(request, _("Capture is on. Now take a photo with the booth."))
    else:
        return False
    return True


@require_GET
def capture_news(request: HttpRequest) -> HttpResponse:
    """The requests that came since the last poll, and how many more are expected."""
    return render(request, "ingest/console/_capture_news.html", _state(request) | {"is_news": True})


def _state(request: HttpRequest) -> dict[str, Any]:
    """Two or three queries."""
    capture = Capture.objects.select_related("slot").first()
    after = parse_number(request.GET.get("after", ""))
    requests = CapturedRequest.objects.filter(capture=capture) if capture else None
    found = requests.filter(pk__gt=after) if requests and after is not None else requests
    shown = [
        RequestView(row, RequestSnapshot.model_validate(row.seen))
        for row in (found or [])[:MAX_SHOWN]
    ]
    is_running = capture is not None and capture.is_running
    return {
        "capture": capture,
        "is_running": is_running,
        "shown": shown,
        "last": shown[0].row.pk if shown else after or 0,
    }
