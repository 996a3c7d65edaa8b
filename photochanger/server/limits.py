"""How much a connection may hold, and for how long, before Django sees a request."""

import resource
from functools import cache

HEAD_BYTES = 32 * 1024  # of one head, and of one trailer: what front servers take at most
HEADERS = 200
HEAD_PIECE_BYTES = 512  # of heads are parsed at once, so that few requests come out of one piece
HEAD_S = 10.0  # from the first byte, or from the connection, to the end of a head
WRITE_S = 60.0  # without one byte of the answer taken
PIPELINED = 8  # requests of one connection that wait for their turn
PIPELINED_IN_ONE_PIECE = 64  # when they come right behind a body
PIPELINED_SEND_BYTES = 16 * 1024  # answers that its kernel takes ahead of the reader
WAITING_BYTES = 8 * 1024 * 1024  # of all incomplete heads together
# Up to so many connections each may send 256 KB at once; in a crowd it takes more rounds.
ROOMY_CONNECTIONS, CROWDED_READ_BYTES = 64, 32 * 1024
RESERVED_FILES = 256  # for databases, files, and calls to providers
MAX_CONNECTIONS = 4096


@cache
def get_max_connections() -> int:
    """Of this process: fewer than it may have files open."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(64, min(MAX_CONNECTIONS, soft - RESERVED_FILES))


def raise_file_limit() -> int:
    """As many open files as this user may have; returns the number. A shell gives 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return soft
