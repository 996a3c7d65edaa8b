"""What a failure says in words: Google's error object, a gateway's own shape, or a page.

Pure functions of bytes from outside. Only texts and whole numbers are taken over, made printable.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from photochanger.parsing import make_printable
from providers.lenient import decode_text, is_page, load_cut_json, load_json, unwrap_list

MAX_ERROR_BYTES = 256 * 1024  # it is read on the event loop
MAX_WORDS = 500
NO_ERROR_OBJECT = "no error object in the answer"
_MESSAGE_KEYS = ("message", "msg", "detail", "error_description", "error_message", "error", "title")
_CODE_KEYS = ("status", "code", "type", "reason", "error_code", "error_type")
# google.rpc.Code by number, for gateways that hand on the number alone.
RPC_NUMBERS = {
    **{1: "CANCELLED", 2: "UNKNOWN", 3: "INVALID_ARGUMENT", 4: "DEADLINE_EXCEEDED"},
    **{5: "NOT_FOUND", 6: "ALREADY_EXISTS", 7: "PERMISSION_DENIED", 8: "RESOURCE_EXHAUSTED"},
    **{9: "FAILED_PRECONDITION", 10: "ABORTED", 11: "OUT_OF_RANGE", 12: "UNIMPLEMENTED"},
    **{13: "INTERNAL", 14: "UNAVAILABLE", 15: "DATA_LOSS", 16: "UNAUTHENTICATED"},
}


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """``codes`` are words such as ``RESOURCE_EXHAUSTED``, in capitals; ``status_code`` is the HTTP
    status that the body names; ``json`` is what retry hints are looked for in."""

    status: str = ""
    message: str = ""
    is_documented: bool = True  # an ``error`` object; else its words were found elsewhere, or none
    codes: tuple[str, ...] = ()
    status_code: int | None = None
    details: tuple[dict[str, Any], ...] = ()
    json: Any = field(default=None, repr=False)
    is_page: bool = False

    @property
    def words(self) -> str:
        hint = "" if self.is_documented else NO_ERROR_OBJECT
        return " ".join(filter(None, (self.status, self.message, hint)))

    @property
    def plain_text(self) -> str:
        """What came instead of JSON, unless it is a page."""
        is_text = isinstance(self.json, str) and not self.is_page
        return make_printable(self.json, MAX_WORDS).strip() if is_text else ""

    @property
    def explains_itself(self) -> bool:
        """Whether a service spoke here, and not a server or a proxy before it."""
        return bool(self.codes or self.details or self.message) and not self.is_page


def read_error_body(body: bytes) -> ErrorBody:
    body = body[:MAX_ERROR_BYTES]
    for load in (load_json, load_cut_json):
        with suppress(ValueError):
            return read_error(load(body, max_bytes=MAX_ERROR_BYTES))
    text = decode_text(body)[:4000]
    return ErrorBody(is_documented=False, json=text, is_page=is_page(body))


def read_error(value: Any) -> ErrorBody:
    """The error of a parsed body: ``error`` as an object or a text, ``errors``, ``detail``..."""
    found = _find_error(value)
    inner = unwrap_list(found)
    if not isinstance(inner, dict):
        inner = {"message": found if isinstance(found, str) else ""}
    message = next((t for t in (_clean(inner.get(key)) for key in _MESSAGE_KEYS) if t), "")
    quoted = _find_quoted_error(inner)
    # The most exact first: what stands behind a gateway, the reason behind a status.
    codes = (*(quoted.codes if quoted else ()), *_list_codes(inner))
    return ErrorBody(
        status=_clean(inner.get("status")),
        message=message,
        is_documented=isinstance(found, dict) and found is not unwrap_list(value),
        codes=codes,
        status_code=_find_status_code(inner) or (quoted.status_code if quoted else None),
        details=(*select_dicts(inner.get("details")), *(quoted.details if quoted else ())),
        json=value,
    )


def _find_error(value: Any) -> Any:
    value = unwrap_list(value)
    if not isinstance(value, dict):
        return None
    for key in ("error", "errors", "detail"):
        if isinstance(value.get(key), dict | list | str) and value[key]:
            return value[key] if key != "detail" or not isinstance(value[key], str) else value
    return value if any(isinstance(value.get(key), str) for key in _MESSAGE_KEYS) else None


def _find_quoted_error(error: dict[str, Any]) -> ErrorBody | None:
    """The JSON of the service behind a gateway, which it quotes in its own words."""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    for text in (raw, error.get("message")):
        if isinstance(text, str) and '"error"' in text:
            try:
                return read_error(load_json(text[text.index("{") :].encode(errors="replace")))
            except ValueError:
                continue
    return None


def _list_codes(error: dict[str, Any]) -> tuple[str, ...]:
    """Words and numbers of google.rpc and of others, in one spelling."""
    found = []
    items = (*select_dicts(error.get("details")), *select_dicts(error.get("errors")))
    for value in (*(item.get("reason") for item in items), *map(error.get, _CODE_KEYS)):
        if isinstance(value, str) and re.search(r"[A-Za-z]", value):
            word = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value[:100])  # rateLimitExceeded
            found.append(re.sub(r"\W+", "_", make_printable(word, 110)).upper())
        elif type(value) is int and value in RPC_NUMBERS:
            found.append(RPC_NUMBERS[value])
    return tuple(found)


def _find_status_code(error: dict[str, Any]) -> int | None:
    for value in map(error.get, ("code", "status", "status_code", "error_code")):
        number = (
            int(value) if isinstance(value, str) and re.fullmatch(r"[45]\d\d", value) else value
        )
        if type(number) is int and 400 <= number < 600:
            return number
    return None


def select_dicts(value: Any) -> list[dict[str, Any]]:
    """Only lists of objects are read; any other value is skipped."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _clean(value: Any) -> str:
    return make_printable(value, MAX_WORDS).strip() if isinstance(value, str) else ""
