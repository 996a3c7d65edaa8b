"""HTTP at the socket: what httptools and uvicorn leave unbounded or read too strictly.

Tried on uvicorn 0.54: a head, a trailer or a pipeline without end filled the memory; a connection
without a request stayed for ever; ``Upgrade: h2c`` lost the body; a client that closed its sending
side after the request lost the answer.
"""

import asyncio
import re
import socket
from asyncio.events import TimerHandle
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from photochanger.errors import AppError
from photochanger.request_errors import HeadTooLarge, ServerBusy, UnreadableRequest
from photochanger.server import limits
from photochanger.server.connections import RefusalLog, waiting
from photochanger.server.half_close import BegunAnswer, watch_reset
from photochanger.server.heads import make_answer, make_plain_head
from photochanger.server.pipeline import PipelineFlow, drop_incomplete
from photochanger.server.turns import TurnProtocol, make_room

ABSOLUTE_FORM = re.compile(rb"[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)
MAX_NUMBER = 19
_refusals = RefusalLog()


class EdgeProtocol(TurnProtocol):
    """uvicorn's own, bounded: heads, trailers, pipelines, and the time each of them may take."""

    held_bytes = 0  # of an incomplete head
    flow: PipelineFlow

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = PipelineFlow(transport)
        self._timer: TimerHandle | None = None
        self._write_timer: TimerHandle | None = None
        self._is_reading_message = self._is_in_body = self._has_progressed = False
        self._head_bytes = self._silent_bytes = self._dropped_bytes = 0
        self._rest = b""  # arrived, but not parsed before the pipeline is shorter
        if len(self.connections) > limits.get_max_connections() and not make_room():
            self._refuse(ServerBusy("too many connections", retry_after_s=5))
            return
        if len(self.connections) > limits.ROOMY_CONNECTIONS:
            self._set_buffer(socket.SO_RCVBUF, limits.CROWDED_READ_BYTES)
        self._await_head()

    def _set_buffer(self, which: int, size_bytes: int) -> None:
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, which, size_bytes)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disconnect()
        self._stop_waiting()
        self._stop_write_timer()
        self._rest = b""
        self.pipeline.clear()
        super().connection_lost(exc)

    def _abort(self) -> None:
        self._disconnect()
        self.transport.abort()

    # What arrives

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self.parser is None:
            self._drop(data)
            return
        if self._timer is None and not self._is_busy():
            self._await_head()
        while data and self.parser is not None and not self.transport.is_closing():
            if len(self.pipeline) >= limits.PIPELINED:
                self._keep_for_later(data)
                return
            size = len(data) if self._is_in_body else limits.HEAD_PIECE_BYTES
            data = self._feed(data[:size]) + data[size:]

    def _feed(self, piece: bytes) -> bytes:
        """Parse; returns what must be parsed once more."""
        self._has_progressed = False
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as exc:
            return self._decline_upgrade(piece[exc.args[0] :])
        except httptools.HttpParserError as exc:
            cause = exc.__context__
            self._refuse(cause if isinstance(cause, AppError) else UnreadableRequest(str(exc)))
            return b""
        self._silent_bytes = 0 if self._has_progressed else self._silent_bytes + len(piece)
        waiting.hold(self, len(piece))
        if self._silent_bytes > limits.HEAD_BYTES:
            self._refuse(HeadTooLarge("a head or trailer without end"))
        return b""

    def _drop(self, data: bytes) -> None:
        """What stands behind the last request that is answered."""
        self._dropped_bytes += len(data)
        if self._dropped_bytes > limits.HEAD_BYTES:
            self.give_up("goes on sending behind its request")

    def _keep_for_later(self, data: bytes) -> None:
        self._rest += data
        if len(self._rest) > limits.HEAD_BYTES:
            self.give_up("too many requests at once")

    def _decline_upgrade(self, rest: bytes) -> bytes:
        """The request once more without its wish for another protocol: we speak HTTP/1.1 only."""
        if self.parser.get_method() == b"CONNECT":
            self._refuse(UnreadableRequest("CONNECT"))
            return b""
        head = make_plain_head(
            (self.parser.get_method(), self.url, self.parser.get_http_version().encode()),
            self.headers,
        )
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return head + rest

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the connection for the answer to a request that is complete."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body:
            return False
        cycle.keep_alive = False
        if not cycle.response_started and not self.pipeline:
            answer = BegunAnswer(self.transport)
            cycle.transport = answer  # type: ignore[assignment]
            cycle.waiting_for_100_continue = False
            watch_reset(self.transport, answer, on_gone=self._abort)
        return True

    # What the parser finds

    def on_message_begin(self) -> None:
        self._has_progressed = self._is_reading_message = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value) + 4)
        if self._is_in_body:  # a trailer: nobody reads it, and it must not pass for a header
            return
        if len(self.headers) >= limits.HEADERS:
            raise HeadTooLarge(f"more than {limits.HEADERS} headers")
        if len(value) > MAX_NUMBER and name.lower() == b"content-length":
            raise UnreadableRequest("a Content-Length of too many digits")  # Python reads 4,300
        super().on_header(name, value)

    def _count_head(self, size_bytes: int) -> None:
        self._head_bytes += size_bytes
        if self._head_bytes > limits.HEAD_BYTES:
            raise HeadTooLarge("the head of the request is too large")

    def on_headers_complete(self) -> None:
        self._has_progressed = True
        if self.parser.should_upgrade():
            return  # it comes once more, without that
        if match := ABSOLUTE_FORM.match(self.url):
            self.url = b"/" + self.url[match.end() :].removeprefix(b"/")
        if self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False
        self._is_in_body, self._head_bytes = True, 0
        self._stop_waiting()
        if len(self.pipeline) >= limits.PIPELINED_IN_ONE_PIECE:
            raise HeadTooLarge("too many requests at once")
        super().on_headers_complete()
        self.flow.is_full = bool(self.pipeline)
        if self.flow.is_full:  # no browser nor booth asks again before it has read its answer
            self._set_buffer(socket.SO_SNDBUF, limits.PIPELINED_SEND_BYTES)

    def on_body(self, body: bytes) -> None:
        self._has_progressed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._has_progressed = True
        if self.parser.should_upgrade():
            return
        self._is_in_body = self._is_reading_message = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._limit_writing()
            return
        if not self.pipeline:
            self.flow.is_full = False
            rest, self._rest = self._rest, b""
            if rest:
                self.data_received(rest)
            self.flow.resume_reading()
        if not self._is_busy():
            self._await_head(idle=not self._is_reading_message)

    # How long it may take

    def _is_busy(self) -> bool:
        """Whether a request is being answered, or its body is arriving."""
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self, *, idle: bool = False) -> None:
        """From now on a head must arrive; between two requests uvicorn's own keep-alive counts."""
        self._stop_waiting()
        waiting.add(self)
        if not idle:
            self._timer = self.loop.call_later(limits.HEAD_S, self._give_up_waiting)

    def _stop_waiting(self) -> None:
        waiting.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up_waiting(self) -> None:
        self._timer = None
        self.give_up("no request within the time")

    def pause_writing(self) -> None:
        super().pause_writing()
        self._limit_writing()

    def resume_writing(self) -> None:
        self._stop_write_timer()
        super().resume_writing()

    def _limit_writing(self) -> None:
        """A client that does not take its answer is given up."""
        self._stop_write_timer()
        self._write_timer = self.loop.call_later(
            limits.WRITE_S, self.give_up, "did not read its answer"
        )

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    # What is refused here

    def give_up(self, why: str) -> None:
        """Break the connection; called by whoever needs its place, too."""
        if self.transport.is_closing() and self._write_timer is None:
            return
        _refusals.warn(why, self._address())
        self._abort()

    def turn_away(self) -> None:
        _refusals.warn("made room for others", self._address())
        super().turn_away()
        self._limit_writing()

    def send_400_response(self, msg: str) -> None:
        self._refuse(UnreadableRequest(msg))

    def _refuse(self, error: AppError) -> None:
        """Answer in our JSON and close; after an answer that is under way only close.

        A complete request is answered whatever stands behind it: hand-made clients miscount a
        form's last line break or dashes, and its photo may be paid for."""
        _refusals.warn(str(error), self._address())
        if last := drop_incomplete(self.pipeline, self._running):
            self.cycle, last.keep_alive = last, False
            self.parser, self._rest = None, b""  # type: ignore[assignment]  # read no more
            return
        if self.pipeline or (self._is_busy() and self.cycle.response_started):
            self._abort()
            return
        self._disconnect()
        self.transport.write(make_answer(error, self.headers or ()))
        self.transport.close()
        self._limit_writing()

    def _address(self) -> str:
        return self.client[0] if self.client else ""


def install() -> None:
    """Serve by this protocol also where plain ``uvicorn`` is started, without our worker."""

    def make(cls: type, *args: Any, **kwargs: Any) -> EdgeProtocol:
        protocol: EdgeProtocol = object.__new__(EdgeProtocol)
        return protocol

    HttpToolsProtocol.__new__ = make  # type: ignore[method-assign,assignment]
