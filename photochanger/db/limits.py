"""How long PostgreSQL may keep a connection of this process waiting.

Twice, since each alone has a gap. The server's own limits end a statement with a clear error and
free what it holds, but a server that is stopped, or a front of it that hangs, keeps no limits. The
client's limit in ``photochanger.db.postgresql`` needs nobody, but what it gives up may go on.
Commands (migrations, cleanup) have neither: they may take their time.
"""

from django.conf import settings

from photochanger.threads.time_limit import get_step_left_s

# Of one step on a lane. Less than the 10 s that the least patient booth waits, so that it hears of
# a database that hangs; guests reload sooner.
PHOTO_STEP_S, GUEST_STEP_S = 8.0, 5.0
# The server's own limit has the first word: its error leaves the connection usable.
CLIENT_EXTRA_S = 1.0
# For the word that a connection still lives; as long as a new one is waited for after it.
CHECK_S = 3.0


class _Process:
    is_limited = False
    wait_s: float | None = None


def limit_this_process(*, wait_s: float | None = None) -> None:
    """Called once, by whatever serves people, before its first connection. ``wait_s``: less than
    the setting allows."""
    _Process.is_limited, _Process.wait_s = True, wait_s


def is_process_limited() -> bool:
    return _Process.is_limited


def get_wait_s() -> float | None:
    """The longest that the next answer may be waited for; None in a command: for ever."""
    left_s = get_step_left_s()
    if not _Process.is_limited:
        return left_s
    limit_s = _Process.wait_s or settings.DATABASE_STATEMENT_SECONDS + CLIENT_EXTRA_S
    return limit_s if left_s is None else min(left_s, limit_s)


def make_session_options() -> str:
    """What the server is told when we connect; empty where a pooler takes no such words."""
    if settings.DATABASE_BEHIND_POOLER or not _Process.is_limited:
        return ""
    limits = {
        "lock_timeout": settings.DATABASE_LOCK_SECONDS,
        "statement_timeout": settings.DATABASE_STATEMENT_SECONDS,
        "idle_in_transaction_session_timeout": settings.DATABASE_IDLE_SECONDS,
    }
    return " ".join(f"-c {name}={seconds * 1000}" for name, seconds in limits.items())
