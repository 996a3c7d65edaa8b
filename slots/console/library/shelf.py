"""The library's page: every preset with its picture, and its way into a slot."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from media.reach import Reach, judge_address
from photochanger.errors import AppError, InvalidFields
from photochanger.parsing import parse_number
from slots.console.pages import confirm_page, console_page
from slots.history.field_names import get_label
from slots.library.editing import apply_preset
from slots.library.presets import GROUPS, LibraryPreset, find_preset, list_presets
from slots.models import Slot
from slots.prints.frames import list_sent_templates
from slots.provider_keys import list_keyless
from slots.services import is_complete


@dataclass(frozen=True, slots=True)
class Goal:
    """The slot that presets are put into from this page."""

    slot: Slot

    @property
    def templates(self) -> int:
        return len(list_sent_templates(self.slot))

    @property
    def is_empty(self) -> bool:
        return not self.slot.is_active and not self.templates and not is_complete(self.slot)


@dataclass(frozen=True, slots=True)
class Card:
    """A preset as the page shows it."""

    preset: LibraryPreset
    goal: Goal

    @property
    def service(self) -> str:
        return self.preset.driver.title if self.preset.driver else self.preset.provider

    @property
    def operation(self) -> str:
        titles = self.preset.driver.operations if self.preset.driver else {}
        title = titles.get(self.preset.operation)
        return _(title) if title and len(titles) > 1 else ""

    @property
    def picture_url(self) -> str:
        """Empty: nobody has tried it yet."""
        if self.preset.sample_id:
            return reverse("admin:library_kept_sample", args=[self.preset.sample_id.hex])
        if can_draw(self.preset):
            return reverse("admin:library_drawn", args=[self.preset.key])
        return ""

    @property
    def question(self) -> str:
        """Before it goes into the slot; empty where nothing can be lost."""
        if self.goal.is_empty:
            return ""
        names = {"name": self.preset.name, "slot": self.goal.slot}
        if self.goal.slot.is_active:
            return _("“%(slot)s” takes photos now. Put “%(name)s” into it?") % names
        return _("Put “%(name)s” into “%(slot)s”?") % names

    @property
    def warning(self) -> str:
        """What becomes of what the slot has."""
        words = [
            _("Its service, prompt and settings are replaced; its history keeps them.")
            if self.preset.is_own
            else _("Its prompt is replaced, and its history keeps it; model and sizes stay.")
        ]
        if not self.preset.uses_templates:
            words.append(describe_lost_templates(self.goal.templates))
        return " ".join(filter(None, words))


def describe_lost_templates(count: int) -> str:
    """Empty: there are none."""
    words = ngettext(
        "Its template picture is deleted.", "Its %(count)d template pictures are deleted.", count
    )
    return words % {"count": count} if count else ""


def get_preset(key: str, *, is_own: bool = False) -> LibraryPreset:
    """Raises Http404."""
    preset = find_preset(key)
    if preset is None or (is_own and not preset.is_own):
        raise Http404
    return preset


def can_draw(preset: LibraryPreset) -> bool:
    """Whether the simulator stands in for its service."""
    return preset.driver is not None and judge_address(preset.driver.base_url) < Reach.WORLD


@require_GET
def library_page(request: HttpRequest) -> HttpResponse:
    """Eight queries."""
    slots = list(Slot.objects.prefetch_related("template_media"))
    goal = Goal(choose_slot(slots, request.GET.get("slot", "")))
    presets = list_presets()
    cards = [Card(one, goal) for one in presets]
    by_group = [
        (key, title, [card for card in cards if card.preset.group == key])
        for key, title in GROUPS.items()
    ]
    context = {
        "title": _("Recipes"),
        "goal": goal,
        "slots": slots,
        "groups": [group for group in by_group if group[2]],
        "has_own": any(one.is_own for one in presets),
        "keyless": list_keyless(sorted({one.provider for one in presets})),
    }
    return console_page(request, "slots/console/library/library.html", context)


def choose_slot(slots: list[Slot], wanted: str) -> Slot:
    """The one that was asked for, or else the first where nothing would be lost."""
    by_id = {slot.pk: slot for slot in slots}
    if wanted in by_id:
        return by_id[wanted]
    free = (slot for slot in slots if Goal(slot).is_empty)
    return next(free, next((slot for slot in slots if not slot.is_active), slots[0]))


@require_POST
def put_into_slot(request: HttpRequest) -> HttpResponse:
    """The preset into the slot, saved; from there to its test run."""
    preset = get_preset(request.POST.get("preset", ""))
    slot = (
        Slot.objects.prefetch_related("template_media").filter(pk=request.POST.get("slot")).first()
    )
    version = parse_number(request.POST.get("version", ""))
    if slot is None or version is None:
        messages.error(request, _("Choose the slot."))
        return redirect("admin:library")
    card = Card(preset, Goal(slot))
    if card.question and "confirmed" not in request.POST:
        carried = {"preset": preset.key, "slot": slot.pk, "version": str(version)}
        asked: dict[str, Any] = {"title": card.question, "words": card.warning}
        return confirm_page(request, **asked, yes=_("Put it in"), carried=carried)
    try:
        by = request.user.get_username()
        apply_preset(preset, slot.pk, version=version, by=by)
    except InvalidFields as exc:
        messages.error(request, describe_refusal(exc, preset.provider))
    except AppError as exc:
        messages.error(request, str(exc.sentence))
    else:
        words = _("“%(name)s” is in %(slot)s. Test it here.")
        messages.success(request, words % {"name": preset.name, "slot": slot.pk})
        return redirect(f"{reverse('admin:slots_slot_change', args=[slot.pk])}#trial")
    return redirect(f"{reverse('admin:library')}?slot={slot.pk}")


def describe_refusal(exc: InvalidFields, provider: str) -> str:
    """All that is wrong in one line, by the names of fields that people know."""
    state = {"provider": provider}
    found = (f"{get_label(place, state)}: {words}" for place, words in exc.fields.items())
    return " ".join([str(exc.sentence), *found])
