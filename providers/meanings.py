"""What a failure of a service means: a class for each status, and for what the body says.

A word of the service wins over the status that a gateway has put on top of it. The photo and the
slot's settings are blamed only where the service itself does so.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from photochanger.errors import (
    BadResponse,
    ContentBlocked,
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderQuota,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.error_body import ErrorBody
from providers.retry_hints import find_retry_delay
from providers.words.limits import is_lasting

PROXY_IS_NO_SOCKS = "the proxy of PROVIDER_PROXY_URL does not speak SOCKS"
PROXY_REFUSED = "the proxy does not take the name and password of PROVIDER_PROXY_URL"
REDIRECTED = "the address leads elsewhere"
HOST = re.compile(r"(?=.{1,100}$)[A-Za-z0-9-]{1,24}(?:\.[A-Za-z0-9-]{1,24})*")
BUSY_MARK = "busy: "  # in the detail of a limit that passes by itself
LONG_WAIT_S = 3600.0  # a limit that says to come back later than that does not pass today
# The address, the country, the account's money, or something between: another protocol, a log-in.
PLACE = (402, 404, 405, 406, 407, 410, 411, 414, 417, 421, 426, 428, 431, 451, 511)
MEANING_OF_STATUS: Mapping[int, type[ProviderError]] = {
    **dict.fromkeys((401, 403, 419, 440), ProviderAuth),
    **dict.fromkeys(PLACE, ProviderConfig),
    **dict.fromkeys((413, 415, 422), ProviderRejected),
    **dict.fromkeys((408, 504), ProviderTimeout),
    **dict.fromkeys((420, 429), ProviderQuota),
}
# google.rpc.Code, and the words of other services and gateways.
_CODES: dict[type[ProviderError], str] = {
    ProviderQuota: "RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED RATE_LIMIT_ERROR RATE_LIMIT "
    "RATE_LIMITED TOO_MANY_REQUESTS THROTTLED THROTTLING QUOTA_EXCEEDED INSUFFICIENT_QUOTA "
    "INSUFFICIENT_USER_QUOTA RESOURCE_QUOTA_EXCEEDED USER_RATE_LIMIT_EXCEEDED "
    "DAILY_LIMIT_EXCEEDED BILLING_HARD_LIMIT_REACHED",
    ProviderAuth: "UNAUTHENTICATED PERMISSION_DENIED AUTHENTICATION AUTHENTICATION_ERROR "
    "UNAUTHORIZED API_KEY_INVALID API_KEY_SERVICE_BLOCKED API_KEY_IP_ADDRESS_BLOCKED "
    "API_KEY_HTTP_REFERRER_BLOCKED INVALID_API_KEY INVALID_TOKEN PERMISSION_ERROR "
    "ACCESS_TOKEN_EXPIRED CREDENTIALS_MISSING",
    ProviderConfig: "NOT_FOUND FAILED_PRECONDITION UNIMPLEMENTED MODEL_NOT_FOUND "
    "NOT_FOUND_ERROR BILLING_DISABLED LOCATION_POLICY_VIOLATED",
    ProviderUnavailable: "CANCELLED CANCELED ABORTED UNAVAILABLE INTERNAL DATA_LOSS UNKNOWN "
    "SERVICE_UNAVAILABLE OVERLOADED OVERLOADED_ERROR SERVER_ERROR INTERNAL_ERROR "
    "INTERNAL_SERVER_ERROR UPSTREAM_ERROR BAD_RESPONSE_STATUS_CODE",
    ProviderTimeout: "DEADLINE_EXCEEDED TIMEOUT TIMEOUT_ERROR GATEWAY_TIMEOUT REQUEST_TIMEOUT",
    ContentBlocked: "CONTENT_BLOCKED IMAGE_SAFETY CONTENT_POLICY_VIOLATION MODERATION_BLOCKED "
    "CONTENT_FILTER PROHIBITED_CONTENT",
}
MEANING_OF_CODE = {code: error for error, codes in _CODES.items() for code in codes.split()}
# They name a kind of request and not what is wrong with it; a status of its own kind wins.
REFUSAL_CODES = {"INVALID_ARGUMENT", "OUT_OF_RANGE", "INVALID_REQUEST", "INVALID_REQUEST_ERROR"}
# A 500 may hide a refused request, and it may not: it passes for what its status says.
KNOWN_IN_5XX = (ProviderAuth, ProviderConfig, ProviderQuota, ProviderTimeout)

_KEY = r"\b(?:api|access)[ _-]?key\b|\bтокен|\bключ"
_KEY_WRONG = (
    r"not valid|invalid|expired|incorrect|wrong|missing|revoked|leaked|disabled|неверн|недейств"
)
WORDS: tuple[tuple[type[ProviderError], str], ...] = (
    (ProviderAuth, rf"(?:{_KEY}).{{0,60}}(?:{_KEY_WRONG})|(?:{_KEY_WRONG}).{{0,30}}(?:{_KEY})"),
    (
        ProviderConfig,
        r"\b(location|country|region|territory)\b.{0,40}\b(not|un)[ -]?(supported|av)",
    ),
    (ProviderConfig, r"not (available|supported) in your (country|region|location)"),
    (ProviderConfig, r"\bno available channel|\bmodel\b.{0,120}\b(not found|not exist|no access)"),
)
WORDS_OF_LIMITS: tuple[tuple[type[ProviderError], str], ...] = (
    (ProviderQuota, r"\brate[ -]?limit|too many requests|\bquota\b|слишком много|\bлимит"),
    (ProviderQuota, r"额度|額度|配额|限流|请求过|频率|\berror code: ?1015\b"),
    (
        ProviderQuota,
        r"\b(insufficient|not enough) (balance|credit|fund)|недостаточно средств|余额|欠费",
    ),
)
WORDS_OF_OTHERS: tuple[tuple[type[ProviderError], str], ...] = (
    *WORDS_OF_LIMITS,
    (ContentBlocked, r"\bcontent policy|\bsafety system|\bmoderation\b|\bprohibited content"),
    (ProviderUnavailable, r"overloaded|temporar|try again|\bunavailable|\bbusy\b|\bcancell?ed"),
    (ProviderUnavailable, r"\btimed? ?out\b|\bupstream\b|перегруж|позже|временно"),
)
# They count where the status is one for what was sent, and they are plain enough to beat it.
WORDS_OF_MOMENT: tuple[tuple[type[ProviderError], str], ...] = (
    (ProviderUnavailable, r"overloaded|temporar|again later|\bbusy\b|\bupstream\b"),
    (ProviderUnavailable, r"перегруж|позже|временно"),
)


def error_for_status(status: int, words: str) -> ProviderError:
    """The error of an HTTP status, for responses that explain nothing else."""
    return explain_failure(status, ErrorBody(message=words), {})


def explain_failure(status: int, said: ErrorBody, headers: Mapping[str, str]) -> ProviderError:
    """The error of an answer that is a failure."""
    effective = _choose_status(status, said)
    kind = _find_meaning(effective, said)
    delay_s = find_retry_delay(headers, said.json)
    if kind is ProviderQuota:
        return _explain_limit(status, said, delay_s)
    detail = f"HTTP {status}: {said.words}"[:500]
    if status == 407:
        detail = f"HTTP 407: {PROXY_REFUSED}"
    if 300 <= effective < 400 and kind is ProviderConfig:
        detail = f"HTTP {status}: {_explain_redirect(headers)}"
    is_passing = kind is ProviderUnavailable or (kind is ProviderTimeout and effective == 408)
    return kind(detail, retryable=is_passing, retry_after_s=delay_s)


def _explain_redirect(headers: Mapping[str, str]) -> str:
    """With the host alone, and only of short names: an address may hold a secret."""
    address = next((value for name, value in headers.items() if name.lower() == "location"), "")
    with suppress(ValueError):
        host = urlsplit(address).netloc.rpartition("@")[2].partition(":")[0]
        if HOST.fullmatch(host):
            return f"{REDIRECTED}, to {host}"
    return REDIRECTED


def _choose_status(status: int, said: ErrorBody) -> int:
    """A good status over an error in the body means nothing: the body's own counts."""
    if status < 400 and said.status_code:
        return said.status_code
    return status


