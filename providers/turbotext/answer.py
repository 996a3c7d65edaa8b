"""Parse Turbotext's responses leniently, and map its failures to ours.

The letters D, R and G are the confidence marks of spec/providers/turbotext.md.
"""

import re
from contextlib import suppress
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator

from photochanger.errors import (
    BadResponse,
    ContentBlocked,
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderQuota,
    ProviderRejected,
    ProviderUnavailable,
)
from photochanger.parsing import make_printable
from providers.base import CallTrace
from providers.lenient import decode_text, load_json, unwrap_list
from providers.meanings import BUSY_MARK
from providers.retry_hints import find_retry_delay

MAX_ANSWER_BYTES = 1024 * 1024  # read on the event loop


def _parse_bool(value: Any) -> bool:
    """The spellings of PHP and of people: true, "true", "True", 1 [G]."""
    return value is True or str(value).lower() in ("true", "1")


def _parse_text(value: Any) -> str:
    """A text made printable, or the first of a list of texts that is not empty."""
    if isinstance(value, list):
        value = next((item for item in value if item), "")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return make_printable(str(value), 2000).strip()


def _parse_object(value: Any) -> Any:
    return value if isinstance(value, dict) else {}  # PHP writes an empty object as []


def _parse_count(value: Any) -> int | None:
    with suppress(ValueError):
        return max(-1, min(2**31 - 1, int(_parse_text(value)[:12])))
    return None


LenientBool = Annotated[bool, BeforeValidator(_parse_bool)]
LenientText = Annotated[str, BeforeValidator(_parse_text)]


class _Data(BaseModel, extra="ignore"):
    queueid: LenientText = ""  # another place for it
    uploaded_image: LenientText = ""
    image: LenientText = ""
    forbidden_content: LenientBool = False


class _Limits(BaseModel, extra="ignore"):
    foto_limit: Annotated[int | None, BeforeValidator(_parse_count)] = None


class Answer(BaseModel, extra="ignore", hide_input_in_errors=True):
    """The response of either phase. No field is certain, so an odd value reads as absent."""

    success: LenientBool = False
    error: LenientText = ""
    action: LenientText = ""
    queueid: LenientText = ""  # a number in the samples; to us an opaque text
    uploaded_image: LenientText = ""
    data: Annotated[_Data, BeforeValidator(_parse_object)] = _Data()
    limits: Annotated[_Limits, BeforeValidator(_parse_object)] = _Limits()
    retry_after_s: float | None = None  # wherever it says so

    @property
    def is_pending(self) -> bool:
        """Checked before ``success``, which such a response may have too."""
        return self.action.lower() == "reconnect"


def parse_answer(body: bytes, trace: CallTrace, *, status: int = 200) -> Answer:
    """JSON whatever the Content-Type, also behind PHP's warnings: the order may be paid for.

    With a good status raises ProviderAuth, BadResponse.
    """
    try:
        body = body[:MAX_ANSWER_BYTES].strip()
        message = unwrap_list(load_json(body, max_bytes=MAX_ANSWER_BYTES))
    except ValueError as exc:
        if not 200 <= status < 300:
            return Answer()
        if decode_text(body[:100]).lstrip().startswith("<"):
            raise ProviderAuth("an HTML page instead of JSON: probably the login page") from exc
        raise BadResponse("neither JSON nor a page") from exc
    if not isinstance(message, dict) and 200 <= status < 300:
        raise BadResponse("JSON, but not an object")
    answer = Answer.model_validate(_parse_object(message))
    answer.retry_after_s = find_retry_delay({}, message)
    answer.queueid = answer.queueid or answer.data.queueid
    if answer.limits.foto_limit is not None:
        trace.usage["foto_limit"] = answer.limits.foto_limit  # orders left
    return answer


def find_picture_url(answer: Answer) -> str:
    """The address of a finished order's picture, in a field that differs by method [D]."""
    if answer.data.forbidden_content:
        raise ContentBlocked("forbidden_content")
    address = answer.uploaded_image or answer.data.uploaded_image or answer.data.image
    if not answer.success and (answer.error or not address):
        raise explain_refusal(answer)
    if not address:
        raise BadResponse(f"done, but without a picture: {answer.error[:300]}")
    return address


# The service's words for its failures are not documented. The first row with a word in the text
# decides; a blank after a word means that the word ends there. Order matters: "size limit" is
# about the photo, "limit of your tariff" is not about the key.
BUSY_WORDS = (
    *(" too many", " too often", " rate limit", " per minute", " per second"),
    *(" слишком много запрос", " слишком част", " в минуту", " в секунду"),
)
ERROR_WORDS: tuple[tuple[type[ProviderError], tuple[str, ...]], ...] = (
    (ProviderRejected, (" face", " лицо ", " лица ", " лиц ", " лице ", " quality", " качеств")),
    (ProviderRejected, (" size", " размер", " resolution", " разрешение изображ")),
    (ProviderQuota, (" limit", " лимит", " quota", " квот", " исчерпан")),
    (ProviderQuota, (" balance", " баланс", " недостаточно", " закончил")),
    (ProviderAuth, (" api key", " apikey", " key ", " ключ", " token", " токен", " unauthor")),
    (ProviderAuth, (" авториз", " tariff", " тариф", " vip ", " подписк", " доступ ", " access ")),
    (ContentBlocked, (" forbidden", " nsfw", " moderat", " модерац", " запрещ", " недопустим")),
    (ContentBlocked, (" censor", " цензур", " adult", " 18 ")),
    (ProviderConfig, (" unknown method", " method not", " метод ", " нет метода")),
    (ProviderUnavailable, (" busy", " занят", " overload", " перегруж", " timeout", " позже")),
    (ProviderUnavailable, (" временно", " internal", " внутренняя ошибка", " maintenance")),
    (ProviderRejected, (" url", " ссылк", " param", " параметр", " format", " формат")),
    (ProviderRejected, (" required", " обязательн", " queueid")),
)


def explain_refusal(
    answer: Answer, *, otherwise: type[ProviderError] = BadResponse
) -> ProviderError:
    """The error of a response without success."""
    detail = answer.error[:300] or "failed without an explanation"
    if answer.limits.foto_limit is not None and answer.limits.foto_limit <= 0:
        return ProviderQuota(f"no orders left: {detail}")
    if answer.data.forbidden_content:
        return ContentBlocked(detail)
    text = " " + re.sub(r"[\W_]+", " ", answer.error.lower().replace("ё", "е")) + " "
    if any(word in text for word in BUSY_WORDS):  # nothing was accepted, so nothing is paid
        return ProviderQuota(
            f"{BUSY_MARK}{detail}", retryable=True, retry_after_s=answer.retry_after_s
        )
    for error, words in ERROR_WORDS:
        if any(word in text for word in words):
            return error(detail)
    return otherwise(detail)
