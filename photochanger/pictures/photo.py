"""A photo on its way in: where it is, and what its header says."""

import hashlib
import io
from dataclasses import dataclass
from typing import IO

from photochanger.errors import InvalidImage, UnsupportedMediaType
from photochanger.pictures.header import Header, describe_image, open_image
from photochanger.pictures.kinds import UnreadablePicture, sniff

MIN_PHOTO_SIDE_PX = 16  # less is somebody's test or a tracking pixel, and costs as much as a photo


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """An uploaded photo: on disk above a small size, so that waiting costs no memory.

    ``file`` is seekable and belongs to whoever received it; ``sha256`` is of the bytes as sent.
    """

    file: IO[bytes]
    size_bytes: int
    sha256: str
    mime: str
    header: Header

    @classmethod
    def open(
        cls,
        file: IO[bytes],
        *,
        max_megapixels: int,
        size_bytes: int | None = None,
        sha256: str | None = None,
    ) -> "Photo":
        """The photo in ``file``, its type detected from its bytes; size and digest if known.

        Only its header is read: ``prepare_photo`` makes sure of the rest. Blocking. Raises
        UnsupportedMediaType, or InvalidImage for a header that does not decode or promises too
        many pixels, or hardly any.
        """
        file.seek(0)
        mime = sniff(file.read(16))
        if mime is None:
            raise UnsupportedMediaType("neither JPEG, PNG nor WEBP by content")
        try:
            with open_image(file, max_megapixels=max_megapixels) as image:
                header = describe_image(image, file)
        except UnreadablePicture as exc:
            raise InvalidImage(str(exc)) from exc
        if min(header.width, header.height) < MIN_PHOTO_SIDE_PX:
            raise InvalidImage(f"has only {header.width}x{header.height} pixels")
        return cls(
            file=file,
            size_bytes=file.seek(0, io.SEEK_END) if size_bytes is None else size_bytes,
            sha256=sha256 or _hash_file(file),
            mime=mime,
            header=header,
        )

    @property
    def megapixels(self) -> int:
        """Rounded up: within the limit, which was checked when it was opened."""
        return self.header.width * self.header.height // 1_000_000 + 1


def _hash_file(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
    file.seek(0)
    return digest.hexdigest()
