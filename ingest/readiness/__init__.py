"""Is everything ready for the event? Each question asked for real, and answered in plain words."""

from collections.abc import Callable

from ingest.readiness import server, services
from ingest.readiness.result import Verdict

# What the page asks, beside one question for each key.
LOOKS: dict[str, Callable[[], Verdict]] = {
    "slots": server.look_at_slots,
    "password": server.look_at_password,
    "models": services.look_at_models,
    "quota": services.look_at_quota,
    "address": server.look_at_address,
    "disk": server.look_at_disk,
    "storage": server.look_at_storage,
    "clock": server.look_at_clock,
    "cleanup": server.look_at_cleanup,
}
