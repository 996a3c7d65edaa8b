import random
from datetime import timedelta
from itertools import pairwise

from ingest.models import Attempt, Job
from photochanger.errors import SlotNotFound
from photochanger.testing.marks import both_databases
from stats.percentiles import Percentile
from stats.series import step_for
from stats.services import load_overview, load_slot_statistics
from stats.tests.support import StatsTestCase, job, open_job

pytestmark = both_databases

HOUR = timedelta(minutes=60)


def percentile(values: list[int], share: float) -> float:
    """As the books have it, and nothing to do with how the databases reckon."""
    ordered, place = sorted(values), share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return ordered[low] * (1 - (place - low)) + ordered[high] * (place - low)


class PercentileTests(StatsTestCase):
    def assert_near(self, rounded: int | None, exact: float) -> None:
        assert rounded is not None
        self.assertAlmostEqual(rounded, exact, delta=0.51)

    def test_the_database_computes_percentiles_as_plain_python_does(self) -> None:
        chance = random.Random(5)
        taken: dict[str, list[int]] = {"slot-001": [], "slot-002": [], "slot-003": []}
        for count, slot_id in zip((1, 40, 137), taken, strict=True):
            taken[slot_id] = [chance.randint(900, 47_000) for _ in range(count)]
            self.store(*(job(slot_id, took_ms=ms, provider_ms=ms - 50) for ms in taken[slot_id]))
        self.store(*(job("slot-003", reason="timeout", took_ms=48_000) for _ in range(50)))
        seen = load_overview(HOUR)
        for one in seen.slots[:3]:
            values = taken[one.recent.slot.pk]
            timings = one.window.timings
            self.assert_near(timings.duration_p50_ms, percentile(values, 0.5))
            self.assert_near(timings.duration_p95_ms, percentile(values, 0.95))
            self.assertEqual((timings.overhead_p50_ms, timings.overhead_p95_ms), (50, 50))
        every = sum(taken.values(), [])
        self.assert_near(seen.window.timings.duration_p95_ms, percentile(every, 0.95))

    def test_nulls_do_not_count_and_any_share_is_exact(self) -> None:
        chance = random.Random(6)
        values = [chance.randint(0, 100_000) for _ in range(61)]
        self.store(*(job(took_ms=ms) for ms in values), open_job())
        for share in (0, 0.1, 1 / 3, 0.5, 0.99, 1):
            found = Job.objects.aggregate(p=Percentile("duration_ms", share))["p"]
            self.assertAlmostEqual(found, percentile(values, share), places=6)


class SeriesTests(StatsTestCase):
    def test_a_window_has_about_fifty_intervals(self) -> None:
        for minutes in (1, 5, 30, 60, 180, 720, 24 * 60, 7 * 24 * 60, 31 * 24 * 60):
            with self.subTest(minutes=minutes):
                seen = load_slot_statistics("slot-001", timedelta(minutes=minutes))
                self.assertTrue(46 <= len(seen.points) <= 63, len(seen.points))
                self.assertEqual(86400 % seen.step_seconds, 0)
                gaps = {b.starts_at - a.starts_at for a, b in pairwise(seen.points)}
                self.assertEqual(gaps, {timedelta(seconds=seen.step_seconds)})

    def test_the_points_hold_every_photo_of_the_window_once(self) -> None:
        chance = random.Random(7)
        words = ("", "", "", "timeout", "quota", "storage_error", "client_gone")
        self.store(
            *(job(ago_s=chance.uniform(50, 3590), reason=chance.choice(words)) for _ in range(200)),
            job("slot-002"),
            job(source="ui_test"),
            open_job(ago_s=1),
        )
        seen = load_slot_statistics("slot-001", HOUR)
        whole = seen.slot.window.outcomes
        self.assertEqual(whole.jobs, 201)
        added = sum((point.outcomes for point in seen.points), start=type(whole)())
        self.assertEqual(added, whole)

    def test_a_photo_stands_in_the_interval_of_its_first_byte(self) -> None:
        photo = job(ago_s=900, took_ms=4000, provider_ms=3500)
        self.store(photo)
        seen = load_slot_statistics("slot-001", HOUR)
        (point,) = [point for point in seen.points if point.outcomes.jobs]
        step = timedelta(seconds=seen.step_seconds)
        self.assertTrue(point.starts_at <= photo.started_at < point.starts_at + step)
        self.assertEqual(point.timings.duration_p50_ms, 4000)
        self.assertEqual(point.timings.overhead_p95_ms, 500)

    def test_steps_are_as_fine_as_the_page_can_show(self) -> None:
        self.assertEqual(step_for(HOUR), 60)
        self.assertEqual(step_for(24 * HOUR), 1800)


class FailureTests(StatsTestCase):
    def test_the_last_failures_come_with_the_provider_s_last_words(self) -> None:
        failed = job(reason="bad_response", ago_s=9, failure_detail="no usable picture")
        self.store(failed, *(job(reason="timeout", ago_s=20 + n) for n in range(30)), job())
        for number, words in enumerate(("first", "finishReason NO_IMAGE", ""), start=1):
            Attempt.objects.create(
                job=failed,
                number=number,
                provider="gemini",
                started_at=failed.started_at,
                duration_ms=5,
                detail=words,
            )
        failures = load_slot_statistics("slot-001", HOUR).failures
        self.assertEqual(len(failures), 20)
        newest = failures[0]
        self.assertEqual((newest.job_id, newest.failure_reason), (failed.pk, "bad_response"))
        self.assertEqual(newest.provider_said, "finishReason NO_IMAGE")
        self.assertEqual((newest.detail, newest.attempts), ("no usable picture", 3))
        self.assertEqual(newest.status, "failed")

    def test_photos_of_a_dead_process_are_among_the_last_failures(self) -> None:
        self.store(open_job(ago_s=200), job(source="ui_test", reason="quota"))
        (failure,) = load_slot_statistics("slot-001", HOUR).failures
        self.assertEqual((failure.status, failure.failure_reason), ("failed", "interrupted"))

    def test_the_number_of_queries_does_not_grow(self) -> None:
        self.store(job(reason="quota"))
        with self.assertNumQueries(11):
            load_slot_statistics("slot-001", HOUR)
        self.store(*(job(reason="quota", ago_s=n) for n in range(60)), open_job(ago_s=99))
        with self.assertNumQueries(11):
            load_slot_statistics("slot-001", HOUR)

    def test_an_unknown_slot_is_an_error(self) -> None:
        with self.assertRaises(SlotNotFound):
            load_slot_statistics("slot-099", HOUR)
