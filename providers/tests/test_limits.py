"""Which limits pass within minutes: plans name a day's cap beside the limit that was reached."""

from typing import Any

from django.test import SimpleTestCase

from photochanger.errors import ProviderQuota
from providers.tests.test_meanings import explain, google

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


def limit(message: str, *details: Any) -> dict[str, Any]:
    return google(429, "RESOURCE_EXHAUSTED", message, *details)


def violation(**texts: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [texts]}


def metadata(**texts: str) -> dict[str, Any]:
    return {"@type": ERROR_INFO, "reason": "RATE_LIMIT_EXCEEDED", "metadata": texts}


class PeriodTests(SimpleTestCase):
    def assert_all(self, bodies: list[Any], *, passes: bool) -> None:
        for body in bodies:
            with self.subTest(str(body)[:120]):
                error = explain(429, body)
                self.assertIs(type(error), ProviderQuota)
                self.assertIs(error.retryable, passes, str(error))

    def test_the_plans_daily_cap_beside_a_short_limit_is_no_sign(self) -> None:
        texts = (
            "Rate limit exceeded. Limits: 10 per minute, 1500 per day. Please retry in 12s.",
            "Rate limit: 60 RPM, 1000 RPD. Current: 61 RPM",
            "Too many requests per minute. Your plan allows 500 images per day.",
            "Your plan allows 500 images per day. Too many requests per minute.",
            "You can make 5 requests per minute and 100 requests per day; wait 20 seconds",
            "Per-minute limit reached; daily limit: 1500, used 12",
            "Превышен лимит 10 запросов в минуту (1000 запросов в день по тарифу)",
            "Слишком много запросов одновременно. Дневной лимит: 500",
            "Throttled: 10 req/s; 100k req/day",
            "Hourly limit exceeded, 500 images today",
            "Concurrent requests: 5 (1000 per day)",
            "超出每分钟限制, 每天1500次",
        )
        self.assert_all([{"error": {"message": text}} for text in texts], passes=True)
        self.assert_all(
            [
                limit("Daily limit: 1500", violation(quotaId="RequestsPerMinutePerProject")),
                limit("w", violation(description="10 requests per minute (1500 per day)")),
            ],
            passes=True,
        )

    def test_the_clause_that_says_what_was_reached_decides(self) -> None:
        texts = (
            "Daily limit reached (10 per minute)",
            "You have exceeded the requests per day. Per-minute limit: 10",
            "Суточный лимит исчерпан; не более 10 запросов в минуту",
        )
        self.assert_all([{"error": {"message": text}} for text in texts], passes=False)

    def test_any_field_of_the_details_may_name_the_day(self) -> None:
        metric = "generativelanguage.googleapis.com/generate_requests_per_model_per_day"
        self.assert_all(
            [
                limit("w", violation(description="Daily quota of image requests exceeded")),
                limit("w", violation(quotaMetric=metric, quotaValue="250")),
                limit("w", metadata(quota_metric=metric, quota_limit="x")),
                limit("Too many requests per minute", metadata(window="per day")),
                limit("w", violation(subject="the project's trial has expired")),
            ],
            passes=False,
        )

    def test_today_and_tomorrow(self) -> None:
        texts = (
            "Image limit for today reached. Resets at midnight Pacific time.",
            *("Quota resets tomorrow", "try again tomorrow", "Limit reached until midnight"),
            *("Попробуйте завтра", "Лимит на сегодня исчерпан", "Лимит на месяц", "今日次数已用完"),
        )
        self.assert_all([{"error": {"message": text}} for text in texts], passes=False)

    def test_money_does_not_come_back_by_waiting(self) -> None:
        texts = (
            *("trial expired", "Your free trial has ended", "billing account is closed"),
            *("Payment required to continue", "Your account is past due", "expired subscription"),
            *("Подписка истекла", "Срок действия подписки истёк", "Оплатите тариф"),
            *("余额不足", "额度不足", "用户额度不足, 剩余额度: $0.00", "账户欠费"),
            "Payment required. Rate: 10 per minute",
        )
        self.assert_all([{"error": {"message": text}} for text in texts], passes=False)
        for text in ("用户额度不足", "余额不足"):
            self.assertIs(type(explain(403, {"error": {"message": text}})), ProviderQuota, text)

    def test_advice_to_pay_is_no_sign(self) -> None:
        texts = (
            "Limit: 3 / min. Retry in 20s. Add a payment method to raise your rate limit.",
            "Limit reached, see https://example.com/billing/plan-expired/per-day",
            "Your account is blocked for 30 seconds",
        )
        self.assert_all([{"error": {"message": text}} for text in texts], passes=True)

    def test_words_without_json_are_read_too(self) -> None:
        self.assert_all([b"Daily quota exceeded"], passes=False)
        self.assert_all([b"Too many requests per minute (100 per day)"], passes=True)
