"""Threads whose work may wait for that of others where processors are short."""

import os
import sys
import threading

NICENESS = 5


def lower_priority() -> None:
    """Of this thread alone: Linux has it for single threads, others do not."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        nice = os.getpriority(os.PRIO_PROCESS, thread) + NICENESS
        os.setpriority(os.PRIO_PROCESS, thread, min(nice, 19))
