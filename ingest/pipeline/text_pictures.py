"""A photo that came as text: a data URI, or bare base64, in the field where a file belongs."""

import re

from ingest.pipeline.multipart import PartDecoder

# Bare, it is known by the first letters of a JPEG, PNG or WEBP.
BEGINNING = re.compile(
    rb"\s*(?:(?i:data:[^,]{0,100};base64),\s*|(?=/9j/|iVBORw0KGgo|UklGR))", re.DOTALL
)
HEAD_BYTES = 128  # the longest beginning is within them


class TextDecoder:
    """Undo base64 while it arrives; what does not begin like a picture stays as it is."""

    def __init__(self) -> None:
        self._head: bytes | None = b""  # until it is known what it is
        self._base64: PartDecoder | None = None

    def feed(self, data: bytes, *, is_last: bool = False) -> bytes:
        """Raises BrokenForm where it is no base64 further on."""
        if self._head is not None:
            data = self._head + data
            if len(data) < HEAD_BYTES and not is_last:
                self._head = data
                return b""
            self._head = None
            if found := BEGINNING.match(data):
                data, self._base64 = data[found.end() :], PartDecoder("base64")
        return self._base64.feed(data, is_last=is_last) if self._base64 else data
