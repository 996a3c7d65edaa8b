"""The statistics page by HTTP, and its plots."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.test import SimpleTestCase
from django.utils import timezone

from ingest.cleanup import clean_up
from ingest.models import Attempt, Job
from media.models import MediaObject
from photochanger.testing.marks import both_databases
from slots.models import Slot
from stats.outcomes import Outcomes, Timings
from stats.plots import compute_ticks, draw_outcomes, draw_shares, draw_timings
from stats.series import Point
from stats.tests.support import StatsTestCase, job

pytestmark = both_databases

PAGE = "/admin/statistics/"
PLOTS, STORAGE = f"{PAGE}plots/", f"{PAGE}storage/"
PARTS = (PLOTS, STORAGE, f"{PAGE}faces/", f"{PAGE}steps/", "/admin/alarm/")


def find_live(page: str) -> set[str]:
    return set(re.findall(r'id="([\w-]+)"\s+data-live', page))


class StatisticsPageTests(StatsTestCase):
    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("serg"))

    def line(self, slot_id: str, query: str = "") -> Any:
        lines = self.client.get(f"{PAGE}?{query}").context["lines"]
        return next(line for line in lines if line.figures.recent.slot.pk == slot_id)

    def test_the_page_shows_the_figures(self) -> None:
        self.store(
            *(job(ago_s=n) for n in range(18)),
            *(job(reason="timeout"), job("slot-002", reason="quota"), job(source="ui_test")),
        )
        page = self.client.get(PAGE)
        self.assertContains(page, "<b>20</b><span>обработок за час, все слоты</span>", html=True)
        self.assertContains(page, "90 %")
        self.assertContains(page, "ниже цели 95 %")
        self.assertEqual(self.line("slot-001").figures.window.outcomes.timeouts, 1)
        self.assertEqual(len(page.context["lines"]), 15)
        self.assertContains(page, "Квота AI-сервиса исчерпана")

    def test_an_invalid_window_is_an_hour(self) -> None:
        self.store(job(), job(ago_s=5000), job(ago_s=3 * 86400), job(ago_s=20 * 86400))
        counted = {"": 1, "window=1440": 2, "window=10080": 3, "window=44640": 4}
        for query, photos in {**counted, "window=7": 1, "window=x&since=x": 1}.items():
            with self.subTest(query=query):
                self.assertEqual(self.line("slot-001", query).figures.window.outcomes.jobs, photos)

    def test_a_wide_window_is_cached_and_an_hour_is_not(self) -> None:
        for query, more in {"window=10080": 0, "window=44640": 0, "": 2, "window=1440": 2}.items():
            Job.objects.all().delete()
            self.store(job())
            with self.subTest(query=query):
                self.line("slot-001", query)
                self.plots(query)
                self.store(job(ago_s=40), job(ago_s=50))
                jobs = self.line("slot-001", query).figures.window.outcomes.jobs
                self.assertEqual((jobs, self.plots(query)), (1 + more, 1 + more))

    def plots(self, query: str) -> int:
        """How many photos the plots tell of."""
        page = self.client.get(f"{PAGE}plots/?{query}")
        return sum(int(values[0] or 0) for _time, values in page.context["table"])

    def test_a_reset_is_one_persons_own_and_deletes_nothing(self) -> None:
        self.store(job(ago_s=300))
        answer = self.client.get(f"{PAGE}?since=now&slot=slot-001")
        self.assertRegex(answer["Location"], r"^/admin/statistics/\?slot=slot-001&since=\d+$")
        page = self.client.get(answer["Location"])
        self.assertContains(page, "<b>0</b>")
        self.assertContains(page, "Показать всё снова")
        self.assertEqual(Job.objects.count(), 1)
        ahead = int(timezone.now().timestamp()) + 900
        self.assertContains(self.client.get(f"{PAGE}?since={ahead}"), "<b>1</b>")

    def test_one_slot_can_be_shown(self) -> None:
        self.store(job("slot-001", reason="quota"), job("slot-002", reason="timeout"))
        page = self.client.get(f"{PAGE}?slot=slot-002")
        self.assertEqual([one.failure.slot_id for one in page.context["failures"]], ["slot-002"])
        self.assertEqual(page.context["window"].outcomes.jobs, 1)
        self.assertContains(page, "<b>2</b>")  # the corner is of all slots
        self.assertEqual(self.client.get(f"{PAGE}?slot=slot-099").status_code, 404)

    def test_a_providers_message_is_cut_and_escaped(self) -> None:
        failed = job(reason="bad_response")
        self.store(failed)
        words = "<script>alert(1)</script>" * 20
        Attempt.objects.create(
            **{"job": failed, "number": 1, "started_at": failed.started_at, "duration_ms": 1},
            **{"provider": "gemini", "detail": words[:500]},
        )
        Slot.objects.filter(pk="slot-001").update(display_name="<b>ball</b>")
        page = self.client.get(PAGE)
        self.assertNotContains(page, "<script>alert")
        self.assertNotContains(page, "<b>ball")
        said = re.search(r'<q class="said">(.*?)</q>', page.content.decode(), re.DOTALL)
        assert said
        self.assertLess(len(said[1].replace("&lt;", "<").replace("&gt;", ">")), 201)

    def test_the_live_part_holds_everything_that_changes(self) -> None:
        part = self.client.get(PAGE, headers={"HX-Request": "true"}).content.decode()
        live = set(re.findall(r'id="([\w-]+)"\s+data-live', part))
        whole = set(
            re.findall(r'id="([\w-]+)"\s+data-live', self.client.get(PAGE).content.decode())
        )
        self.assertEqual(
            whole - live,
            {"alarm-bar", "faces", "plots-shown", "numbers-shown", "steps-shown", "stored-lines"},
        )
        others = "".join(self.client.get(path).content.decode() for path in PARTS)
        self.assertEqual(find_live(others), whole - live)

    def test_storage_and_cleanup_are_shown(self) -> None:
        self.assertContains(self.client.get(STORAGE), "Очистка ещё ни разу не запускалась")
        clean_up(by="cron")  # before there are rows whose files it would miss
        for kind, size in (("result", 3 * 1024**2), ("preview", 1024**2), ("preview", 1024**2)):
            MediaObject.objects.create(
                **{"slot_id": "slot-001", "kind": kind, "size_bytes": size},
                **{"path": f"{kind}/{uuid4()}", "mime": "image/jpeg"},
            )
        page = self.client.get(STORAGE)
        self.assertContains(page, "2 файла")
        self.assertContains(page, "5,0\xa0МБ")
        self.assertContains(page, "запустил cron")

    def test_the_plots_are_of_the_chosen_slot(self) -> None:
        self.store(*(job("slot-002", ago_s=n * 60) for n in range(5)))
        self.assertContains(self.client.get(f"{PLOTS}?slot=slot-002"), "<svg", count=3)
        self.assertNotContains(self.client.get(f"{PLOTS}?slot=slot-001"), "<svg")


class PlotTests(SimpleTestCase):
    POINTS = [
        Point(
            starts_at=datetime(2026, 5, 5, 20, tzinfo=UTC) + timedelta(minutes=n),
            outcomes=Outcomes(jobs=n, done=max(0, n - 1), timeouts=min(1, n)),
            timings=Timings(duration_p50_ms=8000 + n, duration_p95_ms=20_000) if n else Timings(),
        )
        for n in range(30)
    ]

    def test_a_plot_obeys_the_content_security_policy(self) -> None:
        for draw in (draw_outcomes, draw_timings, draw_shares):
            svg = str(draw(self.POINTS, 60).svg)
            with self.subTest(plot=draw.__name__):
                self.assertRegex(svg, r'^<svg [^>]*role="img"')
                self.assertNotRegex(svg, r"<style|<script|style=|\son\w+=|<desc|\sid=")

    def test_bars_have_the_height_and_tooltip_of_their_figures(self) -> None:
        svg = str(draw_outcomes(self.POINTS, 60).svg)
        done = svg[svg.index('class="series done"') : svg.index('class="series timeouts"')]
        heights = [float(found) for found in re.findall(r'height="([\d.]+)"', done)]
        self.assertEqual(len(heights), 28)
        self.assertAlmostEqual(heights[-1] / heights[0], 28, delta=0.1)
        self.assertIn("<title>23:29: 28</title>", done)

    def test_the_goal_is_a_line_of_its_own(self) -> None:
        self.assertIn('class="series kpi"', str(draw_shares(self.POINTS, 60).svg))

    def test_an_empty_plot_is_not_drawn(self) -> None:
        nothing = [Point(starts_at=datetime.now(UTC), outcomes=Outcomes(), timings=Timings())] * 5
        for draw in (draw_outcomes, draw_timings, draw_shares):
            plot = draw(nothing, 60)
            self.assertEqual((plot.is_empty, plot.svg), (True, ""))

    def test_ticks_are_round_and_reach_the_top(self) -> None:
        self.assertEqual((compute_ticks(0), compute_ticks(1)), ([0, 1, 2], [0, 1, 2]))
        for top in (2, 3, 7, 12, 33, 48.5, 99, 101, 12_345):
            marks = compute_ticks(top)
            self.assertGreaterEqual(marks[-1], top)
            self.assertTrue(3 <= len(marks) <= 6, marks)
