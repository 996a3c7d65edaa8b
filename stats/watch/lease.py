"""Of several processes that watch, on one machine or on many, one speaks: who holds the lease.

Only the database's clock counts, so machines whose clocks differ agree.
"""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import IntegrityError
from django.db.models import BooleanField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from stats.models import WatchLease

LEASE = timedelta(seconds=20)  # ten times as long as between two renewals
HOST = socket.gethostname()[:100]


def make_holder() -> str:
    """The name of this process, of all machines' processes."""
    return f"{HOST[:60]}:{os.getpid()}:{uuid4().hex[:8]}"


def take_lease(holder: str) -> bool:
    """Take it if it is free, prolong it if it is ours; whether it is ours now. Two queries."""
    until = Now() + LEASE
    lease = WatchLease.objects.filter(pk=1)
    if lease.filter(holder=holder).update(expires_at=until):
        return True
    taken = {"holder": holder, "host": HOST, "since": Now(), "expires_at": until}
    if lease.filter(expires_at__lte=Now()).update(**taken):
        return True
    if lease.exists():
        return False
    try:
        WatchLease.objects.create(pk=1, **taken)
    except IntegrityError:  # another one was first
        return False
    return True


def give_back_lease(holder: str) -> None:
    """So that another one goes on at once."""
    WatchLease.objects.filter(pk=1, holder=holder).update(expires_at=Now())


@dataclass(frozen=True, slots=True)
class WatchState:
    """What the console shows of it."""

    is_alive: bool
    host: str = ""
    since: datetime | None = None
    last_seen_at: datetime | None = None


def load_watch_state() -> WatchState:
    """One query."""
    is_alive = ExpressionWrapper(Q(expires_at__gt=Now()), output_field=BooleanField())
    seen_at = ExpressionWrapper(F("expires_at"), output_field=WatchLease._meta.get_field("since"))
    row = (
        WatchLease.objects.filter(pk=1)
        .annotate(is_alive=is_alive, last=seen_at)
        .values_list("is_alive", "host", "since", "last")
        .first()
    )
    if row is None:
        return WatchState(is_alive=False)
    alive, host, since, expires_at = row
    return WatchState(bool(alive), host, since, expires_at - LEASE)
