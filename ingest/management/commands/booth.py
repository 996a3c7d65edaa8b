import getpass
import os
import re
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from ingest.booth.client import parse_url, send_photo
from ingest.booth.drill import run_drills
from ingest.booth.form import HASH_RECIPES, BoothRequest
from ingest.booth.options import (
    check_photo,
    parse_field,
    parse_positive_float,
    parse_positive_int,
)
from ingest.booth.outage import DOWN, SLOWER_S, TooFewSlots, run_outage
from ingest.booth.report import (
    Shot,
    format_drills,
    format_json,
    format_line,
    format_outage,
    format_table,
    make_shot,
    summarize,
)
from photochanger import pictures
from providers import simulator
from slots.models import Slot
from slots.services import is_complete


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
        add("--count", type=parse_positive_int, help="photos to send (default: each photo once)")
        add("--parallel", type=parse_positive_int, default=1, help="booths that send at one time")
        patience = settings.SYNC_RESPONSE_SECONDS + 10
        add(
            "--timeout",
            type=parse_positive_float,
            default=patience,
            help="seconds (default %(default)s)",
        )
        add("--out", type=Path, default=Path("var/booth"), help="folder for the pictures")
        add("--no-save", action="store_true", help="do not keep the pictures")
        add("--json", action="store_true", help="print JSON instead of a table")
        add(
            "--scenario",
            nargs="+",
            metavar="NAME",
            help="a drill: what the booth would get in these scenarios of the slot's provider, or "
            "in `all`; on spare slots of this installation, and only with the simulator",
        )
        add(
            "--outage",
            action="store_true",
            help="a drill: what guests get while the slot's provider is down for an hour (here a "
            "minute) and there is a reserve; as --scenario on spare slots, only with the simulator",
        )
        self._add_protocol_options(parser)

    def _add_protocol_options(self, parser: CommandParser) -> None:
        """Options that make the request differ from what the booth sends."""
        add = parser.add_argument
        add(
            "--expect-timeout",
            type=parse_positive_float,
            metavar="S",
            help="send the photo after S seconds without 100 Continue, as curl does "
            "(default: like the booth, never)",
        )
        add("--hash", choices=HASH_RECIPES, default="opaque", help="default: matches nothing")
        add(
            "--field",
            type=parse_field,
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="one more form field, or another value for one of the booth's; may be repeated",
        )
        add(
            "--query",
            type=parse_field,
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a part of the link, as booths put tokens there; may be repeated",
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
            password=_read_password(options["password"]),
            fields=dict(options["field"]),
            query=dict(options["query"]),
            hash_recipe=options["hash"],
            timeout_s=options["timeout"],
            expect_timeout_s=options["expect_timeout"],
            idempotency_key=options["idempotency_key"],
        )
        if options["scenario"]:
            self._drill(options["scenario"], base)
            return
        if options["outage"]:
            self._drill_outage(base)
            return
        requests = [
            replace(base, photo=photos[index % len(photos)], number=index + 1)
            for index in range(options["count"] or len(photos))
        ]
        started = time.monotonic()
        shots = self._send_all(requests, parallel=options["parallel"], out=out)
        if not shots:
            raise CommandError("Stopped before any answer came.")
        summary = summarize(shots, wall_s=time.monotonic() - started)
        self.stdout.write(
            format_json(shots, summary)
            if options["json"]
            else format_table(shots, summary, is_terminal=self.stdout.isatty())
        )
        if missing := len(requests) - summary.pictures:
            raise CommandError(f"{missing} of {len(requests)} photos did not become a picture.")

    def _drill_outage(self, request: BoothRequest) -> None:
        slot = _find_pattern(request)
        _choose_scenarios(slot, [DOWN])
        try:
            found = run_outage(slot, request)
        except TooFewSlots as exc:
            raise CommandError("The drill takes two slots: switch two of them off.") from exc
        words = (
            f"The reserve made the pictures; the dead service was asked {found.asked} times. "
            f"Slower than the photo beside them by more than {SLOWER_S:g} s: {found.slower}."
        )
        is_terminal = self.stdout.isatty()
        self.stdout.write(format_outage(found.down, found.control, words, is_terminal=is_terminal))
        if found.lost:
            raise CommandError(f"{found.lost} of {len(found.down)} photos were lost.")

    def _drill(self, names: list[str], request: BoothRequest) -> None:
        slot = _find_pattern(request)
        descriptions = _choose_scenarios(slot, names)
        drills: dict[str, Shot] = {}
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            for drill in progress.track(
                run_drills(list(descriptions), slot, request),
                total=len(descriptions),
                description="Drills",
            ):
                drills[drill.scenario] = drill.shot
        ordered = {name: drills[name] for name in descriptions}
        self.stdout.write(format_drills(ordered, descriptions, is_terminal=self.stdout.isatty()))
        if bad := [name for name, shot in drills.items() if shot.status in (None, 500)]:
            raise CommandError(f"No clean answer for: {', '.join(sorted(bad))}.")

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
        """A bar on a terminal, a line per photo elsewhere; both on stderr."""
        if not self.stderr.isatty():
            for done, future in enumerate(as_completed(futures), start=1):
                shot = future.result()
                self.stderr.write(f"{done}/{len(futures)} {format_line(shot)}")
            return
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Photos", total=len(futures))
            failed = 0
            for future in as_completed(futures):
                failed += not future.result().is_picture
                progress.update(task, advance=1, description=f"Photos ({failed} failed)")


