"""The phones: a process of its own that opens many links at the same moment.

`python -m photochanger.bench.phones` reads links as JSON on stdin and writes its Fetches as JSON.
"""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

import uvloop

PATIENCE_S = 60.0
BUFFER = bytearray(256 * 1024)


@dataclass(frozen=True, slots=True)
class Fetch:
    status: int  # 0: no whole answer
    size_bytes: int
    started_s: float
    ended_s: float
    error: str = ""


def fetch_at_once(links: Sequence[str]) -> list[Fetch]:
    """Open all links at the same moment, each on a connection of its own, and read to the end."""
    done = subprocess.run(
        [sys.executable, "-m", "photochanger.bench.phones"],
        input=json.dumps(list(links)),
        capture_output=True,
        text=True,
        check=True,
    )
    return [Fetch(**given) for given in json.loads(done.stdout)]


async def fetch(link: str) -> Fetch:
    started, status, size, error = time.monotonic(), 0, 0, ""
    try:
        async with asyncio.timeout(PATIENCE_S):
            status, size = await _exchange(link)
    except (OSError, ValueError, TimeoutError) as exc:
        error = f"{type(exc).__name__}: {exc}"
    return Fetch(status, size, started, time.monotonic(), error)


async def _exchange(link: str) -> tuple[int, int]:
    loop, address, view = asyncio.get_running_loop(), urlsplit(link), memoryview(BUFFER)
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (address.hostname, address.port))
        ask = f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n"
        await loop.sock_sendall(sock, ask.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            piece = await loop.sock_recv(sock, 4096)
            if not piece:
                raise ConnectionResetError("closed before an answer")
            head += piece
        top, _, body = head.partition(b"\r\n\r\n")
        length = int(top.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        missing = length - len(body)
        while missing > 0:
            count = await loop.sock_recv_into(sock, view)
            if not count:
                raise ConnectionResetError(f"closed {missing} bytes before the end")
            missing -= count
        return int(top.split(b" ", 2)[1]), length


async def main() -> None:
    links = json.load(sys.stdin)
    fetched = await asyncio.gather(*map(fetch, links))
    print(json.dumps([asdict(each) for each in fetched]))


if __name__ == "__main__":
    uvloop.run(main())
