"""What a server takes while something happens: connections, memory, threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from photochanger.testing.databases import ConnectionCounter
from photochanger.testing.server_process import Server


class Watch:
    """The most a server took while the block ran: connections, memory, threads; every 100 ms."""

    def __init__(self, server: Server, database_url: str, every_s: float = 0.1) -> None:
        self.server, self.every_s = server, every_s
        is_postgres = not database_url.startswith("sqlite")
        self.counter = ConnectionCounter(database_url) if is_postgres else None
        self.max_connections = self.max_rss_bytes = self.max_threads = self.samples = 0
        self._rss_bytes: list[tuple[float, int]] = []  # with the monotonic clock's time
        self._done = threading.Event()
        self._sampler = ThreadPoolExecutor(1)

    def __enter__(self) -> "Watch":
        self.rss_before_bytes = self.server.rss_bytes()
        self._sampling = self._sampler.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._sampler.shutdown()
        if self.counter:
            self.counter.close()
        self._sampling.result()  # a watch that broke off has seen no maximum

    def _run(self) -> None:
        while not self._done.is_set():
            self.sample()
            self._done.wait(self.every_s)

    def sample(self) -> None:
        if self.counter:
            self.max_connections = max(self.max_connections, self.counter.count())
        rss_bytes = self.server.rss_bytes()
        self.max_rss_bytes = max(self.max_rss_bytes, rss_bytes)
        self._rss_bytes.append((time.monotonic(), rss_bytes))
        self.max_threads = max(self.max_threads, self.server.threads())
        self.samples += 1

    def find_rss_bytes(self, *, start: float, end: float) -> int:
        """The most between two times of the monotonic clock; the last one seen, if none fell in."""
        seen = [rss_bytes for at, rss_bytes in self._rss_bytes if start <= at <= end]
        return max(seen, default=self._rss_bytes[-1][1])
