"""The statistics page by HTTP, and its plots."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import connection
from django.test import SimpleTestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from ingest.cleanup import clean_up
from ingest.models import Attempt, Job
from media.models import MediaObject
from photochanger.testing.console_pages import MOST_QUERIES
from photochanger.testing.marks import both_databases
from slots.models import SLOT_IDS, Slot
from stats.outcomes import Outcomes, Timings
from stats.plots import (
    choose_ticks,
    compute_ticks,
    draw_outcomes,
    draw_shares,
    draw_timings,
    format_labels,
)
from stats.series import Point
from stats.tests.support import StatsTestCase, job

PAGE = "/admin/statistics/"
PLOTS, STORAGE = f"{PAGE}plots/", f"{PAGE}storage/"
PARTS = (PLOTS, STORAGE, f"{PAGE}faces/", f"{PAGE}steps/", "/admin/alarm/")


def find_live(page: str) -> set[str]:
    return set(re.findall(r'id="([\w-]+)"\s+data-live', page))


@both_databases
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

    def test_each_slot_has_its_cost_and_what_is_only_probable_stays_apart(self) -> None:
        self.store(
            job(cost_micros=1_250_000),
            job("slot-002", reason="timeout", cost_micros=0, probable_micros=350_000),
            job("slot-003", cost_micros=20_000, unpriced_calls=2),
            job("slot-004"),
        )
        self.client.post("/admin/costs/currency/", {"code": "RUB", "per_dollar": "10"})
        for query in ("", "?slot=slot-004"):  # whose own cost nobody has calculated
            page = self.client.get(PAGE + query).content.decode()
            found = re.findall(r'<td class="number cost".*?>(.*?)</td>', page, re.DOTALL)
            cells = [" ".join(re.sub("<.*?>", "", cell).split()) for cell in found]
            expected = [
                "12,50 ₽",
                "0,00 ₽ вероятно, ещё 3,50 ₽",
                "0,200 ₽ 2 вызова с неизвестной ценой",
                "—",
            ]
            self.assertEqual(cells[:4], expected)
        self.assertContains(self.client.get(PAGE), '<th scope="col" class="number">Стоимость</th>')

    def test_costs_of_slots_ask_the_database_for_nothing_more(self) -> None:
        self.store(job(cost_micros=1))
        with CaptureQueriesContext(connection) as one:
            self.client.get(PAGE)
        self.store(*(job(slot_id, cost_micros=1) for slot_id in SLOT_IDS))
        with CaptureQueriesContext(connection) as all_of_them:
            self.client.get(PAGE)
        self.assertEqual(len(all_of_them), len(one))
        self.assertLessEqual(len(one), MOST_QUERIES)

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

    def test_yesterday_and_a_period_are_of_their_time_alone(self) -> None:
        now = timezone.localtime()
        noon = timezone.localtime().replace(hour=12, minute=0, second=0) - timedelta(days=1)
        ago_s = (now - noon).total_seconds()
        self.store(job(), job(ago_s=ago_s), job(ago_s=ago_s + 600), job(ago_s=ago_s + 86400 * 3))
        Slot.objects.filter(pk="slot-001").update(display_name="Ball")
        yesterday = self.client.get(f"{PAGE}?window=yesterday")
        self.assertEqual(yesterday.context["window"].outcomes.jobs, 2)
        self.assertContains(yesterday, "за вчера")
        day = noon.strftime("%Y-%m-%d")
        query = f"first={day}T11:55&last={day}T13:00&slot=slot-001"
        self.assertEqual(self.line("slot-001", query).figures.window.outcomes.jobs, 1)
        self.assertEqual(self.plots(query), 1)
        page = self.client.get(f"{PAGE}?{query}")
        self.assertContains(page, f'value="{day}T11:55"')
        self.assertContains(page, f"first={day}T11%3A55")  # the live parts ask for the same
        for part in (f"{PAGE}faces/", f"{PAGE}steps/"):
            self.assertEqual(self.client.get(f"{part}?{query}").status_code, 200)

    def test_a_wrong_period_is_told_and_shows_the_hour(self) -> None:
        self.store(job())
        for query, words in (
            ("first=2026-01-02T10:00&last=2026-01-01T10:00", "раньше, чем кончается"),
            ("first=2999-01-01&last=2999-01-02", "не в будущем"),
            ("first=2026-01-01&last=2026-03-01", "не больше 31 дня"),
            ("first=soon&last=2026-03-01", "дата"),
            ("first=2026-01-01", "обязательно"),
        ):
            with self.subTest(query):
                page = self.client.get(f"{PAGE}?{query}")
                self.assertContains(page, words)
                self.assertEqual(page.context["window"].outcomes.jobs, 1)

    def test_slots_that_nobody_has_set_up_are_told_in_one_line(self) -> None:
        self.store(job("slot-009"))
        page = self.client.get(PAGE)
        shown = [line.figures.recent.slot.pk for line in page.context["shown_lines"]]
        self.assertEqual(shown, ["slot-001", "slot-002", "slot-009"])
        self.assertContains(page, "Не настроены 12 слотов:")

    def test_a_table_for_spreadsheets_tells_the_same_and_computes_nothing(self) -> None:
        Slot.objects.filter(pk="slot-002").update(display_name='=HYPERLINK("http://x";"y")')
        self.store(job(took_ms=8500), job(), job("slot-002", reason="timeout"))
        answer = self.client.get(f"{PAGE}report.csv")
        self.assertIn("attachment", answer["Content-Disposition"])
        text = answer.content.decode()
        self.assertTrue(text.startswith("\ufeffПериод;"))
        rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=";"))
        self.assertEqual(len(rows), 2 + 15 + 1)
        found = {row[0]: row for row in rows}
        self.assertEqual(found["slot-002"][1], '\'=HYPERLINK("http://x";"y")')
        self.assertEqual(found["slot-001"][2:4], ["2", "2"])
        self.assertEqual(found["Все слоты"][2:5], ["3", "2", "1"])
        self.assertEqual(found["Все слоты"][9:11], ["66,7", "8,2"])
        english = self.client.get(
            f"{PAGE}report.csv?slot=slot-001", headers={"Accept-Language": "en"}
        )
        self.assertIn("Slot,Name,Photos", english.content.decode())
        self.assertEqual(len(english.content.decode().splitlines()), 3)

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
        self.assertContains(page, "обработка за час, Слот 2")  # the corner is of the slot too
        unknown = self.client.get(f"{PAGE}?slot=slot-099")
        self.assertEqual(unknown.context["window"].outcomes.jobs, 2)  # of all

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

    def test_the_time_axis_has_whole_hours_and_midnights_that_fit(self) -> None:
        cases = ((60, 61, "H:i"), (1800, 49, "H:i"), (21600, 29, "d.m"), (86400, 32, "d.m"))
        for step_s, count, form in cases:
            begins = timezone.now().timestamp() // step_s * step_s - 3 * 3600  # midnight in Moscow
            points = [
                Point(
                    starts_at=datetime.fromtimestamp(begins + n * step_s, UTC),
                    outcomes=Outcomes(),
                    timings=Timings(),
                )
                for n in range(count)
            ]
            for most, char_px in ((8, 7.3), (6, 9.5)):
                ticks, labels = (
                    choose_ticks(points, step_s, most, char_px),
                    format_labels(points, step_s),
                )
                with self.subTest(step_s=step_s, most=most):
                    self.assertTrue(1 < len(ticks) <= most + 1, ticks)
                    for n in ticks:
                        at = timezone.localtime(points[n].starts_at)
                        self.assertEqual(labels[n], date_format(at, form))
                        self.assertEqual(at.minute % 5, 0)
                    self.assertLess(ticks[-1], count - 1)  # it would be cut off

    def test_ticks_are_round_and_reach_the_top(self) -> None:
        self.assertEqual((compute_ticks(0), compute_ticks(1)), ([0, 1, 2], [0, 1, 2]))
        for top in (2, 3, 7, 12, 33, 48.5, 99, 101, 12_345):
            marks = compute_ticks(top)
            self.assertGreaterEqual(marks[-1], top)
            self.assertTrue(3 <= len(marks) <= 6, marks)
