"""Who is locked out of log-ins, and until when; and what the log tells of one that failed.

django-axes counts failures in the database, so that all processes agree, by name and address
together: an attacker locks out only their own address, never an administrator elsewhere, and never
a browser that has logged in before (``photochanger.web.devices``). An address that fails under many
names is locked too: each try costs 0.3 s of CPU. A name that fails from many addresses is locked
for all but such browsers and whoever is logged in: whoever has a thousand addresses would have
10,000 tries a quarter of an hour. Its rows have the database's time, as all that machines compare.
"""

from datetime import datetime

import structlog
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest

from photochanger.db import clock
from photochanger.errors import Throttled
from photochanger.parsing import group_address, make_printable
from photochanger.web.devices import find_device_address

log = structlog.get_logger()

ADDRESS_FAILURE_LIMIT = 30  # of one address, whatever the names
NAME_FAILURE_LIMIT = 100  # of one name, whatever the addresses
Failures = list[tuple[datetime, int]]  # when the last one was, and how many; in order


def get_lockout_address(request: HttpRequest) -> str | None:
    """The address that failures are counted for (the setting AXES_CLIENT_IP_CALLABLE).

    Never from a header: the edge has already put a trusted proxy's client there. Of an IPv6
    address the /64 network counts, since one client may use any address of it.
    """
    if device := find_device_address(request):
        return device
    return group_address(request.META.get("REMOTE_ADDR", "")) or None


def check_lockout(request: HttpRequest, username: str) -> None:
    """Raises Throttled while too many log-ins have failed for this name from this address, for all
    names together, or for this name from all addresses."""
    AxesProxyHandler.update_request(request)
    request.axes_attempt_time = clock.now()  # type: ignore[attr-defined]  # it would take our own
    if seconds := _get_lockout_s(request, username):
        log_failure(request, username, Throttled.reason)
        raise Throttled(retry_after_s=seconds)


def _get_lockout_s(request: HttpRequest, username: str) -> float:
    now, address = clock.now(), get_lockout_address(request)
    # A row for each browser and name; it expires when its last failure is older than the lockout.
    rows = AccessAttempt.objects.filter(
        Q(username=username) | Q(ip_address=address),
        attempt_time__gt=now - settings.AXES_COOLOFF_TIME,
    ).order_by("attempt_time")
    fields = ("username", "ip_address", "attempt_time", "failures_since_start")
    of_name: Failures = []
    of_address: Failures = []
    of_both: Failures = []
    for name, came_from, last, count in rows.values_list(*fields):
        if name == username:
            of_name.append((last, count))
        if came_from == address:
            of_address.append((last, count))
        if name == username and came_from == address:
            of_both.append((last, count))
    of_name_s = _count_down(of_name, NAME_FAILURE_LIMIT, now)
    return max(
        _count_down(of_both, settings.AXES_FAILURE_LIMIT, now),
        _count_down(of_address, ADDRESS_FAILURE_LIMIT, now),
        0.0 if of_name_s and _is_known(request, username) else of_name_s,
    )


def _is_known(request: HttpRequest, username: str) -> bool:
    """A browser that has logged in before, or that asks its own administrator once more."""
    if find_device_address(request):
        return True
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated and user.get_username() == username


def _count_down(attempts: Failures, limit: int, now: datetime) -> float:
    """Seconds until fewer than ``limit`` failures count, given those that count now, in order."""
    failures, seconds = sum(count for _, count in attempts), 0.0
    for last, count in attempts:
        if failures < limit:
            break
        failures -= count
        seconds = (last + settings.AXES_COOLOFF_TIME - now).total_seconds()
    return seconds


def log_failure(request: HttpRequest | None, username: str, reason: str) -> None:
    log.warning(
        "auth.login.failure",
        username=make_loggable(username),
        reason=reason,
        address=get_address(request),
    )


def get_address(request: HttpRequest | None) -> str:
    return str(request.META.get("REMOTE_ADDR", "")) if request else ""


def make_loggable(username: str) -> str:
    """A name as typed by anybody, fit for one line of a log that people read."""
    return make_printable(username, 150, replacement="?")
