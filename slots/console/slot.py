"""The page of one slot: its form, its template pictures, its last results."""

import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from media.links import build_url
from media.models import MediaObject
from media.uploads import read_upload
from photochanger.errors import AppError, InvalidFields, VersionConflict
from slots.console.gallery import GallerySection
from slots.console.pages import console_page, find_slot_or_404, show_picture
from slots.console.problems import list_problems
from slots.console.recipe_form import RecipeForm
from slots.console.results import describe_results
from slots.console.save_report import describe_save, describe_saved_at, describe_state
from slots.console.slot_form import PRESENT, SlotPageForm, read_typed
from slots.console.template_roles import describe_recipe, list_roles
from slots.editing import change_slot
from slots.history.records import COLUMNS, diff_states, get_state
from slots.history.wording import Line, describe_change
from slots.library.editing import build_change
from slots.library.presets import LibraryPreset, find_preset
from slots.model_retirement import find_retiring_slots
from slots.models import Slot, SlotTemplateMedia
from slots.platform_settings import load_platform_settings
from slots.prints.frames import FRAME, choose_template_side_px
from slots.schemas import ID_PATTERN
from slots.uploads import register_template
from slots.validation_messages import FieldMessages

Kind = SlotTemplateMedia.MediaKind


@dataclass(frozen=True, slots=True)
class Template:
    """A template picture on the page."""

    media_id: str
    kind: str
    status: str = PRESENT


@require_http_methods(["GET", "POST"])
def slot_page(request: HttpRequest, slot_id: str) -> HttpResponse:
    slot = find_slot_or_404(slot_id)
    if request.method == "GET":
        return _open_page(request, slot)
    form, templates = SlotPageForm(slot, request.POST), _read_typed_templates(request)
    try:
        change = form.read_change()
        saved = change_slot(slot.pk, change, by=request.user.get_username())
    except InvalidFields as exc:
        return _render_page(request, slot, form, templates, wrong=dict(exc.fields))
    except VersionConflict:
        slot = get_object_or_404(Slot, pk=slot_id)
        was = get_state(slot)
        mine = was | change.model_dump(mode="json", include=set(was), exclude_unset=True)
        lines = [describe_change(one, was, mine) for one in diff_states(was, mine)]
        return _render_page(request, slot, form, templates, conflict=lines)
    messages.success(request, describe_save(saved))
    return redirect("admin:slots_slot_change", slot.pk)


def _open_page(request: HttpRequest, slot: Slot) -> HttpResponse:
    """As it is saved, or with a preset of the library in the form, to be tried before that."""
    templates = _list_stored_templates(slot)
    preset = find_preset(request.GET.get("preset", ""))
    if preset is None or not preset.is_usable:
        return _render_page(request, slot, SlotPageForm(slot), templates)
    change, draft = build_change(preset, slot), copy(slot)
    for name, value in change.get_sent(*COLUMNS).items():
        setattr(draft, name, value)
    kept = templates if preset.uses_templates else [it for it in templates if it.kind == FRAME]
    return _render_page(request, slot, SlotPageForm(draft), kept, tried=preset)


@require_POST
def slot_fields(request: HttpRequest, slot_id: str) -> HttpResponse:
    """The fields of another provider or operation; nothing that was typed is lost."""
    return draw_recipe(request, find_slot_or_404(slot_id), read_typed(request.POST))


def draw_recipe(
    request: HttpRequest, slot: Slot, typed: Mapping[str, str], *, carries_prompt: bool = True
) -> HttpResponse:
    """The part of the page that depends on provider and operation, filled in with ``typed``."""
    recipe = RecipeForm(slot, typed, carries_prompt=carries_prompt)
    templates = _read_typed_templates(request)
    context = {"slot": slot, "recipe": recipe, "templates": templates}
    context |= describe_recipe(recipe, _list_present_kinds(templates))
    return render(request, "slots/console/_recipe.html", context)


