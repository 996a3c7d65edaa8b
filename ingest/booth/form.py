"""What the booth sends with a photo, field by field, as it was captured from a real one."""

import hashlib
import io
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from photochanger import pictures

CHUNK_BYTES = 64 * 1024
HASH_RECIPES = ("opaque", "none", "md5", "sha1", "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoothRequest:
    """One photo to send. ``url`` is the server's, such as ``http://localhost:8000``.

    ``expect_timeout_s`` is how long to wait for ``100 Continue`` before the photo is sent
    unasked, as curl does; None waits as long as ``timeout_s`` allows, and never sends unasked.
    ``fields`` replace booth fields of the same name or stand after them; ``query`` stands in the
    link, where booths put their tokens.
    """

    url: str
    slot: str
    photo: Path | bytes
    password: str = field(repr=False)
    path: str = "ingest"
    fields: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    hash_recipe: str = "opaque"
    number: int = 1
    timeout_s: float = 58.0
    expect_timeout_s: float | None = None
    idempotency_key: str | None = None
    boundary: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoothForm:
    """The multipart body: what stands before the photo, the photo's file, what stands after."""

    boundary: str
    before: bytes
    photo: IO[bytes]
    photo_bytes: int
    after: bytes

    @classmethod
    def of(cls, request: BoothRequest, photo: IO[bytes]) -> "BoothForm":
        boundary = request.boundary or make_boundary()
        mime = pictures.sniff(photo.read(16)) or pictures.JPEG
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_quote_name(name)}"'
            f"\r\n\r\n{value}\r\n"
            for name, value in make_fields(request, photo).items()
        ]
        parts.append(
            f"--{boundary}\r\nContent-Disposition: form-data; "
            'name="fileToUpload"; filename="IMG_0003.JPG"\r\n'
            f"Content-Type: {mime}\r\n\r\n"
        )
        photo_bytes = photo.seek(0, io.SEEK_END)
        photo.seek(0)
        return cls(
            boundary=boundary,
            before="".join(parts).encode(),
            photo=photo,
            photo_bytes=photo_bytes,
            after=f"\r\n--{boundary}--\r\n".encode(),
        )

    def __len__(self) -> int:
        return len(self.before) + self.photo_bytes + len(self.after)

    def iter_chunks(self) -> Iterator[bytes]:
        yield self.before
        while chunk := self.photo.read(CHUNK_BYTES):
            yield chunk
        yield self.after


def make_boundary() -> str:
    """Twelve dashes and 24 decimal digits, as the booth makes them."""
    return "-" * 12 + "".join(secrets.choice("0123456789") for _ in range(24))


def _quote_name(name: str) -> str:
    """A field's name inside its quotes, as browsers escape it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def make_fields(request: BoothRequest, photo: IO[bytes]) -> dict[str, str]:
    """The text fields in the captured order; the request's own fields replace or follow them."""
    folder = "C:\\Users\\Acer\\Documents\\PhotoboothImages"
    fields = {
        "time": str(int(time.time())),
        "user_id": "Acer",
        "id": f"CY04N068111304S2L_{request.number:08d}.",
        "profile": f"{folder}\\setup_Serg.xml",
        "status": f"{folder}\\screenSerg\\preview.jpg",
        "hash": _hash_photo(photo, request.hash_recipe),
        "name": "DESKTOP-K968T3F",
        "model": "Windows",
        "version": "3.30.2",
        "password": request.password,
    }
    if request.hash_recipe == "none":
        del fields["hash"]
    return fields | dict(request.fields)


def _hash_photo(photo: IO[bytes], recipe: str) -> str:
    """The photo's hash; ``opaque`` is 40 hex digits that match nothing, as the real booth sends."""
    if recipe in ("opaque", "none"):
        return secrets.token_hex(20)
    digest = hashlib.new(recipe, usedforsecurity=False)
    photo.seek(0)
    while chunk := photo.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
