"""The booth's password: bcrypt off the event loop, paid once, and not to be guessed at leisure."""

import asyncio
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from django.core.cache import cache

from ingest.refusals.errors import PasswordGuessed, PasswordUnset
from photochanger.errors import InvalidPassword
from slots.secrets import password_matches

WRONG_TRIES, WRONG_WINDOW_S = 10, 60
MAX_REMEMBERED = 64

# A check costs 225 ms of CPU. One thread of its own: a storm of wrong passwords then waits for
# itself and not for the threads that photos need.
_bcrypt_thread = ThreadPoolExecutor(1, thread_name_prefix="bcrypt")
_process_key = secrets.token_bytes(32)
_verified: dict[bytes, None] = {}


async def check_password(password: str, hashed: str, *, address: str) -> None:
    """Raises InvalidPassword, or RateLimited for an address with too many wrong tries.

    The right password costs bcrypt once per process; after that it is known by an HMAC under a
    key that never leaves this process. ``hashed`` empty means closed: nothing is right.
    """
    mark = hmac.digest(_process_key, f"{hashed}\0{password}".encode(), "sha256")
    if mark in _verified:
        return
    _refuse_guessing(address)
    loop = asyncio.get_running_loop()
    if hashed:
        verify = partial(_verify, password, hashed, mark)
        if await loop.run_in_executor(_bcrypt_thread, verify):
            return
    _count_wrong(address)
    if not hashed:
        raise PasswordUnset("no password is set")
    raise InvalidPassword("wrong password")


def _verify(password: str, hashed: str, mark: bytes) -> bool:
    """On the one thread: of a burst with the same password only the first pays."""
    if mark in _verified:
        return True
    if not password_matches(password, hashed):
        return False
    if len(_verified) >= MAX_REMEMBERED:
        _verified.clear()
    _verified[mark] = None
    return True


def _refuse_guessing(address: str) -> None:
    if cache.get(f"wrong-password:{address}", 0) >= WRONG_TRIES:
        raise PasswordGuessed("too many wrong passwords", retry_after_s=WRONG_WINDOW_S)


def _count_wrong(address: str) -> None:
    key = f"wrong-password:{address}"
    if not cache.add(key, 1, WRONG_WINDOW_S):
        cache.incr(key)
