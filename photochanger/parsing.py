"""Text from outside, made safe: ids of links, and words for rows, logs and pages."""

import uuid
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import unquote_to_bytes

from photochanger.errors import AppError

# What a person cannot see at the ends of a text: blanks of all kinds, and marks of byte order.
INVISIBLE = " \t\r\n\f\v\u00a0\u200b\u200c\u200d\u2060\ufeff"
MAX_DIGITS = 18  # 64 bits hold that many; int() raises ValueError from 4300 on


def parse_id(text: str | uuid.UUID, not_found: type[AppError]) -> uuid.UUID:
    """The id in a link or a form. Raises ``not_found`` for a text that cannot be one."""
    try:
        return uuid.UUID(str(text))
    except ValueError as exc:
        raise not_found("no id") from exc


def parse_number(text: str) -> int | None:
    """A whole number, as an address or a form has it; None for what is none that a row can hold."""
    return int(text) if text.isdecimal() and len(text) <= MAX_DIGITS else None


def group_address(text: str) -> str:
    """What tries are counted for: an IPv4 address, the /64 of an IPv6 one, any of which a client
    may use; "" for what is no address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False).network_address)
    return str(address)


def make_printable(text: str, limit: int, *, replacement: str = " ") -> str:
    """At most ``limit`` characters, control characters replaced: databases refuse some of them."""
    return "".join(char if char.isprintable() else replacement for char in text[:limit])


# What a form or a header may name; others are guessed. No codec that unpacks or evaluates.
CHARSETS = {
    **{name: "utf-8" for name in ("utf-8", "utf8", "us-ascii", "ascii")},
    **{name: "cp1251" for name in ("windows-1251", "cp1251", "cp-1251", "win1251", "1251")},
    **{name: "cp1252" for name in ("windows-1252", "cp1252", "iso-8859-1", "latin1", "latin-1")},
    **{name: "cp866" for name in ("cp866", "ibm866", "866")},
    **{name: name for name in ("koi8-r", "koi8-u", "koi8r", "koi8u", "iso-8859-5", "iso8859-5")},
    # Without a mark of its order, as .NET writes what it calls Unicode.
    **{name: "utf-16-le" for name in ("utf-16", "utf16", "utf-16le", "utf-16-le", "unicode")},
    **{name: "utf-16-be" for name in ("utf-16be", "utf-16-be")},
    "x-mac-cyrillic": "mac_cyrillic",
}
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def decode_text(data: bytes, charset: str = "") -> str:
    """Text from a booth: in the named charset, else UTF-8, else windows-1251. Never fails.

    Booth programs of the ANSI kind write in their Windows' code page and say nothing of it.
    """
    named = CHARSETS.get(charset.strip().strip("\"'").lower(), "utf-8")
    if (b"\0" in data or data.startswith(UTF_16_MARKS)) and len(data) % 2 == 0:
        named = _find_utf_16(data) or named
    for codec in (named, "utf-8-sig", "cp1251"):
        try:
            return data.decode(codec).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    return data.decode("cp1251", "replace")


def _find_utf_16(data: bytes) -> str:
    """By its mark, or by the zeros in one half of each Latin letter and digit."""
    if data.startswith(UTF_16_MARKS):
        return "utf-16"
    first, second = data[::2].count(0), data[1::2].count(0)
    if max(first, second) * 4 <= len(data) or (first and second):  # one at the end says nothing
        return ""
    return "utf-16-be" if first else "utf-16-le"


def cut_text(data: bytes | bytearray, limit: int) -> bytes:
    """At most ``limit`` bytes, and not half a letter of UTF-8 at the end."""
    while 0 < limit < len(data) and data[limit] & 0xC0 == 0x80:
        limit -= 1
    return bytes(data[:limit])


MAX_PAIRS, MAX_QUERY = 64, 16 * 1024


def decode_query(query: str) -> list[tuple[str, str]]:
    """The first pairs of an address's query, in whatever code page a booth writes them."""
    pairs = (pair.partition("=") for pair in query[:MAX_QUERY].split("&", MAX_PAIRS)[:MAX_PAIRS])
    return [(_decode_quoted(name), _decode_quoted(value)) for name, _equals, value in pairs]


def _decode_quoted(text: str) -> str:
    return decode_text(unquote_to_bytes(text.replace("+", " ")))


def decode_header(value: str) -> str:
    """A header's value as text: servers hand its bytes on as Latin-1."""
    try:
        return decode_text(value.encode("latin-1"))
    except UnicodeEncodeError:  # decoded by somebody already
        return value
