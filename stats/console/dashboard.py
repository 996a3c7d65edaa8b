"""The console's first page: the state of every slot, updated live, with the common actions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ingest.cleanup import clean_up
from ingest.console.messages import show_cleanup
from media.links import build_url, find_links
from photochanger.errors import AppError, InvalidFields
from photochanger.parsing import parse_number
from providers.registry import DRIVERS
from slots.console.pages import confirm_page
from slots.editing import change_slot
from slots.gallery.addresses import build_gallery_url
from slots.gallery.modes import find_gallery_mode
from slots.model_retirement import find_retiring_slots
from slots.models import Event, Slot
from slots.platform_settings import PlatformSettings, load_platform_settings
from slots.schemas import SlotIn
from slots.services import find_slot
from stats.console.alarm import Alarm, PhotoMark
from stats.dashboard import SlotCard
from stats.services import load_board
from stats.slot_state import State

Page = Callable[[HttpRequest, str], HttpResponse]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A slot's card with what only the page needs."""

    card: SlotCard
    ingest_url: str
    gallery_url: str
    gallery_mode: Slot.GalleryMode
    max_jobs: int
    event: Event | None = None  # that it works for

    @property
    def slot(self) -> Slot:
        return self.card.slot

    @property
    def provider(self) -> str:
        driver = DRIVERS.get(self.slot.provider)
        return str(driver.title) if driver else self.slot.provider

    @property
    def icon(self) -> str:
        driver = DRIVERS.get(self.slot.provider)
        return driver.icon if driver else "slot"

    @property
    def templates(self) -> int:
        return len(self.slot.template_media.all())  # loaded with the slot

    @property
    def operation(self) -> str:
        driver = DRIVERS.get(self.slot.provider)
        title = driver.operations.get(self.slot.operation) if driver else None
        return _(title) if title else ""

    @property
    def marks(self) -> list[PhotoMark]:
        """The strip of the last photos, the newest at its end."""
        return [PhotoMark(photo) for photo in reversed(self.card.photos.shown)]

    @property
    def alarms(self) -> list[Alarm]:
        return [Alarm(problem, self.slot) for problem in self.card.problems]

    @property
    def is_shown(self) -> bool:
        """Not put away among those that are not set up."""
        return self.card.state != State.NOT_CONFIGURED or bool(self.card.problems)

    @property
    def urgency(self) -> int:
        return 0 if self.card.is_red else 1 if self.card.problems else 2


def dashboard_context(request: HttpRequest) -> dict[str, Any]:
    """Ten queries."""
    platform, board = load_platform_settings(), load_board()
    running = {event.pk: event for event in select_running_events()}
    chosen = find_chosen_event(request, running)
    rows = [
        _make_row(request, card, platform, running)
        for card in board.cards
        if chosen is None or card.slot.event_id == chosen.pk
    ]
    # Where nothing is wrong the slots stay in their places.
    shown = sorted((row for row in rows if row.is_shown), key=lambda row: row.urgency)
    unset = [row for row in rows if not row.is_shown]
    return {
        "links": find_links(request),
        "running_events": list(running.values()),
        "chosen_event": chosen,
        "retiring": find_retiring_slots(slots=[row.slot for row in rows if row.slot.is_active]),
        "strays": [Alarm(problem) for problem in board.strays],
        "alarmed": [row for row in shown if row.card.problems],
        "red_count": sum(row.card.is_red for row in rows) + sum(p.is_grave for p in board.strays),
        "rows": shown,
        "unset": unset,
        "next_slot": unset[0].slot if unset else None,
        "in_flight": sum(row.card.in_flight for row in rows),
    }


def select_running_events() -> QuerySet[Event]:
    return Event.objects.filter(started_at__isnull=False, closed_at__isnull=True)


def find_chosen_event(request: HttpRequest, running: dict[int, Event]) -> Event | None:
    """Of those that run: ``?event=12`` shows its slots alone."""
    number = parse_number(request.GET.get("event", ""))
    return running.get(number) if number is not None else None


def _make_row(
    request: HttpRequest, card: SlotCard, platform: PlatformSettings, running: dict[int, Event]
) -> Row:
    return Row(
        card=card,
        event=running.get(card.slot.event_id or 0),
        ingest_url=build_url(request, "api:ingest_photo_short", slot_id=card.slot.pk),
        gallery_url=build_gallery_url(request, card.slot, platform),
        gallery_mode=find_gallery_mode(card.slot, platform),
        max_jobs=platform.max_jobs_per_slot,
    )


@require_GET
def session(request: HttpRequest) -> HttpResponse:
    """204 for a session that is logged in; a page asks before it sends a form."""
    return HttpResponse(status=204)


@require_GET
def dashboard_part(request: HttpRequest) -> HttpResponse:
    """The part of the page that is updated live."""
    return render(request, "stats/console/_dashboard.html", dashboard_context(request))


def make_slot_action(act: Callable[[HttpRequest, str], None]) -> Page:
    """The view of a card's button: run ``act``, show its outcome and the current slots."""

    @require_POST
    @wraps(act)
    def page(request: HttpRequest, slot_id: str) -> HttpResponse:
        try:
            act(request, slot_id)
        except InvalidFields as exc:
            words = " ".join(str(sentence) for sentence in exc.fields.values())
            messages.error(request, f"{exc.sentence} {words}")
        except AppError as exc:
            messages.error(request, str(exc.sentence))
        except ConfirmationNeeded as needed:
            return confirm_page(request, title=needed.title, words=needed.words, yes=needed.yes)
        if request.headers.get("HX-Request") == "true":
            context = dashboard_context(request) | {"shows_messages": True}
            return render(request, "stats/console/_dashboard.html", context)
        return HttpResponseRedirect(reverse("admin:index"))

    return page


class ConfirmationNeeded(Exception):
    """The action destroys or stops something and has not been confirmed."""

    def __init__(self, title: str, words: str, yes: str) -> None:
        super().__init__(title)
        self.title, self.words, self.yes = title, words, yes


@make_slot_action
def switch_slot(request: HttpRequest, slot_id: str) -> None:
    slot, is_active = find_slot(slot_id), request.POST.get("is_active") == "1"
    if not is_active and "confirmed" not in request.POST:
        raise ConfirmationNeeded(
            _("Switch off “%(slot)s”?") % {"slot": slot},
            _("Booths that use its link will get an error until it is switched on again."),
            _("Switch off"),
        )
    version = parse_number(request.GET.get("version", ""))
    given: dict[str, Any] = {"version": version} if version is not None else {}
    by = request.user.get_username()
    slot = change_slot(slot_id, SlotIn(is_active=is_active, **given), by=by)
    words = _("“%(slot)s” is switched on.") if is_active else _("“%(slot)s” is switched off.")
    messages.success(request, words % {"slot": slot})


@make_slot_action
def clean_up_slot(request: HttpRequest, slot_id: str) -> None:
    slot = find_slot(slot_id)
    if "confirmed" not in request.POST:
        raise ConfirmationNeeded(
            _("Clean up “%(slot)s”?") % {"slot": slot},
            _("Only outdated files are deleted; the last picture stays available."),
            _("Clean up"),
        )
    show_cleanup(request, clean_up(slot_id, by=request.user.get_username()), slot=slot)
