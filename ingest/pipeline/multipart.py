"""A multipart body, cut into its parts while it arrives; their heads in every spelling that clients
use.

As generous as the busiest servers are: line breaks with and without CR, blanks after a boundary,
text before the first part and after the last one, an end without its two dashes.
"""

import base64
import binascii
import enum
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from photochanger.parsing import decode_text
from photochanger.request_errors import (
    BrokenForm,
    CutForm,
    EmptyForm,
    FormWithoutBoundary,
    NotAForm,
)

# A quoted value with escapes; one whose backslashes are no escapes (a Windows path); a bare one.
PARAMETER = re.compile(
    rb';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"(?=\s*(?:;|\Z))|"[^"]*"?|[^;]*)', re.DOTALL
)
SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*?)")  # name, name*, name*0, name*0* (RFC 2231)
# Also behind another one, where two headers were joined.
MULTIPART = re.compile(rb"(?:\A|,)\s*(multipart/.*)", re.IGNORECASE | re.DOTALL)
BOUNDARY_START = re.compile(rb"boundary\s*=\s*(\"?)", re.IGNORECASE)
NEXT_HEADER = re.compile(r",\s*(multipart/|\w+\s*=)", re.IGNORECASE)
MAX_LINE_BYTES, MAX_BOUNDARY = 64 * 1024, 1000


@dataclass(slots=True)
class FormPart:
    """One part of a form, and what became of it."""

    name: str = ""
    filename: str | None = None
    content_type: str = ""
    charset: str = ""
    encoding: str = ""  # Content-Transfer-Encoding
    key: str = ""  # the name as it is compared: that of ``FileToUpload``, ``file[]``, `` file ``
    is_file: bool = False
    is_photo: bool = False
    is_complete: bool = False
    size_bytes: int = 0


def parse_part_head(head: bytes) -> FormPart:
    """The part that a head announces; whatever it does not say is empty."""
    headers = _split_headers(head)
    _kind, names = parse_parameters(headers.get(b"content-disposition", b""))
    content_type, options = parse_parameters(headers.get(b"content-type", b""))
    name = names.get("name", options.get("name", ""))
    return FormPart(
        name=name,
        key=re.sub(r"\[\w*\]|[\s\"']", "", name).lower(),
        is_file="filename" in names or content_type.startswith("image/"),
        filename=names.get("filename"),
        content_type=content_type,
        charset=options.get("charset", ""),
        encoding=headers.get(b"content-transfer-encoding", b"").decode("latin-1").strip().lower(),
    )


def _split_headers(head: bytes) -> dict[bytes, bytes]:
    """By lower-case name, the first of each; a line that begins with a blank continues one."""
    lines: list[bytes] = []
    for line in head.split(b"\n"):
        line = line.rstrip(b"\r")
        if line[:1] in (b" ", b"\t") and lines:
            lines[-1] += b" " + line.strip()
        elif line:
            lines.append(line)
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers.setdefault(name.strip().lower(), value.strip())
    return headers


def parse_parameters(header: bytes) -> tuple[str, dict[str, str]]:
    """A header like ``form-data; name="a"; filename*=utf-8''b``: its kind, and its parameters."""
    kind = header.partition(b";")[0].decode("latin-1").strip().lower()
    plain: dict[str, str] = {}
    sections: defaultdict[str, dict[int, tuple[bool, bytes]]] = defaultdict(dict)
    for raw_name, raw_value in PARAMETER.findall(header):
        match = SECTION.fullmatch(raw_name.decode("latin-1").lower())
        if match is None:
            continue
        name, number, is_encoded = match[1], match[2], bool(match[3])
        value = raw_value.strip()
        if value[:1] == b'"':
            value = re.sub(rb'\\(["\\])', rb"\1", value[1:].removesuffix(b'"'))
        # As browsers escape them.
        value = value.replace(b"%22", b'"').replace(b"%0D", b"\r").replace(b"%0A", b"\n")
        if number is None and not is_encoded:
            plain.setdefault(name, decode_text(value))
        else:
            sections[name].setdefault(int(number or 0), (is_encoded, value))
    return kind, plain | {name: _join_sections(found) for name, found in sections.items()}


def _join_sections(sections: dict[int, tuple[bool, bytes]]) -> str:
    charset, joined = "", b""
    for number in sorted(sections):
        is_encoded, value = sections[number]
        if is_encoded:
            if number == min(sections) and value.count(b"'") >= 2:
                name, _, value = value.split(b"'", 2)
                charset = name.decode("latin-1")
            value = unquote_to_bytes(value)
        joined += value
    return decode_text(joined, charset)


def find_boundary(content_type: str) -> bytes:
    """Raises InvalidRequest."""
    found = MULTIPART.search(content_type.encode("latin-1", "replace"))
    if found is None:
        raise NotAForm("the body is not multipart/form-data")
    _kind, options = parse_parameters(found[1])
    boundary = options.get("boundary", "")
    start = BOUNDARY_START.search(found[1])
    if start and not start[1] and (end := NEXT_HEADER.search(boundary)):
        boundary = boundary[: end.start()]
    data = boundary.encode()
    if not 0 < len(data) <= MAX_BOUNDARY or b"\n" in data or b"\r" in data:
        raise FormWithoutBoundary("no usable boundary")
    return data


