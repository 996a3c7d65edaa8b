"""Who is locked out of log-ins, and until when; and what the log tells of one that failed.

django-axes counts failures in the database, so that all processes agree, by name and address
together: an attacker locks out only their own address, never an administrator elsewhere, and never
a browser that has logged in before (``photochanger.web.devices``). An address that fails under many
names is locked too: each try costs 0.3 s of CPU. Its rows have the database's time, as all that
machines compare.
"""

from datetime import datetime

import structlog
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest

from photochanger.db import clock
from photochanger.errors import Throttled
from photochanger.parsing import group_address, make_printable
from photochanger.web.devices import find_device_address

log = structlog.get_logger()

ADDRESS_FAILURE_LIMIT = 30  # of one address, whatever the names


def get_lockout_address(request: HttpRequest) -> str | None:
    """The address that failures are counted for (the setting AXES_CLIENT_IP_CALLABLE).

    Never from a header: the edge has already put a trusted proxy's client there. Of an IPv6
    address the /64 network counts, since one client may use any address of it.
    """
    if device := find_device_address(request):
        return device
    return group_address(request.META.get("REMOTE_ADDR", "")) or None


def check_lockout(request: HttpRequest, username: str) -> None:
    """Raises Throttled while too many log-ins have failed for this name from this address, or for
    all names together."""
    AxesProxyHandler.update_request(request)
    request.axes_attempt_time = clock.now()  # type: ignore[attr-defined]  # it would take our own
    if seconds := _get_lockout_s(request, username):
        log_failure(request, username, Throttled.reason)
        raise Throttled(retry_after_s=seconds)


def _get_lockout_s(request: HttpRequest, username: str) -> float:
    now = clock.now()
    # A row for each browser and name; it expires when its last failure is older than the lockout.
    rows = AccessAttempt.objects.filter(
        ip_address=get_lockout_address(request),
        attempt_time__gt=now - settings.AXES_COOLOFF_TIME,
    ).order_by("attempt_time")
    found = list(rows.values_list("username", "attempt_time", "failures_since_start"))
    of_name = [(last, count) for name, last, count in found if name == username]
    of_address = [(last, count) for _, last, count in found]
    return max(
        _count_down(of_name, settings.AXES_FAILURE_LIMIT, now),
        _count_down(of_address, ADDRESS_FAILURE_LIMIT, now),
    )


def _count_down(attempts: list[tuple[datetime, int]], limit: int, now: datetime) -> float:
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
