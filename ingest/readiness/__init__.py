"""Checks before an event: each is done for real, and its result is in the operator's words."""

from collections.abc import Callable

from ingest.readiness import server, services
from ingest.readiness.result import CheckResult

# The page shows these, and one check for each provider's key.
CHECKS: dict[str, Callable[[], CheckResult]] = {
    "slots": server.check_slots,
    "password": server.check_password,
    "models": services.check_models,
    "quota": services.check_quota,
    "address": server.check_address,
    "galleries": server.check_galleries,
    "disk": server.check_disk,
    "storage": server.check_storage,
    "clock": server.check_clock,
    "cleanup": server.check_cleanup,
}
