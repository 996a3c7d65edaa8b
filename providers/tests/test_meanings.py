"""What a failure means: limits that pass and limits that last, statuses, words of gateways.

Each kind over several instances; the shapes are those of services, gateways and proxies.
"""

import json
from typing import Any

from django.test import SimpleTestCase

from photochanger.errors import (
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


def quota_limit(name: str, value: str = "10") -> dict[str, Any]:
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {"@type": kind, "metadata": {"quota_limit": name, "quota_limit_value": value}}


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
            {"error": "Лимит запросов в минуту исчерпан, повторите через 10 секунд"},
            {"error": "Превышен лимит запросов в минуту для вашего тарифа"},
            {"error": "балансировщик нагрузки вернул 429"},
            {"error": "Rate limit: 10 requests per minute. Visit the daily usage page"},
            {"error": "no balance node"},
            {"error": "Rate limited, see https://h/d/1"},
            google(429, "RESOURCE_EXHAUSTED", "Лимит тарифа исчерпан", violation("PerMinute")),
            google(429, "RESOURCE_EXHAUSTED", "w", quota_limit("RequestsPerMinutePerProject")),
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
            *("24-hour quota is used up", "Quota RequestsPer24Hours", "100 requests per 1 day"),
            *("Requests per day exceeded, retry in 12 s", "limit: 0. Please retry in 33s"),
            *(
                "No balance left",
                "no credits",
                "Баланс исчерпан",
                "Обновите тариф",
                "100 tokens/day",
            ),
            *("Дневной лимит исчерпан, повторите через 10 секунд", "Daily usage is over"),
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
        for limit in (quota_limit("GenerateRequestsPerDayPerProject"), quota_limit("x", "0")):
            bodies += [google(429, "RESOURCE_EXHAUSTED", "Retry in 3 s, per minute", limit)]
        unit = {"metadata": {"quota_unit": "1/d/{project}"}}
        bodies += [google(429, "RESOURCE_EXHAUSTED", "words", unit)]
        bodies += [google(429, "RESOURCE_EXHAUSTED", "words", violation("PerMinute", "0"))]
        bodies += [{"error": {"message": "words", "code": "insufficient_quota"}}]
        for body in bodies:
            with self.subTest(str(body)[:90]):
                self.assert_limit(explain(429, body), passes=False)

    def test_a_wait_of_hours_is_a_sign_of_a_day(self) -> None:
        self.assert_limit(explain(429, b"", retry_after="43200"), passes=False)
        self.assert_limit(explain(429, b"", retry_after="59"), passes=True)


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
            for body in (google(status, "PERMISSION_DENIED"), {"message": "no"}):
                self.assert_meaning(ProviderAuth, explain(status, body))
        for raw in (b"", b"Unauthorized"):
            self.assert_meaning(ProviderAuth, explain(401, raw))
        self.assert_meaning(ProviderAuth, explain(403, b"API key not valid"))
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
            for body in (
                google(status, "", "The image is too large, limit: 7 MB"),
                {"detail": "no"},
            ):
                self.assert_meaning(ProviderRejected, explain(status, body))
            for raw in (PAGE, b"", b"{}", b"<html>nginx</html>"):
                self.assert_meaning(ProviderConfig, explain(status, raw))
            for words in ("Try again later, upstream busy", "Сервис перегружен, повторите позже"):
                error = explain(status, {"error": words})
                self.assert_meaning(ProviderUnavailable, error, retryable=True)

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
            (302, google(503, "UNAVAILABLE"), ProviderUnavailable, True),
        ]
        for status, body, kind, retryable in rows:
            with self.subTest(status, body=str(body)[:80]):
                self.assert_meaning(kind, explain(status, body), retryable=retryable)

    def test_no_failure_holds_more_than_a_row_takes(self) -> None:
        for status in (400, 404, 429, 500):
            for body in (google(status, "S\0" * 900, "m\x1b" * 900), {"detail": "я" * 9000}):
                error = explain(status, body)
                self.assertTrue(str(error).isprintable() and len(str(error)) <= 500)
