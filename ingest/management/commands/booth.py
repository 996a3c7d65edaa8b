import getpass
import io
import json
import math
import os
import re
import shutil
import statistics
import sys
import time
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ingest.booth import HASH_RECIPES, BoothAnswer, BoothRequest, parse_url, send_photo
from providers import pictures

URL_COLUMN_NEEDS = 160  # columns of a terminal; on a narrower one the links stand below the table


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What became of one photo, ready to print: every text of the server's is made printable."""

    number: int
    photo: str
    is_picture: bool
    status: int | None
    failure_reason: str
    details: str
    content_type: str
    mark: str
    first_byte_s: float | None
    total_s: float
    size_bytes: int
    job_id: str
    result_url: str
    saved_as: str
    got_continue: bool
    body_sent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Seconds are those the booth waited, over all photos, failed ones too."""

    photos: int
    pictures: int
    min_s: float
    median_s: float
    p95_s: float
    max_s: float
    requests_per_second: float


class Command(BaseCommand):
    help = (
        "Sends photos as the booth does (Breeze DSLR Remote Pro) and shows what comes back. "
        "Ends with status 0 when every answer is 200 with a picture that decodes."
    )
    requires_system_checks = []  # the booth may run where no server is configured

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("photos", nargs="+", type=Path, metavar="PHOTO", help="several are sent in turn")
        add("--slot", default="slot-001")
        add("--url", default="http://127.0.0.1:8000", help="the server's address")
        add("--path", default="ingest", help="ingest (default) or api/ingest")
        add(
            "--password",
            help="the booth password. Other users of this machine can see it in the list of "
            "processes: better set BOOTH_PASSWORD, or leave both out and be asked",
        )
        add("--count", type=_positive_int, help="photos to send (default: each photo once)")
        add("--parallel", type=_positive_int, default=1, help="booths that send at one time")
        patience = settings.SYNC_RESPONSE_SECONDS + 10
        add(
            "--timeout",
            type=_positive_float,
            default=patience,
            help="seconds (default %(default)s)",
        )
        add("--out", type=Path, default=Path("var/booth"), help="folder for the pictures")
        add("--no-save", action="store_true", help="do not keep the pictures")
        add("--json", action="store_true", help="print JSON instead of a table")
        self._add_dialect(parser)

    def _add_dialect(self, parser: CommandParser) -> None:
        """How far the photos may differ from what the booth sends."""
        add = parser.add_argument
        add(
            "--expect-timeout",
            type=_positive_float,
            metavar="S",
            help="send the photo after S seconds without 100 Continue, as curl does "
            "(default: like the booth, never)",
        )
        add("--hash", choices=HASH_RECIPES, default="opaque", help="default: matches nothing")
        add(
            "--field",
            type=_field,
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="one more form field, or another value for one of the booth's; may be repeated",
        )
        add("--idempotency-key", metavar="KEY", help="the same for all photos (default: none)")

    def handle(self, *args: Any, **options: Any) -> None:
        photos: list[Path] = options["photos"]
        out = _check_options(options)
        base = BoothRequest(
            url=options["url"],
            slot=options["slot"],
            path=options["path"],
            photo=photos[0],
            password=_password(options["password"]),
            fields=dict(options["field"]),
            hash_recipe=options["hash"],
            timeout_s=options["timeout"],
            expect_timeout_s=options["expect_timeout"],
            idempotency_key=options["idempotency_key"],
        )
        requests = [
            replace(base, photo=photos[index % len(photos)], number=index + 1)
            for index in range(options["count"] or len(photos))
        ]
        started = time.monotonic()
        shots = self._send_all(requests, parallel=options["parallel"], out=out)
        if not shots:
            raise CommandError("Stopped before any answer came.")
        summary = _sum_up(shots, wall_s=time.monotonic() - started)
        self.stdout.write(
            _as_json(shots, summary) if options["json"] else self._as_table(shots, summary)
        )
        if missing := len(requests) - summary.pictures:
            raise CommandError(f"{missing} of {len(requests)} photos did not become a picture.")

    def _send_all(
        self, requests: list[BoothRequest], *, parallel: int, out: Path | None
    ) -> list[Shot]:
        """Send all photos and show how it goes; Ctrl-C stops after those on their way."""
        with ThreadPoolExecutor(parallel) as pool:
            futures = [pool.submit(_take_shot, request, out) for request in requests]
            try:
                self._show_progress(futures)
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                self.stderr.write("Stopped. Waiting for the photos on their way.")
        return [future.result() for future in futures if not future.cancelled()]

    def _show_progress(self, futures: list[Future[Shot]]) -> None:
        """A bar on a terminal, a line per photo elsewhere; both apart from the result."""
        if not self.stderr.isatty():
            for done, future in enumerate(as_completed(futures), start=1):
                shot = future.result()
                self.stderr.write(f"{done}/{len(futures)} {_line(shot)}")
            return
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Photos", total=len(futures))
            failed = 0
            for future in as_completed(futures):
                failed += not future.result().is_picture
                progress.update(task, advance=1, description=f"Photos ({failed} failed)")

    def _as_table(self, shots: list[Shot], summary: Summary) -> str:
        is_terminal = self.stdout.isatty()
        width = shutil.get_terminal_size().columns if is_terminal else 200
        paper = io.StringIO()
        console = Console(
            file=paper, width=width, force_terminal=is_terminal, highlight=False, markup=False
        )
        has_links = any(shot.result_url for shot in shots)
        is_wide = width >= URL_COLUMN_NEEDS
        console.print(_table(shots, with_links=has_links and is_wide))
        for shot in shots:
            if shot.result_url and not is_wide:
                console.print(f"{shot.number}  {shot.result_url}", soft_wrap=True)
        for line in _failures(shots):
            console.print(line, style="red", soft_wrap=True)
        console.print(_sentence(summary), soft_wrap=True)
        return paper.getvalue().rstrip("\n")


def _positive_int(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ArgumentTypeError("must be 1 or more")
    return number


def _positive_float(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise ArgumentTypeError("must be above 0")
    return number


def _field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _check_options(options: dict[str, Any]) -> Path | None:
    """Refuse what cannot work before anything is sent; returns the folder to save into, if any."""
    try:
        parse_url(options["url"])
        for photo in options["photos"]:
            photo.open("rb").close()
        if options["no_save"]:
            return None
        out: Path = options["out"]
        out.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as exc:
        raise CommandError(str(exc)) from exc
    return out


def _password(given: str | None) -> str:
    if given is not None:
        return given
    if (from_environment := os.environ.get("BOOTH_PASSWORD")) is not None:
        return from_environment
    if not sys.stdin.isatty():
        raise CommandError("No password: set BOOTH_PASSWORD or give --password.")
    return getpass.getpass("Booth password: ")


def _take_shot(request: BoothRequest, out: Path | None) -> Shot:
    answer = send_photo(request)
    reason, details, mime = _judge(answer)
    job_id = _printable(answer.headers.get("x-job-id", ""))
    saved_as = ""
    if mime and out:
        # The server's word becomes part of a file name: letters and digits only.
        slot, job = re.sub(r"[^\w-]", "_", request.slot), re.sub(r"[^0-9A-Za-z]", "", job_id)[:8]
        file = out / f"{slot}-{request.number:03d}-{job or 'nojob'}.{pictures.EXTENSIONS[mime]}"
        try:
            file.write_bytes(answer.body)
            saved_as = str(file)
        except OSError as exc:
            details = f"the picture came but could not be saved: {exc.strerror}"
    return Shot(
        number=request.number,
        photo=_printable(request.photo.name) if isinstance(request.photo, Path) else "",
        is_picture=mime is not None,
        status=answer.status,
        failure_reason=reason,
        details=details,
        content_type=mime or _printable(answer.headers.get("content-type", "")),
        mark=_mark(answer),
        first_byte_s=None if answer.first_byte_s is None else round(answer.first_byte_s, 3),
        total_s=round(answer.total_s, 3),
        size_bytes=len(answer.body),
        job_id=job_id,
        result_url=_printable(answer.headers.get("x-result-url", ""), longest=500),
        saved_as=saved_as,
        got_continue=answer.got_continue,
        body_sent=answer.body_sent,
    )


def _judge(answer: BoothAnswer) -> tuple[str, str, str | None]:
    """Why it failed (a word, a sentence), or the type of the picture that came."""
    if answer.error:
        return "no_answer", _printable(answer.error), None
    if answer.status != HTTPStatus.OK:
        return *_refusal(answer), None
    try:
        _, mime = pictures.decode(answer.body, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS)
    except pictures.UnreadablePicture as exc:
        return "no_picture", f"the answer is 200, but its body is no picture: {exc}", None
    return "", "", mime


def _refusal(answer: BoothAnswer) -> tuple[str, str]:
    """The server's word and sentence; our own when it is not PhotoChanger that answered."""
    status = answer.status or 0
    if 300 <= status < 400:
        target = _printable(answer.headers.get("location", "nowhere"))
        return "redirect", f"redirected to {target}: a booth does not follow, the photo is lost"
    try:
        told = json.loads(answer.body[:65536])  # a sentence is shorter
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, dict) and isinstance(reason := told.get("failure_reason"), str):
        details = told.get("details")
        return _printable(reason), _printable(details) if isinstance(details, str) else ""
    return f"http_{status}", "not an answer of PhotoChanger: look at the address and the proxy"


