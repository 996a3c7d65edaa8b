"""The booth's password: the right one costs nothing, and guessing comes to an end soon."""

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import Error as AnyDatabaseError

from ingest.refusals.errors import PasswordGuessed, PasswordUnset
from photochanger.db import in_db
from photochanger.errors import InvalidPassword
from photochanger.parsing import group_address
from slots.passwords import renew_keyed_hash
from slots.secrets import match_keyed_hash, password_matches

log = structlog.get_logger()

WRONG_TRIES, WRONG_WINDOW_S = 10, 60
MAX_ADDRESSES = 10_000
# A check by bcrypt costs 225 ms of CPU. One thread of its own, and few that wait for it: a storm
# of wrong passwords then waits for itself and not for the threads that photos need.
MAX_WAITING, BUSY_RETRY_AFTER_S = 8, 3
_bcrypt_thread = ThreadPoolExecutor(1, thread_name_prefix="bcrypt")


class WrongTries:
    """How often each address has been wrong lately, in this process."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, tuple[int, float]] = OrderedDict()  # count, end of its window

    def count(self, address: str) -> int:
        """One more; how many that makes within the window that began with the first."""
        now = time.monotonic()
        tries, ends_at = self._tries.get(address, (0, 0.0))
        if ends_at <= now:
            self._tries.pop(address, None)  # its window begins anew, at the end of the row
            tries, ends_at = 0, now + WRONG_WINDOW_S
        self._tries[address] = tries + 1, ends_at
        while len(self._tries) > MAX_ADDRESSES:
            self._tries.popitem(last=False)  # the window that began first
        return tries + 1

    def give_back(self, address: str) -> None:
        if address in self._tries:
            tries, ends_at = self._tries[address]
            self._tries[address] = max(0, tries - 1), ends_at

    def clear(self) -> None:
        self._tries.clear()


wrong_tries = WrongTries()
_waiting = 0


async def check_password(password: str, hashed: str, *, address: str) -> None:
    """Raises InvalidPassword, or RateLimited for an address with too many wrong tries.

    The right password is known by its keyed hash, before any limit is looked at: nobody's guessing
    keeps a booth out. ``hashed`` empty means closed: nothing is right.
    """
    verdict = match_keyed_hash(password, hashed)
    if verdict:
        return
    place = group_address(address)
    # Counted before the check, so that parallel tries cannot slip through.
    if wrong_tries.count(place) > WRONG_TRIES:
        raise PasswordGuessed("too many wrong passwords", retry_after_s=WRONG_WINDOW_S)
    if not hashed:
        raise PasswordUnset("no password is set")
    if verdict is None and await _match_by_bcrypt(password, hashed):
        wrong_tries.give_back(place)
        return
    raise InvalidPassword("wrong password")


async def _match_by_bcrypt(password: str, hashed: str) -> bool:
    """Whether it is right, where no key of ours made the keyed hash; a right one gets it now.

    Raises RateLimited when too many wait already.
    """
    global _waiting  # noqa: PLW0603  of this process's one thread
    if _waiting >= MAX_WAITING:
        raise PasswordGuessed(
            "too many passwords are being checked", retry_after_s=BUSY_RETRY_AFTER_S
        )
    _waiting += 1
    try:
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(_bcrypt_thread, password_matches, password, hashed):
            return False
    finally:
        _waiting -= 1
    try:
        await in_db(renew_keyed_hash, hashed, password)
    except AnyDatabaseError as exc:  # the next photo pays for bcrypt once more
        log.warning("ingest.password.not_renewed", detail=type(exc).__name__)
    return True
