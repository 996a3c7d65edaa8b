"""What booths feel of the lab: the same arrivals without it, beside a run of it, and without again.

The run tries 20 photos of people by three recipes, in the very slots that the booths send to.
"""

import io
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from photochanger.bench import photos
from photochanger.bench.figures import Requirements, ms, percentile
from photochanger.bench.load import Exchange, Plan, Target, run
from photochanger.testing import live, server_process
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.lab import LabPage, log_in
from providers.simulator.people import PEOPLE, make_group

PHOTOS, SLOTS = 20, ("slot-001", "slot-002", "slot-003")
OWN_MODEL = "gemini-nano-banana-2.1"
LIMITS = {"max_jobs_per_slot": 4, "max_jobs_per_provider": 30}  # as they are when nothing is set
PROVIDER_S, BOOTH_RATE = 1.5, 0.9  # photos a second, of all slots together
PHASE_PHOTOS = 45  # before, and after; beside the lab as many as its run takes
FACES = BASE_DIR / "var/faces"


def lab(site: live.LiveSite, requirements: Requirements, console: Console) -> None:
    recipe = {"settings": {"prompt": "As an oil painting"}}
    site.configure_all(dict.fromkeys(SLOTS, recipe), limits=LIMITS)
    if FACES.is_dir():
        site.env["FACES_DIR"] = str(FACES)
    session = log_in(site)
    with (
        tempfile.TemporaryDirectory(prefix="pc-lab-") as folder,
        site.simulator(latency_s=PROVIDER_S),
        site.server() as server,
        LabPage(server.url, session) as page,
    ):
        photo = photos.make("1mb", Path(folder))
        _send(site, server, photo, count=6)  # imports, connections, the first bcrypt
        page.make(list(islice(cycle(_draw_people()), PHOTOS)), [f"{s}:{OWN_MODEL}" for s in SLOTS])
        without = _send(site, server, photo, count=PHASE_PHOTOS)
        beside: list[Exchange] = []
        with _at_work(page) as is_over:
            while not is_over.is_set():
                beside += _send(site, server, photo, count=9)
        without += _send(site, server, photo, count=PHASE_PHOTOS)
    _report(site, without, beside, requirements, console)


def _draw_people() -> Iterator[bytes]:
    for count in range(1, len(PEOPLE) + 1):
        out = io.BytesIO()
        make_group(PEOPLE[:count]).save(out, "JPEG", quality=92)
        yield out.getvalue()


def _send(
    site: live.LiveSite, server: server_process.Server, photo: Path, *, count: int
) -> list[Exchange]:
    """So many photos, to the slots in turn."""
    targets = [Target(slot, f"{server.url}/ingest/{slot}") for slot in SLOTS]
    each = max(1, count // len(targets))
    plan = Plan("arrivals", str(photo), targets, site.password, count=each, rate=BOOTH_RATE)
    return list(run(plan))


@contextmanager
def _at_work(page: LabPage) -> Iterator[threading.Event]:
    """The run goes on within the block, until the event says that it is over."""
    is_over = threading.Event()

    def work() -> None:
        page.finish()
        is_over.set()

    worker = threading.Thread(target=work)
    worker.start()
    yield is_over
    worker.join()


def _report(
    site: live.LiveSite,
    without: list[Exchange],
    beside: list[Exchange],
    requirements: Requirements,
    console: Console,
) -> None:
    table = Table(title=f"Booths beside the lab, {BOOTH_RATE:g} photos a second")
    for column in ("", "photos", "p50 ms", "p95 ms", "answered"):
        table.add_column(column, justify="right" if column else "left")
    for name, sent in (("without", without), ("beside", beside)):
        took = [one.latency_s for one in sent]
        is_good = all(one.status == 200 for one in sent)
        table.add_row(
            *(name, str(len(sent)), ms(percentile(took, 0.5)), ms(percentile(took, 0.95))),
            requirements.require(is_good, f"lab: a booth {name} it was not answered well"),
        )
    console.print(table)
    for share in (0.5, 0.95):
        now, was = (percentile([e.latency_s for e in s], share) for s in (beside, without))
        console.print(f"p{share * 100:.0f} beside the lab: {now / was:.3f} times that without it")
    made = site.rows("select count(*) from lab_cell where state = 'done'")[0][0]
    left = site.rows("select count(*) from job_history where status = 'processing'")[0][0]
    word = requirements.require(made == PHOTOS * len(SLOTS), f"lab: {made} pictures were made")
    console.print(f"The lab made {made} pictures: {word}")
    requirements.require(left == 0, f"lab: {left} photos left open")
