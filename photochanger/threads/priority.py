"""Threads whose work may wait for that of others where processors are short."""

import os
import sys
import threading

import structlog

NICENESS = 5
log = structlog.get_logger()


def lower_priority() -> None:
    """Of this thread alone: Linux has it for single threads, others do not.

    Where the system refuses it, as a strict container does, the thread works as all others do: a
    pool whose threads cannot be prepared would refuse its photos for ever.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        try:
            nice = os.getpriority(os.PRIO_PROCESS, thread) + NICENESS
            os.setpriority(os.PRIO_PROCESS, thread, min(nice, 19))
        except OSError as exc:
            name = threading.current_thread().name
            log.warning("threads.priority.kept", thread=name, detail=exc.strerror)
