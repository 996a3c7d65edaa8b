"""Decode a picture just as far as it takes to find and describe the faces in it."""

import os
from io import BufferedReader, BytesIO, RawIOBase
from typing import IO

from PIL import Image, ImageOps

LOOK_AT_PX = 1024  # longest side from which faces are described


def open_for_detection(file: IO[bytes]) -> Image.Image:
    """The picture upright, RGB, with a longest side of about 1024 px. Blocking.

    A JPEG is decoded in an eighth, a quarter or half of its size: 20 megapixels take 50 ms.
    Raises what Pillow raises for bytes that are no picture.
    """
    with Image.open(file, formats=("JPEG", "PNG", "WEBP")) as image:
        image.draft("RGB", (LOOK_AT_PX, LOOK_AT_PX))
        return ImageOps.exif_transpose(shrink_for_detection(image))


def shrink_for_detection(image: Image.Image) -> Image.Image:
    """A small RGB copy; the picture itself when it is small and RGB already. Blocking, 0-20 ms."""
    factor = max(image.size) // LOOK_AT_PX
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would cut, not scale
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    elif image.mode not in ("L", "RGB", "RGBA"):  # not all can be reduced
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    small = image.reduce(factor) if factor > 1 else image
    if small.has_transparency_data:
        ground = Image.new("RGBA", small.size, "white")
        ground.alpha_composite(small.convert("RGBA"))
        ground.info |= small.info  # its EXIF says which side is up
        small = ground
    return small if small.mode == "RGB" else small.convert("RGB")


class FileView(RawIOBase):
    """A file read at places of its own, while others seek and read the same file.

    It keeps the file's bytes readable by itself: whoever opened them may close them meanwhile.
    """

    def __init__(self, descriptor: int, size_bytes: int) -> None:
        self._descriptor = os.dup(descriptor)
        self._size_bytes, self._at = size_bytes, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size_bytes}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        count = os.preadv(self._descriptor, [buffer], self._at)
        self._at += count
        return count

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def view_file(file: IO[bytes], *, size_bytes: int, in_memory_bytes: int) -> IO[bytes]:
    """The same bytes, readable beside whoever else reads ``file``; call it before they start.

    What is on disk is not copied; what is in memory is, up to ``in_memory_bytes``.
    """
    if size_bytes > in_memory_bytes:
        view: RawIOBase = FileView(file.fileno(), size_bytes)
        return BufferedReader(view)
    file.seek(0)
    body = file.read()
    file.seek(0)
    return BytesIO(body)
