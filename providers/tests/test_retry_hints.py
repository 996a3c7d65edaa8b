"""When to come back, in every spelling that services, gateways and proxies have for it."""

import json
import time
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from django.test import SimpleTestCase

from providers.retry_hints import find_retry_delay
from providers.tests.test_meanings import explain, google
from providers.words.durations import parse_duration


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
            ({"retry-after": "30, 30"}, 30),
            ({"retry-after": "5,30"}, 30),
            ({"retry-after": '"30"'}, 30),
            ({"retry-after": "30;"}, 30),
            ({"retry-after": '"30", "5s"'}, 30),
            ({"retry-after": "00:00:30"}, 30),
            ({"retry-after": "0:01:03"}, 63),
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
            (google(429, "S", "w", {"metadata": {"quotaResetDelay": "5.2s"}}), 5.2),
            ({"message": "busy", "retry_after_sec": 6}, 6),
            ({"message": "busy", "retry_after_secs": "6"}, 6),
            ({"message": "busy", "reset_in": 6}, 6),
            ({"message": "busy", "wait_seconds": 6}, 6),
            ("Busy. Retry after 30", 30),
            ("Busy (retry_after: 30)", 30),
            ("Busy, Retry-After=2.5.", 2.5),
            ('{"retry_after": "30"} as a text', 30),
            ("Available again in 34 seconds", 34),
            ("Please try again in a minute.", 60),
            ("Попробуйте через минуту", 60),
            ("Повторите через 2 мин. 5 сек.", 125),
            ("Повторите через 2 минуты и 5 секунд", 125),
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
        for words in ("try again in 5 months", "retry 3 times", "wait", "in 5 s"):
            self.assertIsNone(find_retry_delay({}, {"message": words}), words)
        for words in (
            "retry after 5 months",
            "retry after 1999-11-28",
            "retry after 10:30",
            "a, b",
        ):
            self.assertIsNone(find_retry_delay({"retry-after": words}, {"message": words}), words)
