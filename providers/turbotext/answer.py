"""What Turbotext answers: lenient reading, and our words for its failures.

The letters D, R and G are the confidence marks of spec/providers/turbotext.md.
"""

import re
from contextlib import suppress
from typing import Annotated, Any

import orjson
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
from providers.base import CallTrace

MAX_ANSWER_BYTES = 1024 * 1024  # read on the event loop


def _yes(value: Any) -> bool:
    """PHP's and people's ways to say it: true, "true", "True", 1 [G]."""
    return value is True or str(value).lower() in ("true", "1")


def _words(value: Any) -> str:
    """Text from outside for rows and logs, or the first of a list of texts."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return "".join(sign if sign.isprintable() else " " for sign in str(value)[:2000]).strip()


def _object(value: Any) -> Any:
    return value if isinstance(value, dict) else {}  # PHP writes an empty object as []


def _count(value: Any) -> int | None:
    with suppress(ValueError):
        return max(-1, min(2**31 - 1, int(_words(value)[:12])))
    return None


Yes = Annotated[bool, BeforeValidator(_yes)]
Words = Annotated[str, BeforeValidator(_words)]


class _Data(BaseModel, extra="ignore"):
    uploaded_image: Words = ""
    image: Words = ""
    forbidden_content: Yes = False


class _Limits(BaseModel, extra="ignore"):
    foto_limit: Annotated[int | None, BeforeValidator(_count)] = None


class Answer(BaseModel, extra="ignore", hide_input_in_errors=True):
    """Either phase's answer. Nothing in it is certain, so whatever is odd reads as absent."""

    success: Yes = False
    error: Words = ""
    action: Words = ""
    queueid: Words = ""  # a number in the samples; to us an opaque text
    uploaded_image: Words = ""
    data: Annotated[_Data, BeforeValidator(_object)] = _Data()
    limits: Annotated[_Limits, BeforeValidator(_object)] = _Limits()

    @property
    def is_in_work(self) -> bool:
        """Told before ``success`` is looked at, which such an answer may have too."""
        return self.action.lower() == "reconnect"


def parse(body: bytes, trace: CallTrace, *, api_key: str = "", status: int = 200) -> Answer:
    """JSON whatever the header calls it. Raises ProviderAuth, BadResponse for a good status."""
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        message = orjson.loads(text[:MAX_ANSWER_BYTES])
    except orjson.JSONDecodeError as exc:
        if status != 200:
            return Answer(error="no JSON")
        if text.startswith(b"<"):
            raise ProviderAuth("a page where JSON was due: probably the login page") from exc
        raise BadResponse("neither JSON nor a page") from exc
    if not isinstance(message, dict) and status == 200:
        raise BadResponse("JSON, but no object")
    answer = Answer.model_validate(_object(message))
    if api_key:
        answer.error = answer.error.replace(api_key, "***")
    if answer.limits.foto_limit is not None:
        trace.usage["foto_limit"] = answer.limits.foto_limit  # orders left
    return answer


def address_of(answer: Answer) -> str:
    """Where the picture of a finished order is: each method's sample puts it elsewhere [D]."""
    if answer.data.forbidden_content:
        raise ContentBlocked("forbidden_content")
    if not answer.success:
        raise explain(answer)
    address = answer.uploaded_image or answer.data.uploaded_image or answer.data.image
    if not address:
        raise BadResponse(f"done, but without a picture: {answer.error[:300]}")
    return address


# --- Errors --------------------------------------------------------------------------------------
# The service's words for its failures are not documented. The first row with a word in the text
# decides; a blank at a word's end stands for the end of a word there. Order matters: "size limit"
# is about the photo, "limit of your tariff" is no matter of the key.
ERROR_WORDS: tuple[tuple[type[ProviderError], tuple[str, ...]], ...] = (
    (ProviderRejected, (" face", " лицо ", " лица ", " лиц ", " лице ", " quality", " качеств")),
    (ProviderRejected, (" size", " размер", " resolution", " разрешение изображ")),
    (ProviderQuota, (" limit", " лимит", " quota", " квот", " исчерпан", " too many")),
    (ProviderQuota, (" слишком много запрос", " balance", " баланс", " недостаточно", " закончил")),
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


def explain(answer: Answer, *, otherwise: type[ProviderError] = BadResponse) -> ProviderError:
    """The error of an answer that says no."""
    detail = answer.error[:300] or "failed without a word"
    if answer.limits.foto_limit is not None and answer.limits.foto_limit <= 0:
        return ProviderQuota(f"no orders left: {detail}")
    if answer.data.forbidden_content:
        return ContentBlocked(detail)
    text = " " + re.sub(r"[\W_]+", " ", answer.error.lower().replace("ё", "е")) + " "
    for error, words in ERROR_WORDS:
        if any(word in text for word in words):
            return error(detail)
    return otherwise(detail)
