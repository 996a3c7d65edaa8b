"""What one photo crosses: every named function of the product that runs for it.

A real photo through the ASGI application, in a process of its own, against the simulator; the
second photo of that process, since the first one also fills caches. Counted are distinct named
functions in the six packages: no lambda, comprehension, class body or module, nothing of the
simulator, and each function once, however often it runs.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from photochanger.testing import live
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.figures.sources import is_product
from providers import simulator


@dataclass(frozen=True, slots=True)
class Trace:
    """The functions by file, files and functions in the order of their first call."""

    functions: dict[str, list[str]]

    @property
    def function_count(self) -> int:
        return sum(len(names) for names in self.functions.values())

    def without(self, *folders: str) -> "Trace":
        rest = {f: names for f, names in self.functions.items() if not f.startswith(folders)}
        return Trace(rest)

    def text(self) -> str:
        lines = []
        for file, names in self.functions.items():
            lines += [f"{file} ({len(names)})", *(f"    {name}" for name in names)]
        return "\n".join(lines)


def trace_photo() -> Trace:
    """Takes a few seconds. Raises RuntimeError when the photo does not come back."""
    with tempfile.TemporaryDirectory(prefix="pc-trace-") as folder, simulator.running() as provider:
        site = live.LiveSite(Path(folder), f"sqlite:///{folder}/site.sqlite3")
        done = subprocess.run(
            [sys.executable, "-m", "photochanger.testing.figures.traced_process"],
            cwd=BASE_DIR,
            env=site.env | {"GEMINI_BASE_URL": provider.url},
            capture_output=True,
            text=True,
            timeout=120,
        )
    if done.returncode:
        raise RuntimeError(f"the traced photo failed:\n{done.stderr[-4000:]}")
    return group_by_file(json.loads(done.stdout.splitlines()[-1]))


def group_by_file(seen: list[tuple[str, str, int]]) -> Trace:
    functions: dict[str, list[str]] = {}
    for filename, name, _line in seen:
        path = Path(filename)
        is_named = not name.rpartition(".")[2].startswith("<")
        if path.is_relative_to(BASE_DIR) and is_named:
            file = str(path.relative_to(BASE_DIR))
            if is_product(file) and not file.startswith("providers/simulator/"):
                functions.setdefault(file, []).append(name)
    return Trace(functions)
