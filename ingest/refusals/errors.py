"""Refusals whose cause an operator must know more exactly than the booth needs to.

Each answers the booth as its base class does; ``cause`` is only for whoever looks for what is
wrong, in the list of refusals. What may be wrong with the request itself is in
``photochanger.request_errors``.
"""

from django.utils.translation import gettext_lazy as _

from photochanger.errors import (
    AppError,
    InvalidPassword,
    ProviderTimeout,
    RateLimited,
    StorageError,
)


class PasswordUnset(InvalidPassword):
    """Nobody has set a booth password yet, so that none can be right."""

    cause = "password_unset"


class PasswordGuessed(RateLimited):
    """So many wrong passwords came from an address that it has to wait."""

    cause = "password_guessed"


class SlotFull(RateLimited):
    cause = "slot_full"


class PhotoQueueFull(RateLimited):
    """More photos came at once than this server can decode before their deadlines."""

    cause = "server_full"


class ProviderFull(RateLimited):
    cause = "provider_full"


class DatabaseAway(StorageError):
    cause = "database_away"
    sentence = _("The server's database does not answer in time. It needs a look.")


class NoTimeLeft(ProviderTimeout):
    """The photo was ready for its service when no picture could be made in time any more."""

    sentence = _("The photo came too slowly, or waited here too long: no time was left for it.")


class BudgetSpent(AppError):
    """Nobody is asked for this photo. ``prints_original``: the booth gets its own photo instead."""

    status, reason = 503, "budget_spent"
    sentence = _("The budget for pictures is spent. Raise it in the console: “More”, “Budgets”.")

    def __init__(self, detail: str = "", *, prints_original: bool = False) -> None:
        super().__init__(detail)
        self.prints_original = prints_original


class DiskFull(StorageError):
    cause = "disk_full"


UNKNOWN_HOST = "unknown_host"  # the photo is served; its guests get no link


def get_cause(error: AppError) -> str:
    """The word under which a refusal is listed: its own cause, or else its reason."""
    return str(getattr(error, "cause", error.reason))
