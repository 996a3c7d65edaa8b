"""Watch a target's process: what it tells, when it falls silent or dies; keep its findings."""

import json
import os
import secrets
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from photochanger.testing.databases import BASE_DIR

NAMES = ("forms", "photos", "results", "gemini", "turbotext")
KEPT = Path("var/fuzz")
SILENT_S = 180.0  # of the wall: no case takes so long, however busy the machine is
MAX_DEATHS = 5


@dataclass(slots=True)
class Found:
    """Findings of one cause; ``number`` is the first case."""

    number: int
    kind: str
    words: str
    count: int = 1
    file: Path | None = None


@dataclass(slots=True)
class Outcome:
    """What came of a target. ``worst_ms`` is CPU, ``peak_bytes`` and ``kept_bytes`` are memory
    beyond what its process had when it was warm."""

    target: str
    cases: int = 0
    seconds: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    worst_ms: float = 0.0
    worst_case: int = 0
    peak_bytes: int = 0
    kept_bytes: int = 0
    found: dict[str, Found] = field(default_factory=dict)

    @property
    def read_whole(self) -> int:
        return self.outcomes.get("ok", 0)

    def add(self, figures: dict[str, Any]) -> None:
        """Of one process, at its end."""
        self.cases += figures["cases"]
        if figures["worst_ms"] > self.worst_ms:
            self.worst_ms, self.worst_case = figures["worst_ms"], figures["worst_case"]
        self.peak_bytes = max(self.peak_bytes, figures["peak_bytes"])
        self.kept_bytes = max(self.kept_bytes, figures["kept_bytes"])
        for word, count in figures["outcomes"].items():
            self.outcomes[word] = self.outcomes.get(word, 0) + count

    def note(self, found: Found) -> None:
        if found.kind in self.found:
            self.found[found.kind].count += 1
        else:
            self.found[found.kind] = found


def fuzz(name: str, *, seed: int, seconds: float, cases: int, keep: Path = KEPT) -> Outcome:
    """Try so many cases of a target, or for so long. A process that hangs or dies is replaced."""
    outcome, began, first, deaths = Outcome(name), time.monotonic(), 0, 0
    while first < cases and deaths < MAX_DEATHS:
        left_s = max(1.0, seconds - (time.monotonic() - began))
        order = {"target": name, "seed": seed, "first": first, "end": cases, "seconds": left_s}
        died_at = _watch(order, outcome)
        if died_at is None:
            break
        first, deaths = died_at + 1, deaths + 1
    outcome.seconds = time.monotonic() - began
    for found in outcome.found.values():
        found.file = _keep_case(name, seed, found.number, keep)
    return outcome


def _watch(order: dict[str, Any], outcome: Outcome) -> int | None:
    """Until the process ends; the case at which it died or fell silent, if it did."""
    with tempfile.NamedTemporaryFile() as mark, tempfile.TemporaryFile() as stderr:
        mark.truncate(8)
        with _start({**order, "mark": mark.name}, stderr) as process:
            figures, is_over = _listen(process, outcome)
        outcome.add(figures)
        if is_over:
            return None
        number = int.from_bytes(Path(mark.name).read_bytes())
        stderr.seek(0)
        words = stderr.read().decode(errors="replace")[-4000:]
        how = "hangs" if process.returncode == -9 else f"died of {process.returncode}"
        outcome.note(Found(number, how, words))
        return number


def _listen(process: "subprocess.Popen[str]", outcome: Outcome) -> tuple[dict[str, Any], bool]:
    figures: dict[str, Any] = {
        **dict.fromkeys(("cases", "worst_ms", "worst_case", "peak_bytes", "kept_bytes"), 0),
        "outcomes": {},
    }
    for line in _iter_lines(process):
        told = json.loads(line)
        if "finding" in told:
            outcome.note(Found(**told["finding"]))
        elif told["is_over"]:
            return told["figures"], True
        else:
            figures = told["figures"]
    return figures, False


def _iter_lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    """Its lines; it is killed when it has said nothing for a long time."""
    assert process.stdout
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(SILENT_S):
            line = process.stdout.readline()
            if not line:
                process.wait()
                return
            yield line
    process.kill()


@contextmanager
def _start(order: dict[str, Any], stderr: IO[bytes]) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(
        _build_command(order),
        env=_build_environment(),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        bufsize=1,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _build_command(order: dict[str, Any]) -> list[str]:
    options = ("-W", "ignore", "-m", "photochanger.testing.fuzz.worker")
    return [sys.executable, *options, json.dumps(order)]


def _build_environment() -> dict[str, str]:
    """Nothing of the developer's own: no database is asked, no key is known."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(BASE_DIR),
        "DJANGO_SETTINGS_MODULE": "photochanger.settings",
        "DATABASE_URL": "sqlite://:memory:",
        "SECRET_KEY": secrets.token_hex(32),
        "ENV_FILE": "",
        "DEBUG": "1",
    }


def _keep_case(name: str, seed: int, number: int, keep: Path) -> Path:
    """The bytes, in a file of their own."""
    order = {"target": name, "seed": seed, "number": number}
    case = subprocess.run(
        _build_command(order), env=_build_environment(), stdout=subprocess.PIPE, check=True
    )
    keep.mkdir(parents=True, exist_ok=True)
    file = keep / f"{name}-{seed}-{number}.bin"
    file.write_bytes(case.stdout)
    return file


def repeat(file: Path) -> int:
    """Read a kept case once more, in the open; returns how the process ended."""
    order = {"target": file.name.partition("-")[0], "file": str(file)}
    return subprocess.run(_build_command(order), env=_build_environment()).returncode
