"""As much of protobuf as it takes to read and write the ONNX files of the face nets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

VARINT, BYTES = 0, 2  # wire types; the two files use no others


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message: its number, what is in it, and the whole of it as it was written."""

    number: int
    content: bytes
    whole: bytes


def read_fields(message: bytes) -> Iterator[Field]:
    """The fields of a message in their order. Raises ValueError for a wire type not used here."""
    at = 0
    while at < len(message):
        start = at
        key, at = _read_varint(message, at)
        number, wire_type = key >> 3, key & 7
        value, at = _read_varint(message, at)
        if wire_type == VARINT:
            yield Field(number, b"", message[start:at])
        elif wire_type == BYTES:
            at += value
            yield Field(number, message[at - value : at], message[start:at])
        else:
            raise ValueError(f"field {number} has the wire type {wire_type}")


def find_field(message: bytes, number: int) -> bytes:
    """What is in the only field of this number."""
    [content] = [field.content for field in read_fields(message) if field.number == number]
    return content


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """The number that starts there, and where the next byte is."""
    value = shift = 0
    while message[at] > 127:
        value |= (message[at] & 127) << shift
        at, shift = at + 1, shift + 7
    return value | message[at] << shift, at + 1


def write_varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def write_int(number: int, value: int) -> bytes:
    return write_varint(number << 3 | VARINT) + write_varint(value)


def write_bytes(number: int, content: bytes | str) -> bytes:
    body = content.encode() if isinstance(content, str) else content
    return write_varint(number << 3 | BYTES) + write_varint(len(body)) + body


def write_message(number: int, fields: Iterable[bytes]) -> bytes:
    return write_bytes(number, b"".join(fields))
