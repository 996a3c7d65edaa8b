from datetime import timedelta
from typing import Any

from django.utils import timezone

from ingest.models import Job
from media.models import MediaObject
from photochanger.errors import ERROR_BY_REASON, ProviderError, SlotNotFound
from photochanger.testing.marks import both_databases
from slots.models import Setting, Slot
from stats import job_counter
from stats.outcomes import PROVIDER_REASONS
from stats.recent import RecentEvents
from stats.services import load_overview
from stats.tests.support import StatsTestCase, job, open_job

pytestmark = both_databases

HOUR = timedelta(minutes=60)


class WindowTests(StatsTestCase):
    def test_every_outcome_is_counted_once(self) -> None:
        self.store(
            *(job() for _ in range(6)),
            job(reason="timeout"),
            *(job(reason=word) for word in ("quota", "bad_response")),
            *(job(reason=word) for word in ("internal_error", "storage_error")),
            job(reason="client_gone"),
            open_job(),
            open_job(ago_s=100),
        )
        seen = load_overview(HOUR).window.outcomes
        self.assertEqual((seen.done, seen.timeouts, seen.provider_errors), (6, 1, 2))
        self.assertEqual((seen.own_errors, seen.client_gone, seen.in_progress), (3, 1, 1))
        self.assertEqual(seen.jobs, 14)

    def test_a_booth_that_hung_up_is_in_no_share(self) -> None:
        self.store(*(job() for _ in range(19)), job(reason="timeout"), job(reason="client_gone"))
        seen = load_overview(HOUR).window.outcomes
        self.assertEqual((seen.success_share, seen.timeout_share), (0.95, 0.05))

    def test_a_photo_that_fell_back_counts_as_its_failure(self) -> None:
        self.store(job(reason="timeout", fell_back=True), job(reason="quota", fell_back=True))
        seen = load_overview(HOUR).window.outcomes
        self.assertEqual((seen.done, seen.timeouts, seen.provider_errors), (0, 1, 1))
        self.assertEqual(seen.success_share, 0)

    def test_without_photos_there_is_no_share_and_no_time(self) -> None:
        self.store(open_job())
        seen = load_overview(HOUR).window
        self.assertEqual((seen.outcomes.success_share, seen.timings.duration_p50_ms), (None, None))

    def test_test_runs_are_shown_apart(self) -> None:
        self.store(job(took_ms=1000), job(source="ui_test", took_ms=40_000))
        self.store(job(source="ui_test", reason="timeout", ago_s=30))
        seen = load_overview(HOUR)
        self.assertEqual((seen.window.outcomes.jobs, seen.window.test_runs), (1, 2))
        self.assertEqual((seen.jobs_total, seen.window.timings.duration_p95_ms), (1, 1000))
        self.assertIsNone(seen.slots[0].recent.last_failure_at)

    def test_what_is_older_than_the_window_counts_in_the_total_only(self) -> None:
        self.store(job(), job(ago_s=3601, reason="timeout"))
        seen = load_overview(HOUR)
        self.assertEqual((seen.jobs_total, seen.window.outcomes.jobs), (2, 1))
        self.assertEqual(load_overview(2 * HOUR).window.outcomes.timeouts, 1)

    def test_a_timeout_is_no_provider_error(self) -> None:
        self.assertNotIn("timeout", PROVIDER_REASONS)
        for error in ERROR_BY_REASON.values():
            if issubclass(error, ProviderError) and error.reason != "timeout":
                self.assertIn(error.reason, PROVIDER_REASONS)

    def test_in_flight_is_what_takes_a_place(self) -> None:
        self.store(open_job(), open_job("slot-002", source="ui_test"), open_job(ago_s=100))
        seen = load_overview(HOUR)
        self.assertEqual(seen.in_flight, 2)
        self.assertEqual([one.recent.in_flight for one in seen.slots[:3]], [1, 1, 0])


