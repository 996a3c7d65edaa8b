"""What Turbotext accepts: the form of each method, read and checked from the outside.

The service documents fields and limits, but no failure: status and wording here are made up.
"""

import math
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import orjson

from providers.simulator.wire import Answer

Form = dict[str, str]
AVAILABLE = "available_api"
HTML = "text/html; charset=UTF-8"
_FORM_TYPE = "application/x-www-form-urlencoded"
_FIELDS_AT_MOST = 30
_PROMPT_WORDS_NOT_WANTED = 80


class Refused(Exception):
    """The service refuses the request; all that a client can rely on is ``error``'s text."""

    def __init__(self, message: str, *, code: int = 400) -> None:
        super().__init__(message)
        self.code = code

    def answer(self) -> Answer:
        return said({"success": False, "error": str(self)}, self.code)


def said(data: object, status: int = 200, *, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    # The type of the answers is not documented; a PHP script that sets none declares HTML.
    return Answer(status=status, body=orjson.dumps(data), content_type=HTML, headers=headers)


def read_key(authorization: str) -> str:
    scheme, _, key = authorization.partition(" ")
    if scheme != "Bearer" or not key.strip() or key.startswith("bad-key"):
        raise Refused("Неверный ключ API", code=401)
    return key.strip()


def read_form(body: bytes, content_type: str) -> Form:
    """The pairs of a body; a body that only nearly is a form is refused, not guessed at."""
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip().lower() != _FORM_TYPE:
        raise _wrong(f"Content-Type {media_type.strip()[:80] or 'is missing'}, not {_FORM_TYPE}")
    if parameters.strip().lower() not in ("", "charset=utf-8"):
        raise _wrong("the body must be UTF-8")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_FIELDS_AT_MOST,
        )
    except ValueError as exc:
        raise _wrong("the body is not an urlencoded form") from exc
    form = dict(pairs)
    if len(form) < len(pairs):
        raise _wrong("a field occurs twice")
    return form


def check_form(method: str, form: Form) -> None:
    """Refuse a form that names unknown fields, lacks one, or goes beyond its limits."""
    phase = form.get("do")
    if phase == "create_queue":
        required, optional = METHODS[method]
    elif phase == "get_result":
        required, optional = {"queueid": _queue_id}, {}
    else:
        raise _wrong("do is create_queue or get_result")
    for name, check in required.items():
        if not form.get(name, "").strip():
            raise _wrong(f"{name} is required")
        check(name, form[name])
    for name in form.keys() - required.keys() - {"do"}:
        if name not in optional:
            raise _wrong(f"unknown field {name[:60]}")
        optional[name](name, form[name])


def _wrong(message: str) -> Refused:
    return Refused(f"params_error: {message}")


Check = Callable[[str, str], None]


def _url(name: str, value: str) -> None:
    try:
        parts = urlsplit(value)
        is_link = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_link = is_link and (parts.port is None or parts.port > 0)
    except ValueError:
        is_link = False
    if not is_link or re.search(r"[\s\x00-\x1f]", value):
        raise _wrong(f"{name} is not an http(s) address")


def _text(name: str, value: str) -> None:
    """Anything will do."""


def _whole(least: int, most: int) -> Check:
    def check(name: str, value: str) -> None:
        if not re.fullmatch(r"-?[0-9]{1,11}", value) or not least <= int(value) <= most:
            raise _wrong(f"{name} is a whole number from {least} to {most}")

    return check


def _number(least: float, most: float) -> Check:
    def check(name: str, value: str) -> None:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not least <= number <= most:
            raise _wrong(f"{name} is a number from {least:g} to {most:g}")

    return check


def _few_words(name: str, value: str) -> None:
    if len(value.split()) > _PROMPT_WORDS_NOT_WANTED:
        raise _wrong(f"{name} has more than {_PROMPT_WORDS_NOT_WANTED} words")


def _true_or_false(name: str, value: str) -> None:
    if value not in ("True", "False"):
        raise _wrong(f"{name} is True or False")


def _queue_id(name: str, value: str) -> None:
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise _wrong(f"{name} is a number")


# Of each method: the fields it requires, and those it knows besides.
METHODS: dict[str, tuple[dict[str, Check], dict[str, Check]]] = {
    AVAILABLE: ({}, {}),
    "generate_image2image": (
        {"url": _url, "content": _text},
        {
            "strength": _whole(0, 80),
            "scale": _number(0.1, 20),
            "seed": _whole(1, 10**10),
            "negative_prompt": _few_words,
            "original_language": _text,
            "user_id": _whole(0, 10**10),
        },
    ),
    "mix_images": ({"url_image_target": _url, "url": _url}, {"content": _text}),
    "deepfake_photo": (
        {"url": _url, "url_image_target": _url},
        {"face_restore": _true_or_false},
    ),
}
# The links of each method, the picture that is worked on first. The base picture is `url` in
# one method and `url_image_target` in the other: that is the service's doing.
LINKS: dict[str, tuple[str, ...]] = {
    AVAILABLE: (),
    "generate_image2image": ("url",),
    "mix_images": ("url_image_target", "url"),
    "deepfake_photo": ("url", "url_image_target"),
}
