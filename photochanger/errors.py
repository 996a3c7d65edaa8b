"""Every expected failure: one class with one status, one reason and one sentence.

The ``reason`` is the same in the response, the job row, the log line and the metric label. The
sentence is for the person who reads the response; it never holds keys, prompts, paths or a
provider's words. Those go into ``str(exc)``, which only operators and the log see.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from photochanger.redaction import redact

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# A text for people, translated when it is shown. In quotes: only the type stubs know the class.
Text: TypeAlias = "_StrPromise | str"
ERROR_BY_REASON: "dict[str, type[AppError]]" = {}


class AppError(Exception):
    """An expected failure, by its reason in ``ERROR_BY_REASON``; no secret is in ``detail``."""

    status: int = 500
    reason: str = "internal_error"
    sentence: Text = _("Something broke on our side. Try again.")

    def __init_subclass__(cls) -> None:
        if "reason" in cls.__dict__:
            assert cls.reason not in ERROR_BY_REASON, cls.reason
            ERROR_BY_REASON[cls.reason] = cls

    def __init__(
        self, detail: str = "", *, retry_after_s: float | None = None, job_id: str | None = None
    ) -> None:
        super().__init__(redact(detail) or self.reason)
        self.retry_after_s, self.job_id = retry_after_s, job_id

    def to_json(self, language: str) -> dict[str, object]:
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
            body["retry_after"] = round_up_seconds(self.retry_after_s)
        return body

    @property
    def headers(self) -> dict[str, str]:
        """Of the response: never cached, with ``Retry-After`` when it is known."""
        headers = {"Cache-Control": "no-store"}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(round_up_seconds(self.retry_after_s))
        return headers


def round_up_seconds(seconds: float) -> int:
    """At least one: a client that reads 0 would retry at once, again and again."""
    return max(1, int(-(-seconds // 1)))


class InvalidRequest(AppError):
    status, reason = 400, "invalid_request"
    sentence = _("The request is not as it must be here.")


class InvalidFields(InvalidRequest):
    """Invalid values: a sentence for each field, by its path (``settings.prompt``).

    Neither paths nor sentences may repeat what the client sent.
    """

    sentence = _("Some fields are not filled in as they must be.")

    def __init__(self, fields: Mapping[str, Text]) -> None:
        super().__init__(f"not valid: {', '.join(fields)}"[:500])
        self.fields = fields

    def to_json(self, language: str) -> dict[str, object]:
        body = super().to_json(language)
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

    @property
    def headers(self) -> dict[str, str]:
        return super().headers | {"WWW-Authenticate": "Bearer"}


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
    status, reason = 409, "version_conflict"
    sentence = _("Somebody else has changed this slot meanwhile. Load it again.")

    def __init__(self, detail: str = "", *, version: int = 1) -> None:
        super().__init__(detail)
        self.version = version

    def to_json(self, language: str) -> dict[str, object]:
        return super().to_json(language) | {"version": self.version}


class MediaNotFound(AppError):
    status, reason = 404, "media_not_found"
    sentence = _("There is no such file, or its time is over.")


class PayloadTooLarge(AppError):
    status, reason = 413, "payload_too_large"
    sentence = _("The photo is too large. Set a smaller picture size in the booth.")


class UnsupportedMediaType(AppError):
    status, reason = 415, "unsupported_media_type"
    sentence = _("Only JPEG, PNG and WEBP photos are accepted.")


class RangeNotSatisfiable(AppError):
    status, reason = 416, "range_not_satisfiable"
    sentence = _("The file is shorter than the part that was asked for.")

    def __init__(self, size_bytes: int = 0) -> None:
        super().__init__(f"the file has {size_bytes} bytes")
        self.size_bytes = size_bytes

    @property
    def headers(self) -> dict[str, str]:
        return super().headers | {"Content-Range": f"bytes */{self.size_bytes}"}


class RateLimited(AppError):
    status, reason = 429, "rate_limited"
    sentence = _("Too many photos at once. Try again in a few seconds.")


class Throttled(AppError):
    status, reason = 429, "throttled"
    sentence = _("Too many failed log-ins. Wait a little, at most a quarter of an hour.")


class InternalError(AppError):
    reason = "internal_error"  # a bug; the traceback is in the log


class StorageError(AppError):
    reason = "storage_error"
    sentence = _("The picture could not be stored. The server's disk or database needs a look.")


class ProviderError(AppError):
    """A failure of an AI service.

    ``retryable``: the same call may succeed if repeated. The retry rule decides whether it is.
    """

    status = 503
    sentence: Text = _("The AI service is not available right now. Try again.")
    busy_sentence: Text = ""  # in its place when retryable

    def __init__(self, detail: str = "", *, retryable: bool = False, **more: Any) -> None:
        super().__init__(detail, **more)
        self.retryable = retryable
        self.sentence = (retryable and self.busy_sentence) or self.sentence


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
    reason = "provider_5xx"  # any 5xx of a provider


class ProviderQuota(ProviderError):
    reason = "quota"
    sentence = _("The AI service's quota is used up. Try again later or change the plan.")
    busy_sentence = _("The AI service is busy right now. Try again in a few seconds.")


class ProviderAuth(ProviderError):
    reason = "provider_auth"
    sentence = _("The AI service refused our key. An administrator must change it.")


class ProviderConfig(ProviderError):
    reason = "provider_config"
    sentence = _("The slot cannot work as it is set up. An administrator must change it.")


class ProviderTimeout(ProviderError):
    status, reason = 504, "timeout"
    sentence = _("The AI service did not finish in time.")


class ClientGone(AppError):
    status, reason = 499, "client_gone"
    sentence = _("The booth hung up before the picture was ready.")


class Interrupted(AppError):
    reason = "interrupted"
    sentence = _("The server stopped while it worked on this photo.")
