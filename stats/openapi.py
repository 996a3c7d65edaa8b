"""Examples and refusals for the API's description."""

from typing import Any

from photochanger.openapi import EXAMPLE_JOB, error_responses

REFUSALS = error_responses(
    *("invalid_request", "unauthorized", "forbidden", "slot_not_found"),
    *("internal_error", "storage_error"),
)
TIMINGS = {
    "duration_p50_ms": 8120,
    "duration_p95_ms": 21400,
    "overhead_p50_ms": 140,
    "overhead_p95_ms": 310,
}
SLOT = {
    "slot_id": "slot-001",
    "display_name": "Slot 1 (Gemini)",
    "is_active": True,
    "jobs_last_window": 22,
    "timeouts_last_window": 1,
    "provider_errors_last_window": 0,
    "last_success_at": "2025-11-06T00:55:31Z",
    "last_error_reason": None,
    "state": "active",
    "refused_last_window": 0,
    "last_photo_at": "2025-11-06T00:55:20Z",
    "last_failure_at": "2025-11-06T00:31:02Z",
    "last_failure_reason": "timeout",
    "done_last_window": 21,
    "own_errors_last_window": 0,
    "client_gone_last_window": 0,
    "test_runs_last_window": 2,
    "success_share": 0.9545,
    "timeout_share": 0.0455,
    **TIMINGS,
    "in_flight": 0,
}
OVERVIEW = {
    "window_minutes": 60,
    "system": {
        "jobs_total": 15234,
        "jobs_last_window": 248,
        "timeouts_last_window": 3,
        "provider_errors_last_window": 1,
        "storage_usage_mb": 912.4,
        "done_last_window": 241,
        "own_errors_last_window": 0,
        "client_gone_last_window": 1,
        "test_runs_last_window": 4,
        "success_share": 0.9837,
        "timeout_share": 0.0122,
        **TIMINGS,
        "in_flight": 2,
        "storage": [
            {"kind": "preview", "files": 610, "size_mb": 21.9},
            {"kind": "result", "files": 610, "size_mb": 890.5},
        ],
    },
    "slots": [SLOT],
}
STATISTICS = {
    "window_minutes": 60,
    "slot": SLOT,
    "step_seconds": 60,
    "points": [
        {
            "starts_at": "2025-11-06T00:31:00Z",
            "jobs": 2,
            "done": 1,
            "timeouts": 1,
            "provider_errors": 0,
            "own_errors": 0,
            "client_gone": 0,
            "in_progress": 0,
            **TIMINGS,
        }
    ],
    "failures": [
        {
            "job_id": EXAMPLE_JOB,
            "started_at": "2025-11-06T00:31:02Z",
            "status": "timeout",
            "failure_reason": "timeout",
            "detail": "the deadline passed during call 1",
            "provider_said": "no answer in 47.5 s",
            "provider": "gemini",
            "attempts": 1,
            "duration_ms": 48012,
            "fell_back": False,
        }
    ],
}


def describe_operation(example: dict[str, Any]) -> dict[str, Any]:
    found = {"content": {"application/json": {"example": example}}}
    return {"responses": {200: found, **REFUSALS}}
