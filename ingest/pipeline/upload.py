"""The booth's multipart form, read while it arrives: parsed, hashed and spooled off the loop."""

import asyncio
import errno
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import IO, Any

from django.conf import settings
from django.http import HttpRequest
from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from ingest.pipeline.order import Deadline
from ingest.refusals.errors import DiskFull, NotAForm, UploadTooSlow
from photochanger.errors import InvalidRequest, PayloadTooLarge, StorageError
from photochanger.request_scope import get_streamed_body

FILE_FIELDS = ("fileToUpload", "file", "image")
MAX_FIELDS, MAX_FIELD_BYTES = 64, 8 * 1024
BATCH_BYTES = 256 * 1024  # parsed in one thread hop; what has arrived of one photo in memory
# Recipes a booth's hash is compared with; told apart by the number of hex digits.
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
HASH_RECIPES = {32: "md5", 40: "sha1", 64: "sha256"}


class UploadedForm:
    """What came in one form: text fields, and the file with its digests. ``close`` frees it."""

    def __init__(self, *, is_large: bool = False) -> None:
        self.is_large = is_large  # said by Content-Length: not worth a start in memory
        self.fields: dict[str, str] = {}
        self.file: IO[bytes] | None = None
        self.size_bytes = 0
        self.received_at = 0.0  # its last byte, in the event loop's time
        self.hash_recipe = ""  # which one the booth's ``hash`` follows, once that is known
        self._digests: dict[str, Any] = {}

    def close(self) -> None:
        if self.file is not None:
            with suppress(OSError):  # on a full disk it would try once more to write the rest
                self.file.close()

    def open_file(self) -> None:
        """Start the file: hash it by SHA-256, and by the booth's recipe if that is known yet."""
        spool_bytes = settings.UPLOAD_SPOOL_BYTES
        self.file = (
            tempfile.TemporaryFile()  # noqa: SIM115  close() ends both
            if self.is_large
            else tempfile.SpooledTemporaryFile(max_size=spool_bytes)  # noqa: SIM115
        )
        recipes = {"sha256", HASH_RECIPES.get(len(self.fields.get("hash", "")), "sha256")}
        self._digests = {name: hashlib.new(name, usedforsecurity=False) for name in recipes}

    def write_file(self, data: bytes) -> None:
        assert self.file is not None
        self.size_bytes += len(data)
        self.file.write(data)
        for digest in self._digests.values():
            digest.update(data)

    def compute_sha256(self) -> str:
        return str(self._digests["sha256"].hexdigest())

    def match_recipe(self) -> str:
        """Which recipe the booth's ``hash`` follows: "" without a hash, "none" for no known one.

        Blocking when the hash came after the file: the file is read once more.
        """
        claimed = self.fields.get("hash", "").strip().lower()
        if not claimed:
            return ""
        recipe = HASH_RECIPES.get(len(claimed))
        if recipe is None or self.file is None:
            return "none"
        if recipe not in self._digests:
            self.file.seek(0)
            self._digests[recipe] = hashlib.file_digest(self.file, recipe)  # type: ignore[arg-type]
        return recipe if self._digests[recipe].hexdigest() == claimed else "none"


