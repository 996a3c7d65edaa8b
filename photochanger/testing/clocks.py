"""Processes whose wall clock is another one, by libfaketime: a real clock that is moved."""

import os
from pathlib import Path
from unittest import SkipTest

NOT_HERE = "NO MOVED CLOCKS: libfaketime is not installed; `make clocks` installs it"
LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
)


def find_library() -> str:
    """Skips, or with CLOCK_TESTS=required fails, when it is nowhere."""
    found = next((path for path in LIBRARIES if Path(path).exists()), None)
    if found:
        return found
    if os.environ.get("CLOCK_TESTS") == "required":
        raise AssertionError(NOT_HERE)
    raise SkipTest(NOT_HERE)


def make_moved_clock(seconds: int) -> dict[str, str]:
    """The environment of a process whose clock is so far ahead; its monotonic one stays."""
    return {"LD_PRELOAD": find_library(), "FAKETIME": f"{seconds:+d}s", **UNMOVED}


def make_clock_of_file(file: Path) -> dict[str, str]:
    """The same, and the file says how far, each time the clock is read: see ``set_clock``."""
    set_clock(file, 0)
    return {"LD_PRELOAD": find_library(), "FAKETIME_TIMESTAMP_FILE": str(file), **UNMOVED}


def set_clock(file: Path, seconds: int) -> None:
    file.write_text(f"{seconds:+d}s\n")


UNMOVED = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}
