"""What breaks during a soak, one after the other, in an order that its seed decides."""

import random
import threading
import time
from collections.abc import Callable, Iterator

import psycopg

from photochanger.testing.soak.evidence import Trouble
from photochanger.testing.soak.stage import SCENARIOS, Machine, Stage

LASTS_S = 8.0
CALM_S = 8.0  # between two of them, so that each starts among photos in work
Fault = Callable[[Stage], None]


def freeze_database(stage: Stage) -> None:
    assert stage.postgres
    with stage.postgres.frozen():
        time.sleep(LASTS_S)


def restart_database(stage: Stage) -> None:
    assert stage.postgres
    stage.postgres.restart("fast")


def crash_database(stage: Stage) -> None:
    assert stage.postgres
    stage.postgres.restart("immediate")


def hold_a_row(stage: Stage) -> None:
    assert stage.postgres
    with psycopg.connect(stage.postgres.url) as other:
        other.execute("select 1 from slot where id = %s for update", [next(iter(SCENARIOS))])
        time.sleep(LASTS_S)
        other.rollback()


def freeze_service(stage: Stage) -> None:
    process = stage.provider.server.process
    process.suspend()
    try:
        time.sleep(LASTS_S)
    finally:
        process.resume()


def lose_service(stage: Stage) -> None:
    stage.provider.kill()
    time.sleep(LASTS_S)
    stage.provider.start()


def restart_servers(stage: Stage) -> None:
    """One after the other, as an update does."""
    for machine in stage.machines:
        machine.stop()
        machine.start()


def kill_a_worker(stage: Stage) -> None:
    workers = [worker for machine in stage.machines for worker in machine.server.workers()]
    workers[0].kill()


def kill_a_server(stage: Stage) -> None:
    machine = _pick(stage)
    machine.kill()
    machine.start()


def _pick(stage: Stage) -> Machine:
    return stage.machines[int(time.monotonic()) % len(stage.machines)]


ON_ANY_DATABASE: list[Fault] = [
    *(freeze_service, lose_service, restart_servers),
    *(kill_a_worker, kill_a_server),
]
ON_POSTGRESQL: list[Fault] = [freeze_database, restart_database, crash_database, hold_a_row]
KILLS = {kill_a_worker, kill_a_server}


def break_things(
    stage: Stage, *, until: float, seed: int, ended: threading.Event
) -> Iterator[Trouble]:
    """Each fault once, in any order, and then again, while there is time for another."""
    for fault in _shuffle(ON_ANY_DATABASE + (ON_POSTGRESQL if stage.postgres else []), seed):
        ended.wait(CALM_S)
        if ended.is_set() or time.monotonic() + LASTS_S + CALM_S > until:
            return
        begun_at = time.monotonic()
        fault(stage)
        name = fault.__name__.replace("_", " ")
        yield Trouble(name, begun_at, time.monotonic(), kills=fault in KILLS)


def _shuffle(faults: list[Fault], seed: int) -> Iterator[Fault]:
    order = random.Random(seed)  # noqa: S311  the same again
    while True:
        yield from order.sample(faults, len(faults))
