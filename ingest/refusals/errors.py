"""Refusals whose cause an operator must know more exactly than the booth needs to.

Each answers the booth as its base class does; ``cause`` is only for whoever looks for what is
wrong, in the list of refusals.
"""

from photochanger.errors import (
    AppError,
    InvalidPassword,
    InvalidRequest,
    RateLimited,
    StorageError,
)


class NotAForm(InvalidRequest):
    cause = "not_a_form"


class PhotoMissing(InvalidRequest):
    cause = "no_photo"


class PasswordMissing(InvalidRequest):
    cause = "no_password"


class UploadTooSlow(InvalidRequest):
    cause = "upload_slow"


class PasswordUnset(InvalidPassword):
    """Nobody has set a booth password yet, so that none can be right."""

    cause = "password_unset"


class PasswordGuessed(RateLimited):
    """So many wrong passwords came from an address that it has to wait."""

    cause = "password_guessed"


class SlotFull(RateLimited):
    cause = "slot_full"


class ProviderFull(RateLimited):
    cause = "provider_full"


class DatabaseAway(StorageError):
    cause = "database_away"


class DiskFull(StorageError):
    cause = "disk_full"


UNKNOWN_HOST = "unknown_host"  # the photo is served; its guests get no link


def get_cause(error: AppError) -> str:
    """The word under which a refusal is listed: its own cause, or else its reason."""
    return str(getattr(error, "cause", error.reason))
