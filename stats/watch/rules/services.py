"""Rules on the AI services, asked by calls that cost nothing: told before a guest is the first."""

import asyncio
from collections.abc import Iterator, Mapping

from ingest.readiness.services import ABOUT_THE_KEY
from providers import http
from providers.checking import KeyCheck
from providers.registry import DRIVERS
from stats.models import Severity
from stats.watch.findings import Finding

SURE_AFTER = 2  # checks in a row: one that fails may be a moment's trouble of the network


def check_services(keys: Mapping[str, str]) -> dict[str, KeyCheck]:
    """Blocking, for ``CHECK_SECONDS``; no query."""

    async def check_all() -> list[KeyCheck]:
        try:
            return await asyncio.gather(*(DRIVERS[name].check(keys[name]) for name in keys))
        finally:
            await http.close()  # its connections belong to this event loop

    return dict(zip(keys, asyncio.run(check_all()), strict=True))


class ServiceHistory:
    """How often in a row each service's check has failed."""

    def __init__(self) -> None:
        self.has_been_asked = False
        self._checks: dict[str, KeyCheck] = {}
        self._failures: dict[str, int] = {}

    def add(self, checks: Mapping[str, KeyCheck]) -> None:
        self.has_been_asked = True
        self._checks = dict(checks)
        self._failures = {
            name: 0 if check.ok else self._failures.get(name, 0) + 1
            for name, check in checks.items()
        }

    @property
    def has_doubt(self) -> bool:
        """A check has failed, and another one should soon say whether it was nothing."""
        return any(0 < count < SURE_AFTER for count in self._failures.values())

    @property
    def clock_skews_s(self) -> list[float]:
        skews = (check.clock_skew_s for check in self._checks.values())
        return [skew for skew in skews if skew is not None]

    def find(self) -> Iterator[Finding]:
        for name, check in self._checks.items():
            if self._failures[name] >= SURE_AFTER:
                rule = "key_refused" if check.reason in ABOUT_THE_KEY else "service_away"
                yield Finding(
                    rule=rule,
                    subject=name,
                    severity=Severity.CRITICAL,
                    facts={"provider": name, "reason": check.reason},
                )