def _find_meaning(status: int, said: ErrorBody) -> type[ProviderError]:
    codes = [MEANING_OF_CODE[code] for code in said.codes if code in MEANING_OF_CODE]
    if status >= 500:
        told = next((kind for kind in codes if kind in KNOWN_IN_5XX), None)
        return told or MEANING_OF_STATUS.get(status, ProviderUnavailable)
    if status in (420, 429) or not codes:
        return _find_by_status(status, said)
    return codes[0]


def _find_by_status(status: int, said: ErrorBody) -> type[ProviderError]:
    if said.is_page and status in (400, 401, 403):
        return ProviderConfig  # not the service: a proxy, or its front door
    if status == 403 and not said.explains_itself:  # a gateway, which has words of its own
        return _find_by_words(said, (*WORDS, *WORDS_OF_LIMITS)) or ProviderConfig
    known = MEANING_OF_STATUS.get(status)
    if known is ProviderRejected and not said.explains_itself:
        return ProviderConfig  # a server before the service, which never saw the photo
    if known is ProviderRejected:
        return _find_by_words(said, WORDS_OF_MOMENT) or known
    if known:
        return _find_by_words(said, WORDS_OF_LIMITS) or known if status == 403 else known
    is_refusal = bool(REFUSAL_CODES & set(said.codes))
    told = _find_by_words(said, WORDS if is_refusal else (*WORDS, *WORDS_OF_OTHERS))
    if told:
        return told
    if status < 400 and not is_refusal:  # moved, or a log-in page of the network
        return ProviderConfig if status >= 300 else BadResponse
    if is_refusal or status == 400:
        return ProviderRejected if said.explains_itself else ProviderConfig
    return ProviderUnavailable  # 409, 425, 499 and their like are about this moment


def _find_by_words(
    said: ErrorBody, table: tuple[tuple[type[ProviderError], str], ...]
) -> type[ProviderError] | None:
    text = (said.message or said.plain_text)[:2000]
    return next((kind for kind, words in table if re.search(words, text, re.IGNORECASE)), None)


def _explain_limit(status: int, said: ErrorBody, delay_s: float | None) -> ProviderQuota:
    """Without a sign of a day, a month or money, a limit is shared capacity and passes."""
    lasts = is_lasting(said) or (delay_s or 0) >= LONG_WAIT_S
    state = ": " if lasts else f", {BUSY_MARK}"
    detail = f"HTTP {status}{state}{said.words}"[:500]
    return ProviderQuota(detail, retryable=not lasts, retry_after_s=delay_s)
