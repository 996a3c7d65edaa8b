"""A key that a service repeats is seen nowhere, whatever the driver and wherever it stands."""

import itertools
import logging
from collections.abc import Iterator
from typing import Any

from django.test import SimpleTestCase

from photochanger.errors import ProviderError
from providers import http, simulator
from providers.base import CallTrace
from providers.registry import DRIVERS
from providers.tests.repeating import (
    BROKEN,
    ERRORS,
    FORMS,
    KEY,
    STATUSES,
    Repeater,
    find_key,
    read_log,
    repeating,
)
from providers.tests.test_driver_promises import Promises

# What waits for longer than a test may, and what sends megabytes.
LONG = ("slow", "big", "flood", "endless", "oversize", "forever", "trickle", "drip", "latency")


class RepeatedKeyTests(SimpleTestCase):
    """Each driver of the registry, against its own simulator."""

    def list_cases(self) -> Iterator[Any]:
        for kind in Promises.__subclasses__():
            case: Any = kind("process")  # type: ignore[call-arg]  # it is mixed into a test case
            case.setUp()
            self.addCleanup(case.doCleanups)
            yield case

    def test_every_driver_is_here(self) -> None:
        assert {case.driver for case in Promises.__subclasses__()} == set(DRIVERS)

    async def assert_nothing_shown(self, case: Any, repeater: Repeater, scenario: str = "") -> None:
        """One call and one check of the key; what they leave behind shows no part of it."""
        driver, trace = DRIVERS[case.driver], CallTrace()
        recipe = case.recipe.model_copy(update={"prompt": f"[sim:{scenario}]"} if scenario else {})
        seen: list[str] = []
        with read_log() as log:
            try:
                await case.process(KEY, settings=recipe, trace=trace)
            except ProviderError as exc:
                seen.append(str(exc))
                log_error(exc)
            trace.redact()
            seen += [repr(trace), repr(await driver.check(KEY)), log.getvalue()]
        await http.close()
        for text in seen:
            assert not find_key(text), (case.driver, scenario, repeater.said, text[:600])

    async def test_in_every_scenario_of_the_simulator(self) -> None:
        for case in self.list_cases():
            names = [
                name
                for name in simulator.scenarios(case.driver)
                if not any(word in name for word in LONG)
            ]
            with repeating(case.sim.url) as repeater:
                case.point_at(repeater.url)
                for number, scenario in enumerate(names):
                    repeater.form = list(FORMS.values())[number % len(FORMS)]
                    repeater.everywhere = number % 2 == 0
                    with self.subTest(case.driver, scenario=scenario):
                        await self.assert_nothing_shown(case, repeater, scenario)

    async def test_in_every_form_at_every_status(self) -> None:
        for case in self.list_cases():
            with repeating(case.sim.url) as repeater:
                case.point_at(repeater.url)
                bodies, statuses = itertools.cycle(ERRORS), itertools.cycle(STATUSES)
                for repeater.form in [*FORMS.values()] * 3:
                    repeater.status, repeater.error = next(statuses), next(bodies)
                    with self.subTest(case.driver, status=repeater.status, said=repeater.said):
                        await self.assert_nothing_shown(case, repeater)

    async def test_in_what_is_hardly_http(self) -> None:
        for case in self.list_cases():
            with repeating(case.sim.url) as repeater:
                case.point_at(repeater.url)
                forms = itertools.cycle(FORMS.values())
                for repeater.broken in BROKEN * 4:
                    repeater.form = next(forms)
                    with self.subTest(case.driver, reply=repeater.broken, said=repeater.said):
                        await self.assert_nothing_shown(case, repeater)


def log_error(exc: BaseException) -> None:
    """As a crash would: with the traceback of the whole chain."""
    logging.getLogger("providers").error("test.call.failed", exc_info=exc)
