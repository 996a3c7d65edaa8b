"""The booths: a process of its own that posts photos by a plan and reports every response.

`python -m photochanger.bench.load` reads a Plan as JSON on stdin and writes one Exchange per line.
"""

import asyncio
import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import uvloop

from photochanger.bench.photos import total, unique

ANSWER_TIMEOUT_S = 90.0


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    url: str  # of the ingest address


@dataclass(frozen=True, slots=True)
class Plan:
    """``turns``: the targets take turns, one photo at a time. ``crowd``: ``concurrency`` booths
    at one target. ``arrivals``: ``rate`` photos a second, whether or not others are answered."""

    mode: Literal["turns", "crowd", "arrivals"]
    photo: str
    targets: list[Target]
    password: str
    count: int  # for each target
    concurrency: int = 1
    rate: float = 0.0
    pause_s: float = 0.05  # work after an answer must not fall into another target's turn


@dataclass(frozen=True, slots=True)
class Exchange:
    target: str
    status: int  # 0: no answer
    started_s: float
    latency_s: float
    answer_bytes: int = 0
    error: str = ""


def run(plan: Plan) -> Iterator[Exchange]:
    """Run the plan in its own process; yields exchanges as they end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "photochanger.bench.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    try:
        process.stdin.write(json.dumps(asdict(plan)))
        process.stdin.close()
        for line in process.stdout:
            yield Exchange(**json.loads(line))
        if process.wait():
            raise RuntimeError("the load process failed; its words are above")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Booth:
    """Sends one photo on a connection of its own, with ``Expect: 100-continue`` as a booth does."""

    def __init__(self, target: Target, password: str) -> None:
        address = urlsplit(target.url)
        self.target, self.where = target, (address.hostname or "", address.port or 80)
        self.boundary = "-" * 12 + "090306000104030805010400"
        self.head = (
            f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Content-Type: multipart/form-data; boundary={self.boundary}\r\n"
            "Expect: 100-continue\r\nContent-Length: "
        )
        self.password = password
        self.buffer = bytearray(256 * 1024)

    async def send(self, photo: memoryview) -> Exchange:
        pieces = self._form(photo)
        head = f"{self.head}{total(pieces)}\r\n\r\n".encode()
        started, status, size, error = time.monotonic(), 0, 0, ""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                status, size = await self._exchange(head, pieces)
        except (OSError, ValueError, TimeoutError) as exc:
            error = f"{type(exc).__name__}: {exc}"
        return Exchange(self.target.name, status, started, time.monotonic() - started, size, error)

    def _form(self, photo: memoryview) -> list[bytes | memoryview]:
        fields = {
            "time": str(int(time.time())),
            "user_id": "Acer",
            "id": f"CY04N068111304S2L_{secrets.randbelow(10**8):08d}.",
            "hash": secrets.token_hex(20),  # a real booth's hash matches no known recipe
            "name": "DESKTOP-K968T3F",
            "model": "Windows",
            "version": "3.30.2",
            "password": self.password,
        }
        start = f'--{self.boundary}\r\nContent-Disposition: form-data; name="'
        text = "".join(f'{start}{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
        text += f'{start}fileToUpload"; filename="IMG_0003.JPG"\r\nContent-Type: image/jpeg\r\n\r\n'
        return [text.encode(), *unique(photo), f"\r\n--{self.boundary}--\r\n".encode()]

    async def _exchange(self, head: bytes, pieces: list[bytes | memoryview]) -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        with socket.socket() as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, self.where)
            await loop.sock_sendall(sock, head)
            status, size = await self._answer(sock)
            if status != 100:
                return status, size
            for piece in pieces:
                await loop.sock_sendall(sock, piece)
            return await self._answer(sock)

    async def _answer(self, sock: socket.socket) -> tuple[int, int]:
        """Status and size of the body, which is read to its end and not kept."""
        loop, buffer = asyncio.get_running_loop(), memoryview(self.buffer)
        head = bytearray()
        while b"\r\n\r\n" not in head:
            count = await loop.sock_recv_into(sock, buffer)
            if not count:
                raise ConnectionResetError("closed before an answer")
            head += buffer[:count]
        top, _, body = bytes(head).partition(b"\r\n\r\n")
        status = int(top.split(b" ", 2)[1])
        if status == 100:
            return status, 0
        length = int(top.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        missing = length - len(body)
        while missing > 0:
            count = await loop.sock_recv_into(sock, buffer)
            if not count:
                raise ConnectionResetError(f"closed {missing} bytes before the end")
            missing -= count
        return status, length


async def send_photos(plan: Plan, photo: memoryview) -> AsyncIterator[Exchange]:
    booths = [Booth(target, plan.password) for target in plan.targets]
    if plan.mode == "turns":
        for number in range(plan.count):
            first = number % len(booths)  # nobody always follows the same neighbour
            for booth in (*booths[first:], *booths[:first]):
                yield await booth.send(photo)
                await asyncio.sleep(plan.pause_s)
        return
    places = asyncio.Semaphore(plan.concurrency if plan.mode == "crowd" else plan.count)

    async def send_one(number: int) -> Exchange:
        if plan.mode == "arrivals":
            await asyncio.sleep(number / plan.rate)
        async with places:
            booth = Booth(plan.targets[number % len(booths)], plan.password)
            return await booth.send(photo)

    tasks = [asyncio.create_task(send_one(number)) for number in range(plan.count * len(booths))]
    for finished in asyncio.as_completed(tasks):
        yield await finished


async def report(plan: Plan, photo: memoryview) -> None:
    async for exchange in send_photos(plan, photo):
        print(json.dumps(asdict(exchange)), flush=True)


def main() -> None:
    given = json.load(sys.stdin)
    plan = Plan(**{**given, "targets": [Target(**target) for target in given["targets"]]})
    uvloop.run(report(plan, memoryview(Path(plan.photo).read_bytes())))


if __name__ == "__main__":
    main()
