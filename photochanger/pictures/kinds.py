"""What kinds of pictures there are, told from their first bytes."""

from dataclasses import dataclass

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
EXTENSIONS = {JPEG: "jpg", PNG: "png", WEBP: "webp"}
# What services have been seen to send besides, with the first bytes that tell; a HEIC is known
# only to be refused by its name.
RESULT_HEADS = (
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)
FTYP_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1"), "image/heic"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture in memory, its type detected from its bytes; nothing else is checked yet."""

    body: bytes
    mime: str


class UnreadablePicture(ValueError):
    """The bytes are not a picture of an accepted type, or it is damaged or too large."""


def sniff(head: bytes) -> str | None:
    """The MIME type by the first 16 bytes, or None if it is not one of the accepted three."""
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    return None


def sniff_result(head: bytes) -> str | None:
    """The same of a service's picture, which may be of more kinds than a booth's photo."""
    if mime := sniff(head):
        return mime
    if head[4:8] == b"ftyp":
        return FTYP_BRANDS.get(head[8:12])
    return next((mime for start, mime in RESULT_HEADS if head.startswith(start)), None)
