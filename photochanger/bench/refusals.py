"""The dashboard while booths are refused, 1,000 times a minute, beside a calm one of the run."""

import http.client
import itertools
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from photochanger.bench.figures import Requirements, ms, percentile
from photochanger.bench.stats import WARM_UP
from photochanger.testing import live, server_process

PER_MINUTE = 1_000
SETTLE_S = 5.0  # the first rows are written every 2 s
LOOKS, PAUSE_S = 40, 0.25
MOST_ROWS = 200  # of a few minutes
PAGES = {"dashboard": "/admin/", "its part": "/admin/board/", "alarm": "/admin/alarm/"}
# Seven booths, each of which does something else wrong; what they send is small.
BODY = (
    b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nwrong\r\n'
    b'--b\r\nContent-Disposition: form-data; name="fileToUpload"; filename="a.jpg"\r\n\r\nno\r\n'
    b"--b--\r\n"
)
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
WRONGS: tuple[tuple[str, bytes, dict[str, str]], ...] = (
    ("/ingest/slot-001", BODY, FORM),  # the password
    ("/ingest/slot-002", b"", FORM),  # an empty request
    ("/ingest/slot-003", b"x", {"Content-Type": "text/plain"}),  # no form
    ("/ingest/slot-016", BODY, FORM),  # no such link
    ("/ingest/slot-04", BODY, FORM),
    ("/ingest/slot-005", b"--b--\r\n", FORM),  # no picture
    ("/ingest/slot-006", BODY[:60], FORM),  # cut off
)


def refusals(site: live.LiveSite, requirements: Requirements, console: Console) -> None:
    table = Table(title=f"The console under {PER_MINUTE:,} refusals a minute (ms)")
    for column in ("page", "calm p50", "p95", "refusals p50", "p95", "p95, times"):
        table.add_column(column, justify="left" if column == "page" else "right")
    with tempfile.TemporaryDirectory(prefix="pc-static-") as folder:
        site.env["STATIC_ROOT"] = folder
        site.manage("collectstatic", "--noinput", "--verbosity", "0")
        session = site.manage("shell", "--verbosity", "0", "-c", SESSION).strip().splitlines()[-1]
        headers = {"Cookie": f"sessionid={session}"}
        with site.server() as server:
            calm = _look(server, headers)
            with _refuse(server) as answers:
                time.sleep(SETTLE_S)
                busy = _look(server, headers)
    for name in PAGES:
        before, after = (percentile(taken[name], 0.95) for taken in (calm, busy))
        middles = [ms(percentile(taken[name], 0.5)) for taken in (calm, busy)]
        table.add_row(name, middles[0], ms(before), middles[1], ms(after), f"{after / before:.1f}")
    console.print(table)
    rows = site.rows(ROWS)[0][0]
    held = requirements.require(
        rows <= MOST_ROWS and max(answers) < 500, f"refusals: {rows} rows, {dict(answers)}"
    )
    kinds = ", ".join(f"{status}: {count}" for status, count in sorted(answers.items()))
    console.print(f"Refused meanwhile: {kinds}; rows: {rows}, at most {MOST_ROWS}. {held}\n")


def _look(server: server_process.Server, headers: dict[str, str]) -> dict[str, list[float]]:
    """As a console that is open does, again and again; seconds by page."""
    taken: dict[str, list[float]] = {name: [] for name in PAGES}
    with closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)) as asked:
        for turn in range(WARM_UP + LOOKS):
            for name, path in PAGES.items():
                started = time.monotonic()
                asked.request("GET", path, headers=headers)
                answer = asked.getresponse()
                answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"{path} answered {answer.status}")
                if turn >= WARM_UP:
                    taken[name].append(time.monotonic() - started)
            time.sleep(PAUSE_S)
    return taken


@contextmanager
def _refuse(server: server_process.Server) -> Iterator[Counter[int]]:
    """Evenly, whatever the answers take; counted by status."""
    answers: Counter[int] = Counter()
    is_over = threading.Event()
    wrongs = itertools.cycle(WRONGS)
    netloc = urlsplit(server.url).netloc

    def send(path: str, body: bytes, headers: dict[str, str]) -> None:
        with suppress(OSError, http.client.HTTPException):
            asked = http.client.HTTPConnection(netloc, timeout=30)
            asked.request("POST", path, body, headers)
            answers[asked.getresponse().status] += 1
            asked.close()

    def send_evenly() -> None:
        while not is_over.wait(60 / PER_MINUTE):
            threading.Thread(target=send, args=next(wrongs), daemon=True).start()

    sender = threading.Thread(target=send_evenly)
    sender.start()
    try:
        yield answers
    finally:
        is_over.set()
        sender.join()


SESSION = """
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from slots.models import Slot
settings.ALLOWED_HOSTS = ["*"]
Slot.objects.update(is_active=True, settings={"prompt": "As an oil painting"})
client = Client()
client.force_login(User.objects.create_superuser("refusals"))
print(client.cookies["sessionid"].value)
"""
ROWS = "SELECT count(*) FROM refusal"