def _mark(answer: BoothAnswer) -> str:
    """What a bare 200 hides: the booth's own photo, or the picture of an earlier job."""
    if "x-photochanger-fallback" in answer.headers:
        return "original"
    return "replay" if "x-photochanger-replay" in answer.headers else ""


def _printable(text: str, *, longest: int = 300) -> str:
    """Text of the server's that cannot steer a terminal or turn the reading direction."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:longest])


def _sum_up(shots: list[Shot], *, wall_s: float) -> Summary:
    waits = sorted(shot.total_s for shot in shots)
    return Summary(
        photos=len(shots),
        pictures=sum(shot.is_picture for shot in shots),
        min_s=waits[0],
        median_s=round(statistics.median(waits), 3),
        p95_s=waits[math.ceil(0.95 * len(waits)) - 1],
        max_s=waits[-1],
        requests_per_second=round(len(shots) / wall_s, 2),
    )


def _as_json(shots: list[Shot], summary: Summary) -> str:
    found = {"results": [asdict(shot) for shot in shots], "summary": asdict(summary)}
    return json.dumps(found, ensure_ascii=False, indent=2)


def _said(shot: Shot) -> str:
    """The answer in a word or two: what came, or why nothing did."""
    if not shot.is_picture:
        return shot.failure_reason
    return f"{shot.content_type} ({shot.mark})" if shot.mark else shot.content_type


def _line(shot: Shot) -> str:
    return f"{shot.photo} {shot.status or '-'} {_said(shot)} {shot.total_s:.2f} s"


def _table(shots: Iterable[Shot], *, with_links: bool) -> Table:
    table = Table()
    for name in ("#", "photo", "status", "answer", "seconds", "bytes", "job"):
        is_number = name in ("#", "status", "seconds", "bytes")
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    if with_links:
        table.add_column("result", overflow="fold")
    for shot in shots:
        cells = [
            str(shot.number),
            shot.photo,
            str(shot.status or "-"),
            _said(shot),
            f"{shot.total_s:.2f}",
            f"{shot.size_bytes:,}",
            shot.job_id[:8],
            *([shot.result_url] if with_links else []),
        ]
        # Text, not str: a bracket in a server's word must not be read as markup.
        table.add_row(*map(Text, cells), style="" if shot.is_picture else "red")
    return table


def _failures(shots: Iterable[Shot]) -> list[str]:
    """One line per kind of failure: twenty wrong passwords are one thing to tell."""
    told = Counter(
        (str(shot.status or "no answer"), shot.failure_reason, shot.details)
        for shot in shots
        if shot.details or not shot.is_picture
    )
    return [
        f"{count} x {status} {reason}: {details or 'no more is known'}"
        for (status, reason, details), count in told.most_common()
    ]


def _sentence(summary: Summary) -> str:
    return (
        f"{summary.pictures} of {summary.photos} answered 200 with a picture; "
        f"seconds: min {summary.min_s:.2f}, median {summary.median_s:.2f}, "
        f"p95 {summary.p95_s:.2f}, max {summary.max_s:.2f}; "
        f"{summary.requests_per_second:.2f} requests per second"
    )
