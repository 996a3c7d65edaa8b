"""What a failure means: limits that pass and limits that last, hints, statuses, words of gateways.

Each kind over several instances; the shapes are those of services, gateways and proxies.
"""

import json
import time
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from django.test import SimpleTestCase

from photochanger.errors import (
    BadResponse,
    ContentBlocked,
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderQuota,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.gemini.answer import explain_error
from providers.retry_hints import find_retry_delay, parse_duration

PAGE = b"<!doctype html><html><title>nginx</title><style>a{b:c}</style></html>"


def explain(status: int, body: Any = None, **headers: str) -> ProviderError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return explain_error(status, raw, model="m", headers=named)


def google(code: int, status: str, message: str = "words", *details: Any) -> dict[str, Any]:
    error = {"code": code, "status": status, "message": message}
    return {"error": {**error, "details": list(details)} if details else error}


def violation(quota_id: str, value: str = "10") -> dict[str, Any]:
    kind = "type.googleapis.com/google.rpc.QuotaFailure"
    return {"@type": kind, "violations": [{"quotaId": quota_id, "quotaValue": value}]}


class LimitTests(SimpleTestCase):
    """Kind 2: a temporary refusal is not a lasting one."""

    def assert_limit(self, error: ProviderError, *, passes: bool) -> None:
        self.assertIs(type(error), ProviderQuota)
        self.assertIs(error.retryable, passes, str(error))
        self.assertEqual(error.sentence == ProviderQuota.busy_sentence, passes)
        self.assertEqual("busy" in str(error), passes)

    def test_without_a_sign_of_a_day_or_money_it_passes(self) -> None:
        plan = "You exceeded your current quota, please check your plan and billing details."
        bodies: list[Any] = [
            google(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
            google(429, "RESOURCE_EXHAUSTED", plan),
            google(429, "RESOURCE_EXHAUSTED", plan, violation("RequestsPerMinutePerProject")),
            google(429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 10", violation("x", "0.5")),
            google(429, "", "No capacity available for model on the server."),
            {"error": {"message": "Rate limit reached for requests", "type": "rate_limit_error"}},
            {"error": "too many requests"},
            {"message": "API rate limit exceeded"},
            {"detail": "Throttled"},
            {"code": 8, "message": "exhausted"},
            [],
            b"",
            PAGE,
        ]
        for body in bodies:
            with self.subTest(str(body)[:60]):
                self.assert_limit(explain(429, body), passes=True)

    def test_a_day_a_month_or_money_does_not_pass(self) -> None:
        texts = (
            *("Quota exceeded: requests per day", "Daily limit reached", "RPD limit reached"),
            *("limit: 0, model: m", "exceeded its monthly spending cap", "Out of credits"),
            *("Your prepayment credits are depleted.", "Insufficient balance", "spend limit hit"),
            *("Please enable billing", "Лимит запросов в сутки исчерпан", "Weekly limit"),
        )
        bodies = [google(429, "RESOURCE_EXHAUSTED", text) for text in texts]
        bodies += [
            google(429, "RESOURCE_EXHAUSTED", "words", violation(quota_id))
            for quota_id in (
                "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
                "SpendPerMonthPerProject",
                "requests_per_day",
            )
        ]
        bodies += [google(429, "RESOURCE_EXHAUSTED", "words", violation("PerMinute", "0"))]
        bodies += [{"error": {"message": "words", "code": "insufficient_quota"}}]
        for body in bodies:
            with self.subTest(str(body)[:90]):
                self.assert_limit(explain(429, body), passes=False)

    def test_a_wait_of_hours_is_a_sign_of_a_day(self) -> None:
        self.assert_limit(explain(429, b"", retry_after="43200"), passes=False)
        self.assert_limit(explain(429, b"", retry_after="59"), passes=True)


class HintTests(SimpleTestCase):
    """Kind 15: every spelling of "come back in"."""

    def test_headers(self) -> None:
        now = time.time()
        iso = datetime.fromtimestamp(now + 9, UTC).isoformat()
        rows: list[tuple[dict[str, str], float]] = [
            ({"Retry-After": "7"}, 7),
            ({"retry-after": " 2.5 "}, 2.5),
            ({"retry-after": "3s"}, 3),
            ({"Retry-After": formatdate(now + 9, usegmt=True)}, 9),
            ({"retry-after": iso}, 9),
            ({"retry-after-ms": "1500"}, 1.5),
            ({"x-ms-retry-after-ms": "250"}, 0.25),
            ({"x-ratelimit-reset": str(int(now + 9))}, 9),
            ({"x-ratelimit-reset": str(int((now + 9) * 1000))}, 9),
            ({"ratelimit-reset": "50"}, 50),
            ({"ratelimit": "limit=100, remaining=0, reset=5"}, 5),
            ({"ratelimit": '"default";r=0;t=30'}, 30),
            ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "0"}, 360),
            ({"x-ratelimit-reset-after": "1.5"}, 1.5),
            ({"anthropic-ratelimit-requests-reset": iso}, 9),
        ]
        for headers, seconds in rows:
            with self.subTest(headers):
                found = find_retry_delay(headers)
                assert found is not None
                self.assertAlmostEqual(found, seconds, delta=2 if seconds == 9 else 0.001)

    def test_dates_are_counted_by_the_services_own_clock(self) -> None:
        begin = 1_700_000_000
        headers = {"date": formatdate(begin, usegmt=True)}
        later = {"retry-after": formatdate(begin + 12, usegmt=True)}
        self.assertEqual(find_retry_delay(headers | later), 12)

    def test_bodies(self) -> None:
        quoted = json.dumps(google(429, "S", "w", {"retryDelay": "33s"}))
        rows: list[tuple[Any, float]] = [
            (google(429, "S", "w", {"retryDelay": "3.5s"}), 3.5),
            (google(429, "S", "w", {"retry_delay": {"seconds": 3, "nanos": 500_000_000}}), 3.5),
            (google(429, "S", "w", {"retryDelay": {"seconds": "4"}}), 4),
            (google(429, "S", "w", {"retryDelay": 2}), 2),
            (google(429, "S", "Please retry in 7.2s."), 7.2),
            (google(429, "S", "Please retry in 500ms."), 0.5),
            (google(429, "S", "please retry in 1m3s"), 63),
            (google(429, "S", "Try again in 20 seconds"), 20),
            (google(429, "S", "Please wait 2 minutes and 5 seconds."), 125),
            (google(429, "S", "Попробуйте через 30 секунд"), 30),
            ([google(429, "S", "w", {"retryDelay": "9s"})], 9),
            ({"message": "busy", "retry_after": 6}, 6),
            ({"error": {"message": "busy", "metadata": {"retryAfterMs": 1500}}}, 1.5),
            ({"error": {"message": f"upstream: {quoted}"}}, 33),
            ({"error": {"metadata": {"headers": {"X-RateLimit-Reset": "8"}}}}, 8),
            ("Service busy, retry after 5 s", 5),
        ]
        for body, seconds in rows:
            with self.subTest(str(body)[:90]):
                self.assertEqual(find_retry_delay({}, body), seconds)
                self.assertEqual(explain(429, body).retry_after_s, seconds)

    def test_of_two_hints_the_longer_one_counts(self) -> None:
        body = google(429, "S", "Please retry in 2s", {"retryDelay": "4s"})
        self.assertEqual(find_retry_delay({"retry-after": "20"}, body), 20)
        self.assertEqual(find_retry_delay({"retry-after": "1"}, body), 4)
        self.assertEqual(find_retry_delay({"x-ratelimit-reset": "60"}, body), 4)

    def test_a_window_with_room_in_it_is_not_waited_for(self) -> None:
        headers = {"x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "900"}
        headers |= {"x-ratelimit-reset-requests": "1s", "x-ratelimit-remaining-requests": "0"}
        self.assertEqual(find_retry_delay(headers), 1)

    def test_a_failure_of_the_service_may_have_a_hint_too(self) -> None:
        error = explain(503, google(503, "UNAVAILABLE"), retry_after="2")
        self.assertEqual((error.reason, error.retry_after_s), ("provider_5xx", 2))

    def test_hostile_values_are_as_if_absent(self) -> None:
        past = formatdate(time.time() - 100, usegmt=True)
        texts = ("-1", "1e99", "nan", "inf", "soon", "9" * 400, "86401", past, "0x10", "1;2", "\0")
        for text in texts:
            with self.subTest(text[:20]):
                self.assertIsNone(find_retry_delay({"retry-after": text}))
                self.assertIsNone(find_retry_delay({"x-ratelimit-reset": text}))
        odd: list[Any] = [True, None, [], {}, "", "s", "-5s", 10**400, {"seconds": "x"}, {"a": 1}]
        for value in odd:
            with self.subTest(str(value)[:20]):
                self.assertIsNone(parse_duration(value))
                self.assertIsNone(find_retry_delay({}, {"retryDelay": value}))
        deep: Any = {"retryDelay": "1s"}
        for _ in range(2000):
            deep = [deep, "x" * 100]
        begun = time.monotonic()
        find_retry_delay({}, deep)
        find_retry_delay({}, {"message": "retry in " + "1m" * 5000, "a": ["retry"] * 5000})
        self.assertLess(time.monotonic() - begun, 5)
        for words in ("try again in 5 months", "retry 3 times", "wait", "in 5 s", "retry in 5"):
            self.assertIsNone(find_retry_delay({}, {"message": words}), words)


class StatusTests(SimpleTestCase):
    """Kind 6: an unknown 4xx does not blame the photo."""

    def assert_meaning(
        self, kind: type[ProviderError], error: ProviderError, *, retryable: bool = False
    ) -> None:
        self.assertIs(type(error), kind, str(error))
        self.assertIs(error.retryable, retryable, str(error))

    def test_what_passes_is_asked_again(self) -> None:
        for status in (409, 418, 423, 424, 425, 449, 460, 498, 499):
            for body in (PAGE, b"", google(status, "CANCELLED"), google(status, "ABORTED")):
                with self.subTest(status, body=str(body)[:40]):
                    self.assert_meaning(ProviderUnavailable, explain(status, body), retryable=True)
        self.assert_meaning(ProviderTimeout, explain(408, PAGE), retryable=True)

    def test_a_key_is_for_an_operator(self) -> None:
        for status in (401, 403):
            for body in (b"", google(status, "PERMISSION_DENIED"), {"message": "no"}):
                self.assert_meaning(ProviderAuth, explain(status, body))
        for body in (
            {"error": {"message": "Invalid API key provided", "type": "invalid_request_error"}},
            {"error": {"code": "invalid_api_key", "message": "words"}},
            google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."),
            google(400, "INVALID_ARGUMENT", "w", {"reason": "API_KEY_INVALID"}),
        ):
            self.assert_meaning(ProviderAuth, explain(400, body))

    def test_a_place_is_for_an_operator(self) -> None:
        for status in (402, 404, 405, 406, 407, 410, 411, 414, 417, 421, 426, 428, 431, 451):
            self.assert_meaning(ProviderConfig, explain(status, PAGE))
        for body in (
            google(400, "FAILED_PRECONDITION", "words"),
            google(400, "INVALID_ARGUMENT", "User location is not supported for the API use."),
            {"error": {"code": "model_not_found", "message": "words"}},
            {"message": "The model m does not exist"},
            {"error": {"message": "No available channel for model m", "type": "new_api_error"}},
        ):
            self.assert_meaning(ProviderConfig, explain(400, body))

    def test_a_page_of_a_proxy_is_not_the_service(self) -> None:
        for status in (400, 401, 403):
            self.assert_meaning(ProviderConfig, explain(status, PAGE))
        self.assertIn("GEMINI_BASE_URL", str(explain(404, PAGE)))
        self.assertNotIn("retired", str(explain(404, PAGE)))
        self.assertIn("PROVIDER_PROXY_URL", str(explain(407, PAGE)))

    def test_the_photo_or_the_settings_are_blamed_where_the_service_does_so(self) -> None:
        for body in (
            google(400, "INVALID_ARGUMENT", "Unable to process input image. Please retry."),
            google(400, "INVALID_ARGUMENT", "Thinking is not enabled for this model"),
            google(400, "OUT_OF_RANGE"),
            {"error": {"message": "image too small", "type": "invalid_request_error"}},
            {"detail": "aspect ratio is wrong"},
        ):
            self.assert_meaning(ProviderRejected, explain(400, body))
        for status in (413, 415, 422):
            self.assert_meaning(ProviderRejected, explain(status, PAGE))

    def test_the_services_word_wins_over_the_status(self) -> None:
        rows: list[tuple[int, Any, type[ProviderError], bool]] = [
            (400, google(503, "UNAVAILABLE"), ProviderUnavailable, True),
            (400, google(500, "INTERNAL"), ProviderUnavailable, True),
            (404, google(503, "UNAVAILABLE"), ProviderUnavailable, True),
            (400, google(429, "RESOURCE_EXHAUSTED"), ProviderQuota, True),
            (403, google(429, "RESOURCE_EXHAUSTED"), ProviderQuota, True),
            (503, google(429, "RESOURCE_EXHAUSTED"), ProviderQuota, True),
            (403, {"error": {"errors": [{"reason": "rateLimitExceeded"}]}}, ProviderQuota, True),
            (403, {"error": {"message": "Quota exceeded for this key"}}, ProviderQuota, True),
            (400, google(401, "UNAUTHENTICATED"), ProviderAuth, False),
            (500, google(403, "PERMISSION_DENIED"), ProviderAuth, False),
            (500, google(404, "NOT_FOUND"), ProviderConfig, False),
            (
                403,
                google(403, "PERMISSION_DENIED", "w", {"reason": "BILLING_DISABLED"}),
            )
            + (ProviderConfig, False),
            (400, google(504, "DEADLINE_EXCEEDED"), ProviderTimeout, False),
            (400, {"error": {"code": "content_policy_violation"}}, ContentBlocked, False),
            (400, {"error": {"message": "The model is overloaded"}}, ProviderUnavailable, True),
            (400, {"code": 14, "message": "w"}, ProviderUnavailable, True),
            (500, google(400, "INVALID_ARGUMENT"), ProviderUnavailable, True),
            (302, b"", BadResponse, False),
        ]
        for status, body, kind, retryable in rows:
            with self.subTest(status, body=str(body)[:80]):
                self.assert_meaning(kind, explain(status, body), retryable=retryable)

    def test_no_failure_holds_more_than_a_row_takes(self) -> None:
        for status in (400, 404, 429, 500):
            for body in (google(status, "S\0" * 900, "m\x1b" * 900), {"detail": "я" * 9000}):
                error = explain(status, body)
                self.assertTrue(str(error).isprintable() and len(str(error)) <= 500)
