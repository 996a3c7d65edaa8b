"""One's own presets: made of a slot, renamed, deleted; brought in and taken out as a file."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from photochanger.errors import InvalidFields
from slots.console.library.shelf import Card, Goal, get_preset
from slots.console.pages import confirm_page, console_page, find_slot_or_404
from slots.history.field_names import get_label
from slots.library.editing import delete_preset, make_preset_of_slot, rename_preset
from slots.library.exchange import MOST_FILE_BYTES, import_presets, write_file
from slots.library.presets import LibraryPreset, list_presets
from slots.library.samples import drop_sample
from slots.models import Slot
from slots.prints.frames import list_sent_templates


@require_http_methods(["GET", "POST"])
def new_preset_page(request: HttpRequest) -> HttpResponse:
    """Of a slot's recipe as it is saved."""
    slot = find_slot_or_404(request.POST.get("slot", "") or request.GET.get("slot", ""))
    wrong: InvalidFields | None = None
    if request.method == "POST":
        typed = read_typed(request)
        try:
            row = make_preset_of_slot(slot, **typed, by=request.user.get_username())
        except InvalidFields as exc:
            wrong = exc
        else:
            words = _("“%(name)s” is in the library now.")
            messages.success(request, words % {"name": row.name})
            return redirect("admin:library")
    else:
        typed = {"name": slot.display_name, "description": ""}
    context = {"title": _("Save as a preset"), "slot": slot, "typed": typed}
    context |= {"has_templates": bool(list_sent_templates(slot))}
    return render_form(request, "slots/console/library/new.html", context, wrong, slot.provider)


@require_http_methods(["GET", "POST"])
def preset_page(request: HttpRequest, key: str) -> HttpResponse:
    """The name and description of one's own, and its end; of a built-in one only its picture."""
    preset = get_preset(key)
    typed, wrong = {"name": preset.name, "description": preset.description}, None
    if request.method == "POST" and preset.own_id is not None:
        typed = read_typed(request)
        try:
            rename_preset(preset.own_id, **typed, by=request.user.get_username())
        except InvalidFields as exc:
            wrong = exc
        else:
            messages.success(request, _("Saved."))
            return redirect("admin:library")
    context = {"title": preset.name, "card": Card(preset, Goal(Slot())), "typed": typed}
    template = "slots/console/library/preset.html"
    return render_form(request, template, context, wrong, preset.provider)


def read_typed(request: HttpRequest) -> dict[str, str]:
    """Name and description."""
    return {name: request.POST.get(name, "").strip() for name in ("name", "description")}


def render_form(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    wrong: InvalidFields | None,
    provider: str,
) -> HttpResponse:
    """``provider``: whose settings are called by their names, where one of them is wrong."""
    fields = dict(wrong.fields) if wrong else {}
    own = {name: fields.pop(name) for name in ("name", "description") if name in fields}
    left = [(get_label(place, {"provider": provider}), it) for place, it in fields.items()]
    context |= {"wrong": own, "left": left}
    return console_page(request, template, context, status=400 if wrong else 200)


@require_POST
def remove_preset(request: HttpRequest, key: str) -> HttpResponse:
    preset = get_preset(key, is_own=True)
    if "confirmed" not in request.POST:
        title = _("Delete the preset “%(name)s”?") % {"name": preset.name}
        words = _("Slots that were made of it stay as they are.")
        return confirm_page(request, title=title, words=words, yes=_("Delete"))
    delete_preset(preset, by=request.user.get_username())
    messages.success(request, _("“%(name)s” is deleted.") % {"name": preset.name})
    return redirect("admin:library")


@require_POST
def remove_sample(request: HttpRequest, key: str) -> HttpResponse:
    preset = get_preset(key)
    if "confirmed" not in request.POST:
        title = _("Delete the picture of “%(name)s”?") % {"name": preset.name}
        words = _("The recipe stays. Another picture can be kept after a test.")
        return confirm_page(request, title=title, words=words, yes=_("Delete"))
    if drop_sample(preset.key, by=request.user.get_username()):
        messages.success(request, _("The picture is deleted."))
    return redirect("admin:library")


@require_GET
def export_file(request: HttpRequest) -> HttpResponse:
    """All of one's own, or the one that is asked for."""
    key = request.GET.get("preset", "")
    chosen: list[LibraryPreset] = (
        [get_preset(key)] if key else [one for one in list_presets() if one.is_own]
    )
    name = f"photochanger-recipes-{timezone.localdate():%Y-%m-%d}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(write_file(chosen), content_type="application/json", headers=headers)


@require_POST
def import_file(request: HttpRequest) -> HttpResponse:
    upload = request.FILES.get("file")
    if upload is None:
        messages.error(request, _("Choose a file of recipes."))
        return redirect("admin:library")
    try:
        done = import_presets(upload.read(MOST_FILE_BYTES + 1), by=request.user.get_username())
    except InvalidFields as exc:
        wrong = [(_describe_place(place), it) for place, it in exc.fields.items()]
        context = {"title": _("Nothing was imported"), "wrong": wrong}
        return console_page(request, "slots/console/library/refused.html", context, status=400)
    made = len(done.made)
    words = ngettext("%(count)d preset is new.", "%(count)d presets are new.", made)
    sentences = [words % {"count": made}]
    if done.known:
        sentences.append(_("Already here: %(names)s.") % {"names": ", ".join(done.known[:10])})
    messages.success(request, " ".join(sentences))
    return redirect("admin:library")


def _describe_place(place: str) -> str:
    """“recipes.2.settings.prompt”: the third recipe's prompt. Empty for the file as a whole."""
    part, _dot, rest = place.partition(".")
    number, _dot, field = rest.partition(".")
    if part != "recipes" or not number.isdecimal():
        return ""
    count = {"count": int(number) + 1}
    return " · ".join(filter(None, (_("Recipe %(count)d") % count, get_label(field, {}))))
