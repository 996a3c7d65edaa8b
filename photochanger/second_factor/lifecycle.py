"""A second factor is set up, and taken away again; each is a line of the history."""

from dataclasses import dataclass

import structlog
from django.contrib.auth.models import User
from django.db import transaction

from photochanger.db import clock
from photochanger.second_factor.codes import (
    clean_code,
    find_step,
    hash_recovery_code,
    is_app_code,
    make_recovery_codes,
)
from photochanger.second_factor.errors import InvalidCode
from photochanger.second_factor.models import SecondFactor
from slots.history.records import REMOVED, SECOND_FACTOR, SET_UP, write_entry
from slots.secrets import encrypt

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NewFactor:
    factor: SecondFactor
    recovery_codes: list[str]  # to be shown now: only their hashes are stored


@transaction.atomic
def set_up_factor(user: User, secret: str, typed: str) -> NewFactor:
    """With a code of the app, which proves that it has the secret.

    Raises InvalidCode, and IntegrityError when the administrator has one already.
    """
    now, code = clock.now(), clean_code(typed)
    step = find_step(secret, code, now) if is_app_code(code) else None
    if step is None:
        raise InvalidCode(user.get_username())
    codes = make_recovery_codes()
    factor = SecondFactor(user=user, secret=encrypt(secret), last_step=step, created_at=now)
    factor.recovery_hashes = [hash_recovery_code(factor.id, one) for one in codes]
    SecondFactor.objects.filter(user=user, secret="").delete()  # of one that was removed
    factor.save(force_insert=True)
    _record(user, SET_UP, by=user.get_username())
    return NewFactor(factor, codes)


@transaction.atomic
def remove_factor(user: User, *, by: str) -> SecondFactor | None:
    """The row that stays in its place; None: there was none to remove.

    Sessions and tokens that were opened with it end, and those from before it stay ended.
    """
    removed, _by_model = SecondFactor.objects.filter(user=user).exclude(secret="").delete()
    if not removed:
        return None
    _record(user, REMOVED, by=by)
    return SecondFactor.objects.create(user=user, secret="", created_at=clock.now())


def _record(user: User, what: str, *, by: str) -> None:
    name = user.get_username()
    write_entry(user, str(user.pk), name, {}, {SECOND_FACTOR: what}, by=by)
    log.warning("auth.second_factor.changed", username=name, change=what, by=by)
