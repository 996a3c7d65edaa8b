"""What may hang is asked apart from the request: by one probe per process, which keeps its result.

A request waits for a running probe, but no longer than its budget; a probe that hangs goes on in
the background, and is never started twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog

log = structlog.get_logger()


@dataclass(slots=True)
class Probe:
    """Checks one part, at most once at a time; a result is valid for ``fresh_s``."""

    check: Callable[[], Awaitable[Any]]
    fresh_s: float
    result: Any = None
    result_at: float = 0.0
    running: "asyncio.Task[None] | None" = None

    async def get_result(self, until: float) -> Any:
        """The last valid result; None when there is none by ``until`` (the event loop's time)."""
        loop = asyncio.get_running_loop()
        if self.result is not None and loop.time() - self.result_at < self.fresh_s:
            return self.result
        if self.running is None:
            self.running = loop.create_task(self._run())
        await asyncio.wait({self.running}, timeout=max(0.0, until - loop.time()))
        is_fresh = self.result is not None and loop.time() - self.result_at < 2 * self.fresh_s
        return self.result if is_fresh else None

    async def _run(self) -> None:
        try:
            self.result = await self.check()
            self.result_at = asyncio.get_running_loop().time()
        except Exception:  # a bug in one check must not stop the others; nobody awaits this task
            log.exception("health.probe.crashed")
        finally:
            self.running = None
