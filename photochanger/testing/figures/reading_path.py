"""The files that a reader opens to understand one photo, from the API to the closed row.

The path is the chain of functions that decide what happens next: the API's function hands over to
the first spine function, that to the second, and the second to the call of the provider and to the
block that closes the row. What a step does in detail (parse a form, admit, clean a picture) is
read where its name is imported from, by whoever needs it; the story is complete without it.

The list is kept by hand and checked: each function must be there, and must lead to the next one. It
leads there when its body, or that of a function of the same file that it uses, names the next one,
under a name that the file imports from the next one's module or defines itself.
"""

import ast
from typing import NamedTuple

from photochanger.testing.databases import BASE_DIR
from photochanger.testing.figures.functions import FunctionNode
from photochanger.testing.figures.imports import module_name


class Step(NamedTuple):
    file: str
    function: str


API = Step("ingest/api.py", "ingest")
HANDLE = Step("ingest/pipeline/process.py", "handle_booth_photo")
PROCESS = Step("ingest/pipeline/process.py", "process_photo")
CALL = Step("ingest/pipeline/provider_call.py", "call_provider")
OUTCOME = Step("ingest/pipeline/outcome.py", "job_outcome")
IN_TIME = Step("ingest/pipeline/outcome.py", "_close_in_time")
REPORT = Step("ingest/pipeline/outcome.py", "_close_and_report")
CLOSE = Step("ingest/pipeline/outcome.py", "close_done")

READING_PATH = (
    (API, HANDLE),
    (HANDLE, PROCESS),
    (PROCESS, CALL),
    (PROCESS, OUTCOME),
    (OUTCOME, IN_TIME),
    (IN_TIME, REPORT),
    (REPORT, CLOSE),
)


def files_to_read() -> list[str]:
    return list(dict.fromkeys(step.file for arrow in READING_PATH for step in arrow))


def find_broken_arrows() -> list[str]:
    """What of the path is not (any more) in the code; empty when all is well."""
    broken = []
    for start, end in READING_PATH:
        if find_function(end) is None:
            broken.append(f"{end.file} has no function {end.function}")
        elif not leads_to(start, end):
            broken.append(f"{start.function} in {start.file} does not lead to {end.function}")
    return broken


def find_step_modules() -> list[str]:
    """The project's modules that the files of both spine functions take their steps from."""
    modules = set()
    for step in {HANDLE.file, PROCESS.file}:
        tree = ast.parse((BASE_DIR / step).read_text())
        modules |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
    return sorted(module for module in modules if module.startswith("ingest."))


def leads_to(start: Step, end: Step) -> bool:
    if end.function not in names_reached(start):
        return False
    return start.file == end.file or end.function in names_imported(start.file, end.file)


def names_reached(start: Step) -> set[str]:
    """The names in the function's body, and in those of the file's functions that it uses."""
    seen: set[str] = set()
    queue = [start.function]
    while queue:
        if function := find_function(Step(start.file, queue.pop())):
            names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            queue += names - seen
            seen |= names
    return seen


def names_imported(file: str, source: str) -> set[str]:
    tree = ast.parse((BASE_DIR / file).read_text())
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == module_name(source)
        for alias in node.names
    }


def find_function(step: Step) -> FunctionNode | None:
    path = BASE_DIR / step.file
    if not path.exists():
        return None
    nodes = ast.parse(path.read_text()).body
    return next((n for n in nodes if isinstance(n, FunctionNode) and n.name == step.function), None)
