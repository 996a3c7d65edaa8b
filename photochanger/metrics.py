"""The counters of `/metrics` (stats/metrics.py), each incremented where its fact is decided.

Labels come from closed sets only: a slot or provider of a row that exists, a reason of
photochanger/errors.py, a word of ingest/refusals/causes.py. Text from a link never becomes one.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import ParamSpec

import structlog
from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from photochanger.errors import ERROR_BY_REASON

log = structlog.get_logger()
P = ParamSpec("P")

disable_created_metrics()  # one more series for each counter, unused

# Booths wait 10-60 s: fine steps where a deadline may lie.
WAIT_BUCKETS = (
    *(0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20),
    *(25, 30, 35, 40, 45, 48, 50, 55, 60, 65),
)
STEP_BUCKETS = (0.01, 0.03, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 12, 20, 30, 60)
OVERHEAD_BUCKETS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)

photos = Counter(
    "photochanger_photos",
    "Photos by what came of them; of booths (ingest), test runs (ui_test) and the lab.",
    ["slot", "provider", "source", "status", "reason"],
)
durations = Histogram(
    "photochanger_ingest_duration_seconds",
    "A booth's photo from its first byte to its outcome.",
    ["slot", "status"],
    buckets=WAIT_BUCKETS,
)
overheads = Histogram(
    "photochanger_ingest_overhead_seconds",
    "What is not the provider's of the time that a booth's picture took; also the upload.",
    buckets=OVERHEAD_BUCKETS,
)
steps = Histogram(
    "photochanger_photo_step_seconds",
    "Of a booth's picture: upload, prepare, send, provider, receive, store, answer.",
    ["step"],
    buckets=STEP_BUCKETS,
)
calls = Counter(
    "photochanger_provider_calls",
    "Calls of a provider, also those repeated for one photo; no reason: it gave a picture.",
    ["provider", "reason"],
)
call_seconds = Histogram(
    "photochanger_provider_call_seconds",
    "How long one call of a provider took.",
    ["provider"],
    buckets=WAIT_BUCKETS,
)
source_calls = Counter(
    "photochanger_source_photos",
    "Photos of slots with reserves by the source that was asked; 0 is the slot's own service.",
    ["slot", "position", "outcome"],
)
hashes = Counter(
    "photochanger_photo_hashes",
    "Booths' photos by the recipe that their hash follows; absent: none was looked at.",
    ["recipe"],
)
replays = Counter(
    "photochanger_photo_replays",
    "Photos answered with the picture of an equal earlier one.",
    ["slot"],
)
fallbacks = Counter(
    "photochanger_photo_fallbacks",
    "Failed photos of booths answered with the booth's own photo (HTTP 200).",
    ["slot"],
)
full = Counter(
    "photochanger_queue_full",
    "Photos refused because the slot, or its provider, had no free place.",
    ["slot", "limit"],
)
ingest_answers = Counter(
    "photochanger_ingest_answers",
    "Answers to booths by HTTP status, also those before a photo was taken in.",
    ["status"],
)
refusals = Counter(
    "photochanger_http_refused",
    "Failed requests, of the API, the pages and the booths.",
    ["status", "reason"],
)
booth_refusals = Counter(
    "photochanger_booth_refusals",
    "Booths' requests that became no photo, by cause and slot; none: no slot has such a link.",
    ["slot", "cause"],
)
faces = Counter(
    "photochanger_faces_checked",
    "Results whose people were compared with their photo's, by what came of it.",
    ["slot", "verdict"],
)
faces_skipped = Counter(
    "photochanger_faces_skipped",
    "Photos whose people were not looked at because of load.",
)
faces_repeats = Counter(
    "photochanger_faces_repeats",
    "Pictures asked for once more because people were not kept, and whether that helped.",
    ["slot", "helped"],
)
sorted_results = Counter(
    "photochanger_sorted_results",
    "Results that the sorter let on show, or left for somebody's approval.",
    ["outcome"],
)
faces_seconds = Histogram(
    "photochanger_faces_seconds",
    "How long one look at the faces of a picture took; beside the photo's path, not in it.",
    buckets=(0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5),
)
prompt_people = Counter(
    "photochanger_prompt_people",
    "Photos whose prompt says how many people there are, and whether that was known in time.",
    ["slot", "known"],
)
in_progress = Gauge(
    "photochanger_photos_in_progress",
    "Photos that this server holds now.",
    multiprocess_mode="livesum",  # of a process that died none
)

FACE_VERDICTS = ("kept", "changed", "lost", "stranger", "unknown", "nobody")
HASH_RECIPES = ("md5", "sha1", "sha256", "none", "absent")
PHOTO_STATUSES = ("200", "400", "401", "404", "413", "415", "429", "500", "502", "503", "504")


def initialize_counters(
    *,
    slots: Iterable[str],
    outcomes: dict[str, list[tuple[str, str]]],
    refusal_causes: Iterable[str] = (),
) -> None:
    """Create every series with 0: Prometheus sees no increase in a series that starts with its
    first failure. ``outcomes``: pairs of status and reason, by provider."""
    for status in PHOTO_STATUSES:
        ingest_answers.labels(status)
    for error in ERROR_BY_REASON.values():
        refusals.labels(str(error.status), error.reason)
    for recipe in HASH_RECIPES:
        hashes.labels(recipe)
    for cause in refusal_causes:
        for slot in (*slots, "none"):
            booth_refusals.labels(slot, cause)
    for slot in slots:
        fallbacks.labels(slot)
        replays.labels(slot)
        for verdict in FACE_VERDICTS:
            faces.labels(slot, verdict)
        for answer in ("yes", "no"):
            faces_repeats.labels(slot, answer)
            prompt_people.labels(slot, answer)
        for limit in ("slot", "provider"):
            full.labels(slot, limit)
        for outcome in ("picture", "failed"):
            source_calls.labels(slot, "0", outcome)
        for provider, ends in outcomes.items():
            for status, reason in ends:
                photos.labels(slot, provider, "ingest", status, reason)
    for provider, ends in outcomes.items():
        call_seconds.labels(provider)
        for _status, reason in ends:
            calls.labels(provider, reason)


def _count_safely(count: Callable[P, None]) -> Callable[P, None]:
    """A counter must never fail a photo: the files that gunicorn's workers count in may be full."""

    @wraps(count)
    def count_or_log(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            count(*args, **kwargs)
        except Exception:  # of the library or of the disk; the figure is lost, the photo is not
            log.exception("metrics.count.failed", metric=count.__name__)

    return count_or_log


@_count_safely
def count_photo_opened(*, is_from_booth: bool, recipe: str) -> None:
    if is_from_booth:
        hashes.labels(recipe or "absent").inc()


@_count_safely
def count_photo_closed(
    *,
    slot: str,
    provider: str,
    source: str,
    status: str,
    reason: str,
    duration_ms: int,
    provider_ms: int | None,
) -> None:
    photos.labels(slot, provider, source, status, reason).inc()
    if source != "ingest":
        return
    durations.labels(slot, status).observe(duration_ms / 1000)
    if status == "done":
        overheads.observe(max(0, duration_ms - (provider_ms or 0)) / 1000)


@_count_safely
def count_photo_steps(steps_ms: Mapping[str, int]) -> None:
    for step, took_ms in steps_ms.items():
        steps.labels(step).observe(took_ms / 1000)


@_count_safely
def count_provider_call(*, provider: str, reason: str, duration_ms: int) -> None:
    calls.labels(provider, reason).inc()
    call_seconds.labels(provider).observe(duration_ms / 1000)


@_count_safely
def count_source(*, slot: str, position: int, outcome: str) -> None:
    source_calls.labels(slot, str(position), outcome).inc()


@_count_safely
def count_queue_full(*, slot: str, limit: str) -> None:
    full.labels(slot, limit).inc()


@_count_safely
def count_replay(*, slot: str) -> None:
    replays.labels(slot).inc()


@_count_safely
def count_fallback(*, slot: str) -> None:
    fallbacks.labels(slot).inc()


@_count_safely
def count_faces(*, slot: str, verdict: str) -> None:
    faces.labels(slot, verdict).inc()


@_count_safely
def count_faces_repeat(*, slot: str, is_helped: bool) -> None:
    faces_repeats.labels(slot, "yes" if is_helped else "no").inc()


@_count_safely
def count_prompt_people(*, slot: str, is_known: bool) -> None:
    prompt_people.labels(slot, "yes" if is_known else "no").inc()


@_count_safely
def count_sorted(outcome: str) -> None:
    sorted_results.labels(outcome).inc()


def count_faces_skipped() -> None:
    faces_skipped.inc()


@_count_safely
def count_face_detection(seconds: float) -> None:
    faces_seconds.observe(seconds)


@_count_safely
def count_booth_response(status: int) -> None:
    ingest_answers.labels(str(status)).inc()


@_count_safely
def count_refusal(*, status: int, reason: str) -> None:
    refusals.labels(str(status), reason).inc()


@_count_safely
def count_booth_refusal(*, slot: str, cause: str) -> None:
    booth_refusals.labels(slot, cause).inc()