@require_POST
def slot_templates(request: HttpRequest, slot_id: str) -> HttpResponse:
    """A template picture that was chosen or dropped: stored, but used only after saving."""
    slot = find_slot_or_404(slot_id)
    recipe = RecipeForm(slot, read_typed(request.POST))
    context: dict[str, Any] = {"slot": slot, "every_kind": Kind.choices}
    upload = request.FILES.get("template_file")
    try:
        if upload is None:
            raise InvalidFields({"template_file": _("Choose a picture.")})
        kind = request.POST.get("new_kind", "")
        kinds = [role.kind for role in list_roles(recipe)]
        kind = kind if kind in kinds else kinds[0]
        by, side_px = request.user.get_username(), choose_template_side_px(kind)
        done = register_template(slot.pk, upload, by=by, side_px=side_px)
        context["one"] = Template(done.media.pk.hex, kind)
    except AppError as exc:
        context["wrong"] = exc.sentence
    return render(request, "slots/console/_template.html", context)


@require_GET
def template_picture(request: HttpRequest, slot_id: str, media_id: str) -> HttpResponse:
    find_slot_or_404(slot_id)
    try:
        media, body = read_upload(MediaObject.Kind.TEMPLATE, media_id)
    except AppError as exc:
        raise Http404 from exc
    if media.slot_id != slot_id:
        raise Http404
    return show_picture(body, media.mime)


def _list_stored_templates(slot: Slot) -> list[Template]:
    rows = slot.template_media.values_list("media_object_id", "media_kind")
    return [Template(media_id.hex, kind) for media_id, kind in rows]


def _list_present_kinds(templates: list[Template]) -> list[str]:
    return [one.kind for one in templates if one.status == PRESENT]


def _read_typed_templates(request: HttpRequest) -> list[Template]:
    lists = [request.POST.getlist(f"template_{name}") for name in ("id", "kind", "status")]
    rows = zip(*lists, strict=False)
    return [Template(*row) for row in rows if re.fullmatch(ID_PATTERN, row[0])]


def _render_page(
    request: HttpRequest,
    slot: Slot,
    form: SlotPageForm,
    templates: list[Template],
    *,
    wrong: FieldMessages | None = None,
    conflict: list[Line] | None = None,
    tried: LibraryPreset | None = None,
) -> HttpResponse:
    present = _list_present_kinds(templates)
    context = {
        **_describe_slot(request, slot),
        **_describe_form(form, wrong or {}),
        **describe_recipe(form.recipe, present),
        "state": describe_state(slot, present),
        "templates": templates,
        "tried": tried,
        "is_unsaved": bool(wrong or tried) or conflict is not None,
        "conflict": conflict,
    }
    status = 409 if conflict is not None else 200
    return console_page(request, "slots/console/slot.html", context, status=status)


def _describe_slot(request: HttpRequest, slot: Slot) -> dict[str, Any]:
    """As it is saved, whatever the form says."""
    platform = load_platform_settings()
    return {
        "title": str(slot),
        "slot": slot,
        "original": slot,
        "saved_at": describe_saved_at(slot),
        "wait_s": platform.sync_response_seconds,  # where the slot says nothing
        "retiring": find_retiring_slots(slots=[slot]),
        "ingest_url": build_url(request, "api:ingest_photo_short", slot_id=slot.pk),
        "gallery": GallerySection.of(request, slot, platform),
        "jobs_url": f"{reverse('admin:ingest_job_changelist')}?slot={slot.pk}",
        **describe_results(slot, platform),
    }


def _describe_form(form: SlotPageForm, wrong: FieldMessages) -> dict[str, Any]:
    """What was typed, and what is wrong with it."""
    left = form.add_messages(wrong)
    return {
        "recipe": form.recipe,
        "columns": form.columns,
        "words": form.words,
        "templates_wrong": [it for at, it in left.items() if at.startswith("template_media")],
        "problems": list(list_problems(form, left)),
        "read_version": form.version,
        "model": form.recipe.model_title,
    }
