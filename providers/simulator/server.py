"""The ASGI application, and how it is run: in a thread of a test, or by the command."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Collection, Iterator
from typing import Any, ClassVar, Protocol

import uvicorn

from providers.simulator.gemini.models import RETIRED
from providers.simulator.gemini.service import Gemini
from providers.simulator.journal import Call, Journal
from providers.simulator.options import Options
from providers.simulator.turbotext.service import Turbotext
from providers.simulator.wire import (
    Answer,
    ClientLeft,
    Ending,
    Exchange,
    Receive,
    Scope,
    Send,
    make_json_answer,
)

# The headers worth remembering; the key is not among them.
HEADERS_KEPT = ("x-server-timeout", "content-type", "user-agent", "x-goog-api-client", "host")
OWN_PREFIX = "/_sim/"
COARSE_PX = 256
_HELD_CHECK_S = 0.01


class Service(Protocol):
    """One provider's side of the wire. Each simulator has its own instance of every service."""

    name: ClassVar[str]
    prefixes: ClassVar[tuple[str, ...]]  # first segments of the paths it answers

    def __init__(self, options: Options, journal: Journal) -> None: ...

    async def answer(self, exchange: Exchange) -> Answer:
        """Read the body, note in ``exchange.call`` what was asked, wait, and say the answer."""

    def reset(self) -> None: ...


# A new service is one module and one name here.
SERVICES: tuple[type[Service], ...] = (Gemini, Turbotext)


class Simulator:
    """The ASGI application, and what a test wants to know about the calls it got."""

    def __init__(self, options: Options | None = None, *, url: str = "") -> None:
        self.url = url
        self.options = options or Options()
        self._journal = Journal()
        self._services = [service(self.options, self._journal) for service in SERVICES]
        self._is_holding = False

    @property
    def calls(self) -> list[Call]:
        """The latest calls, oldest first, those still in flight included."""
        return list(self._journal.calls.copy())

    @property
    def in_flight(self) -> int:
        return self._journal.in_flight

    @property
    def max_in_flight(self) -> int:
        return self._journal.max_in_flight

    @property
    def last_photo(self) -> bytes | None:
        """The first picture of the last call, as the client encoded it."""
        return self._journal.last_photo

    @property
    def last_body(self) -> bytes | None:
        """The last request body, to compare what two clients send. It holds no key."""
        return self._journal.last_body

    @property
    def state(self) -> dict[str, Any]:
        return self._journal.state()

    def reset(self) -> None:
        """Forget all calls, release held ones, and start changing scenarios anew."""
        self.release()
        self._journal.reset()
        for service in self._services:
            service.reset()

    def hold(self) -> None:
        """From now on every POST waits for ``release()``, when its answer is ready.

        So a test knows that a crowd is here at one time, however slow the machine is.
        """
        self._is_holding = True

    def release(self) -> None:
        self._is_holding = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith(OWN_PREFIX):
            exchange = Exchange(scope, receive, send, Call("", scope["method"], path, {}))
            await exchange.deliver(self._answer_control_call(scope["method"], path))
            return
        service = next((s for s in self._services if path.split("/")[1] in s.prefixes), None)
        call = Call(service.name if service else "", scope["method"], path, {})
        exchange = Exchange(scope, receive, send, call)
        call.headers.update((k, v) for k, v in exchange.headers.items() if k in HEADERS_KEPT)
        await self._serve(service, exchange)

    async def _serve(self, service: Service | None, exchange: Exchange) -> None:
        call = exchange.call
        self._journal.open(call)
        try:
            answer = await self._answer(service, exchange)
            call.status = None if answer.ending is Ending.NOTHING else answer.status
            # Before the bytes go out: a test that has its answer may look at the records.
            self._journal.close(call)
            await exchange.deliver(answer)
        except ClientLeft:
            self._journal.client_left(call)
        finally:
            self._journal.close(call)
            exchange.end()

    async def _answer(self, service: Service | None, exchange: Exchange) -> Answer:
        if service is None:
            return _answer_not_found(exchange.path)
        answer = await service.answer(exchange)
        while self._is_holding and exchange.method == "POST":
            await exchange.wait_until(time.monotonic() + _HELD_CHECK_S)
        return answer

    def _answer_control_call(self, method: str, path: str) -> Answer:
        if (method, path) == ("GET", "/_sim/state"):
            return make_json_answer(self.state)
        orders = {"reset": self.reset, "hold": self.hold, "release": self.release}
        order = orders.get(path.removeprefix(OWN_PREFIX))
        if method != "POST" or order is None:
            return _answer_not_found(path)
        order()
        return make_json_answer({"status": "ok"})


def _answer_not_found(path: str) -> Answer:
    return make_json_answer({"error": {"code": 404, "message": f"no service at {path}"}}, 404)


def make_config(app: Simulator, **more: Any) -> uvicorn.Config:
    """Uvicorn as the simulator needs it: quiet, and patient with idle connections.

    A keep-alive shorter than the client's makes the client meet a closed connection now and
    then, which the real front end rarely does.
    """
    return uvicorn.Config(
        app,
        lifespan="off",
        proxy_headers=False,
        access_log=False,
        date_header=False,  # ours is made for each answer; uvicorn's own needs its polling
        log_config=None,
        log_level="warning",
        timeout_keep_alive=120,
        timeout_graceful_shutdown=1,
        backlog=4096,
        **more,
    )


class _ThreadServer(uvicorn.Server):
    """Starts and stops without uvicorn's polling, and drops whoever still waits for an answer.

    A suite starts hundreds of simulators; the ordinary stop costs 0.2 s each and would wait for
    the calls a test has abandoned.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._down: asyncio.Event | None = None

    async def main_loop(self) -> None:
        await self.on_tick(0)  # sets the default headers
        self._loop, self._down = asyncio.get_running_loop(), asyncio.Event()
        self._up.set()
        await self._down.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    def wait_started(self) -> None:
        if not self._up.wait(timeout=10):
            raise RuntimeError("the simulator did not start")

    def stop(self) -> None:
        assert self._loop and self._down, "it was started"
        self._loop.call_soon_threadsafe(self._down.set)


@contextlib.contextmanager
def running(
    *,
    latency: float = 0.0,
    jitter: float = 0.0,
    plain: bool = False,
    fail_share: float = 0.0,
    seed: int = 0,
    max_request_mb: float = 20.0,
    retired: Collection[str] = RETIRED,
    detail_px: int = COARSE_PX,
) -> Iterator[Simulator]:
    """A simulator on a free port of 127.0.0.1, in a thread with its own event loop.

    Its pictures are coarse unless ``detail_px`` is more: drawing them is most of a test's work.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    options = Options(
        latency=latency,
        jitter=jitter,
        plain=plain,
        fail_share=fail_share,
        seed=seed,
        max_request_mb=max_request_mb,
        retired=retired,
        detail_px=detail_px,
    )
    simulator = Simulator(options, url=f"http://127.0.0.1:{listener.getsockname()[1]}")
    server = _ThreadServer(make_config(simulator))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        server.wait_started()
        yield simulator
    finally:
        server.stop()
        thread.join(timeout=10)
        listener.close()
