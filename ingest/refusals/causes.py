"""What an operator reads of each thing that goes wrong with a booth's photo: what, and what to do.

The words are of two kinds: causes of refusals (``ingest.refusals.errors``, or else the failure's
reason), and reasons of photos that failed. Where no title is given, it is the failure's sentence.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from photochanger.errors import ERROR_BY_REASON, AppError, ProviderQuota, Text
from providers.meanings import BUSY_MARK


class Page(StrEnum):
    """Where the remedy is."""

    SLOT = "slot"
    SETTINGS = "settings"
    BOARD = "board"
    EVENT = "event"
    CAPTURE = "capture"
    BUDGETS = "budgets"


@dataclass(frozen=True, slots=True)
class Cause:
    remedy: Text
    page: Page
    title: Text = ""
    is_grave: bool = True  # a photo was lost, or will be; else it is worth knowing


PASSWORD_REMEDY = _("Type the booth password of this server into the booth anew, letter by letter.")
FORM_REMEDY = _("Look at what the booth sends, and compare it with the instructions for the booth.")
LINK_REMEDY = _("Copy the slot's link from its card into the booth anew.")
SERVER_REMEDY = _("Tell whoever runs the server: the log says more.")
SMALLER_REMEDY = _("Set a smaller picture size in the booth, or raise the slot's limit.")

REFUSALS: dict[str, Cause] = {
    "invalid_password": Cause(PASSWORD_REMEDY, Page.SETTINGS, _("Wrong booth password")),
    "password_guessed": Cause(
        PASSWORD_REMEDY, Page.SETTINGS, _("Ten wrong passwords: made to wait for a minute")
    ),
    "password_unset": Cause(
        _("Set it in the settings and type it into the booth."),
        Page.SETTINGS,
        _("No booth password is set on this server"),
    ),
    "no_password": Cause(
        _("Fill in the password in the booth's settings."),
        Page.CAPTURE,
        _("The booth sends no password"),
    ),
    "slot_disabled": Cause(
        _("Switch the slot on, or give the booth the link of another one."),
        Page.SLOT,
        _("The slot is switched off"),
    ),
    "slot_not_found": Cause(LINK_REMEDY, Page.BOARD, _("There is no slot with this link")),
    "not_found": Cause(LINK_REMEDY, Page.BOARD, _("The link in the booth leads nowhere")),
    "method_not_allowed": Cause(
        _("A booth must send photos by POST. Opened in a browser, the link shows this too."),
        Page.CAPTURE,
        _("The link was opened, and no photo sent"),
        is_grave=False,
    ),
    "unknown_host": Cause(
        _("Add this name to ALLOWED_HOSTS, or set PUBLIC_BASE_URL: guests get no link until then."),
        Page.EVENT,
        _("The booth calls this server by a name that it does not know"),
    ),
    "no_photo": Cause(FORM_REMEDY, Page.CAPTURE, _("The booth sent no picture")),
    "not_a_form": Cause(FORM_REMEDY, Page.CAPTURE, _("What came was no booth's form")),
    "invalid_request": Cause(FORM_REMEDY, Page.CAPTURE, _("The booth's request was not valid")),
    "upload_slow": Cause(
        _("The network of the booth is too slow, or broke off. Set a smaller picture size."),
        Page.CAPTURE,
        _("The photo did not arrive in time"),
    ),
    "payload_too_large": Cause(SMALLER_REMEDY, Page.SLOT, _("The photo is larger than allowed")),
    "unsupported_media_type": Cause(
        _("Set JPEG as the booth's picture format; PNG and WEBP are taken too."),
        Page.CAPTURE,
        _("The file is no JPEG, PNG or WEBP"),
    ),
    "invalid_image": Cause(
        _("Take the photo again. If it comes again, look at the booth's picture settings."),
        Page.CAPTURE,
        _("The photo cannot be read"),
    ),
    "checksum_mismatch": Cause(
        _("If it comes again, do not check the hash in the settings, or only warn."),
        Page.SETTINGS,
        _("The photo was damaged on its way: its hash does not match"),
    ),
    "slot_full": Cause(
        _("Raise the limit of photos at once, or give booths slots of their own."),
        Page.SETTINGS,
        _("Too many photos at once for this slot"),
    ),
    "provider_full": Cause(
        _("Raise the limit of photos at once for the AI service."),
        Page.SETTINGS,
        _("Too many photos at once for the AI service"),
    ),
    "server_full": Cause(
        _("Let fewer booths send at once, or set a smaller picture size in them."),
        Page.EVENT,
        _("More photos at once than the server can prepare in time"),
    ),
    "budget_spent": Cause(
        _("Raise the budget, or switch it off: “More”, “Budgets”."),
        Page.BUDGETS,
        _("The budget for pictures is spent"),
    ),
    "rate_limited": Cause(
        _("Raise the limit of photos at once."), Page.SETTINGS, _("Too many photos at once")
    ),
    "idempotency_conflict": Cause(
        FORM_REMEDY, Page.CAPTURE, _("Two different photos came under one Idempotency-Key")
    ),
    "client_gone": Cause(
        _("Set the booth's time-out longer than the slot waits, and look at its network."),
        Page.SLOT,
        _("The booth gave up"),
    ),
    "disk_full": Cause(
        _("Free the server's disk: clean the media cache in the settings."),
        Page.SETTINGS,
        _("The server's disk is full"),
    ),
    "database_away": Cause(
        _("Start the database again, or tell whoever runs the server."),
        Page.EVENT,
        _("The server's database did not answer"),
    ),
    "storage_error": Cause(
        _("The server's disk or database needs a look."),
        Page.EVENT,
        _("The server could not store the photo"),
    ),
    "internal_error": Cause(SERVER_REMEDY, Page.EVENT, _("Something broke on our side")),
}

BUSY = "busy"  # a finer word than the reason ``quota``: of a limit that passes by itself
FAILURES: dict[str, Cause] = {
    "timeout": Cause(
        _("Choose a faster model or a smaller picture, or let the slot wait longer."),
        Page.SLOT,
        _("The AI service did not finish in time"),
    ),
    "network": Cause(
        _("Check the server's internet connection; switch the slot to the other service."),
        Page.EVENT,
        _("The AI service cannot be reached"),
    ),
    "provider_5xx": Cause(
        _("Wait a few minutes, or switch the slot to another model or service."),
        Page.SLOT,
        _("The AI service is down"),
    ),
    "quota": Cause(
        _("Top up the account at the AI service or raise its limits; else switch the service."),
        Page.EVENT,
        _("The AI service's quota is used up"),
    ),
    BUSY: Cause(
        _("It passes by itself. If it comes often, name a second model in the slot."),
        Page.SLOT,
        _("The AI service is busy"),
    ),
    "provider_auth": Cause(
        _("Enter a working key in the settings."),
        Page.SETTINGS,
        _("The AI service refused our key"),
    ),
    "provider_config": Cause(
        _("Open the slot: its model may be gone, or a picture or a setting is missing."),
        Page.SLOT,
        _("The slot cannot work as it is set up"),
    ),
    "content_blocked": Cause(
        _("Take another photo. If many are refused, make the prompt milder."),
        Page.SLOT,
        _("The AI service refused photos for safety reasons"),
    ),
    "bad_response": Cause(
        _("Take the photo again. If it comes often, change the prompt or the model."),
        Page.SLOT,
        _("The AI service answered without a usable picture"),
    ),
    "provider_rejected": Cause(
        _("Open the slot and make a test photo: a setting does not suit the model."),
        Page.SLOT,
        _("The AI service did not accept the photo or the slot's settings"),
    ),
    "client_gone": REFUSALS["client_gone"],
    "not_kept": Cause(
        _("Free the server's disk: clean the media cache in the settings."),
        Page.SETTINGS,
        _("Printed, but not kept on the server: guests have no link"),
    ),
    "people_changed": Cause(
        _("Look at the last pictures. Then try another prompt or model, or ask once more."),
        Page.SLOT,
        _("People are not kept: somebody is missing, added or changed"),
        is_grave=False,
    ),
    "storage_error": Cause(
        _("Free the server's disk; its log says more."),
        Page.EVENT,
        _("The server could not store the picture"),
    ),
    "interrupted": Cause(
        _("Take the photo again: the server is back."),
        Page.EVENT,
        _("The server stopped while it worked on a photo"),
    ),
    "internal_error": REFUSALS["internal_error"],
}
UNKNOWN = Cause(SERVER_REMEDY, Page.EVENT)


def name_failure(reason: str, detail: str) -> str:
    """The word for what came of a photo: its reason, or a finer one where the remedy is another."""
    return BUSY if reason == ProviderQuota.reason and BUSY_MARK in detail else reason


def find_cause(word: str, *, of_photo: bool = False) -> Cause:
    """Of a refusal, or of a photo that failed; a word of another version is told in general."""
    first, second = (FAILURES, REFUSALS) if of_photo else (REFUSALS, FAILURES)
    return first.get(word) or second.get(word) or UNKNOWN


def get_title(word: str, *, of_photo: bool = False) -> Text:
    """What happened, in one sentence without its full stop where it is our own."""
    cause = find_cause(word, of_photo=of_photo)
    return cause.title or ERROR_BY_REASON.get(word, AppError).sentence
