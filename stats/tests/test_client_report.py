"""The report of an event for its client."""

import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from ingest.costs.money import CURRENCY_KEY
from ingest.models import Job
from media.models import DownloadCount
from photochanger.testing.marks import both_databases
from slots.letters.models import GuestLetter
from slots.models import Event, Slot
from slots.setting_rows import store_fact
from stats.client_report.figures import QUARTER_S, load_report_figures
from stats.tests.support import StatsTestCase, job

BEGINS = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)  # 18:00 in Moscow


def add_event(**columns: Any) -> Event:
    values = {"name": "Wedding", "starts_at": BEGINS, "ends_at": BEGINS + timedelta(hours=6)}
    return Event.objects.create(**values | {"started_at": BEGINS} | columns)


def photo(event: Event, minute: float, **columns: Any) -> Job:
    at = BEGINS + timedelta(minutes=minute)
    times = {"started_at": at, "deadline": at + timedelta(seconds=48), "finished_at": at}
    return job(**times | {"event": event} | columns)


@both_databases
class FiguresTests(StatsTestCase):
    def setUp(self) -> None:
        self.event = add_event()

    def test_it_counts_booths_pictures_people_and_styles(self) -> None:
        kept = {"faces": "kept", "people_in": 3}
        Slot.objects.filter(pk="slot-002").update(display_name="Oil")
        self.store(
            *(photo(self.event, n, slot_id="slot-002", **kept) for n in (1, 2, 20)),
            photo(self.event, 21, faces="lost", people_in=2),
            photo(self.event, 22, reason="quota"),
            photo(self.event, 23, source=Job.Source.UI_TEST, people_in=9),
            photo(add_event(name="Another"), 3, people_in=7),
            job(),
        )
        seen = load_report_figures(self.event)
        self.assertEqual((seen.photos, seen.pictures, seen.people), (5, 4, 11))
        self.assertEqual(seen.kept_percent, 75)
        self.assertEqual([(s.title, s.pictures) for s in seen.styles][0], ("Oil", 3))
        busiest = [(q.starts_at, q.pictures) for q in seen.busiest]
        later = BEGINS + timedelta(seconds=QUARTER_S)
        self.assertEqual(busiest, [(BEGINS, 2), (later, 2)])

    def test_downloads_and_letters_are_its_own(self) -> None:
        for event_id, count in ((self.event.pk, 3), (self.event.pk, 1), (None, 50), (99, 5)):
            DownloadCount.objects.create(job_id=uuid.uuid4(), event_id=event_id, count=count)
        for status in ("sent", "failed"):
            GuestLetter.objects.create(
                **{"job_id": uuid.uuid4(), "slot_id": "slot-001", "language": "ru"},
                **{"event_id": self.event.pk, "status": status},
                **{"created_at": timezone.now(), "next_try_at": timezone.now()},
            )
        seen = load_report_figures(self.event)
        self.assertEqual((seen.downloaded, seen.downloads, seen.letters), (2, 4, 1))

    def test_an_event_of_days_has_wider_bars_and_still_its_quarters(self) -> None:
        self.store(*(photo(self.event, day * 1440 + n) for day in range(4) for n in range(day + 1)))
        seen = load_report_figures(self.event)
        self.assertEqual(seen.step_s, 3600)
        self.assertEqual(sum(point.outcomes.done for point in seen.points), 10)
        self.assertEqual(seen.busiest[0].pictures, 4)

    def test_without_photos_nothing_is_wrong(self) -> None:
        seen = load_report_figures(self.event)
        self.assertEqual((seen.photos, seen.busiest, seen.done_percent), (0, [], None))


class PageTests(StatsTestCase):
    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("serg"))
        self.event = add_event(public_title="Свадьба Анны")
        self.path = f"/admin/events/{self.event.pk}/report/"

    def read(self, query: str = "", language: str = "ru") -> str:
        answer = self.client.get(self.path + query, headers={"Accept-Language": language})
        self.assertEqual(answer.status_code, 200)
        return str(answer.content.decode())

    def test_the_paper_speaks_its_own_language(self) -> None:
        self.store(*(photo(self.event, n) for n in range(3)))
        russian, english = self.read("?lang=ru", "en"), self.read("?lang=en", "ru")
        self.assertIn("Отчёт о мероприятии", russian)
        self.assertIn('lang="ru"', russian)
        self.assertIn("Report of the event", english)
        self.assertNotIn("Отчёт", english)
        self.assertIn("Свадьба Анны", english)
        self.assertIn("Отчёт о мероприятии", self.read("?lang=xx"))

    def test_a_report_of_5000_photos_comes_soon_and_asks_little(self) -> None:
        self.store(
            *(
                photo(self.event, n * 0.072, slot_id=f"slot-{n % 15 + 1:03}", people_in=n % 4)
                for n in range(5000)
            )
        )
        began = time.monotonic()
        page = self.read()
        self.assertLess(time.monotonic() - began, 30)
        self.assertIn("5000", page.replace("\xa0", "").replace(" ", ""))
        with self.assertNumQueries(9):
            self.read()

    def test_what_it_has_cost_is_told_only_where_it_is_wanted(self) -> None:
        store_fact(CURRENCY_KEY, {"code": "RUB", "per_dollar": "100"}, by="test")
        self.store(
            photo(self.event, 1, cost_micros=40_000),
            photo(self.event, 2, cost_micros=20_000),
            photo(self.event, 3, reason="network", cost_micros=0, probable_micros=35_000),
            photo(self.event, 4, source=Job.Source.UI_TEST, cost_micros=9_000_000),
        )
        self.assertNotIn("\u202f₽", self.read())
        page = re.sub(r"[ \n]+", " ", self.read("?cost=1"))
        self.assertIn("<dd>6,00\u202f₽</dd>", page)
        self.assertIn("стоил AI-сервис, 3,00\u202f₽ за картинку", page)
        self.assertIn("и, возможно, 3,50\u202f₽ за оборванные вызовы", page)
        self.assertIn("?lang=en&amp;cost=1", page)

    def test_the_events_page_leads_to_it(self) -> None:
        answer = self.client.get(f"/admin/events/{self.event.pk}/")
        self.assertContains(answer, self.path)

    def test_only_administrators_read_it(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get(self.path).status_code, 302)
