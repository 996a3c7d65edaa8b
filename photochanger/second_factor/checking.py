"""Judging a code: once only, a few tries, and the same answer on every process."""

from datetime import datetime, timedelta

import structlog
from django.contrib.auth.models import User
from django.db import transaction

from photochanger.db import clock
from photochanger.errors import ProviderConfig, Throttled
from photochanger.second_factor.codes import (
    clean_code,
    find_recovery_hash,
    find_step,
    is_app_code,
)
from photochanger.second_factor.errors import InvalidCode, SecondFactorUnreadable
from photochanger.second_factor.models import SecondFactor
from slots.history.records import RECOVERED, SECOND_FACTOR, write_entry
from slots.secrets import decrypt

log = structlog.get_logger()

# Of one administrator, from all addresses together: django-axes counts each address for itself,
# and whoever has the password and a thousand addresses would have 10,000 tries a quarter of an
# hour. A browser that this administrator has logged in from is not held up by what others do.
WRONG_CODES, PAUSE = 10, timedelta(minutes=15)
WRONG_CODES_KNOWN = 30  # from there on, also those browsers: somebody may have collected cookies


def find_factor(user: object) -> SecondFactor | None:
    """No query for a user of ``AdministratorBackend`` or of a token: both bring it along."""
    row = find_row(user)
    return row if row and row.secret else None


def find_row(user: object) -> SecondFactor | None:
    """Also that of a factor which was removed."""
    return getattr(user, "second_factor", None)


def check_code(user: User, typed: str, *, is_known_browser: bool) -> None:
    """Take the app's code or a recovery code, once. Writes a line of history for the latter.

    Only the app's codes are few enough to be guessed. So nobody who guesses them can keep the owner
    from a recovery code, and nobody who tries recovery codes from the app's.

    Raises InvalidCode, Throttled, SecondFactorUnreadable.
    """
    now = clock.now()
    with transaction.atomic():
        # Locked, so that of many tries at once each is counted, and a code is taken by one.
        rows = SecondFactor.objects.select_for_update().exclude(secret="")
        factor = rows.filter(user=user).first()
        if factor is None:
            raise InvalidCode(user.get_username())
        code, wait_s = clean_code(typed), 0.0
        if is_app_code(code):
            most = WRONG_CODES_KNOWN if is_known_browser else WRONG_CODES
            wait_s = _get_pause_s(factor, most, now)
            is_right = not wait_s and _try_app_code(factor, code, now)
        else:
            is_right = _take_recovery(factor, code)
    if wait_s:
        raise Throttled(retry_after_s=wait_s)
    if not is_right:
        raise InvalidCode(user.get_username())


def _get_pause_s(factor: SecondFactor, most: int, now: datetime) -> float:
    """Seconds until another of the app's codes may be tried, after ``most`` wrong ones."""
    if factor.wrong_at is None or factor.wrong_codes < most:
        return 0.0
    return max(0.0, (factor.wrong_at + PAUSE - now).total_seconds())


def _try_app_code(factor: SecondFactor, code: str, now: datetime) -> bool:
    is_right = _take_app_code(factor, code, now)
    is_fresh = factor.wrong_at is not None and now - factor.wrong_at < PAUSE
    factor.wrong_codes = 0 if is_right else factor.wrong_codes * is_fresh + 1
    factor.wrong_at = None if is_right else now
    factor.save(update_fields=["last_step", "wrong_codes", "wrong_at"])
    return is_right


def _take_app_code(factor: SecondFactor, code: str, now: datetime) -> bool:
    """Neither a code that was taken before, nor one that is older than it."""
    step = find_step(_read_secret(factor), code, now)
    if step is None or step <= factor.last_step:
        return False
    factor.last_step = step
    return True


def _read_secret(factor: SecondFactor) -> str:
    try:
        return decrypt(factor.secret)
    except ProviderConfig as exc:
        raise SecondFactorUnreadable(str(exc)) from exc


def _take_recovery(factor: SecondFactor, code: str) -> bool:
    found = find_recovery_hash(factor.recovery_hashes, factor.id, code)
    if found is None:
        return False
    factor.recovery_hashes = [known for known in factor.recovery_hashes if known != found]
    factor.save(update_fields=["recovery_hashes"])
    user, left = factor.user, len(factor.recovery_hashes)
    name = user.get_username()
    write_entry(user, str(user.pk), name, {}, {SECOND_FACTOR: RECOVERED}, by=name)
    log.warning("auth.recovery_code.used", username=name, codes_left=left)
    return True