class RecentEventsTests(StatsTestCase):
    def make_recent(self, *jobs: Job) -> RecentEvents:
        self.store(*jobs)
        return load_overview(HOUR).slots[0].recent

    def test_the_next_success_clears_the_last_error(self) -> None:
        seen = self.make_recent(job(ago_s=50, reason="timeout"), job(ago_s=40))
        self.assertIsNone(seen.last_error_reason)
        self.assertEqual(seen.last_failure_reason, "timeout")
        self.assertIsNotNone(seen.last_success_at)

    def test_the_last_error_stands_while_nothing_has_succeeded_since(self) -> None:
        seen = self.make_recent(job(ago_s=70), job(ago_s=50, reason="quota"), open_job(ago_s=1))
        self.assertEqual(seen.last_error_reason, "quota")

    def test_a_photo_of_a_dead_process_is_interrupted(self) -> None:
        seen = self.make_recent(job(ago_s=400, reason="quota"), open_job(ago_s=300))
        self.assertEqual(seen.last_error_reason, "interrupted")

    def test_a_booth_that_hung_up_is_no_error_of_the_slot(self) -> None:
        self.assertIsNone(self.make_recent(job(reason="client_gone")).last_error_reason)

    def test_an_old_success_is_found_whatever_the_window(self) -> None:
        self.assertIsNotNone(self.make_recent(job(ago_s=90 * 86400)).last_success_at)


class TotalTests(StatsTestCase):
    def remembered(self) -> Any:
        kept: Any = Setting.objects.get(pk=job_counter.KEY).value
        return kept["jobs"]

    def test_the_total_stays_right_when_old_photos_are_no_longer_counted(self) -> None:
        before, job_counter.COUNT_AHEAD = job_counter.COUNT_AHEAD, 3
        self.addCleanup(setattr, job_counter, "COUNT_AHEAD", before)
        now = timezone.now()
        self.store(*(job(ago_s=86400 * days) for days in (0.1, 0.9, 1.1, 2, 3)))
        self.assertEqual(job_counter.count_all_jobs(now), 5)
        self.assertEqual(self.remembered(), 3)
        self.store(job(), job(ago_s=86400 * 0.95))
        self.assertEqual(job_counter.count_all_jobs(now), 7)
        self.assertEqual(job_counter.count_all_jobs(now + timedelta(days=1.5)), 7)
        self.assertEqual(self.remembered(), 7)
        self.assertEqual(job_counter.count_all_jobs(now + timedelta(days=2)), 7)


class StorageTests(StatsTestCase):
    def test_files_on_the_disk_are_summed_by_kind(self) -> None:
        gone = timezone.now()
        for number, (kind, size, cleaned_at) in enumerate(
            (("result", 5_000_000, None), ("result", 1_000_000, None), ("result", 9, gone))
        ):
            MediaObject.objects.create(
                slot_id="slot-001",
                kind=kind,
                path=f"results/{number}",
                mime="image/png",
                size_bytes=size,
                cleaned_at=cleaned_at,
                expires_at=gone,
            )
        seen = load_overview(HOUR)
        self.assertEqual(seen.storage_bytes, 6_000_000)
        self.assertEqual([(s.kind, s.files) for s in seen.storage], [("result", 2)])


class SlotFilterTests(StatsTestCase):
    def test_one_slot_is_shown_and_the_platform_stays_whole(self) -> None:
        self.store(job("slot-001"), job("slot-002"))
        seen = load_overview(HOUR, "slot-002")
        self.assertEqual([one.recent.slot.pk for one in seen.slots], ["slot-002"])
        self.assertEqual((seen.window.outcomes.jobs, seen.jobs_total), (2, 2))
        self.assertEqual(seen.slots[0].window.outcomes.jobs, 1)

    def test_an_unknown_slot_is_an_error(self) -> None:
        with self.assertRaises(SlotNotFound):
            load_overview(HOUR, "slot-099")


class QueryTests(StatsTestCase):
    def test_the_number_of_queries_does_not_grow(self) -> None:
        with self.assertNumQueries(11):
            load_overview(HOUR)
        self.store(*(job(f"slot-{n % 15 + 1:03}", reason="quota" * (n % 2)) for n in range(90)))
        Slot.objects.update(is_active=True, settings={"prompt": "As an oil painting"})
        with self.assertNumQueries(11):
            load_overview(HOUR)
