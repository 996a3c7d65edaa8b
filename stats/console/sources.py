"""A card's buttons that switch a slot to its reserve and back."""

import structlog
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from slots.editing import change_slot
from slots.reserve.circuits import reset_circuits
from slots.schemas import SlotIn
from slots.services import find_slot
from stats.console.dashboard import ConfirmationNeeded, make_slot_action

log = structlog.get_logger()


@make_slot_action
def use_reserve(request: HttpRequest, slot_id: str) -> None:
    slot = find_slot(slot_id)
    if "confirmed" not in request.POST:
        raise ConfirmationNeeded(
            _("Switch “%(slot)s” to the reserve?") % {"slot": slot},
            _("From the next photo on the reserve makes the pictures, until you switch back."),
            _("To the reserve"),
        )
    change_slot(slot_id, SlotIn(on_reserve=True), by=request.user.get_username())
    messages.success(request, _("“%(slot)s” is on its reserve.") % {"slot": slot})


@make_slot_action
def use_main(request: HttpRequest, slot_id: str) -> None:
    slot = find_slot(slot_id)
    if "confirmed" not in request.POST:
        raise ConfirmationNeeded(
            _("Switch “%(slot)s” back to its main service?") % {"slot": slot},
            _("If it fails, the reserve takes over again by itself."),
            _("Back to the main service"),
        )
    by = request.user.get_username()
    change_slot(slot_id, SlotIn(on_reserve=False), by=by)
    reset_circuits(slot_id)  # also where its circuit had opened by itself: it is tried at once
    log.info("slots.source.reset", slot=slot_id, by=by)
    messages.success(request, _("“%(slot)s” is on its main service.") % {"slot": slot})
