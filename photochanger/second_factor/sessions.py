"""What a session of the console knows of the second factor: which one opened it, if any.

Between password and code nobody is logged in; only whose password was right is remembered, for
five minutes.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from photochanger.db import clock
from photochanger.second_factor.checking import find_factor, find_row
from photochanger.second_factor.models import SecondFactor

KEY, PENDING = "second_factor", "second_factor_pending"
PENDING_S = 300


def name_factor(user: object) -> str:
    """What a session or a token of this user must have been opened with: the factor, or its end;
    "" for who never had one."""
    row = find_row(user)
    return str(row.pk) if row else ""


def needs_factor(user: object) -> bool:
    """That an administrator has none, and everybody must."""
    is_administrator = isinstance(user, User) and user.is_active and user.is_superuser
    return settings.SECOND_FACTOR_REQUIRED and is_administrator and find_factor(user) is None


def may_enter(request: HttpRequest) -> bool:
    """That the session was opened with the factor of today, where one is set up or asked of all."""
    is_missing = settings.SECOND_FACTOR_REQUIRED and find_factor(request.user) is None
    return not is_missing and is_current(request)


def is_current(request: HttpRequest) -> bool:
    """That the user's second factor was neither set up nor removed since the session was opened."""
    return constant_time_compare(request.session.get(KEY, ""), name_factor(request.user))


def mark_session(request: HttpRequest, row: SecondFactor | None) -> None:
    """The session is of this factor, or of its end, from now on, under a new name.

    ``row``: as it was when the log-in was judged. One that has been set up meanwhile must not be
    taken for proven.
    """
    request.session.cycle_key()
    if row is None:
        request.session.pop(KEY, None)
    else:
        request.session[KEY] = str(row.pk)


@dataclass(frozen=True, slots=True)
class Pending:
    user: User
    next_url: str


def begin_code_step(request: HttpRequest, user: User, next_url: str) -> None:
    """The password was right: whatever this session was before, it is now one that owes a code."""
    request.session.flush()
    request.session[PENDING] = {
        "user": user.pk,
        "until": clock.now().timestamp() + PENDING_S,
        "password": user.get_session_auth_hash(),
        "next": next_url,
    }


def read_pending(request: HttpRequest) -> Pending | None:
    """Who owes a code; nobody when it took too long, or the password has changed meanwhile."""
    told: dict[str, Any] = request.session.get(PENDING) or {}
    if not told or clock.now().timestamp() > told["until"]:
        return None
    users = User.objects.select_related("second_factor")
    user = users.filter(pk=told["user"], is_active=True, is_superuser=True).first()
    is_same = user and constant_time_compare(told["password"], user.get_session_auth_hash())
    return Pending(user, str(told["next"])) if user and is_same and find_factor(user) else None
