"""The process that tries cases of one target, one after the other, and watches itself.

    python -m photochanger.testing.fuzz.worker '{"target": "forms", "seed": 7, ...}'

It writes the number of each case to a file before it is tried, so that whoever watches knows it
when this process hangs or dies, and tells the rest in lines of JSON.
"""

import faulthandler
import gc
import json
import logging
import mmap
import os
import sys
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import django
import psutil
import structlog

from photochanger.testing.fuzz.target import MB, Target, Wrong

WARMING_CASES, TELL_EVERY_S = 60, 0.5
MARK_BYTES = 8
PROC = Path("/proc/self")


@dataclass(slots=True)
class Figures:
    """Of the cases tried; ``worst_*`` are of one case."""

    cases: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    worst_ms: float = 0.0  # of CPU
    worst_case: int = 0
    peak_bytes: int = 0  # beyond what the warm process had
    kept_bytes: int = 0  # at the end, beyond the same


@dataclass(frozen=True, slots=True)
class Finding:
    number: int
    kind: str  # by which findings of one cause are counted as one
    words: str


def main() -> None:
    order = json.loads(sys.argv[1])
    faulthandler.enable()
    django.setup()
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    from photochanger.testing.fuzz.targets import TARGETS  # they import models

    target = TARGETS[order["target"]]
    if "file" in order:
        return _try_file(target, Path(order["file"]))
    if "number" in order:
        sys.stdout.buffer.write(target.make(order["seed"], order["number"]))
        return None
    with Path(order["mark"]).open("r+b") as file:
        mark = mmap.mmap(file.fileno(), MARK_BYTES)
        Trial(target, order["seed"], mark).run(order["first"], order["end"], order["seconds"])
    return None


def _try_file(target: Target, path: Path) -> None:
    case = path.read_bytes()
    began = time.process_time()
    said = target.try_case(case)
    print(f"{target.name}: {len(case)} bytes, {said}, {time.process_time() - began:.3f} s of CPU")


class Trial:
    def __init__(self, target: Target, seed: int, mark: mmap.mmap) -> None:
        self.target, self.seed, self.mark = target, seed, mark
        self.figures = Figures()
        self.first_bytes = 0

    def run(self, first: int, end: int, seconds: float) -> None:
        """Up to case ``end``, or so long."""
        began = told = time.monotonic()
        for number in range(first, end):
            if number - first == WARMING_CASES:
                self._take_stock()
            self._try(number)
            if time.monotonic() - told > TELL_EVERY_S:
                told = time.monotonic()
                self._tell()
                if told - began > seconds:
                    break
        gc.collect()
        if self.first_bytes:
            self.figures.kept_bytes = max(0, read_memory()[0] - self.first_bytes)
        self._tell(is_over=True)

    def _take_stock(self) -> None:
        """Warm now: libraries are loaded, tables made."""
        gc.collect()
        forget_peak()
        self.first_bytes = read_memory()[0]

    def _try(self, number: int) -> None:
        case = self.target.make(self.seed, number)
        self.mark[:MARK_BYTES] = number.to_bytes(MARK_BYTES)
        began = time.process_time()
        try:
            outcome = self.target.try_case(case)
        except BaseException as exc:  # what a fuzzer is for
            outcome = "found"
            self._report(Finding(number, *describe_error(exc)))
        self._note_cost(number, time.process_time() - began)
        self.figures.cases += 1
        counts = self.figures.outcomes
        counts[outcome] = counts.get(outcome, 0) + 1

    def _note_cost(self, number: int, cpu_s: float) -> None:
        figures = self.figures
        if cpu_s * 1000 > figures.worst_ms:
            figures.worst_ms, figures.worst_case = cpu_s * 1000, number
        if cpu_s > self.target.most_cpu_s:
            self._report(Finding(number, "slow", f"{cpu_s:.1f} s of CPU"))
        peak = read_memory()[1] - self.first_bytes if self.first_bytes else 0
        if peak > self.target.most_bytes:
            self._report(Finding(number, "memory", f"{peak / MB:.0f} MB more"))
            forget_peak()
        figures.peak_bytes = max(figures.peak_bytes, peak)

    def _report(self, finding: Finding) -> None:
        self._print({"finding": asdict(finding)})

    def _tell(self, *, is_over: bool = False) -> None:
        self._print({"figures": asdict(self.figures), "is_over": is_over})

    def _print(self, told: dict[str, Any]) -> None:
        print(json.dumps(told), flush=True)


def describe_error(exc: BaseException) -> tuple[str, str]:
    """Its kind and the line of ours that it came from; and all of it."""
    frames = traceback.extract_tb(exc.__traceback__)
    ours = [f for f in frames if "site-packages" not in f.filename and "/fuzz/" not in f.filename]
    if isinstance(exc, Wrong):
        return f"wrong: {str(exc)[:40]}", str(exc)[-4000:]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else "fuzz"
    return f"{type(exc).__name__} in {place}", "".join(traceback.format_exception(exc))[-4000:]


def read_memory() -> tuple[int, int]:
    """Bytes of this process now, and at most since ``forget_peak``."""
    try:
        lines = (PROC / "status").read_text().splitlines()
    except OSError:
        now = int(psutil.Process().memory_info().rss)
        return now, now
    found = {line[:6]: int(line.split()[1]) * 1024 for line in lines if line[:6] in NEEDED}
    return found["VmRSS:"], found["VmHWM:"]


NEEDED = ("VmRSS:", "VmHWM:")


def forget_peak() -> None:
    try:
        fd = os.open(PROC / "clear_refs", os.O_WRONLY)
    except OSError:
        return  # then the peak of the beginning stays
    os.write(fd, b"5")
    os.close(fd)


if __name__ == "__main__":
    main()
