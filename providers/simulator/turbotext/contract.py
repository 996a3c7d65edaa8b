"""The forms that Turbotext accepts: read and checked for each method.

The service documents fields and limits, but no failures: status and wording are invented.
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


class Refusal(Exception):
    """The service refuses the request; all that a client can rely on is ``error``'s text."""

    def __init__(self, message: str, *, code: int = 400) -> None:
        super().__init__(message)
        self.code = code

    def answer(self) -> Answer:
        return make_answer({"success": False, "error": str(self)}, self.code)


def make_answer(
    data: object, status: int = 200, *, headers: tuple[tuple[str, str], ...] = ()
) -> Answer:
    # The type of the answers is not documented; a PHP script that sets none declares HTML.
    return Answer(status=status, body=orjson.dumps(data), content_type=HTML, headers=headers)


def read_key(authorization: str) -> str:
    scheme, _, key = authorization.partition(" ")
    if scheme != "Bearer" or not key.strip() or key.startswith("bad-key"):
        raise Refusal("Неверный ключ API", code=401)
    return key.strip()


def read_form(body: bytes, content_type: str) -> Form:
    """The fields of a body. Raises Refusal for anything but a well-formed form."""
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip().lower() != _FORM_TYPE:
        raise _make_refusal(
            f"Content-Type {media_type.strip()[:80] or 'is missing'}, not {_FORM_TYPE}"
        )
    if parameters.strip().lower() not in ("", "charset=utf-8"):
        raise _make_refusal("the body must be UTF-8")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_FIELDS_AT_MOST,
        )
    except ValueError as exc:
        raise _make_refusal("the body is not an urlencoded form") from exc
    form = dict(pairs)
    if len(form) < len(pairs):
        raise _make_refusal("a field occurs twice")
    return form


def check_form(method: str, form: Form) -> None:
    """Refuse a form that names unknown fields, lacks one, or goes beyond its limits."""
    phase = form.get("do")
    if phase == "create_queue":
        required, optional = METHODS[method]
    elif phase == "get_result":
        required, optional = {"queueid": _check_queue_id}, {}
    else:
        raise _make_refusal("do is create_queue or get_result")
    for name, check in required.items():
        if not form.get(name, "").strip():
            raise _make_refusal(f"{name} is required")
        check(name, form[name])
    for name in form.keys() - required.keys() - {"do"}:
        if name not in optional:
            raise _make_refusal(f"unknown field {name[:60]}")
        optional[name](name, form[name])


def _make_refusal(message: str) -> Refusal:
    return Refusal(f"params_error: {message}")


Check = Callable[[str, str], None]


def _check_url(name: str, value: str) -> None:
    try:
        parts = urlsplit(value)
        is_link = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_link = is_link and (parts.port is None or parts.port > 0)
    except ValueError:
        is_link = False
    if not is_link or re.search(r"[\s\x00-\x1f]", value):
        raise _make_refusal(f"{name} is not an http(s) address")


def _check_anything(name: str, value: str) -> None:
    """Every text is accepted."""


def _make_integer_check(least: int, most: int) -> Check:
    def check(name: str, value: str) -> None:
        if not re.fullmatch(r"-?[0-9]{1,11}", value) or not least <= int(value) <= most:
            raise _make_refusal(f"{name} is a whole number from {least} to {most}")

    return check


def _make_number_check(least: float, most: float) -> Check:
    def check(name: str, value: str) -> None:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not least <= number <= most:
            raise _make_refusal(f"{name} is a number from {least:g} to {most:g}")

    return check


def _check_word_count(name: str, value: str) -> None:
    if len(value.split()) > _PROMPT_WORDS_NOT_WANTED:
        raise _make_refusal(f"{name} has more than {_PROMPT_WORDS_NOT_WANTED} words")


def _check_boolean(name: str, value: str) -> None:
    if value not in ("True", "False"):
        raise _make_refusal(f"{name} is True or False")


def _check_queue_id(name: str, value: str) -> None:
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise _make_refusal(f"{name} is a number")


# Of each method: the fields it requires, and those it knows besides.
METHODS: dict[str, tuple[dict[str, Check], dict[str, Check]]] = {
    AVAILABLE: ({}, {}),
    "generate_image2image": (
        {"url": _check_url, "content": _check_anything},
        {
            "strength": _make_integer_check(0, 80),
            "scale": _make_number_check(0.1, 20),
            "seed": _make_integer_check(1, 10**10),
            "negative_prompt": _check_word_count,
            "original_language": _check_anything,
            "user_id": _make_integer_check(0, 10**10),
        },
    ),
    "mix_images": (
        {"url_image_target": _check_url, "url": _check_url},
        {"content": _check_anything},
    ),
    "deepfake_photo": (
        {"url": _check_url, "url_image_target": _check_url},
        {"face_restore": _check_boolean},
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
