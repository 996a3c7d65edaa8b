"""Log-ins wait in a queue of their own, before Django: each costs a password hash, 0.3 s of CPU.

One is checked at a time in each process; a few wait, and whoever comes then is refused cheaply, but
not at once: a crowd that asks again and again would cost more than it does by waiting. Browsers
that have logged in before have a queue apart, so that no crowd of strangers keeps an administrator
out. Whoever waits has sent all of the form: a slow sender holds no place.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from photochanger.edge.asgi_types import App, Message, Receive, Scope, Send
from photochanger.parsing import group_address
from photochanger.request_errors import LoginsBusy
from photochanger.request_scope import STRANGER_KEY
from photochanger.threads.fair_lanes import FairLanes

LOGIN_PATHS = ("/api/login", "/admin/login")
PLACES, PLACES_OF_ONE = 8, 4  # in the queue, with the one whose turn it is; of one address
PATIENCE_S, REFUSED_AFTER_S, RETRY_AFTER_S = 5.0, 2.0, 5.0
TURN_S = 0.2  # no turn begins sooner after the one before: also a locked door costs a request

FindBrowser = Callable[[Scope], str | None]  # the address that a known browser's failures have


class LoginQueue:
    """Pass log-ins on in turn, and everything else at once.

    Raises LoginsBusy. A stranger's is marked in the scope, for a lane of its own.
    """

    def __init__(self, app: App, find_browser: FindBrowser) -> None:
        self.app, self._find_browser = app, find_browser
        self._strangers, self._known = Queue(), Queue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_login(scope):
            return await self.app(scope, receive, send)
        receive = await read_whole(receive)
        browser = self._find_browser(scope)
        scope[STRANGER_KEY] = browser is None
        queue = self._strangers if browser is None else self._known
        line = browser or group_address((scope.get("client") or ("",))[0])
        async with AsyncExitStack() as turn:
            await turn.enter_async_context(queue.take(line))

            async def send_after_turn(message: Message) -> None:
                await turn.aclose()  # refusals are sent slowly, and their readers may be slow
                await send(message)

            return await self.app(scope, receive, send_after_turn)


class Queue:
    """One turn at a time; the addresses take turns, and none has all of the places."""

    def __init__(self) -> None:
        self._turns = FairLanes(1)
        self._places: Counter[str] = Counter()
        self._next_at = 0.0  # the event loop's time

    @asynccontextmanager
    async def take(self, line: str) -> AsyncIterator[None]:
        """Raises LoginsBusy where no place is free, or no turn has come within PATIENCE_S."""
        if self._places.total() >= PLACES or self._places[line] >= PLACES_OF_ONE:
            await asyncio.sleep(REFUSED_AFTER_S)
            raise LoginsBusy(retry_after_s=RETRY_AFTER_S)
        self._places[line] += 1
        async with AsyncExitStack() as turn:
            turn.callback(self._leave, line)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await turn.enter_async_context(self._turns.take(line))
                    await self._keep_pace()
            except TimeoutError as exc:
                raise LoginsBusy(retry_after_s=RETRY_AFTER_S) from exc
            yield

    async def _keep_pace(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._next_at - loop.time())
        self._next_at = loop.time() + TURN_S

    def _leave(self, line: str) -> None:
        self._places -= Counter([line])  # which leaves no zeros


def is_login(scope: Scope) -> bool:
    is_read = scope["type"] != "http" or scope["method"] in ("GET", "HEAD")
    return not is_read and scope["path"].rstrip("/") in LOGIN_PATHS


async def read_whole(receive: Receive) -> Receive:
    """What gives the same messages again, when the last one of the body has come.

    Such a body is small (``photochanger.web.body_caps``), and ``receive`` gives up on slow ones.
    """
    messages: deque[Message] = deque()
    while not messages or (
        messages[-1]["type"] == "http.request" and messages[-1].get("more_body")
    ):
        messages.append(await receive())

    async def receive_again() -> Message:
        return messages.popleft() if messages else await receive()

    return receive_again
