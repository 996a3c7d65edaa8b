"""Where requests leave their note: of refusals, of booths that hang up, of booths that are well.

Nothing here reads or writes a file or a database, and nothing raises.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from ingest.pipeline.order import Booth
from ingest.pipeline.receive import RequestTrace, get_trace
from ingest.refusals.booth_fields import read_clock
from ingest.refusals.errors import UNKNOWN_HOST, get_cause
from ingest.refusals.notes import BOOTH_PREFIXES, Note, Sighting, notebook, read_slot
from photochanger import metrics
from photochanger.db import clock
from photochanger.errors import AppError, ClientGone, IdempotencyConflict, PathNotFound
from photochanger.request_scope import HEAD_KEY, get_body_head
from slots.models import SLOT_IDS


def note_refusal(request: HttpRequest, error: AppError) -> None:
    """Note a request of a booth that became no photo; of one that did, its job tells."""
    has_job = error.job_id is not None and not isinstance(error, IdempotencyConflict)
    if request.path_info.startswith(BOOTH_PREFIXES) and not has_job:
        _note_request(request, get_cause(error), error.reason, error.status)


def note_stray_photo(request: HttpRequest) -> None:
    """Note a form sent to an address that leads nowhere: a booth with a mistyped link."""
    is_form = request.headers.get("Content-Type", "").startswith("multipart/form-data")
    if request.method == "POST" and is_form:
        _note_request(request, PathNotFound.reason, PathNotFound.reason, PathNotFound.status)


def note_hangup(request: HttpRequest) -> None:
    """Note a booth that hung up before its photo had a job."""
    if not get_trace(request).has_job:
        _note_request(request, ClientGone.reason, ClientGone.reason, ClientGone.status)


def note_unknown_host(request: HttpRequest) -> None:
    """Note a booth that reaches us by a name that is not ours, so that its guests get no link."""
    _note_request(request, UNKNOWN_HOST, "", 200)


def note_edge_refusal(scope: Mapping[str, Any], error: AppError) -> None:
    """The same for a request that no view has seen."""
    if not scope["path"].startswith(BOOTH_PREFIXES):
        return
    headers = dict(scope["headers"])
    note = Note(
        at=clock.now(),
        path=scope["path"],
        cause=get_cause(error),
        reason=error.reason,
        status=error.status,
        address=(scope.get("client") or ("",))[0],
        content_type=headers.get(b"content-type", b"").decode("latin-1"),
        head=scope.get(HEAD_KEY, bytearray()),
    )
    _add(note)


def note_order(request: HttpRequest, slot_id: str, fields: Mapping[str, str]) -> None:
    """Note the booth of a photo that is all right so far."""
    trace, now = get_trace(request), clock.now()
    booth, theirs = Booth.of(fields), read_clock(fields)
    skew_s = theirs.timestamp() - (now.timestamp() - trace.age_s) if theirs else None
    sighting = Sighting(
        slot_id=slot_id,
        version=booth.version,
        first_at=now,
        last_at=now,
        clock_skew_s=None if skew_s is None else round(skew_s, 1),
    )
    notebook.add_booth(booth, request.META.get("REMOTE_ADDR", ""), sighting)


def note_job(request: HttpRequest) -> None:
    """Until this moment nothing but a note tells of a booth that hangs up: also while its photo
    waits for a decoder or for a place."""
    get_trace(request).has_job = True


def _note_request(request: HttpRequest, cause: str, reason: str, status: int) -> None:
    trace: RequestTrace | None = getattr(request, "photo_trace", None)
    note = Note(
        at=clock.now(),
        path=request.path_info,
        cause=cause,
        reason=reason,
        status=status,
        address=request.META.get("REMOTE_ADDR", ""),
        content_type=request.headers.get("Content-Type", ""),
        head=get_body_head(request),
    )
    if cause == ClientGone.reason and trace:
        note.waited_ms = round(trace.age_s * 1000)
    if trace and trace.parser:
        note.identify(trace.parser.form.fields)
    _add(note)


def _add(note: Note) -> None:
    notebook.add(note)
    slot = read_slot(note.path)
    metrics.count_booth_refusal(slot=slot if slot in SLOT_IDS else "none", cause=note.cause)
