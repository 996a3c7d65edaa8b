"""What one photo crosses: every named function of the product that runs for it.

A real photo through the ASGI application, in a process of its own, against the simulator; the
second photo of that process, since the first one also fills caches. Counted are distinct named
functions in the six packages: no lambda, comprehension, class body or module, nothing of the
simulator, and each function once, however often it runs. The path ends with the closed row and the
answer: what runs only when the booth has its picture, such as the preview, is counted apart.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from photochanger.testing import live
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.figures.sources import is_product
from providers import simulator

PUBLIC_BASE_URL = "https://photos.example"


@dataclass(frozen=True, slots=True)
class Trace:
    """The functions by file, files and functions in the order of their first call.

    ``later``: those that run only after the answer.
    """

    functions: dict[str, list[str]]
    later: dict[str, list[str]] = field(default_factory=dict)

    @property
    def function_count(self) -> int:
        return sum(len(names) for names in self.functions.values())

    def without(self, *folders: str) -> "Trace":
        rest = {f: names for f, names in self.functions.items() if not f.startswith(folders)}
        return Trace(rest)

    def text(self) -> str:
        answered = [
            "",
            "After the answer, not in the figures of the path:",
            *list_lines(self.later),
        ]
        return "\n".join([*list_lines(self.functions), *(answered if self.later else ())])


def list_lines(functions: dict[str, list[str]]) -> list[str]:
    lines = []
    for file, names in functions.items():
        lines += [f"{file} ({len(names)})", *(f"    {name}" for name in names)]
    return lines


def trace_photo() -> Trace:
    """Takes a few seconds. Raises RuntimeError when the photo does not come back."""
    with tempfile.TemporaryDirectory(prefix="pc-trace-") as folder, simulator.running() as provider:
        site = live.LiveSite(Path(folder), f"sqlite:///{folder}/site.sqlite3")
        done = subprocess.run(
            [sys.executable, "-m", "photochanger.testing.figures.traced_process"],
            cwd=BASE_DIR,
            # With an address of its own, as installations have: else the search for one, which is
            # remembered for some seconds, would be in one run and not in the next.
            env=site.env | {"GEMINI_BASE_URL": provider.url, "PUBLIC_BASE_URL": PUBLIC_BASE_URL},
            capture_output=True,
            text=True,
            timeout=120,
        )
    if done.returncode:
        raise RuntimeError(f"the traced photo failed:\n{done.stderr[-4000:]}")
    return group_by_file(json.loads(done.stdout.splitlines()[-1]))


def group_by_file(seen: list[tuple[str, str, int, bool]]) -> Trace:
    trace = Trace({}, {})
    for filename, name, _line, is_later in seen:
        path = Path(filename)
        is_named = not name.rpartition(".")[2].startswith("<")
        if path.is_relative_to(BASE_DIR) and is_named:
            file = str(path.relative_to(BASE_DIR))
            if is_product(file) and not file.startswith("providers/simulator/"):
                part = trace.later if is_later else trace.functions
                part.setdefault(file, []).append(name)
    return trace
