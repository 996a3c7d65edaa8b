"""The watch tells of a budget before it is spent, and when it is."""

from django.utils import timezone, translation

from ingest.costs.spending import Amounts, add_spending
from ingest.tests.test_budgets import make_budget
from photochanger.testing.marks import both_databases
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
        make_budget(slot_id="slot-001", hard_micros=1_000_000, soft_percent=80)
        make_budget(hard_micros=1, is_active=False)
        self.spend(790_000)
        self.assertEqual(self.find(), [])
        self.spend(20_000)
        (low,) = self.find()
        self.assertEqual(low.severity, Severity.WARNING)
        with translation.override("ru"):
            words = word_alert(low).words
        self.assertEqual(words, "slot-001: 0.81 / 1.00 USD, израсходовано 81 % бюджета.")
        self.spend(200_000)
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

    def test_without_budgets_it_asks_once(self) -> None:
        with self.assertNumQueries(1):
            self.assertEqual(self.find(), [])
