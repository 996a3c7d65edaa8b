"""Parse Turbotext's responses leniently, and map its failures to ours.

The letters D, R and G are the confidence marks of spec/providers/turbotext.md.
"""

import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

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
from providers.lenient import decode_text, load_json, load_pairs
from providers.meanings import BUSY_MARK
from providers.retry_hints import find_retry_delay
from providers.turbotext.fields import (
    ERROR_KEY,
    MESSAGE_KEY,
    ORDER_NUMBERS,
    STATES,
    Fields,
    find_text,
    find_values,
    list_fields,
    list_pictures,
    list_words,
)

WITHOUT_PICTURE = "done, but without a picture"
MAX_ANSWER_BYTES = 1024 * 1024  # read on the event loop
# A page for people may hold JSON of its own, with pictures that are no results; PHP's warnings
# have none of these.
PAGE_TAG = re.compile(r"<(?:!doctype|html|head|body|script|meta|div)\b", re.IGNORECASE)


def _parse_bool(value: Any) -> bool:
    """The spellings of PHP and of people: true, "true", "True", 1 [G]."""
    return value is True or str(value).lower() in ("true", "1", "1.0", "ok", "yes", "success")


def _parse_count(value: Any) -> int | None:
    with suppress(ValueError, OverflowError):
        if not isinstance(value, bool) and isinstance(value, int | float | str):
            return max(-1, min(2**31 - 1, int(value[:12] if isinstance(value, str) else value)))
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The response of either phase. No field is certain, so an odd value reads as absent.

    ``error``: what it says of a failure; ``words``: this, or else whatever it says of itself.
    ``pictures``: the addresses of results, the likeliest first.
    """

    success: bool = False
    is_denied: bool = False  # it says that there is no success
    error: str = ""
    words: str = ""
    state: str = ""  # by its action, or whatever it calls it
    queueid: str = ""  # a number in the samples; to us an opaque text
    pictures: tuple[str, ...] = ()
    is_forbidden: bool = False
    orders_left: int | None = None
    retry_after_s: float | None = None  # wherever it says so

    @property
    def is_refused(self) -> bool:
        """Whether it tells a failure; an unknown remark is none unless success is denied."""
        is_told = self.error and (self.is_denied or find_meaning(self.error)[0])
        return not self.success and bool(is_told)

    @property
    def is_pending(self) -> bool:
        """Not done yet: by its action, which ``success`` may stand beside, or by its words."""
        if self.state.lower() == "reconnect":
            return True
        error, known = find_meaning(self.words)
        if error is None:
            known = find_meaning(self.state)[1]
        return known in WAITING and not self.pictures and not self.is_forbidden


def parse_answer(
    body: bytes, trace: CallTrace, *, status: int = 200, sent: Collection[str] = ()
) -> Answer:
    """JSON whatever the Content-Type, also behind PHP's warnings: the order may be paid for.

    ``sent``: addresses of ours, which an answer may repeat. With a good status raises
    ProviderAuth, BadResponse.
    """
    body, is_good = body[:MAX_ANSWER_BYTES].strip(), 200 <= status < 300
    answer = None if says_nothing(body) else _load_answer(body, sent)
    if answer is None and is_good and decode_text(body[:100]).lstrip().startswith("<"):
        raise ProviderAuth("an HTML page instead of JSON: probably the login page")
    if answer is None and is_good:
        raise BadResponse("neither JSON nor a page")
    answer = answer or Answer()
    if answer.orders_left is not None:
        trace.usage["foto_limit"] = answer.orders_left
    return answer


def says_nothing(body: bytes) -> bool:
    """Whether it is no answer of the service's interface but a page for people, or empty."""
    text = decode_text(body[:2000]).strip()
    return not text or (text[0] not in "{[" and PAGE_TAG.search(text) is not None)


def _load_answer(body: bytes, sent: Collection[str]) -> Answer | None:
    """None for what is no JSON and not nearly so either, as the documents' own sample is [D]."""
    with suppress(ValueError):
        message = load_json(body, max_bytes=MAX_ANSWER_BYTES)
        if fields := list_fields(message):
            return _build_answer(message, fields, sent)
    with suppress(ValueError):
        message = load_pairs(body, max_bytes=MAX_ANSWER_BYTES)
        answer = _build_answer(message, list_fields(message), sent)
        if answer.words or answer.state or answer.queueid or answer.pictures:
            return answer
    return None


def _build_answer(message: Any, fields: list[Fields], sent: Collection[str]) -> Answer:
    said_success = next(find_values(fields, "success"), None)
    success = _parse_bool(said_success)
    errors, messages = list_words(fields, ERROR_KEY), list_words(fields, MESSAGE_KEY)
    words = list(dict.fromkeys(errors + messages))
    is_denied = said_success is not None and not success
    limits = map(_parse_count, find_values(fields, "fotolimit"))
    return Answer(
        success=success,
        is_denied=is_denied,
        error=" ".join(words if errors or is_denied else ())[:2000],
        words=" ".join(words)[:2000],
        state=find_text(fields, *STATES),
        queueid=find_text(fields, *(ORDER_NUMBERS if success else ORDER_NUMBERS[:1])),
        pictures=tuple(address for address in list_pictures(fields) if address not in sent),
        is_forbidden=any(map(_parse_bool, find_values(fields, "forbiddencontent"))),
        orders_left=next((count for count in limits if count is not None), None),
        retry_after_s=find_retry_delay({}, message),
    )


