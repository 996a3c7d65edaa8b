"""The page of costs, and costs on the pages where photos and tests are compared."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ingest.costs.models import Price
from ingest.costs.spending import Amounts, add_spending
from ingest.models import Attempt, Job
from ingest.tests.test_job_pages import job
from slots.models import Event, Slot
from slots.platform_settings import load_platform_settings
from slots.tests.support import ConsoleTestCase

COSTS = "/admin/costs/"
RUSSIAN = {"Accept-Language": "ru"}
PRICE = {
    "provider": "turbotext",
    "model": "",
    "valid_from": "2026-11-01",
    "source": "договор 17",
    "per_picture": "0,05",
}


class CostsPageTests(ConsoleTestCase):
    def spend(self, slot_id: str = "slot-001", **more: object) -> Job:
        values: dict[str, object] = {"cost_micros": 37_200, "probable_micros": 5_000} | more
        made = job(slot_id, **values)
        made.save()
        add_spending(made, Amounts.of_job(made))
        return made

    def test_it_tells_what_was_spent_by_slot_day_and_event(self) -> None:
        now = timezone.now()
        ball = Event.objects.create(
            name="Летний бал", starts_at=now, ends_at=now.replace(year=2030)
        )
        self.spend(event=ball)
        self.spend("slot-002", cost_micros=0, probable_micros=0, unpriced_calls=2)
        page = self.client.get(COSTS, headers=RUSSIAN)
        self.assertContains(page, "0,0372\u202f$")
        self.assertContains(page, "вероятно, ещё 0,0050\u202f$")
        self.assertContains(page, "2 вызова с неизвестной ценой")
        self.assertContains(page, "Летний бал")

    def test_it_asks_the_database_a_fixed_number_of_times(self) -> None:
        self.spend()
        self.client.get(COSTS)
        with CaptureQueriesContext(
            connection,
        ) as few:
            self.client.get(COSTS)
        for slot in Slot.objects.all()[1:9]:
            self.spend(slot.pk)
        with CaptureQueriesContext(connection) as many:
            self.client.get(COSTS)
        self.assertEqual(len(few), len(many))
        self.assertLessEqual(len(many), 15)

    def test_a_price_is_entered_with_a_comma_and_kept_in_the_history(self) -> None:
        answer = self.client.post(f"{COSTS}price/", PRICE, follow=True, headers=RUSSIAN)
        self.assertContains(answer, "Цена сохранена")
        self.assertContains(answer, "договор 17")
        row = Price.objects.get()
        self.assertEqual((row.per_picture, row.text_in, row.entered_by), (50_000, None, "serg"))
        self.assertGreater(load_platform_settings().prices_version, 0)
        self.assertContains(self.client.get("/admin/audit/", headers=RUSSIAN), "Цена ИИ-сервиса")

    def test_a_price_that_is_none_is_told_beside_its_field(self) -> None:
        wrong = PRICE | {"per_picture": "-1", "source": ""}
        answer = self.client.post(f"{COSTS}price/", wrong)
        self.assertEqual(answer.status_code, 422)
        self.assertEqual(set(answer.context["price_form"].errors), {"per_picture", "source"})
        self.assertFalse(Price.objects.exists())

    def test_the_operators_currency_is_shown_by_their_rate(self) -> None:
        photo = self.spend()
        self.client.post(f"{COSTS}currency/", {"code": "RUB", "per_dollar": "100,5"})
        for path in (COSTS, f"/admin/ingest/job/{photo.pk}/change/", "/admin/statistics/"):
            self.assertContains(self.client.get(path, headers=RUSSIAN), "3,74\u202f₽")
        csv = self.client.get(reverse("admin:statistics_csv"), headers=RUSSIAN).content.decode()
        self.assertIn("Стоимость, RUB", csv)
        self.assertIn("3,7386", csv)

    def test_an_event_is_forecast_by_what_photos_have_cost(self) -> None:
        asked = {"slot": "slot-001", "guests": 100, "shots": "1.5"}
        at_most = self.client.get(COSTS, asked).context["forecast"]
        self.assertFalse(at_most.is_measured)
        self.assertEqual(at_most.photos, 150)
        for _photo in range(5):
            self.spend(probable_micros=0)
        found = self.client.get(COSTS, asked).context["forecast"]
        self.assertEqual((found.of_photo, found.total), (37_200, 37_200 * 150))
        Slot.objects.filter(pk="slot-002").update(provider="turbotext", settings={})
        unknown = self.client.get(COSTS, asked | {"slot": "slot-002"}, headers=RUSSIAN)
        self.assertContains(unknown, "нет цены ИИ-сервиса этого слота")

    def test_photos_are_calculated_again_on_request(self) -> None:
        photo = self.spend(cost_micros=0, probable_micros=0, unpriced_calls=1)
        Attempt.objects.create(
            job=photo,
            number=1,
            provider="turbotext",
            started_at=photo.started_at,
            duration_ms=9,
            payment="paid",
        )
        self.client.post(f"{COSTS}price/", PRICE)
        day = timezone.localdate().isoformat()
        answer = self.client.post(f"{COSTS}recount/", {"since": day}, follow=True, headers=RUSSIAN)
        self.assertContains(answer, "у 1 фото")
        photo.refresh_from_db()
        self.assertEqual((photo.cost_micros, photo.unpriced_calls), (50_000, 0))

    def test_a_call_says_whether_it_was_paid(self) -> None:
        photo = self.spend()
        for number, (payment, micros) in enumerate(
            [("free", 0), ("probable", 5_000), ("paid", 37_200), ("paid", None)], start=1
        ):
            Attempt.objects.create(
                job=photo,
                number=number,
                provider="gemini",
                started_at=photo.started_at,
                duration_ms=9,
                payment=payment,
                cost_micros=micros,
            )
        page = self.client.get(f"/admin/ingest/job/{photo.pk}/change/", headers=RUSSIAN)
        for words in (
            "не оплачен",
            "самое большее 0,0050\u202f$",
            "0,0372\u202f$",
            "цена неизвестна",
        ):
            self.assertContains(page, words)
