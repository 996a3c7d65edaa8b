"""The head of a form's part: names, types and encodings in every spelling that clients use."""

import base64
import binascii
import re
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from photochanger.parsing import decode_text
from photochanger.request_errors import BrokenForm

# A quoted value with escapes; one whose backslashes are no escapes (a Windows path); a bare one.
PARAMETER = re.compile(
    rb';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"(?=\s*(?:;|\Z))|"[^"]*"?|[^;]*)', re.DOTALL
)
SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*?)")  # name, name*, name*0, name*0* (RFC 2231)
MAX_LINE_BYTES = 64 * 1024


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
        data = self._rest + data
        whole = len(data) if is_last else data.rfind(b"\n") + 1
        data, self._rest = data[:whole], data[whole:]
        if len(self._rest) > MAX_LINE_BYTES:
            raise BrokenForm("a part is not in quoted-printable, as its head says")
        return binascii.a2b_qp(data)
