"""Steps that write temporary files, in threads of their own: their disk may hang.

Whoever waits for one hears of it in time, and the thread is left behind. What needs no file runs
elsewhere and goes on.
"""

from photochanger.errors import StorageError
from photochanger.threads.executor import LimitedExecutor

STEP_LIMIT_S, PATIENCE_S, THREADS = 8.0, 2.0, 4


def _make_error(detail: str) -> StorageError:
    return StorageError(f"the disk of temporary files hangs: {detail}")


_threads = LimitedExecutor(
    "temporary files",
    threads=THREADS,
    spares=THREADS,
    limit_s=STEP_LIMIT_S,
    patience_s=PATIENCE_S,
    make_error=_make_error,
)
# Runs one step that writes there. Raises StorageError in time.
write_in_threads = _threads.run