def _find_pattern(request: BoothRequest) -> Slot:
    slot = Slot.objects.filter(pk=request.slot).first()
    if slot is None or not is_complete(slot):
        raise CommandError(f"{request.slot} has no recipe here to try: see `manage.py slot`.")
    return slot


def _choose_scenarios(slot: Slot, names: list[str]) -> dict[str, str]:
    """The scenarios asked for, with their descriptions. Raises CommandError for a real service."""
    base_url = getattr(settings, f"{slot.provider.upper()}_BASE_URL")
    try:
        state = httpx.get(urljoin(base_url, "/_sim/state"), timeout=5)
        is_simulator = state.status_code == HTTPStatus.OK and "in_flight" in state.json()
    except (httpx.HTTPError, ValueError):
        is_simulator = False
    if not is_simulator:
        raise CommandError(f"{base_url} is no simulator: see `manage.py simulate_providers`.")
    known = simulator.scenarios(slot.provider)
    if unknown := sorted(set(names) - set(known) - {"all"}):
        there_are = ", ".join(("all", *known))
        raise CommandError(f"No such scenario: {', '.join(unknown)}. There are: {there_are}.")
    return known if "all" in names else {name: known[name] for name in names}


def _check_options(options: dict[str, Any]) -> Path | None:
    """Refuse what cannot work before anything is sent; returns the folder to save into, if any."""
    try:
        parse_url(options["url"])
        for photo in options["photos"]:
            check_photo(photo)
        if options["no_save"]:
            return None
        out: Path = options["out"]
        out.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as exc:
        raise CommandError(str(exc)) from exc
    return out


def _read_password(given: str | None) -> str:
    if given is not None:
        return given
    if (from_environment := os.environ.get("BOOTH_PASSWORD")) is not None:
        return from_environment
    if not sys.stdin.isatty():
        raise CommandError("No password: set BOOTH_PASSWORD or give --password.")
    return getpass.getpass("Booth password: ")


def _take_shot(request: BoothRequest, out: Path | None) -> Shot:
    answer = send_photo(request)
    shot = make_shot(request, answer)
    return _save_picture(shot, answer.body, request.slot, out) if shot.is_picture and out else shot


def _save_picture(shot: Shot, body: bytes, slot: str, out: Path) -> Shot:
    # Text of the server becomes part of a file name: letters and digits only.
    slot, job = re.sub(r"[^\w-]", "_", slot), re.sub(r"[^0-9A-Za-z]", "", shot.job_id)[:8]
    extension = pictures.EXTENSIONS[shot.content_type]
    file = out / f"{slot}-{shot.number:03d}-{job or 'nojob'}.{extension}"
    try:
        file.write_bytes(body)
    except OSError as exc:
        return replace(shot, details=f"the picture came but could not be saved: {exc.strerror}")
    return replace(shot, saved_as=str(file))
