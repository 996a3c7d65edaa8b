"""Which paths the edge treats apart."""

import re

# A booth posts its photo here.
BOOTH_PATHS = ("/ingest/", "/api/ingest/")
TEST_RUN_PATH = re.compile(r"/api/slots/[^/]+/test-run")
# A provider fetches the photo here and holds that photo up meanwhile.
PROVIDER_MEDIA_PATH = "/public/provider-media/"
MONITORING_PATHS = ("/metrics", "/healthz")
# Booths, providers, guests and monitors: no session, no form token (photochanger/web/stacks.py).
MACHINE_PATHS = (
    "/ingest/",
    "/api/ingest/",
    "/api/jobs/",
    "/public/",
    "/livez",
    "/healthz",
    "/metrics",
)


def is_booth_path(path: str) -> bool:
    return path.startswith(BOOTH_PATHS)


def is_machine_path(path: str) -> bool:
    return path.startswith(MACHINE_PATHS)


def takes_photo(path: str) -> bool:
    """Whether its view reads the body itself, while it arrives."""
    return path.startswith(BOOTH_PATHS) or bool(TEST_RUN_PATH.fullmatch(path))
