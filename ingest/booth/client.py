"""A photo booth in software: it sends one photo exactly as Breeze DSLR Remote Pro does.

The protocol was captured from a real booth: HTTP/1.1 on a new connection per photo, four headers
and no more, ``Expect: 100-continue`` that it waits for, a multipart body with ten fields
before the photo, and a ``hash`` that matches no known recipe.
"""

import functools
import io
import selectors
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import h11

from ingest.booth.form import CHUNK_BYTES, BoothForm, BoothRequest

MAX_ANSWER_BYTES = 64 * 1024 * 1024  # three times the largest photo: more is not a print
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoothAnswer:
    """The response. ``error`` is None when a whole HTTP response came, whatever its status.

    ``headers`` have lower-case names. Times are seconds since the connection was begun.
    All but the times is text of the server: print nothing of it unfiltered.
    """

    status: int | None
    headers: Mapping[str, str]
    body: bytes
    got_continue: bool
    body_sent: bool
    first_byte_s: float | None
    total_s: float
    error: str | None


def send_photo(request: BoothRequest, *, tls: ssl.SSLContext | None = None) -> BoothAnswer:
    """Send one photo on a new connection and wait for the answer, at most ``timeout_s``.

    Every failure of the network, the server or the photo's file is described in ``error``. Raises
    ValueError for an address that is not http or https. Redirects are answers like any other.
    """
    address = parse_url(request.url)
    exchange = _Exchange(timeout_s=request.timeout_s)
    try:
        with _open_photo(request.photo) as photo:
            form = BoothForm.of(request, photo)
            exchange.connect(address, tls=tls)
            exchange.run(
                _build_head(request, form), form, expect_timeout_s=request.expect_timeout_s
            )
    except (OSError, h11.ProtocolError, UnicodeError) as exc:
        return exchange.make_answer(error=_explain_failure(exc, doing=exchange.doing))
    finally:
        exchange.close()
    return exchange.make_answer(error=None)


