"""Output of the booth command: a row per photo and a summary, as a table or as JSON."""

import io
import json
import math
import shutil
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path

from django.conf import settings
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingest.booth.client import BoothAnswer
from ingest.booth.form import BoothRequest
from photochanger import pictures
from photochanger.parsing import make_printable

URL_COLUMN_NEEDS = 160  # columns of a terminal; on a narrower one the links stand below the table


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """The outcome of one photo, ready to print: every text of the server is made printable."""

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
    """Seconds are those that the booth waited, over all photos, failed ones too."""

    photos: int
    pictures: int
    min_s: float
    median_s: float
    p95_s: float
    max_s: float
    requests_per_second: float


def make_shot(request: BoothRequest, answer: BoothAnswer) -> Shot:
    """The row of one answer; nothing is saved yet."""
    reason, details, mime = _judge(answer)
    return Shot(
        number=request.number,
        photo=_make_printable(request.photo.name) if isinstance(request.photo, Path) else "",
        is_picture=mime is not None,
        status=answer.status,
        failure_reason=reason,
        details=details,
        content_type=mime or _make_printable(answer.headers.get("content-type", "")),
        mark=_find_mark(answer),
        first_byte_s=None if answer.first_byte_s is None else round(answer.first_byte_s, 3),
        total_s=round(answer.total_s, 3),
        size_bytes=len(answer.body),
        job_id=_make_printable(answer.headers.get("x-job-id", "")),
        result_url=_make_printable(answer.headers.get("x-result-url", ""), limit=500),
        saved_as="",
        got_continue=answer.got_continue,
        body_sent=answer.body_sent,
    )


def _judge(answer: BoothAnswer) -> tuple[str, str, str | None]:
    """Why it failed (a word, a sentence), or the type of the picture that came."""
    if answer.error:
        return "no_answer", _make_printable(answer.error), None
    if answer.status != HTTPStatus.OK:
        return *_read_refusal(answer), None
    try:
        _, mime = pictures.decode(answer.body, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS)
    except pictures.UnreadablePicture as exc:
        return "no_picture", f"the answer is 200, but its body is no picture: {exc}", None
    return "", "", mime


def _read_refusal(answer: BoothAnswer) -> tuple[str, str]:
    """The server's failure reason and sentence; our own words if it is no PhotoChanger."""
    status = answer.status or 0
    if 300 <= status < 400:
        target = _make_printable(answer.headers.get("location", "nowhere"))
        return "redirect", f"redirected to {target}: a booth does not follow, the photo is lost"
    try:
        content = json.loads(answer.body[:65536])  # an error of ours is shorter
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, dict) and isinstance(reason := content.get("failure_reason"), str):
        details = content.get("details")
        return _make_printable(reason), _make_printable(details) if isinstance(details, str) else ""
    return f"http_{status}", "not an answer of PhotoChanger: look at the address and the proxy"


def _find_mark(answer: BoothAnswer) -> str:
    """What the status 200 hides: the booth's own photo, or the picture of an earlier job."""
    if "x-photochanger-fallback" in answer.headers:
        return "original"
    return "replay" if "x-photochanger-replay" in answer.headers else ""


def _make_printable(text: str, *, limit: int = 300) -> str:
    """Text of the server's that cannot steer a terminal or turn the reading direction."""
    return make_printable(text, limit, replacement="\ufffd")


def summarize(shots: list[Shot], *, wall_s: float) -> Summary:
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


def format_json(shots: list[Shot], summary: Summary) -> str:
    found = {"results": [asdict(shot) for shot in shots], "summary": asdict(summary)}
    return json.dumps(found, ensure_ascii=False, indent=2)


