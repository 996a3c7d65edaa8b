"""Forms of booths: our own reader, from the Content-Type to the photo's digest.

What comes in one piece and what comes in many must read the same, and a form that nobody damaged
as it was written. A form with two faults may be told of either: of the one that is met first.
"""

import io
import random
from functools import cache

from PIL import Image

from ingest.pipeline.receive import open_photo
from ingest.pipeline.upload import FormParser
from ingest.pipeline.uploaded_form import UploadedForm
from photochanger.errors import AppError, InternalError
from photochanger.testing.fuzz.mutation import mutate
from photochanger.testing.fuzz.target import MB, Target, Wrong, derive_random

MAX_FILE_BYTES = 24 * 1024
MAX_BODY_BYTES = 2 * MB  # it is held several times here, which counts as the reader's memory
MAX_HEADER_BYTES = 16 * 1024  # the server takes no more of a head than twice that
NAMES = ("password", "hash", "id", "name", "version", "slot_payload", "_charset_", "other", "x[]")
FILES = ("fileToUpload", "file", "image", "FileToUpload", "photo", "password")
TEXTS = ("", "a", "correct-horse", "Иван", "x" * 9000, "\0", "a\r\nb", "--b", "%22", "utf-8")
CHARSETS = ("utf-8", "windows-1251", "utf-16", "koi8-r", "idna", "base64", "'", "x" * 300)
BOUNDARIES = (b"b", b"----WebKitFormBoundaryAbC123", b"--", b"-", b"a b", b"x" * 70, b"'()+_,./:=?")
ENCODINGS = ("", "", "", "", "base64", "quoted-printable", "8bit", "7bit", "gzip")


@cache
def _list_photos() -> tuple[bytes, ...]:
    photos = []
    for kind, size in (("JPEG", (64, 48)), ("PNG", (40, 40)), ("WEBP", (64, 48)), ("JPEG", (9, 9))):
        out = io.BytesIO()
        Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind)
        photos.append(out.getvalue())
    return (*photos, b"", b"<html>", bytes(30_000), b"\n--b" * 3000, b"\r" * 5000)


def make_form(rng: random.Random) -> bytes:
    """The Content-Type in the first line, then the body."""
    boundary = rng.choice(BOUNDARIES)
    end = rng.choice((b"\r\n", b"\r\n", b"\n"))
    count = rng.choice((1, 2, 3, 5, 70, 1100)) if rng.random() < 0.1 else rng.randint(1, 5)
    parts = [_make_part(rng, end) for _ in range(count)]
    body = b"".join(b"--" + boundary + end + part + end for part in parts)
    body = rng.choice((b"", b"", b"preamble" + end)) + body
    body += b"--" + boundary + rng.choice((b"--", b"--", b"", b"-")) + rng.choice((end, b"", b"x"))
    quote = rng.choice((b"", b'"'))
    kind = b"multipart/form-data; boundary=" + quote + boundary + quote
    if rng.random() < 0.1:
        kind = mutate(rng, kind).replace(b"\n", b" ")[:MAX_HEADER_BYTES]
    if rng.random() < 0.7:
        body = mutate(rng, body)
    return kind + b"\n" + body[:MAX_BODY_BYTES]


def _make_part(rng: random.Random, end: bytes) -> bytes:
    is_file = rng.random() < 0.4
    content = rng.choice(_list_photos()) if is_file else rng.choice(TEXTS).encode()
    lines = [_make_disposition(rng, is_file)]
    if is_file or rng.random() < 0.2:
        kind = rng.choice(("image/jpeg", "text/plain", "application/octet-stream", ""))
        charset = f"; charset={rng.choice(CHARSETS)}" if rng.random() < 0.2 else ""
        lines.append(f"Content-Type: {kind}{charset}")
    if encoding := rng.choice(ENCODINGS):
        lines.append(f"Content-Transfer-Encoding: {encoding}")
    if rng.random() < 0.05:
        lines.append("X-Long: " + "y" * rng.choice((10, 15_000, 17_000)))
    rng.shuffle(lines)
    return end.join(line.encode() for line in lines) + end + end + content


def _make_disposition(rng: random.Random, is_file: bool) -> str:
    name = rng.choice(FILES if is_file else NAMES)
    spellings = (f'name="{name}"', f"name={name}", f"name*=utf-8''{name}", f'NAME = "{name}" ')
    spelling = spellings[0] if rng.random() < 0.7 else rng.choice(spellings)
    if rng.random() < 0.05:
        spelling = f"name*0={name[:3]}; name*1*={name[3:]}"
    name_of_file = rng.choice(
        ("a.jpg", "", "C:\\tmp\\a.jpg", "a\\", '\\"', "%22", "я.jpg", "x" * 999)
    )
    filename = f'; filename="{name_of_file}"' if is_file else ""
    return f"Content-Disposition: form-data; {spelling}{filename}"


def try_form(case: bytes) -> str:
    kind, _, body = case.partition(b"\n")
    rng = derive_random(case)
    whole = _read(kind, [body])
    size = rng.choice((1, 7, 100, 4096)) if len(body) < 8192 else rng.choice((999, 16_384))
    pieces = _read(kind, [body[at : at + size] for at in range(0, len(body), size)])
    is_refused = len(whole) == len(pieces) == 1
    if whole != pieces and not is_refused:
        raise Wrong(f"in one piece {whole}, in pieces of {size} {pieces}"[:2000])
    return whole[0]


def _read(kind: bytes, pieces: list[bytes]) -> tuple[str, ...]:
    """What came of a form: a word for the table, and what must not depend on its pieces."""
    parser: FormParser | None = None
    try:
        parser = FormParser(kind.decode("latin-1"), max_file_bytes=MAX_FILE_BYTES)
        for piece in pieces:
            parser.feed(piece)
        return _describe(parser, parser.finish())
    except AppError as exc:
        if isinstance(exc, InternalError) or exc.status >= 500:
            raise
        return (type(exc).__name__,)
    finally:
        if parser is not None:
            parser.form.close()


def _describe(parser: FormParser, form: UploadedForm) -> tuple[str, ...]:
    fields = repr(sorted(form.fields.items()))
    parts = repr(parser.parts)
    if len(parser.parts) > 64 or any(len(text) > 8192 for text in form.fields.values()):
        raise Wrong("more is kept of it than may be")
    if form.file is None:
        return ("no photo", fields, parts)
    recipe, word = form.match_recipe(), "ok"
    try:
        open_photo(form)
    except AppError as exc:
        word = type(exc).__name__
    return (word, fields, parts, form.compute_sha256(), str(form.size_bytes), recipe)


FORMS = Target(
    name="forms", make_case=make_form, try_case=try_form, most_cpu_s=2.0, most_bytes=30 * MB
)
