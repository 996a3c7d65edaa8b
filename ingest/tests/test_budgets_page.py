"""The pages of budgets over HTTP."""

import re
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ingest.budgets.models import Budget
from ingest.budgets.slot_estimates import load_slot_estimates
from ingest.costs.spending import Amounts, add_spending
from ingest.tests.test_budgets import make_budget
from ingest.tests.test_job_pages import job
from slots.models import Event, Slot
from slots.tests.support import ConsoleTestCase

BUDGETS = "/admin/costs/budgets/"
RUSSIAN = {"Accept-Language": "ru"}
FORM = {
    "scope": "slot:slot-001",
    "period": "daily",
    "counts_from": "",
    "money": "4625,50",
    "pictures": "",
    "soft_percent": "70",
    "at_limit": "original",
    "is_active": "on",
}


class BudgetsPageTests(ConsoleTestCase):
    def spend(self, micros: int) -> None:
        made = job(cost_micros=micros)
        made.save()
        add_spending(made, Amounts.of_job(made))

    def test_a_budget_is_entered_in_the_operators_currency_and_changed(self) -> None:
        self.client.post("/admin/costs/currency/", {"code": "RUB", "per_dollar": "92,51"})
        answer = self.client.post(f"{BUDGETS}new/", FORM, follow=True, headers=RUSSIAN)
        self.assertContains(answer, "Бюджет сохранён")
        self.assertContains(answer, "4\u00a0625,50\u202f₽")
        budget = Budget.objects.get()
        self.assertEqual((budget.slot_id, budget.is_daily), ("slot-001", True))
        self.assertEqual((budget.hard_micros, budget.soft_percent), (50_000_000, 70))
        form = self.client.get(f"{BUDGETS}{budget.pk}/").context["form"]
        self.assertEqual(form["money"].value(), "4625.50")
        changed = FORM | {"scope": "all", "money": "", "pictures": "500"}
        self.client.post(f"{BUDGETS}{budget.pk}/", changed)
        budget.refresh_from_db()
        self.assertEqual(
            (budget.slot_id, budget.hard_micros, budget.hard_pictures), (None, None, 500)
        )
        self.assertContains(
            self.client.get("/admin/audit/", headers=RUSSIAN), "all slots, each day, 500"
        )

    def test_one_for_an_event_counts_in_all_from_a_day_on(self) -> None:
        now = timezone.now()
        ball = Event.objects.create(
            name="Летний бал", starts_at=now, ends_at=now + timedelta(hours=5)
        )
        typed = FORM | {"scope": f"event:{ball.pk}", "period": "total", "counts_from": "2026-11-27"}
        self.client.post(f"{BUDGETS}new/", typed)
        budget = Budget.objects.get()
        self.assertEqual((budget.event, budget.is_daily), (ball, False))
        self.assertContains(self.client.get(BUDGETS, headers=RUSSIAN), "Летний бал")

    def test_what_is_missing_is_told_beside_its_field(self) -> None:
        for changes, field in (
            ({"money": ""}, "money"),
            ({"period": "total"}, "counts_from"),
            ({"scope": "slot:slot-099"}, "scope"),
            ({"soft_percent": "0"}, "soft_percent"),
        ):
            answer = self.client.post(f"{BUDGETS}new/", FORM | changes)
            self.assertEqual(list(answer.context["form"].errors), [field])
        self.assertFalse(Budget.objects.exists())

    def test_it_shows_how_far_each_is_used_with_few_queries(self) -> None:
        make_budget(hard_micros=1_000_000, hard_pictures=100)
        self.spend(850_000)
        self.assertContains(self.client.get(BUDGETS, headers=RUSSIAN), "кончается")
        with CaptureQueriesContext(connection) as few:
            self.client.get(BUDGETS)
        for _one in range(9):
            make_budget(hard_micros=1)
        with CaptureQueriesContext(connection) as many:
            page = self.client.get(BUDGETS, headers=RUSSIAN)
        self.assertContains(page, "израсходован")
        self.assertEqual(len(few), len(many))
        self.assertLessEqual(len(many), 15)

    def test_of_a_shared_budget_it_says_whose_photos_still_fit_in(self) -> None:
        active = {"is_active": True, "settings": {"prompt": "A nebula"}}
        Slot.objects.filter(pk__in=("slot-001", "slot-002")).update(**active)
        Slot.objects.filter(pk="slot-002").update(faces=Slot.Faces.RETRY)  # one more call
        cheap, dear = (one.micros for one in load_slot_estimates(timezone.localdate()))
        self.assertLess(cheap, dear)
        self.spend(1_000_000)
        budget = make_budget(soft_percent=100)
        for left, words in (
            (dear, ""),
            (dear - 1, "для фото slot-002 осталось слишком мало; более дешёвые ещё делаются"),
            (cheap - 1, "израсходован"),
        ):
            Budget.objects.filter(pk=budget.pk).update(hard_micros=1_000_000 + left)
            page = self.client.get(BUDGETS, headers=RUSSIAN).content.decode()
            bad = re.findall(r'<span class="bad">(.*?)</span>', page, re.DOTALL)
            self.assertEqual([" ".join(text.split()) for text in bad], [words] if words else [])

    def test_the_navigation_has_it_beside_the_costs(self) -> None:
        page = self.client.get(BUDGETS, headers=RUSSIAN).content.decode()
        pages = re.findall(r'<a href="(/admin/costs/[^"]*)"([^>]*)>', page)
        links = [(path, "page" in marks) for path, marks in pages if "quiet" not in marks]
        self.assertEqual(links[:2], [("/admin/costs/", False), (BUDGETS, True)])

    def test_removing_one_asks_first(self) -> None:
        budget = make_budget(hard_pictures=1)
        path = f"{BUDGETS}{budget.pk}/remove/"
        self.assertContains(self.client.post(path, headers=RUSSIAN), "Удалить этот бюджет?")
        self.assertTrue(Budget.objects.exists())
        self.client.post(path, {"confirmed": "yes"})
        self.assertFalse(Budget.objects.exists())
