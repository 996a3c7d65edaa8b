"""Every expected failure: one class, one status, one word, one sentence.

The word (``reason``) is the same in the answer, the job row, the log line and the metric label.
The sentence is for the person who reads the answer; it never holds keys, prompts, paths or a
provider's words. Those go into ``str(exc)``, which only operators and the log see.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils import translation
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class AppError(Exception):
    """An expected failure. ``detail`` is for operators: no password, key or image bytes."""

    status: ClassVar[int] = 500
    reason: ClassVar[str] = "internal_error"
    sentence: ClassVar["_StrPromise | str"] = _("Something broke on our side. Try again.")

    def __init__(
        self, detail: str = "", *, retry_after_s: float | None = None, job_id: str | None = None
    ) -> None:
        super().__init__(detail or self.reason)
        self.retry_after_s = retry_after_s
        self.job_id = job_id
        self.more: dict[str, object] = {}  # goes into the answer too

    def answer(self, language: str) -> dict[str, object]:
        """The JSON body of "Failures" in spec/api.md, in one of our languages."""
        with translation.override(language):
            body: dict[str, object] = {
                "status": "timeout" if self.reason == "timeout" else "error",
                "failure_reason": self.reason,
                "details": str(self.sentence),
            }
        if self.job_id:
            body["job_id"] = self.job_id
        if self.retry_after_s is not None:
            body["retry_after"] = whole_seconds(self.retry_after_s)
        return body | self.more

    def headers(self) -> dict[str, str]:
        """Headers that go with the answer: never cached, ``Retry-After`` when it is known."""
        headers = {"Cache-Control": "no-store"}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(whole_seconds(self.retry_after_s))
        return headers


def whole_seconds(seconds: float) -> int:
    """Seconds rounded up, at least one: a client told 0 would hammer us."""
    return max(1, int(-(-seconds // 1)))


# --- The request is wrong ------------------------------------------------------------------------
class InvalidRequest(AppError):
    status, reason = 400, "invalid_request"
    sentence = _("The request is not what a booth sends: the photo or the password is missing.")


class InvalidFields(InvalidRequest):
    """Values that will not do: a sentence for each field, by its place (``settings.prompt``).

    Neither places nor sentences may repeat what the client sent.
    """

    sentence = _("Some fields are not filled in as they must be.")

    def __init__(self, fields: "Mapping[str, _StrPromise | str]") -> None:
        super().__init__(f"not valid: {', '.join(fields)}"[:500])
        self.fields = fields

    def answer(self, language: str) -> dict[str, object]:
        body = super().answer(language)
        with translation.override(language):
            return body | {"fields": {name: str(words) for name, words in self.fields.items()}}


class InvalidImage(AppError):
    status, reason = 400, "invalid_image"
    sentence = _("The photo cannot be read. Take it again.")


class ChecksumMismatch(AppError):
    status, reason = 400, "checksum_mismatch"
    sentence = _("The photo was damaged on the way: its checksum does not match.")


class InvalidPassword(AppError):
    status, reason = 401, "invalid_password"
    sentence = _("Wrong password. Check the password in the booth's settings.")


class Unauthorized(AppError):
    status, reason = 401, "unauthorized"
    sentence = _("Log in first: the token is missing or wrong, or its time is over.")

    def headers(self) -> dict[str, str]:
        return super().headers() | {"WWW-Authenticate": "Bearer"}


class LoginFailed(Unauthorized):
    reason = "invalid_credentials"
    sentence = _("Wrong name or password.")


class Forbidden(AppError):
    status, reason = 403, "forbidden"
    sentence = _("Only administrators may do this.")


class PathNotFound(AppError):
    status, reason = 404, "not_found"
    sentence = _("There is nothing at this address. Check the link, letter by letter.")


class MethodNotAllowed(AppError):
    status, reason = 405, "method_not_allowed"
    sentence = _("This link does not work that way. A booth's link takes photos by POST.")


class SlotNotFound(AppError):
    status, reason = 404, "slot_not_found"
    sentence = _("There is no such slot. Check the link in the booth's settings.")


class SlotDisabled(AppError):
    status, reason = 404, "slot_disabled"
    sentence = _("This slot is switched off. Switch it on in the console.")


class GalleryClosed(AppError):
    status, reason = 404, "gallery_closed"
    sentence = _("This gallery is closed.")


class JobNotFound(AppError):
    status, reason = 404, "job_not_found"
    sentence = _("There is no such photo, or its time is over.")


class ResultNotFound(AppError):
    status, reason = 404, "result_not_found"
    sentence = _("There is no such picture.")


class ResultExpired(AppError):
    status, reason = 410, "result_expired"
    sentence = _("The time of this picture is over; it has been deleted.")


class IdempotencyConflict(AppError):
    status, reason = 409, "idempotency_conflict"
    sentence = _("This Idempotency-Key was already used with another photo.")


class VersionConflict(AppError):
    """The answer tells the slot's current ``version``."""

    status, reason = 409, "version_conflict"
    sentence = _("Somebody else has changed this slot meanwhile. Load it again.")

    def __init__(self, detail: str = "", *, version: int = 1, **more: Any) -> None:
        super().__init__(detail, **more)
        self.more = {"version": version}


