"""Hints of many spellings: names by their pieces, moments, sentences. And what is none."""

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any

from django.test import SimpleTestCase

from providers.retry_hints import find_retry_delay

NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
DATE = {"date": formatdate(NOW.timestamp(), usegmt=True)}  # the service's own clock
SOON = (NOW + timedelta(seconds=30)).isoformat().replace("+00:00", "Z")


class SpellingTests(SimpleTestCase):
    def assert_all(self, rows: list[Any], seconds: float | None) -> None:
        for said in rows:
            is_headers = isinstance(said, tuple)
            headers = dict([said]) if is_headers else {}
            bodies = (
                [None] if is_headers else [said, {"error": {"message": "w", "details": [said]}}]
            )
            for body in bodies:
                with self.subTest(said=said):
                    self.assertEqual(find_retry_delay(DATE | headers, body), seconds)

    def test_headers(self) -> None:
        names: tuple[str, ...] = (
            *("X-Rate-Limit-Retry-After-Seconds", "Retry-After-Seconds", "X-Retry-In"),
            *("x-amzn-retry-after", "X-RateLimit-Resets-In", "x-quota-reset", "X-Cooldown"),
            *("x-throttle-wait-seconds", "X-Backoff-Sec", "x-app-rate-limit-reset-in"),
        )
        self.assert_all([(name, "30") for name in names], 30)
        values = ("00:00:30.5", "PT30.5S", "P0DT30.5S", "+30.5", "30500 ms")
        self.assert_all([("retry-after", value) for value in values], 30.5)
        milliseconds = ("x-ratelimit-retry-after-ms", "Retry-After-Millis", "X-RateLimit-Reset-Ms")
        self.assert_all([(name, "1500") for name in milliseconds], 1.5)
        moments: list[Any] = [("x-ratelimit-reset-at", SOON), ("X-Retry-At", SOON)]
        self.assert_all([*moments, ("x-ratelimit-reset", str(int(NOW.timestamp()) + 30))], 30)

    def test_keys_of_bodies(self) -> None:
        names: tuple[str, ...] = (
            *("resets_in_seconds", "retry_in_sec", "wait_time", "cooldown_seconds"),
            *("estimated_time", "waitTime", "seconds_until_reset", "time_to_wait", "retryafter"),
            *("retry_after_in_seconds", "next_request_in", "cool_down", "delay_seconds", "wait"),
            *("blocked_for", "available_in", "rateLimitReset", "throttle_seconds", "nextAllowedIn"),
        )
        self.assert_all([{name: 30} for name in names], 30)
        self.assert_all([{name: "30s"} for name in names], 30)
        names = ("retryDelayMs", "retry_after_millis", "retryAfterMilliseconds", "msBeforeNext")
        self.assert_all([{name: 1500} for name in names], 1.5)
        self.assert_all([{"retry_after_minutes": 2}, {"waitMinutes": "2"}], 120)
        names = ("quotaResetTimeStamp", "reset_at", "resetsAt", "retry_at", "next_retry_at")
        self.assert_all([{name: SOON} for name in names], 30)
        epoch = int(NOW.timestamp()) + 30
        self.assert_all([{"reset_at": epoch}, {"resets_at": epoch * 1000}, {"retry_at": epoch}], 30)

    def test_sentences(self) -> None:
        texts: tuple[str, ...] = (
            *(f"Limit resets at {SOON}", "Try again after 2026-11-28 22:00:30 UTC."),
            *("Retry after Sat, 28 Nov 2026 22:00:30 GMT", f"Retry at {int(NOW.timestamp()) + 30}"),
            *("resets in 00:00:30", "retry in 30", "Please try again in 30.", "Retry in 5 to 30 s"),
            *("Next request allowed in 30 seconds", "Cooldown: 30s", "blocked for 30 seconds"),
            *("After 30 seconds you can retry", "Busy. In 30 s please try again", "backoff 30s"),
            *("30 seconds until you can retry", "Requests are accepted again in 30 second(s)"),
            *("Следующий запрос через 30 секунд", "попытайтесь через 30 секунд", "Ждите 30 с"),
            *("Через 30 секунд повторите запрос", "Будет доступно через 30 сек."),
            *("请在 30 秒后重试", "請在30秒後重試", "请等待 30 秒", "30 秒之后再试"),
            'upstream: {\\"retry_after_ms\\": 30000}',
        )
        self.assert_all(list(texts), 30)
        texts = ("Try again in 1 minute(s) 5 second(s)", "请在 1 分钟 5 秒后重试", "retry in 65")
        self.assert_all(list(texts), 65)

    def test_a_window_counts_only_where_nothing_else_is_said(self) -> None:
        hour = {"reset_at": (NOW + timedelta(hours=1)).isoformat()}
        self.assert_all([hour | {"retry_after": 30}], 30)
        self.assert_all([f"Retry in 30 s. The quota resets in 2 hours. {json.dumps(hour)}"], 30)
        rooms: list[Any] = [{"limit": 10, "remaining": 4, "reset": 30}]
        rooms += [{"rate_limit_remaining": 4, "rate_limit_reset_at": SOON}]
        rooms += ["x-ratelimit-remaining: 4; x-ratelimit-reset: 30"]
        self.assert_all(rooms, None)
        self.assert_all([{"limit": 10, "remaining": 0, "reset": 30}], 30)

    def test_numbers_that_are_no_hints(self) -> None:
        names = (
            *("retry", "retries", "retry_count", "retry_times", "max_retries", "maxRetryDelay"),
            *("limit", "remaining", "quota", "request_id", "retry_id", "retry_limit", "timeout"),
            *("attempts", "resets", "reset_count", "waits", "await", "cooldowns", "max_wait_time"),
            *(
                "code",
                "delay",
                "throttled",
                "limited",
                "rate_limited",
                "next_allowed",
                "expires_in",
                "available",
                "retryable",
                "blocked",
                "backoff_factor",
            ),
        )
        self.assert_all([{name: 30} for name in names], None)
        self.assert_all([(name, "30") for name in ("x-retry-count", "x-request-id", "age")], None)
        odd: list[Any] = [{"wait": True}, {"reset": "monthly"}, {"retry_at": "x"}, {"wait": [3]}]
        self.assert_all(odd, None)
        texts = (
            *("10 requests allowed per 60 seconds", "Please wait, no more than 5 per 60 seconds"),
            *("Connection reset after 30 seconds", "Timed out after 60 seconds, please retry"),
            *("Превышено время ожидания 30 секунд", "Доступно запросов за 60 секунд: 5"),
            *("请求在 30 秒内限制 10 次", "wait: 5 requests", "retry in 5 months", "limit: 30"),
            *("try again at 10:30:00", "retry of request 30", "reset: 10 images", "retry #30"),
        )
        self.assert_all(list(texts), None)

    def test_hostile_bodies_take_no_time_to_speak_of(self) -> None:
        names = ("retry_in_at_time_" * 3, "ms_to_reset_" * 4, "_" * 50)
        bodies: list[Any] = [{f"{name}{n}": n for n in range(9000)} for name in names]
        for word in (
            "1m",
            "1m ",
            "retry ",
            "wait,",
            "in 5s, ",
            "重试",
            "5s until ",
            "retry_after:",
        ):
            bodies.append([word * 2000] * 99)
        begun = time.monotonic()
        for body in bodies:
            find_retry_delay({}, body)
        self.assertLess(time.monotonic() - begun, 20)
