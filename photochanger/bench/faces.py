"""People counted and compared: how often right, and what it costs."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image
from rich.console import Console
from rich.table import Table

from media.faces.loading import face_nets
from media.faces.verdict import PHOTO, compare_faces, find_people
from photochanger.bench.face_pictures import Sample, make_crowds, make_row, make_samples
from photochanger.bench.figures import Requirements, mb, ms, percentile
from photochanger.bench.load import Exchange, Plan, Target, run
from photochanger.bench.sides import Side, check
from photochanger.testing import live, server_process
from photochanger.testing.faces import FOLDER, NO_MODELS
from photochanger.testing.waiting import wait_until

if TYPE_CHECKING:
    from media.faces.engine import Engine

COUNTED_SHARE, FALSE_SHARE, MISSED_SHARE, REPLACED_SHARE = 0.94, 0.03, 0.03, 0.05
CPU_S, LAG_S, MEMORY_BYTES, ADDED_S, LATER_SHARE = 0.150, 0.020, 200_000_000, 0.003, 1.10
PEOPLE_S = 0.250  # what a prompt with {people} adds: the one look that is waited for
PROVIDER_S = 1.0
TURNS, CROWD = 20, 20
STEP_S = 0.005  # between two wakings of a loop whose lateness is measured
MEASURED, OFF, COUNTED = "slot-001", "slot-002", "slot-003"


def faces(site: live.LiveSite, requirements: Requirements, console: Console) -> None:
    engine = face_nets.load(FOLDER)
    if engine is None:
        requirements.require(False, f"faces: {NO_MODELS}")
        return
    console.print(judge_pictures(engine, requirements))
    table = Table(title="Cost of looking at faces")
    for column in ("what", "measured", "bar", ""):
        table.add_column(column)
    add_engine_rows(engine, table, requirements)
    add_server_rows(site, table, requirements)
    console.print(table)


def judge_pictures(engine: "Engine", requirements: Requirements) -> Table:
    table = Table(title="Faces: right and wrong")
    for column in ("what", "pictures", "share", "bar", ""):
        table.add_column(column)
    right, crowds = count_right(engine)
    held = requirements.require(right >= COUNTED_SHARE * crowds, f"faces: {right} of {crowds}")
    table.add_row("people counted right", str(crowds), f"{right / crowds:.1%}", "≥ 94 %", held)
    wrong = count_wrong(engine, make_samples())
    for truth, words, bar in (
        ("kept", "everybody kept, and not said so", FALSE_SHARE),
        ("lost", "one lost, and not noticed", MISSED_SHARE),
        ("stranger", "one added, and not noticed", MISSED_SHARE),
        ("replaced", "one replaced, and not noticed", REPLACED_SHARE),
    ):
        bad, number = wrong[truth]
        share = bad / number
        held = requirements.require(share <= bar, f"faces: {words}, {share:.1%}")
        table.add_row(words, str(number), f"{share:.1%}", f"≤ {bar:.0%}", held)
    return table


def count_right(engine: "Engine") -> tuple[int, int]:
    outcomes = []
    for count, crowd in make_crowds():
        found = engine.find_faces(crowd, least_score=PHOTO.sure_score, describe=False)
        outcomes.append(len(find_people(found, PHOTO)) == count)
    return sum(outcomes), len(outcomes)


def count_wrong(engine: "Engine", samples: Iterable[Sample]) -> dict[str, tuple[int, int]]:
    """By what is so: how many were judged wrong, of how many."""
    wrong, number = Counter[str](), Counter[str]()
    for sample in samples:
        before, after = (
            engine.find_faces(image, least_score=PHOTO.expected_score, describe=True)
            for image in (sample.photo, sample.result)
        )
        verdict = compare_faces(before, after, PHOTO).verdict
        number[sample.truth] += 1
        wrong[sample.truth] += (verdict == "kept") != (sample.truth == "kept")
    return {truth: (wrong[truth], number[truth]) for truth in number}


def add_engine_rows(engine: "Engine", table: Table, requirements: Requirements) -> None:
    picture = make_row(4).resize((1024, 1024 * 5 // 3))
    picture.thumbnail((1024, 1024))
    taken = [measure_cpu_s(engine, picture) for _ in range(15)]
    cpu_s = percentile(taken, 0.5)
    held = requirements.require(cpu_s <= CPU_S, f"faces: {ms(cpu_s)} ms of CPU")
    table.add_row("CPU, 1024 px, 4 faces, p50", f"{ms(cpu_s)} ms", f"≤ {ms(CPU_S)} ms", held)
    lag_s = percentile(asyncio.run(measure_lags(engine, picture)), 0.99)
    table.add_row(
        "event loop late, p99", f"{ms(lag_s)} ms", f"≤ {ms(LAG_S)} ms", mark(lag_s <= LAG_S)
    )


def mark(is_held: bool) -> str:
    """Of times, which depend on what else the machine does: they never fail a run."""
    return "[green]ok[/]" if is_held else "[yellow]over[/]"


def measure_cpu_s(engine: "Engine", picture: Image.Image) -> float:
    started = time.thread_time()
    engine.find_faces(picture, least_score=PHOTO.expected_score, describe=True)
    return time.thread_time() - started


async def measure_lags(engine: "Engine", picture: Image.Image | None) -> list[float]:
    """How late an event loop wakes while a thread looks at a picture without a pause."""
    done = threading.Event()

    def look() -> None:
        while picture and not done.is_set():
            engine.find_faces(picture, least_score=PHOTO.expected_score, describe=True)

    looking = asyncio.ensure_future(asyncio.to_thread(look))
    lags = []
    for _ in range(600):
        started = time.perf_counter()
        await asyncio.sleep(STEP_S)
        lags.append(time.perf_counter() - started - STEP_S)
    done.set()
    await looking
    return lags


def add_server_rows(site: live.LiveSite, table: Table, requirements: Requirements) -> None:
    recipe = {"settings": {"prompt": "A warm poster"}}
    slots: dict[str, dict[str, Any]] = {
        MEASURED: recipe | {"faces": "measure"},
        OFF: recipe | {"faces": "off"},
        COUNTED: {"settings": {"prompt": "A warm poster of {people} people"}},
    }
    site.configure_all(slots, limits={"faces": "likeness"})
    photo = site.tmp / "group.jpg"
    make_row(4).save(photo, quality=92)
    with site.simulator(latency_s=PROVIDER_S):
        with site.server(env={"FACES_DIR": "none"}) as server:
            send(site, server, photo, "turns", [OFF])
            without_bytes = server.rss_bytes()
        with site.server(env={"FACES_DIR": FOLDER}) as server:
            taken = send(site, server, photo, "turns", [MEASURED, OFF, COUNTED])
            wait_for_figures(site)
            more_bytes = server.rss_bytes() - without_bytes
            add_memory_row(table, more_bytes, requirements)
            add_latency_rows(table, taken)
            add_people_row(site, table)
            server.process.cpu_affinity([0])
            crowds = {
                slot: send(site, server, photo, "crowd", [slot])[slot] for slot in (OFF, MEASURED)
            }
        add_crowd_row(table, crowds)


def send(
    site: live.LiveSite,
    server: server_process.Server,
    photo: Path,
    way: Literal["turns", "crowd"],
    slots: list[str],
) -> dict[str, list[float]]:
    """Seconds that each photo took, by slot; warmed up before."""
    side = Side("product", server)
    targets = [Target(slot, f"{server.url}/ingest/{slot}") for slot in slots]
    for exchange in run(Plan("turns", str(photo), targets, site.password, count=3)):
        check_exchange(exchange, side)
    taken: dict[str, list[float]] = {slot: [] for slot in slots}
    plan = Plan(
        *(way, str(photo), targets, site.password),
        count=CROWD if way == "crowd" else TURNS,
        concurrency=CROWD,
        pause_s=0.4,  # the figures of one are not to fall into the turn of the next
    )
    for exchange in run(plan):
        check_exchange(exchange, side)
        taken[exchange.target].append(exchange.latency_s)
    return taken


def check_exchange(exchange: Exchange, side: Side) -> None:
    check(Exchange("product", exchange.status, 0, 0, 0, exchange.error), [side])


def wait_for_figures(site: live.LiveSite) -> None:
    """Until what was sent is measured: the engine has then done all kinds of its work."""
    wait_until(lambda: bool(site.rows("select 1 from job_history where faces <> ''")))


def add_memory_row(table: Table, more_bytes: int, requirements: Requirements) -> None:
    words = f"{mb(more_bytes)} MB"
    held = requirements.require(more_bytes <= MEMORY_BYTES, f"faces: {words} more memory")
    table.add_row("memory of a process, more", words, f"≤ {mb(MEMORY_BYTES)} MB", held)


def add_latency_rows(table: Table, taken: dict[str, list[float]]) -> None:
    for slot, words, bar_s in (
        (MEASURED, "answer with measure, p50 more", ADDED_S),
        (COUNTED, "answer with {people} in its prompt, p50 more", PEOPLE_S),
    ):
        more_s = percentile(taken[slot], 0.5) - percentile(taken[OFF], 0.5)
        table.add_row(words, f"{ms(more_s)} ms", f"≤ {ms(bar_s)} ms", mark(more_s <= bar_s))


def add_people_row(site: live.LiveSite, table: Table) -> None:
    """How many of the prompts said the right number; the others had words for an unknown one."""
    told = site.rows(f"select people_told from job_history where slot_id = '{COUNTED}'")
    right = sum(people == 4 for (people,) in told)
    held = mark(right == len(told))
    table.add_row("prompts that said 4 people", f"{right} of {len(told)}", "all", held)


def add_crowd_row(table: Table, taken: dict[str, list[float]]) -> None:
    """The n-th to be answered, with and without; one core for all."""
    pairs = zip(sorted(taken[MEASURED]), sorted(taken[OFF]), strict=True)
    worst = max(measured / off for measured, off in pairs)
    words = f"{(worst - 1):+.1%}"
    bar = f"≤ {LATER_SHARE - 1:+.0%}"
    table.add_row(f"{CROWD} at once, one core, latest", words, bar, mark(worst <= LATER_SHARE))