class MediaNotFound(AppError):
    status, reason = 404, "media_not_found"
    sentence = _("There is no such file, or its time is over.")


class PayloadTooLarge(AppError):
    status, reason = 413, "payload_too_large"
    sentence = _("The photo is too large. Set a smaller picture size in the booth.")


class RangeNotSatisfiable(AppError):
    """A part of a file that lies behind its end; the answer says how long the file is."""

    status, reason = 416, "range_not_satisfiable"
    sentence = _("The file is shorter than the part that was asked for.")
    size_bytes = 0

    @classmethod
    def of(cls, size_bytes: int) -> "RangeNotSatisfiable":
        error = cls(f"the file has {size_bytes} bytes")
        error.size_bytes = size_bytes
        return error

    def headers(self) -> dict[str, str]:
        return super().headers() | {"Content-Range": f"bytes */{self.size_bytes}"}


class UnsupportedMediaType(AppError):
    status, reason = 415, "unsupported_media_type"
    sentence = _("Only JPEG, PNG and WEBP photos are accepted.")


class RateLimited(AppError):
    status, reason = 429, "rate_limited"
    sentence = _("Too many photos at once. Try again in a few seconds.")


class Throttled(AppError):
    status, reason = 429, "throttled"
    sentence = _("Too many failed log-ins. Wait a little, at most a quarter of an hour.")


# --- Our fault -----------------------------------------------------------------------------------
class InternalError(AppError):
    """A bug; the traceback is in the log."""


class StorageError(AppError):
    reason = "storage_error"
    sentence = _("The picture could not be stored. The server's disk or database needs a look.")


# --- The provider --------------------------------------------------------------------------------
class ProviderError(AppError):
    """What an AI service did wrong.

    ``retryable`` says that the same call may succeed if made again; whether there is time for it
    is decided by the retry rule, not by the driver.
    """

    status, reason = 503, "provider_5xx"
    sentence = _("The AI service is not available right now. Try again.")

    def __init__(
        self, detail: str = "", *, retryable: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
        self.retryable = retryable


class BadResponse(ProviderError):
    status, reason = 502, "bad_response"
    sentence = _("The AI service answered without a usable picture. Try again.")


class ContentBlocked(ProviderError):
    status, reason = 502, "content_blocked"
    sentence = _("The AI service refused this photo for safety reasons. Take another one.")


class ProviderRejected(ProviderError):
    status, reason = 502, "provider_rejected"
    sentence = _("The AI service did not accept this photo or the slot's settings.")


class ProviderNetwork(ProviderError):
    reason = "network"
    sentence = _("The AI service cannot be reached. Check the server's internet connection.")


class ProviderUnavailable(ProviderError):
    """Any 5xx of a provider."""


class ProviderQuota(ProviderError):
    reason = "quota"
    sentence = _("The AI service's quota is used up. Try again later or change the plan.")


class ProviderAuth(ProviderError):
    reason = "provider_auth"
    sentence = _("The AI service refused our key. An administrator must change it.")


class ProviderConfig(ProviderError):
    reason = "provider_config"
    sentence = _("The slot cannot work as it is set up. An administrator must change it.")


class ProviderTimeout(ProviderError):
    status, reason = 504, "timeout"
    sentence = _("The AI service did not finish in time.")


# --- Nobody is left to read the answer -----------------------------------------------------------
class ClientGone(AppError):
    status, reason = 499, "client_gone"
    sentence = _("The booth hung up before the picture was ready.")


class Interrupted(AppError):
    reason = "interrupted"
    sentence = _("The server stopped while it worked on this photo.")


ERRORS: tuple[type[AppError], ...] = (
    *(InvalidRequest, InvalidImage, ChecksumMismatch, InvalidPassword),
    *(Unauthorized, LoginFailed, Forbidden),
    *(PathNotFound, MethodNotAllowed),
    *(SlotNotFound, SlotDisabled, GalleryClosed, JobNotFound, ResultNotFound, ResultExpired),
    *(IdempotencyConflict, VersionConflict, MediaNotFound),
    *(PayloadTooLarge, UnsupportedMediaType, RangeNotSatisfiable, RateLimited, Throttled),
    *(InternalError, StorageError),
    *(BadResponse, ContentBlocked, ProviderRejected, ProviderNetwork, ProviderUnavailable),
    *(ProviderQuota, ProviderAuth, ProviderConfig, ProviderTimeout),
    *(ClientGone, Interrupted),
)
ERROR_BY_REASON = {error.reason: error for error in ERRORS}
