"""Run a command under a systemd unit's restrictions on calls, where no systemd runs.

    python -m photochanger.testing.confined deploy/systemd/photochanger.service COMMAND ...

It takes SystemCallFilter, RestrictAddressFamilies, MemoryDenyWriteExecute, NoNewPrivileges and
UMask as the unit has them. Read-only files and another user are the caller's.
"""

import ctypes
import errno
import os
import socket
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
MASKED_EQUAL = 7
PROT_WRITE, PROT_EXEC = 2, 4
PR_SET_NO_NEW_PRIVS = 38
FAMILIES = 50  # of addresses: more than Linux knows


class _Compare(ctypes.Structure):
    """One argument of a call: ``struct scmp_arg_cmp``."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


class Filter:
    """A filter of libseccomp, by names of calls; what has no rule meets ``otherwise``."""

    def __init__(self, otherwise: int) -> None:
        self._library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._filter = ctypes.c_void_p(self._library.seccomp_init(otherwise))

    def add(self, action: int, call: str, *compares: _Compare) -> None:
        number = self._library.seccomp_syscall_resolve_name(call.encode())
        if number == -1:  # not of this machine
            return
        array = (_Compare * len(compares))(*compares)
        self._library.seccomp_rule_add_array(self._filter, action, number, len(compares), array)

    def load(self) -> None:
        if self._library.seccomp_load(self._filter):
            raise OSError("the filter of calls could not be set")


def read_unit(path: Path) -> dict[str, list[str]]:
    """Every value of every key, in its order."""
    found = defaultdict(list)
    for line in path.read_text().splitlines():
        name, is_pair, value = line.partition("=")
        if is_pair and not line.startswith("#"):
            found[name].append(value)
    return found


def list_calls(group: str) -> set[str]:
    """The calls of a group such as ``@system-service``, as systemd knows it."""
    if not group.startswith("@"):
        return {group}
    told = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True
    )
    names = [line.strip() for line in told.stdout.splitlines()[1:]]
    return set().union(*(list_calls(name) for name in names if name and name[0] != "#"))


def find_allowed_calls(unit: dict[str, list[str]]) -> set[str]:
    allowed: set[str] = set()
    for line in unit["SystemCallFilter"]:
        calls = set().union(*map(list_calls, line.lstrip("~").split()))
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def confine(unit: dict[str, list[str]]) -> None:
    """This process and its children: there is no way back."""
    os.umask(int(unit["UMask"][0], 8))
    details, calls = Filter(ALLOW), Filter(REFUSE)
    if unit["MemoryDenyWriteExecute"] == ["true"]:
        both = PROT_WRITE | PROT_EXEC
        details.add(REFUSE, "mmap", _Compare(2, MASKED_EQUAL, both, both))
        for call in ("mprotect", "pkey_mprotect"):
            details.add(REFUSE, call, _Compare(2, MASKED_EQUAL, PROT_EXEC, PROT_EXEC))
    kept = {getattr(socket, name) for name in " ".join(unit["RestrictAddressFamilies"]).split()}
    for family in set(range(FAMILIES)) - kept:
        details.add(REFUSE, "socket", _Compare(0, MASKED_EQUAL, 0xFFFFFFFF, family))
    for call in find_allowed_calls(unit):
        calls.add(ALLOW, call)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError("no_new_privs could not be set")
    details.load()
    calls.add(ALLOW, "seccomp")
    calls.load()


if __name__ == "__main__":
    confine(read_unit(Path(sys.argv[1])))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  no shell is wanted