def format_table(shots: list[Shot], summary: Summary, *, is_terminal: bool) -> str:
    width = shutil.get_terminal_size().columns if is_terminal else 200
    paper = io.StringIO()
    console = Console(
        file=paper, width=width, force_terminal=is_terminal, highlight=False, markup=False
    )
    has_links = any(shot.result_url for shot in shots)
    is_wide = width >= URL_COLUMN_NEEDS
    console.print(_build_table(shots, with_links=has_links and is_wide))
    for shot in shots:
        if shot.result_url and not is_wide:
            console.print(f"{shot.number}  {shot.result_url}", soft_wrap=True)
    for failure in _list_failures(shots):
        console.print(failure, style="red", soft_wrap=True)
    console.print(_describe_summary(summary), soft_wrap=True)
    return paper.getvalue().rstrip("\n")


def format_drills(
    drills: Mapping[str, Shot], descriptions: Mapping[str, str], *, is_terminal: bool
) -> str:
    """A table of every scenario with what the booth got."""
    width = shutil.get_terminal_size().columns if is_terminal else 140
    paper = io.StringIO()
    console = Console(
        file=paper, width=width, force_terminal=is_terminal, highlight=False, markup=False
    )
    table = Table("scenario", "what the provider does", "status", "booth got", "seconds")
    for name, shot in drills.items():
        got = shot.content_type if shot.is_picture else shot.failure_reason
        table.add_row(
            name,
            Text(descriptions.get(name, "")),
            str(shot.status or "-"),
            got,
            f"{shot.total_s:.1f}",
        )
    console.print(table)
    return paper.getvalue().rstrip("\n")


def _describe_outcome(shot: Shot) -> str:
    """The outcome in a word or two: the type of what came, or why nothing did."""
    if not shot.is_picture:
        return shot.failure_reason
    return f"{shot.content_type} ({shot.mark})" if shot.mark else shot.content_type


def format_line(shot: Shot) -> str:
    return f"{shot.photo} {shot.status or '-'} {_describe_outcome(shot)} {shot.total_s:.2f} s"


def _build_table(shots: Iterable[Shot], *, with_links: bool) -> Table:
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
            _describe_outcome(shot),
            f"{shot.total_s:.2f}",
            f"{shot.size_bytes:,}",
            shot.job_id[:8],
            *([shot.result_url] if with_links else []),
        ]
        # Text, not str: a bracket in text of the server must not be read as markup.
        table.add_row(*map(Text, cells), style="" if shot.is_picture else "red")
    return table


def _list_failures(shots: Iterable[Shot]) -> list[str]:
    """One line per kind of failure: twenty wrong passwords make one line."""
    failures = Counter(
        (str(shot.status or "no answer"), shot.failure_reason, shot.details)
        for shot in shots
        if shot.details or not shot.is_picture
    )
    return [
        f"{count} x {status} {reason}: {details or 'no more is known'}"
        for (status, reason, details), count in failures.most_common()
    ]


def _describe_summary(summary: Summary) -> str:
    return (
        f"{summary.pictures} of {summary.photos} answered 200 with a picture; "
        f"seconds: min {summary.min_s:.2f}, median {summary.median_s:.2f}, "
        f"p95 {summary.p95_s:.2f}, max {summary.max_s:.2f}; "
        f"{summary.requests_per_second:.2f} requests per second"
    )


def format_outage(down: list[Shot], control: list[Shot], words: str, *, is_terminal: bool) -> str:
    """What guests got while the service was down, beside what they got where it worked."""
    paper = io.StringIO()
    width = shutil.get_terminal_size().columns if is_terminal else 140
    console = Console(file=paper, width=width, force_terminal=is_terminal, markup=False)
    table = Table("an hour", "photos", "pictures", "lost", "median s", "slowest s")
    for name, shots in (("the service works", control), ("it is down", down)):
        found = summarize(shots, wall_s=1.0)
        lost = found.photos - found.pictures
        figures = (found.photos, found.pictures, lost, found.median_s, found.max_s)
        table.add_row(name, *map(str, figures), style="red" if lost else None)
    console.print(table)
    console.print(words, soft_wrap=True)
    return paper.getvalue().rstrip("\n")
