"""The booth's multipart form, read while it arrives: parsed, hashed and spooled off the loop."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings
from django.http import HttpRequest

from ingest.pipeline.multipart import (
    MAX_BOUNDARY,
    MAX_LINE_BYTES,
    FormPart,
    MultipartStream,
    PartDecoder,
    find_boundary,
)
from ingest.pipeline.order import Deadline
from ingest.pipeline.text_pictures import TextDecoder
from ingest.pipeline.uploaded_form import UploadedForm
from ingest.refusals.errors import DatabaseAway
from photochanger import pictures
from photochanger.errors import InvalidRequest, PayloadTooLarge, StorageError
from photochanger.parsing import INVISIBLE, cut_text, decode_text
from photochanger.request_errors import (
    CompressedForm,
    FieldTooLong,
    PasswordTooLong,
    TooManyFields,
    UploadTooSlow,
)
from photochanger.request_scope import StreamedBody, get_streamed_body
from photochanger.threads.temporary_files import write_in_threads

FILE_FIELDS = ("fileToUpload", "file", "image")  # the best first
# What is read of a form, by anybody; the rest of it only costs its bytes.
TEXT_FIELDS = frozenset(
    ("password", "hash", "id", "name", "version", "slot_payload", "media_object_id", "_charset_")
)
REFUSED_IF_LONG: dict[str, type[InvalidRequest]] = {
    "password": PasswordTooLong,
    "slot_payload": FieldTooLong,  # half of it would mean something else
}
MAX_PARTS, MAX_LISTED, MAX_FIELD_BYTES = 250, 64, 8 * 1024
# Kept of earlier batches: what may begin a boundary, and a line that is to be decoded.
MAX_HELD_BYTES = MAX_LINE_BYTES + 2 * MAX_BOUNDARY
OWN_WAIT_S = 2.0  # who let a booth wait so long before reading its photo may not call it slow
SNIFFED_BYTES = 16
# Of a body. Clients also write a charset there, by mistake: that changes no byte.
COMPRESSIONS = re.compile(r"gzip|deflate|br\b|zstd|compress", re.IGNORECASE)
SMALL_PIECE_BYTES = 8 * 1024  # outside of the photo
BATCH_BYTES = 256 * 1024  # parsed in one thread hop; what has arrived of one photo in memory


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
        self._stream = MultipartStream(find_boundary(content_type))
        self.form = UploadedForm(is_large=declared_bytes > settings.UPLOAD_SPOOL_BYTES)
        self.failure: StorageError | None = None  # of the last step, if nobody has heard of it
        self.parts: list[FormPart] = []  # at most MAX_LISTED
        self._max_file_bytes, self._max_field_bytes = max_file_bytes, max_field_bytes
        self._file_fields = [name.lower() for name in file_fields]
        self._count = 0
        self._charset = ""  # of all text fields, said in the field _charset_
        self._part: FormPart | None = None  # the one that is being read
        self._decoder: PartDecoder | TextDecoder | None = None
        self._text: bytearray | None = None  # of the text field that is being read
        self._name_rank: int | None = None  # of a part that may be the photo; less is better
        self._first: bytes | None = None  # of its bytes, until there are enough to know a picture
        self._photo: tuple[tuple[bool, bool, int], FormPart] | None = None  # the best up to now

    @classmethod
    def of(
        cls,
        request: HttpRequest,
        *,
        max_file_bytes: int,
        file_fields: tuple[str, ...] = FILE_FIELDS,
        max_field_bytes: int = MAX_FIELD_BYTES,
    ) -> "FormParser":
        """A parser for the request's body.

        Raises InvalidRequest when that can be no form, UnsupportedMediaType when it is compressed.
        """
        if COMPRESSIONS.search(request.headers.get("Content-Encoding", "")):
            raise CompressedForm("the body is compressed")
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
        with self.form.in_use():
            while data:
                # Each head moves all that stands behind it, of a batch of 256 KB too.
                size = len(data) if self._name_rank is not None else SMALL_PIECE_BYTES
                for event in self._stream.feed(data[:size]):
                    self._take(event)
                data = data[size:]

    def finish(self) -> UploadedForm:
        """The complete form. Raises InvalidRequest when its end is missing, or StorageError."""
        with self.form.in_use():
            for event in self._stream.close():
                self._take(event)
            if self.form.file is not None:
                self.form.file.flush()  # the last few KB
            if self._photo is not None and not self._photo[1].is_file:
                self._drop_text(self._photo[1])
        return self.form

    def _take(self, event: FormPart | bytes | None) -> None:
        if isinstance(event, FormPart):
            self._start(event)
        elif event is None:
            if self._decoder is not None:
                self._write(self._decoder.feed(b"", is_last=True))
            self._end()
        else:
            self._write(self._decoder.feed(event) if self._decoder else event)

    def _start(self, part: FormPart) -> None:
        """The picture under the best of the known names is the photo, wherever it stands.

        Other files are read and forgotten.
        """
        self._count += 1
        if self._count > MAX_PARTS:
            raise TooManyFields(f"more than {MAX_PARTS} fields")
        if len(self.parts) < MAX_LISTED:
            self.parts.append(part)
        self._part, is_encoded = part, part.encoding in PartDecoder.ENCODINGS
        self._decoder = PartDecoder(part.encoding) if is_encoded else None
        self._text = self._name_rank = None
        self._first = b""
        if part.key in self._file_fields:
            self._name_rank = self._file_fields.index(part.key)
            self.form.has_photo_field |= part.is_file
            if not part.is_file and self._decoder is None:
                self._decoder = TextDecoder()
        elif not part.is_file or part.key in TEXT_FIELDS:
            self._text = bytearray()
        else:
            self.form.has_other_file = True

    def _write(self, data: bytes) -> None:
        assert self._part is not None
        self._part.size_bytes += len(data)
        if not data:
            return
        if self._text is not None:
            self._text += data[: self._max_field_bytes + 1 - len(self._text)]
        elif self._name_rank is not None:
            self._write_photo(self._part, data)

    def _write_photo(self, part: FormPart, data: bytes, *, is_last: bool = False) -> None:
        """What is no picture gives way to one, also to one of a lesser name."""
        if self._first is not None:
            data = self._first + data
            if len(data) < SNIFFED_BYTES and not is_last:
                self._first = data
                return
            self._first = None
            if data:
                self._choose_photo(part, data[:SNIFFED_BYTES])
        if data and self._photo is not None and part is self._photo[1]:
            if self.form.size_bytes + len(data) > self._max_file_bytes:
                raise PayloadTooLarge(f"photo larger than {self._max_file_bytes} bytes")
            self.form.write_file(data)

    def _choose_photo(self, part: FormPart, first: bytes) -> None:
        assert self._name_rank is not None
        is_picture = pictures.sniff_result(first) is not None  # also of a kind that is refused
        rank = (not is_picture, not part.is_file, self._name_rank)
        if self._photo is None or rank < self._photo[0]:
            if self._photo is not None:
                self._photo[1].is_photo = False
            self._photo = (rank, part)
            part.is_photo = True
            self.form.open_file()

    def _end(self) -> None:
        assert self._part is not None
        self._part.is_complete = True
        if self._text is None:
            if self._name_rank is not None:
                self._write_photo(self._part, b"", is_last=True)
            return
        key, is_whole = self._part.key, len(self._text) <= self._max_field_bytes
        if not is_whole and key in REFUSED_IF_LONG:
            raise REFUSED_IF_LONG[key]("a text field is too long")
        data = bytes(self._text) if is_whole else cut_text(self._text, self._max_field_bytes)
        text = decode_text(data, self._part.charset or self._charset)
        if key == "password":  # none can be set with these at its ends
            text = text.strip(INVISIBLE + "\0")
        if key == "_charset_":
            self._charset = text
        elif key in TEXT_FIELDS or len(self.form.fields) < MAX_LISTED:
            # The first that says something counts: an empty one may stand before the real one.
            self.form.fields[key] = self.form.fields.get(key) or text

    def _drop_text(self, part: FormPart) -> None:
        """A text in a field of the photo's name is no photo, unless it turns out to be one."""
        assert self.form.file is not None
        self.form.file.seek(0)
        part.is_photo = pictures.sniff_result(self.form.file.read(SNIFFED_BYTES)) is not None
        if not part.is_photo:
            self.form.forget_file()


