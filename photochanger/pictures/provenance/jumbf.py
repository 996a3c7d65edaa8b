"""The boxes of a C2PA store (JUMBF, ISO 19566-5), found by their labels."""

from collections.abc import Iterator
from dataclasses import dataclass

MAX_BOXES = 2_000  # in one box
SUPERBOX, DESCRIPTION = b"jumb", b"jumd"
LABEL_FLAG = 0x02
DESCRIPTION_HEAD = 17  # a type of 16 bytes, and the flags


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """``content``: the boxes inside of it, after its description."""

    label: str
    content: memoryview

    def list_boxes(self) -> list["LabelledBox"]:
        return list(iter_labelled(self.content))

    def find(self, *prefixes: str) -> "LabelledBox | None":
        """The last box inside whose label begins so."""
        found = [box for box in iter_labelled(self.content) if box.label.startswith(prefixes)]
        return found[-1] if found else None

    @property
    def data(self) -> bytes:
        """Of the one plain box inside."""
        return next((bytes(body) for _, body in _iter_boxes(self.content)), b"")


def iter_labelled(view: memoryview) -> Iterator[LabelledBox]:
    for kind, body in _iter_boxes(view):
        if kind != SUPERBOX:
            continue
        inside = _iter_boxes(body)
        first, description = next(inside, (b"", memoryview(b"")))
        if first == DESCRIPTION:
            yield LabelledBox(_read_label(bytes(description)), body[len(description) + 8 :])


def _read_label(description: bytes) -> str:
    if len(description) <= DESCRIPTION_HEAD or not description[16] & LABEL_FLAG:
        return ""
    label = description[DESCRIPTION_HEAD : DESCRIPTION_HEAD + 200].split(b"\0", 1)[0]
    return label.decode("utf-8", "replace")


def _iter_boxes(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Length, kind and body of each; a length of 1 stands for one of 8 bytes, 0 for the rest."""
    position = 0
    for _ in range(MAX_BOXES):
        head = bytes(view[position : position + 16])
        if len(head) < 8:
            return
        length, size = int.from_bytes(head[:4]), 8
        if length == 1:
            length, size = int.from_bytes(head[8:16]), 16
        length = length or len(view) - position
        if length < size:
            return
        yield head[4:8], view[position + size : position + length]
        position += length
