"""A multipart body, cut into its parts while it arrives.

As generous as the busiest servers are: line breaks with and without CR, blanks after a boundary,
text before the first part and after the last one, an end without its two dashes.
"""

import enum
import re
from collections.abc import Iterator

from ingest.pipeline.part_head import FormPart, parse_part_head
from photochanger.request_errors import BrokenForm, CutForm, EmptyForm

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

    def feed(self, data: bytes) -> Iterator[FormPart | bytes | None]:
        """Raises BrokenForm."""
        self._buffer += data
        self._is_blank = self._is_blank and not data.strip()
        while not self._is_over():
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
        if self._is_over() or (self._reads is _Reads.HEAD and not self._buffer.strip()):
            return
        if self._reads is _Reads.PREAMBLE:
            if self._is_blank:
                raise EmptyForm("the body is empty")
            raise BrokenForm("the boundary of the Content-Type is nowhere in the body")
        rest = self._buffer.removeprefix(b"\r")
        if self._reads is _Reads.HEAD or not rest.startswith(self._delimiter):
            raise CutForm("the form was cut off")
        yield None

    def _is_over(self) -> bool:
        return self._reads is _Reads.EPILOGUE

    def _take_head(self) -> FormPart | None:
        end = HEAD_END.search(self._buffer, 0, MAX_HEAD_BYTES)
        if end is None:
            if len(self._buffer) >= MAX_HEAD_BYTES:
                raise BrokenForm("the head of a part has no end")
            return None
        head, self._buffer = self._buffer[: end.start()], self._buffer[end.end() :]
        # What follows may be the next boundary at once, without a line break of its own.
        if self._buffer.startswith(self._delimiter[1:]):
            self._buffer = b"\n" + self._buffer
        self._reads = _Reads.DATA
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
        content, self._buffer = self._buffer[:at], self._buffer[end:]
        self._reads = then
        return content.removesuffix(b"\r"), True

    def _hold(self, at: int) -> bytes:
        """Keep what may be the beginning of a boundary."""
        if self._buffer[at - 1 : at] == b"\r":
            at -= 1
        content, self._buffer = self._buffer[:at], self._buffer[at:]
        return content
