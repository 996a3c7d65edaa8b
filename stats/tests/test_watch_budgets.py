"""The watch tells of a budget before it is spent, and when it is."""

from django.utils import timezone, translation

from ingest.budgets.models import Budget
from ingest.budgets.slot_estimates import load_slot_estimates
from ingest.costs.spending import Amounts, add_spending
from ingest.tests.test_budgets import make_budget
from photochanger.testing.marks import both_databases
from slots.models import Event, Slot
from slots.tests.test_events import make_event
from stats.models import Severity
from stats.tests.support import StatsTestCase, job
from stats.watch.findings import Finding
from stats.watch.rules.budgets import find_low_budgets
from stats.watch.wording import word_alert


@both_databases
class BudgetRuleTests(StatsTestCase):
    def find(self) -> list[Finding]:
        return list(find_low_budgets(timezone.now()))

    def spend(self, micros: int) -> None:
        made = job(cost_micros=micros)
        made.save()
        add_spending(made, Amounts.of_job(made))

    def test_it_is_silent_until_the_soft_limit_and_grave_at_the_hard_one(self) -> None:
        make_budget(slot_id="slot-001", hard_micros=10_000_000, soft_percent=80)
        make_budget(hard_micros=1, is_active=False)
        self.spend(7_900_000)
        self.assertEqual(self.find(), [])
        self.spend(200_000)
        (low,) = self.find()
        self.assertEqual(low.severity, Severity.WARNING)
        with translation.override("ru"):
            words = word_alert(low).words
        self.assertEqual(words, "slot-001: 8.10 / 10.00 USD, израсходовано 81 % бюджета.")
        self.spend(2_000_000)
        (spent,) = self.find()
        self.assertEqual((spent.severity, spent.key), (Severity.CRITICAL, low.key))

    def test_of_an_events_budget_a_purge_can_tell_whose_name_it_holds(self) -> None:
        event = make_event(name="Wedding of Anna")
        make_budget(event=event, hard_pictures=1, soft_percent=1)
        make_budget(hard_pictures=1)
        made = job(event=event)
        made.save()
        add_spending(made, Amounts.of_job(made))
        events = {finding.facts["budget"]: finding.facts.get("event") for finding in self.find()}
        self.assertEqual(events["Wedding of Anna"], event.pk)
        self.assertEqual(len(events), 2)

    def test_a_budget_is_spent_once_not_one_photo_more_fits_in(self) -> None:
        recipe = {"prompt": "A nebula"}
        Slot.objects.filter(pk="slot-001").update(is_active=True, settings=recipe)
        budget = make_budget(slot_id="slot-001", hard_micros=1_000_000, soft_percent=95)
        self.spend(1_000_000 - 4 * 34_000)  # less than the calls of one photo may cost
        (spent,) = self.find()
        self.assertEqual((spent.severity, spent.facts["percent"]), (Severity.CRITICAL, 86))
        with translation.override("ru"):
            self.assertIn("не поместится ни одно фото", word_alert(spent).words)
        budget.at_limit = Budget.AtLimit.ALARM  # nothing is refused: it is spent at its limit
        budget.save()
        self.assertEqual(self.find(), [])

    def test_of_a_shared_budget_it_names_the_slots_whose_photos_do_not_fit_in(self) -> None:
        active = {"is_active": True, "settings": {"prompt": "A nebula"}}
        Slot.objects.filter(pk__in=("slot-001", "slot-002")).update(**active)
        Slot.objects.filter(pk="slot-002").update(faces=Slot.Faces.RETRY)  # one more call
        cheap, dear = (one.micros for one in load_slot_estimates(timezone.localdate()))
        budget = make_budget(hard_micros=dear - 1, soft_percent=100)
        (of_one,) = self.find()
        self.assertEqual(of_one.severity, Severity.CRITICAL)
        with translation.override("ru"):
            words = word_alert(of_one).words
        self.assertIn("Фото slot-002 больше не поместится: их фотобудки получают отказ.", words)
        Budget.objects.filter(pk=budget.pk).update(hard_micros=cheap - 1)
        (of_all,) = self.find()
        self.assertEqual(of_all.key, of_one.key)
        with translation.override("ru"):
            self.assertIn("не поместится ни одно фото", word_alert(of_all).words)

    def test_the_budget_of_an_event_that_is_over_tells_nothing(self) -> None:
        event = make_event(name="Summer ball")
        make_budget(event=event, hard_pictures=0)
        self.assertEqual(len(self.find()), 1)
        Event.objects.filter(pk=event.pk).update(closed_at=timezone.now())
        self.assertEqual(self.find(), [])

    def test_without_budgets_it_asks_once(self) -> None:
        with self.assertNumQueries(1):
            self.assertEqual(self.find(), [])