def parse_url(url: str) -> SplitResult:
    """The parts of a server's address; raises ValueError when it is not http or https."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not an address such as http://localhost:8000")
    _ = parts.port  # raises ValueError for a port that is no port
    return parts


def _open_photo(photo: Path | bytes) -> IO[bytes]:
    return io.BytesIO(photo) if isinstance(photo, bytes) else photo.open("rb")


def _build_head(request: BoothRequest, form: BoothForm) -> h11.Request:
    address = parse_url(request.url)
    parts = (address.path, request.path, quote(request.slot))
    headers = [
        ("Host", address.netloc.rpartition("@")[2]),
        ("Content-Type", f"multipart/form-data; boundary={form.boundary}"),
        ("Content-Length", str(len(form))),
        ("Expect", "100-continue"),
    ]
    if request.idempotency_key is not None:  # no booth sends it; scripts do
        headers.append(("Idempotency-Key", request.idempotency_key))
    target = "/" + "/".join(part.strip("/") for part in parts if part.strip("/"))
    query = f"?{urlencode(request.query)}" if request.query else ""
    return h11.Request(method="POST", target=target + query, headers=headers)


@functools.cache
def _get_default_tls() -> ssl.SSLContext:
    return ssl.create_default_context()  # costs 17 ms, and threads may share it


class _Exchange:
    """One connection, one request, one response; keeps what is known, whatever goes wrong later.

    Once connected the socket never blocks: the server may speak at any moment (a 413 while the
    photo is on its way), and each wait must end when the booth's patience does.
    """

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._started = time.monotonic()
        self.doing = "connecting"  # what a failure interrupted, in words for the operator
        self._selector = selectors.DefaultSelector()
        self._sock: socket.socket | None = None
        self._http = h11.Connection(h11.CLIENT)
        self._response: h11.Response | None = None
        self._body = bytearray()
        self._is_whole = False
        self._got_continue = False
        self._body_sent = False
        self._first_byte_s: float | None = None

    def connect(self, address: SplitResult, *, tls: ssl.SSLContext | None) -> None:
        host, is_tls = address.hostname or "", address.scheme == "https"
        where = (host, address.port or (443 if is_tls else 80))
        self._sock = sock = socket.create_connection(where, timeout=self._get_seconds_left())
        # The last, half-filled packet of a photo must not wait for the server's acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if is_tls:
            sock.settimeout(self._get_seconds_left())
            self._sock = sock = (tls or _get_default_tls()).wrap_socket(sock, server_hostname=host)
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ)

    def run(self, head: h11.Request, form: BoothForm, *, expect_timeout_s: float | None) -> None:
        """Raises OSError or h11.ProtocolError; what came before that is in ``make_answer``."""
        self.doing = "waiting for 100 Continue"
        self._send(self._http.send(head) or b"")
        self._wait_for_continue(expect_timeout_s)
        if self._response is None:
            self.doing = "sending the photo"
            self._body_sent = self._send_form(form)
        if self._body_sent:
            self.doing = "waiting for the answer"
        while not self._is_whole:
            self._receive_or_wait(self._get_seconds_left())

    def make_answer(self, *, error: str | None) -> BoothAnswer:
        headers: dict[str, str] = {}
        for raw_name, raw_value in self._response.headers if self._response else ():
            name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return BoothAnswer(
            status=self._response.status_code if self._response else None,
            headers=headers,
            body=bytes(self._body),
            got_continue=self._got_continue,
            body_sent=self._body_sent,
            first_byte_s=self._first_byte_s,
            total_s=time.monotonic() - self._started,
            error=error,
        )

    def close(self) -> None:
        self._selector.close()
        if self._sock:
            self._sock.close()

    def _get_seconds_left(self) -> float:
        """Seconds until the booth gives up; raises TimeoutError when none are left."""
        left = self._started + self._timeout_s - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _wait_for_continue(self, expect_timeout_s: float | None) -> None:
        """Return when told to go on, when refused, or when ``expect_timeout_s`` is over."""
        patience_ends = None if expect_timeout_s is None else time.monotonic() + expect_timeout_s
        while not self._got_continue and self._response is None:
            left = self._get_seconds_left()
            if patience_ends is not None:
                left = min(left, patience_ends - time.monotonic())
            if left <= 0:
                return
            self._receive_or_wait(left)

    def _send_form(self, form: BoothForm) -> bool:
        """Send the body; False when the server answered or hung up before all of it was sent."""
        try:
            for chunk in form.iter_chunks():
                if not self._send(self._http.send(h11.Data(data=chunk)) or b""):
                    return False
            self._http.send(h11.EndOfMessage())
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            return False  # a server that refuses early may still have said why: go and read it
        return True

    def _send(self, data: bytes) -> bool:
        """Send all of ``data``; False when the final answer came first, since then none is due."""
        assert self._sock
        rest = memoryview(data)
        while rest:
            self._receive()
            if self._response:
                return False
            try:
                rest = rest[self._sock.send(rest) :]
            except _WOULD_BLOCK:
                self._wait(selectors.EVENT_READ | selectors.EVENT_WRITE, self._get_seconds_left())
        return True

    def _receive_or_wait(self, seconds: float) -> None:
        if not self._receive():
            self._wait(selectors.EVENT_READ, seconds)

    def _wait(self, events: int, seconds: float) -> None:
        assert self._sock
        self._selector.modify(self._sock, events)
        self._selector.select(seconds)

    def _receive(self) -> bool:
        """Take in what has come; False when nothing has."""
        assert self._sock
        try:
            # Tried before any wait: TLS may hold decrypted bytes that no selector sees.
            data = self._sock.recv(CHUNK_BYTES)
        except _WOULD_BLOCK:
            return False
        if not data and self._response is None:
            raise ConnectionResetError
        self._http.receive_data(data)
        while self._handle_event(self._http.next_event()):
            pass
        return True

    def _handle_event(self, event: object) -> bool:
        """Apply one event; False when h11 needs more bytes, or when the response is whole."""
        if isinstance(event, h11.InformationalResponse):
            self._got_continue |= event.status_code == 100
        elif isinstance(event, h11.Response):
            self._first_byte_s = time.monotonic() - self._started
            self._response = event
            self.doing = "reading the answer"
        elif isinstance(event, h11.Data):
            self._body += event.data
            if len(self._body) > MAX_ANSWER_BYTES:
                raise h11.RemoteProtocolError(f"more than {MAX_ANSWER_BYTES} bytes")
        else:
            self._is_whole |= isinstance(event, h11.EndOfMessage)
            return False
        return True


def _explain_failure(exc: OSError | h11.ProtocolError | UnicodeError, *, doing: str) -> str:
    """One plain sentence for the operator."""
    match exc:
        case socket.gaierror():
            return "the server's name is not known here (DNS)"
        case ConnectionRefusedError():
            return "connection refused: nothing listens at this address"
        case ssl.SSLCertVerificationError():
            return f"the server's certificate is not trusted: {exc.verify_message}"
        case ssl.SSLError():
            return f"no secure connection: {exc.reason or exc}"
        case TimeoutError():
            return f"gave up while {doing}"
        case ConnectionError():
            return f"the server broke the connection while we were {doing}"
        case OSError():
            return f"{exc.strerror or exc} (while {doing})"
        case h11.RemoteProtocolError():
            return f"the server's answer is broken: {exc}"
        case _:  # a header, a field or a name that HTTP cannot carry; a photo that changed size
            return f"the request cannot be sent: {exc}"
