"""Which paths the edge treats apart."""

import re

# A booth posts its photo here.
BOOTH_PATHS = ("/ingest/", "/api/ingest/")
TEST_RUN_PATH = re.compile(r"/api/slots/[^/]+/test-run")
# A provider fetches the photo here and holds that photo up meanwhile.
PROVIDER_MEDIA_PATH = "/public/provider-media/"
GUEST_PATHS = "/public/"
API_PATHS = "/api/"
MONITORING_PATHS = ("/metrics", "/healthz", "/livez")
# In work at once, whatever else waits: a photo may depend on it, or a monitor's alarm.
AT_ONCE_PATHS = (*BOOTH_PATHS, PROVIDER_MEDIA_PATH, "/livez")
# Booths, providers, guests and monitors: no session, no form token (photochanger/web/stacks.py).
MACHINE_PATHS = (
    "/ingest/",
    "/api/ingest/",
    "/api/jobs/",
    "/api/openapi.json",
    "/public/",
    "/livez",
    "/healthz",
    "/metrics",
)

# What a link picks up on its way through messengers and word processors.
INVISIBLE = re.compile(r"[\s\u00ad\u200b-\u200f\u2060\ufeff]+")
DASHES = re.compile(r"[\u2010-\u2015\u2212]")
BOOTH_LINK = re.compile(r"/+(api/+)?ingest/", re.IGNORECASE)


def clean_path(path: str) -> str:
    """The path that was meant: one slash for several, and a booth's link as we write it.

    A redirect would lose the photo, and a booth's screen keyboard knows no small letters.
    """
    link = path.replace("\\", "/")  # nobody else's path: a front server has judged that by its own
    if not BOOTH_LINK.match(link):
        return re.sub(r"/{2,}", "/", path)
    return DASHES.sub("-", INVISIBLE.sub("", re.sub(r"/{2,}", "/", link))).lower()


def is_booth_path(path: str) -> bool:
    return path.startswith(BOOTH_PATHS)


def needs_no_turn(path: str) -> bool:
    return clean_path(path).startswith(AT_ONCE_PATHS)


def is_machine_path(path: str) -> bool:
    return path.startswith(MACHINE_PATHS)


def takes_photo(path: str) -> bool:
    """Whether its view reads the body itself, while it arrives."""
    return path.startswith(BOOTH_PATHS) or bool(TEST_RUN_PATH.fullmatch(path))