class FormParser:
    """Feeds arriving bytes into an UploadedForm. Blocking: every call belongs in a thread."""

    def __init__(
        self,
        content_type: str,
        *,
        max_file_bytes: int,
        declared_bytes: int = 0,
        file_fields: tuple[str, ...] = FILE_FIELDS,
        max_field_bytes: int = MAX_FIELD_BYTES,
    ) -> None:
        kind, options = parse_options_header(content_type)
        if kind != "multipart/form-data" or not options.get("boundary"):
            raise NotAForm("the body is not multipart/form-data with a boundary")
        self.form = UploadedForm(is_large=declared_bytes > settings.UPLOAD_SPOOL_BYTES)
        self.segments: list[MultipartSegment] = []  # at most MAX_FIELDS
        self._max_file_bytes, self._max_field_bytes = max_file_bytes, max_field_bytes
        self._file_fields = file_fields
        self._name = ""
        self._text: bytearray | None = None  # of the text field that is being read
        self._is_in_photo = False
        try:
            self._parser = PushMultipartParser(
                options["boundary"],
                max_segment_count=MAX_FIELDS,
                # Decodes whatever a booth of any country writes as the file's name.
                header_charset="latin-1",
            )
        except MultipartError as exc:
            raise NotAForm(f"bad boundary: {exc}") from exc

    @classmethod
    def of(
        cls,
        request: HttpRequest,
        *,
        max_file_bytes: int,
        file_fields: tuple[str, ...] = FILE_FIELDS,
        max_field_bytes: int = MAX_FIELD_BYTES,
    ) -> "FormParser":
        """A parser for the request's body. Raises InvalidRequest when that can be no form."""
        length = request.headers.get("Content-Length", "")
        return cls(
            request.headers.get("Content-Type", ""),
            max_file_bytes=max_file_bytes,
            declared_bytes=int(length) if length.isdigit() else 0,
            file_fields=file_fields,
            max_field_bytes=max_field_bytes,
        )

    def feed(self, data: bytes) -> None:
        """Raises InvalidRequest, PayloadTooLarge, or StorageError when the temp folder is full."""
        try:
            for event in self._parser.parse(data):
                self._take(event)
        except ParserLimitReached as exc:
            raise InvalidRequest(f"too many or too long form fields: {exc}") from exc
        except MultipartError as exc:
            raise NotAForm(f"broken multipart: {exc}") from exc
        except OSError as exc:
            raise spool_error(exc) from exc

    def finish(self) -> UploadedForm:
        """The complete form. Raises InvalidRequest when its end is missing, or StorageError."""
        try:
            self._parser.close()
            if self.form.file is not None:
                self.form.file.flush()  # the last few KB
        except MultipartError as exc:
            raise NotAForm(f"the form was cut off: {exc}") from exc
        except OSError as exc:
            raise spool_error(exc) from exc
        return self.form

    def _take(self, event: "MultipartSegment | bytes | bytearray | None") -> None:
        if isinstance(event, MultipartSegment):
            self._start(event)
        elif event is None:
            self._end()
        elif self._is_in_photo:
            if self.form.size_bytes + len(event) > self._max_file_bytes:
                raise PayloadTooLarge(f"photo larger than {self._max_file_bytes} bytes")
            self.form.write_file(bytes(event))
        elif self._text is not None:
            self._text += event
            if len(self._text) > self._max_field_bytes:
                raise InvalidRequest("a text field is too long")

    def _start(self, segment: MultipartSegment) -> None:
        """The first file under a known name is the photo; other files are read and forgotten."""
        self._name = segment.name
        self.segments.append(segment)
        is_file = segment.filename is not None
        self._is_in_photo = is_file and segment.name in self._file_fields and self.form.file is None
        if self._is_in_photo:
            self.form.open_file()
        self._text = None if is_file else bytearray()

    def _end(self) -> None:
        if self._text is not None:
            self.form.fields.setdefault(self._name, self._text.decode("utf-8", "replace"))
        self._text, self._is_in_photo = None, False


def spool_error(exc: OSError) -> StorageError:
    kind = DiskFull if exc.errno in FULL_DISK else StorageError
    return kind(f"upload cannot be spooled: {exc.strerror}")


@asynccontextmanager
async def read_form(
    request: HttpRequest, parser: FormParser, deadline: Deadline
) -> AsyncIterator[UploadedForm]:
    """The form of a request, complete; its file lives until the block ends.

    Raises InvalidRequest (also for an upload that takes longer), PayloadTooLarge, ClientGone and
    StorageError.
    """
    try:
        try:
            async with asyncio.timeout_at(deadline.at):
                await _read_all(request, parser)
        except TimeoutError as exc:
            raise UploadTooSlow("the upload took longer than the slot may wait") from exc
        form = parser.finish()
        form.received_at = asyncio.get_running_loop().time()
        yield form
    finally:
        parser.form.close()


async def _read_all(request: HttpRequest, parser: FormParser) -> None:
    """Parse one batch in a thread while the next one arrives."""
    parsing: asyncio.Future[None] | None = None
    try:
        body = get_streamed_body(request)
        # Where no edge stands before Django, as Django has read it.
        async for batch in _iter_batches(
            body.iter_chunks() if body else _iter_django_body(request)
        ):
            if parsing is not None:
                await parsing
            parsing = asyncio.ensure_future(asyncio.to_thread(parser.feed, batch))
        if parsing is not None:
            await parsing
    finally:
        if parsing is not None and not parsing.done():  # never close the file under the thread
            await asyncio.wait([parsing])


async def _iter_django_body(request: HttpRequest) -> AsyncIterator[bytes]:
    while chunk := request.read(BATCH_BYTES):
        yield chunk


async def _iter_batches(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    batch: list[bytes] = []
    size = 0
    async for chunk in chunks:
        batch.append(chunk)
        size += len(chunk)
        if size >= BATCH_BYTES:
            yield b"".join(batch)
            batch, size = [], 0
    if batch:
        yield b"".join(batch)