@asynccontextmanager
async def read_form(
    request: HttpRequest, parser: FormParser, deadline: Deadline
) -> AsyncIterator[UploadedForm]:
    """The form of a request, complete; its file lives until the block ends.

    Raises InvalidRequest (also for an upload that takes longer), PayloadTooLarge, ClientGone and
    StorageError.
    """
    waited_s = deadline.wait_s - deadline.left_s  # for the database, while the photo arrived
    try:
        try:
            async with asyncio.timeout_at(deadline.at):
                await _read_all(request, parser)
        except TimeoutError as exc:
            failure, parser.failure = parser.failure, None
            if failure is not None:
                raise failure from exc
            if waited_s > OWN_WAIT_S:
                raise DatabaseAway(f"the slot was looked up for {waited_s:.1f} s") from exc
            raise UploadTooSlow("the upload took longer than the slot may wait") from exc
        is_on_disk = parser.form.may_write_to_disk(MAX_HELD_BYTES)
        form = await write_in_threads(parser.finish) if is_on_disk else parser.finish()
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
            body.iter_chunks() if body else _iter_django_body(request), body
        ):
            if parsing is not None:
                await asyncio.shield(parsing)
            is_on_disk = parser.form.may_write_to_disk(len(batch) + MAX_HELD_BYTES)
            feed = write_in_threads if is_on_disk else asyncio.to_thread
            parsing = asyncio.ensure_future(feed(parser.feed, batch))
            del batch  # while the next one is waited for, which may be long
        if parsing is not None:
            await asyncio.shield(parsing)
    finally:
        if parsing is not None:
            await asyncio.wait([parsing])  # it ends with the request, at the latest
            failure = None if parsing.cancelled() else parsing.exception()
            parser.failure = failure if isinstance(failure, StorageError) else None


async def _iter_django_body(request: HttpRequest) -> AsyncIterator[bytes]:
    while chunk := request.read(BATCH_BYTES):
        yield chunk


async def _iter_batches(
    chunks: AsyncIterator[bytes], body: StreamedBody | None
) -> AsyncIterator[bytes]:
    batch: list[bytes] = []
    size = 0
    async for chunk in chunks:
        batch.append(chunk)
        size += len(chunk)
        del chunk
        if size >= (body.batch_bytes if body else BATCH_BYTES):
            yield b"".join(batch)
            batch, size = [], 0
    if batch:
        yield b"".join(batch)