class PartDecoder:
    """Undo a part's Content-Transfer-Encoding, one of ENCODINGS, while it arrives."""

    ENCODINGS = frozenset(("base64", "quoted-printable"))

    def __init__(self, encoding: str) -> None:
        self._is_base64 = encoding == "base64"
        self._rest = b""

    def feed(self, data: bytes, *, is_last: bool = False) -> bytes:
        """Raises BrokenForm for what is not in that encoding."""
        decode = self._decode_base64 if self._is_base64 else self._decode_quoted
        return decode(data, is_last)

    def _decode_base64(self, data: bytes, is_last: bool) -> bytes:
        data = self._rest + data.translate(None, b" \t\r\n")
        whole = len(data) if is_last else len(data) - len(data) % 4
        data, self._rest = data[:whole], data[whole:]
        try:
            return base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
        except binascii.Error as exc:
            raise BrokenForm("a part is not in base64, as its head says") from exc

    def _decode_quoted(self, data: bytes, is_last: bool) -> bytes:
        *lines, rest = (self._rest + data).split(b"\n")
        # Also of one that has come whole: what is refused must not depend on the network's pieces.
        if max(map(len, (*lines, rest))) > MAX_LINE_BYTES:
            raise BrokenForm("a part is not in quoted-printable, as its head says")
        self._rest = b"" if is_last else rest
        return binascii.a2b_qp(b"\n".join((*lines, rest if is_last else b"")))


MAX_HEAD_BYTES, MAX_PADDING_BYTES = 16 * 1024, 256
HEAD_END = re.compile(rb"(?:\A|\n)\r?\n")
NEXT_PART = re.compile(rb"[ \t]*\r?\n")
UNDECIDED = re.compile(rb"-|[ \t]*\r?")


class _Reads(enum.Enum):
    PREAMBLE = enum.auto()
    HEAD = enum.auto()
    DATA = enum.auto()
    EPILOGUE = enum.auto()


class MultipartStream:
    """Turns bytes into a FormPart for each head, its bytes, and None for its end."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\n--" + boundary  # after a CR, mostly
        self._buffer = b"\n"  # so that the first boundary is found like any other
        self._reads = _Reads.PREAMBLE
        self._is_blank = True
        self._skipped = 0  # at the start of what is read: the line break that we have put there

    def feed(self, data: bytes) -> Iterator[FormPart | bytes | None]:
        """Raises BrokenForm."""
        self._buffer += data
        self._is_blank = self._is_blank and not data.strip()
        while self._reads is not _Reads.EPILOGUE:
            if self._reads is _Reads.HEAD:
                part = self._take_head()
                if part is None:
                    return
                yield part
                continue
            is_data = self._reads is _Reads.DATA
            content, is_ended = self._take_content()
            if is_data and content:
                yield content
            if not is_ended:
                return
            if is_data:
                yield None
        self._buffer = b""

    def close(self) -> Iterator[None]:
        """The end of the last part, where the body ends with a bare boundary.

        Raises CutForm, EmptyForm, BrokenForm.
        """
        is_at_head = self._reads is _Reads.HEAD and not self._buffer.strip()
        if is_at_head or self._reads is _Reads.EPILOGUE:
            return
        if self._reads is _Reads.PREAMBLE:
            if self._is_blank:
                raise EmptyForm("the body is empty")
            raise BrokenForm("the boundary of the Content-Type is nowhere in the body")
        rest = self._buffer.removeprefix(b"\r")
        if self._reads is _Reads.HEAD or not rest.startswith(self._delimiter):
            raise CutForm("the form was cut off")
        yield None

    def _take_head(self) -> FormPart | None:
        end = HEAD_END.search(self._buffer, 0, MAX_HEAD_BYTES)
        if end is None:
            if len(self._buffer) >= MAX_HEAD_BYTES:
                raise BrokenForm("the head of a part has no end")
            return None
        # What follows may be the next boundary at once, without a line break of its own.
        head, self._buffer = self._buffer[: end.start()], b"\n" + self._buffer[end.end() :]
        self._reads, self._skipped = _Reads.DATA, 1
        return parse_part_head(head)

    def _take_content(self) -> tuple[bytes, bool]:
        """What surely stands before the next boundary, and whether that boundary is there."""
        buffer, delimiter = self._buffer, self._delimiter
        at = buffer.find(delimiter)
        while at >= 0:
            after = at + len(delimiter)
            tail = buffer[after : after + MAX_PADDING_BYTES]
            if tail.startswith(b"--"):
                return self._end_content(at, after + 2, _Reads.EPILOGUE)
            if found := NEXT_PART.match(tail):
                return self._end_content(at, after + found.end(), _Reads.HEAD)
            if UNDECIDED.fullmatch(tail) and len(tail) < MAX_PADDING_BYTES:
                return self._hold(at), False
            at = buffer.find(delimiter, after)  # it only begins like the boundary
        newest = buffer.rfind(b"\n", max(0, len(buffer) - len(delimiter)))
        if newest >= 0 and delimiter.startswith(buffer[newest:]):
            return self._hold(newest), False
        return self._hold(len(buffer)), False

    def _end_content(self, at: int, end: int, then: _Reads) -> tuple[bytes, bool]:
        content, self._buffer = self._buffer[self._skipped : at], self._buffer[end:]
        self._reads, self._skipped = then, 0
        return content.removesuffix(b"\r"), True

    def _hold(self, at: int) -> bytes:
        """Keep what may be the beginning of a boundary."""
        if self._buffer[at - 1 : at] == b"\r":
            at -= 1
        content, self._buffer = self._buffer[self._skipped : at], self._buffer[at:]
        self._skipped = 0 if at else self._skipped
        return content
