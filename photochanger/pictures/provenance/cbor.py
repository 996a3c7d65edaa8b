"""Read CBOR (RFC 8949) of a stranger: plain values, no types of its own, in bounds.

A library's decoder makes dates, numbers of any size and patterns out of what a file says.
"""

import struct
from collections.abc import Callable

MAX_ITEMS, MAX_DEPTH = 20_000, 16
INDEFINITE, BREAK = 31, 0xFF
SIMPLE: dict[int, object] = {20: False, 21: True, 22: None, 23: None}
FLOATS = {25: ">e", 26: ">f", 27: ">d"}


class BadCbor(ValueError):
    """It is not CBOR, or more than anybody needs."""


def read_cbor(data: bytes) -> object:
    """The first value; a tag is dropped, and what it is of kept. Raises BadCbor."""
    try:
        return _Reader(data).read_value(0)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError) as exc:
        raise BadCbor(type(exc).__name__) from exc


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.position, self.left = data, 0, MAX_ITEMS

    def read_value(self, depth: int) -> object:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise BadCbor("too many values, or too deep")
        first = self.data[self.position]
        self.position += 1
        kind, extra = first >> 5, first & 31
        if kind == 7:
            return self._read_simple(extra)
        if extra == INDEFINITE:
            return self._read_indefinite(kind, depth)
        number = self._read_number(extra)
        readers: tuple[Callable[[], object], ...] = (
            lambda: number,
            lambda: -1 - number,
            lambda: self._take(number),
            lambda: self._take(number).decode(),
            lambda: [self.read_value(depth + 1) for _ in range(number)],
            lambda: self._read_map(number, depth),
            lambda: self.read_value(depth + 1),
        )
        return readers[kind]()

    def _read_number(self, extra: int) -> int:
        if extra < 24:
            return extra
        if extra > 27:
            raise BadCbor("reserved")
        return int.from_bytes(self._take(1 << (extra - 24)))

    def _take(self, count: int) -> bytes:
        start, end = self.position, self.position + count
        if end > len(self.data):
            raise BadCbor("ends too early")
        self.position = end
        return self.data[start:end]

    def _read_map(self, count: int, depth: int) -> dict[object, object]:
        return {self.read_value(depth + 1): self.read_value(depth + 1) for _ in range(count)}

    def _read_simple(self, extra: int) -> object:
        if extra in FLOATS:
            return struct.unpack(FLOATS[extra], self._take(1 << (extra - 24)))[0]
        if extra == 24:
            extra = self._take(1)[0]
        return SIMPLE.get(extra)

    def _read_indefinite(self, kind: int, depth: int) -> object:
        items: list[object] = []
        while self.data[self.position] != BREAK:
            items.append(self.read_value(depth + 1))
        self.position += 1
        if kind == 5:
            return dict(zip(items[::2], items[1::2], strict=True))
        if kind == 4:
            return items
        if kind == 3:
            return "".join(item for item in items if isinstance(item, str))
        return b"".join(item for item in items if isinstance(item, bytes))