def find_picture_urls(answer: Answer) -> tuple[str, ...]:
    """The addresses of a finished order's picture, the likeliest first. Raises for a failure."""
    if answer.is_forbidden:
        raise ContentBlocked("forbidden_content")
    if answer.pictures and not answer.is_refused:
        return answer.pictures
    if answer.success and not answer.error:  # a remark on a limit, say, is no failure
        raise BadResponse(f"{WITHOUT_PICTURE}: {answer.words[:300]}".removesuffix(": "))
    if not answer.words:  # of the orders that are left, this one is none
        raise BadResponse("failed without an explanation")
    raise explain_refusal(answer, if_successful=WITHOUT_PICTURE)


# The service's words for its failures are not documented. The first row with a word in the text
# decides; a blank after a word means that the word ends there. Order matters: "size limit" is
# about the photo, "limit of your tariff" is not about the key.
BUSY_WORDS = (
    *(" too many", " too often", " rate limit", " per minute", " per second"),
    *(" слишком много запрос", " слишком част", " в минуту", " в секунду"),
)
NOT_YET_WORDS = (  # before all others: "обработка еще не закончилась" is not about money
    *(" еще не ", " не закончен", " не завершен", " обрабатывается", " идет обработка"),
    *(" not ready", " not finished", " not done", " not completed", " being processed"),
)
WAITING_WORDS = (
    *(" busy", " занят", " overload", " перегруж", " позже", " временно", " try again"),
    *(" again later", " не готов", " подожд", " ожидает", " ожидайте", " reconnect"),
    *(" is processing", " in progress", " in the queue", " in queue", " генерируется"),
    *(" в обработке", " выполняется", " в очереди", " в процессе", " создается", " идет "),
)
WAITING_STATES = ("processing", "pending", "queued", "running", "waiting", "wait", "created")
UNAVAILABLE_WORDS = (" unavailable", " недоступ")
ERROR_WORDS: tuple[tuple[type[ProviderError], tuple[str, ...]], ...] = (
    (ProviderQuota, BUSY_WORDS),
    (ProviderUnavailable, NOT_YET_WORDS),
    (ProviderRejected, (" face", " лицо ", " лица ", " лиц ", " лице ", " quality", " качеств")),
    (ProviderRejected, (" size", " размер", " resolution", " разрешение изображ")),
    (ProviderQuota, (" limit", " лимит", " quota", " квот", " исчерпан")),
    (ProviderQuota, (" balance", " баланс", " недостаточно", " закончил")),
    (ProviderAuth, (" api key", " apikey", " key ", " ключ", " token", " токен", " unauthor")),
    (ProviderAuth, (" авториз", " tariff", " тариф", " vip ", " подписк", " доступ ", " access ")),
    (ContentBlocked, (" forbidden", " nsfw", " moderat", " модерац", " запрещ", " недопустим")),
    (ContentBlocked, (" censor", " цензур", " adult", " 18 ")),
    (ProviderConfig, (" unknown method", " method not", " метод ", " нет метода")),
    (ProviderUnavailable, WAITING_WORDS),
    (ProviderUnavailable, (" timeout", " internal", " внутренняя ошибка", " maintenance")),
    (ProviderRejected, (" url", " ссылк", " param", " параметр", " format", " формат")),
    (ProviderRejected, (" required", " обязательн")),
    (ProviderUnavailable, UNAVAILABLE_WORDS),  # after those of a link: "файл по ссылке недоступен"
)
WAITING = (BUSY_WORDS, NOT_YET_WORDS, WAITING_WORDS, UNAVAILABLE_WORDS, WAITING_STATES)


def find_meaning(words: str) -> tuple[type[ProviderError] | None, tuple[str, ...]]:
    """The class of what is said, and the words that it was found by."""
    text = re.sub(r"[\W_]+", " ", words.lower().replace("ё", "е")).strip()
    if text in WAITING_STATES:
        return ProviderUnavailable, WAITING_STATES
    for error, known in ERROR_WORDS:
        if any(word in f" {text} " for word in known):
            return error, known
    return None, ()


def explain_refusal(
    answer: Answer, *, otherwise: type[ProviderError] = BadResponse, if_successful: str = ""
) -> ProviderError:
    """The error of a response without what it should have; ``otherwise``: if it says nothing known.

    ``if_successful``: what is wrong with it then.
    """
    detail = answer.words[:300] or "failed without an explanation"
    if answer.orders_left is not None and answer.orders_left <= 0:
        return ProviderQuota(f"no orders left: {detail}")
    if answer.is_forbidden:
        return ContentBlocked(detail)
    error, known = find_meaning(answer.words)
    if known is BUSY_WORDS:  # nothing was accepted, so nothing is paid
        return ProviderQuota(
            f"{BUSY_MARK}{detail}", retryable=True, retry_after_s=answer.retry_after_s
        )
    if error is None and answer.success:
        return otherwise(f"{if_successful}: {answer.words[:300]}".removesuffix(": "))
    return (error or otherwise)(detail)
