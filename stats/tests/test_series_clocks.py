"""Intervals by the clock on the wall, where it is changed or stands between whole hours."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.test import override_settings
from django.utils import timezone

from ingest.costs.spending import choose_day
from ingest.models import Job
from photochanger.testing.marks import both_databases
from stats.plots import format_labels
from stats.series import Point, load_points
from stats.tests.support import StatsTestCase, job

pytestmark = both_databases

HOUR_S, DAY_S = 3600, 24 * 3600
# The zone, and a day of 25, 23 or 24 hours in it.
DAYS = {
    "America/New_York": [(2026, 11, 1), (2026, 3, 8)],
    "Europe/Berlin": [(2026, 10, 25), (2026, 3, 29)],
    "Australia/Lord_Howe": [(2026, 4, 5), (2026, 10, 4)],  # half an hour
    "America/Havana": [(2026, 11, 1), (2026, 3, 8)],  # one at midnight
    "Europe/Moscow": [(2026, 10, 25)],
    "Asia/Kathmandu": [(2026, 10, 25)],
}


class ClockTests(StatsTestCase):
    def load(self, day: datetime, step_s: int) -> list[Point]:
        since, until = day - timedelta(days=10), day + timedelta(days=10)
        return load_points(None, since, until, step_s)

    def test_each_photo_stands_on_the_day_that_its_costs_are_counted_on(self) -> None:
        for zone, days in DAYS.items():
            for date in days:
                with self.subTest(zone, day=date), override_settings(TIME_ZONE=zone):
                    noon = datetime(*date, 12, tzinfo=ZoneInfo(zone))
                    self.check_days(noon)

    def check_days(self, noon: datetime) -> None:
        photos = [job() for _ in range(120)]
        begins = noon.astimezone(UTC) - timedelta(hours=40)
        for number, photo in enumerate(photos):
            photo.started_at = begins + timedelta(minutes=37 * number)
        Job.objects.all().delete()
        self.store(*photos)
        points = self.load(noon, DAY_S)
        self.assertEqual(len(points), 21)
        found = {
            timezone.localtime(point.starts_at).date(): point.outcomes.jobs
            for point in points
            if point.outcomes.jobs
        }
        self.assertEqual(found, dict(Counter(choose_day(photo.started_at) for photo in photos)))
        labels = format_labels(points, DAY_S)
        self.assertEqual(len(set(labels)), len(labels))

    def test_half_days_begin_at_midnight_and_noon_on_both_sides(self) -> None:
        with override_settings(TIME_ZONE="America/New_York"):
            points = self.load(datetime(2026, 11, 1, 12, tzinfo=UTC), 12 * HOUR_S)
            hours = {timezone.localtime(point.starts_at).hour for point in points}
            self.assertEqual(hours, {0, 12})
            gaps = Counter(b.starts_at - a.starts_at for a, b in pairwise(points))
            self.assertEqual(gaps.pop(timedelta(hours=13)), 1)
            self.assertEqual(set(gaps), {timedelta(hours=12)})

    def test_short_intervals_are_of_one_length_whatever_the_clocks_do(self) -> None:
        for zone in DAYS:
            with override_settings(TIME_ZONE=zone):
                end = datetime(2026, 11, 1, 12, tzinfo=UTC)
                points = load_points(None, end - timedelta(days=1), end, 1800)
                gaps = {b.starts_at - a.starts_at for a, b in pairwise(points)}
                self.assertEqual(gaps, {timedelta(seconds=1800)}, zone)
