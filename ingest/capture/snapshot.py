"""What is stored of a captured request: names, sizes, types and times; never a person's value."""

import re
from collections.abc import Mapping, Sequence

from django.http import HttpRequest
from pydantic import BaseModel

from ingest.pipeline.multipart import FormPart
from photochanger.parsing import decode_text, make_printable
from photochanger.request_scope import get_scope, get_streamed_body

MAX_HEADERS, MAX_VALUE = 40, 120
NAME = re.compile(r"[\w.\-\[\]!]{1,60}", re.ASCII)
MIME = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,60}", re.ASCII)
EXTENSION = re.compile(r"\.\w{1,5}$", re.ASCII)
SECRET = re.compile(r"pass|pwd|secret|key|token", re.IGNORECASE)
# Values that tell of the booth's manner and never of a person or a secret; all others are hidden.
PLAIN_HEADERS = {
    *("accept", "accept-encoding", "accept-language", "connection", "content-length"),
    *("content-transfer-encoding", "expect", "host", "transfer-encoding", "user-agent"),
    *("x-forwarded-proto", "via"),
}


class HeaderSnapshot(BaseModel):
    name: str
    value: str = ""  # only of PLAIN_HEADERS
    length: int | None = None  # of a hidden value


class PartSnapshot(BaseModel):
    """One part of the form; of a value only its length and what it looks like."""

    name: str
    is_file: bool
    is_photo: bool = False
    is_whole: bool = True  # its end came
    size_bytes: int | None = None  # not of a secret
    mime: str = ""  # as the booth declares it
    extension: str = ""  # of the file's name
    looks: str = ""  # empty, digits, hex, text


class RequestSnapshot(BaseModel):
    """One request. A name or value that holds the password it came with is hidden."""

    method: str = ""
    path: str = ""
    http_version: str = ""
    query_names: list[str] = []
    headers: list[HeaderSnapshot] = []
    parts: list[PartSnapshot] = []
    received_bytes: int | None = None
    hash_recipe: str = ""
    status: int = 0
    reason: str = ""
    detail: str = ""
    marks_ms: list[tuple[str, int]] = []  # steps done, since the first byte


def describe_request(
    snapshot: RequestSnapshot,
    request: HttpRequest,
    parts: Sequence[FormPart],
    fields: Mapping[str, str],
) -> None:
    """Describe the request in ``snapshot``; ``fields`` are as far as they were read."""
    scope = get_scope(request)
    password = fields.get("password", "").strip()
    snapshot.method, snapshot.path = str(request.method), _safe_text(request.path[:40], password)
    snapshot.http_version = str(scope.get("http_version", ""))
    snapshot.query_names = [_safe_name(name, password) for name in list(request.GET)[:20]]
    snapshot.headers = [
        _snapshot_header(decode_text(name), decode_text(value), password)
        for name, value in scope.get("headers", [])[:MAX_HEADERS]
    ]
    if body := get_streamed_body(request):
        snapshot.received_bytes = body.taken_bytes
    snapshot.parts = [_snapshot_part(part, fields, password) for part in parts]


def _snapshot_header(name: str, value: str, password: str) -> HeaderSnapshot:
    if name == "content-type":  # its boundary is the booth's own and changes each time
        mime, _, rest = value.partition(";")
        value = f"{mime.strip()}; boundary=…" if "boundary=" in rest.lower() else mime.strip()
    is_open = name in PLAIN_HEADERS or name == "content-type"
    if not is_open or _contains(password, value):
        return HeaderSnapshot(name=_safe_name(name, password), length=len(value))
    return HeaderSnapshot(
        name=_safe_name(name, password), value=_safe_text(value[:MAX_VALUE], password)
    )


def _snapshot_part(part: FormPart, fields: Mapping[str, str], password: str) -> PartSnapshot:
    mime, value = part.content_type, fields.get(part.key, "")
    is_secret = bool(SECRET.search(part.name)) or _contains(password, value)
    extension = EXTENSION.search(part.filename or "")
    return PartSnapshot(
        name=_safe_name(part.name, password),
        is_file=part.is_file,
        is_photo=part.is_photo,
        is_whole=part.is_complete,
        size_bytes=None if is_secret else part.size_bytes,
        mime=mime if MIME.fullmatch(mime) and not _contains(password, mime) else "",
        extension=_safe_text(extension[0], password) if extension else "",
        looks="" if is_secret or part.is_file else _classify(value),
    )


def _classify(value: str) -> str:
    if not value.strip():
        return "empty"
    if value.isdecimal():
        return "digits"
    return "hex" if re.fullmatch(r"[0-9a-fA-F]{8,}", value) else "text"


def _safe_name(name: str, password: str) -> str:
    """A name as it came, if it can be one; else only its length."""
    is_name = NAME.fullmatch(name) and not _contains(password, name)
    return name if is_name else f"‹{len(name)}›"


def _safe_text(text: str, password: str) -> str:
    if _contains(password, text):
        return f"‹{len(text)}›"
    return make_printable(text, len(text), replacement="·")


def _contains(password: str, text: str) -> bool:
    return bool(password) and password.lower() in text.lower()
