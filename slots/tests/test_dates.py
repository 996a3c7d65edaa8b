"""Days and moments that people type, wherever they may: none beyond what can be calculated with."""

import ast

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, TestCase

from photochanger.testing.figures.measure import House
from photochanger.testing.marks import both_databases
from slots.console.dates import DayField, MomentField, parse_day
from slots.console.slot_form import SlotForm

FAR = ("0001-01-01", "1999-12-31", "3000-01-01", "9999-12-31")


class FieldTests(SimpleTestCase):
    def test_only_near_days_and_moments_are_taken(self) -> None:
        self.assertEqual(DayField().clean("2026-11-27").isoformat(), "2026-11-27")
        for day in FAR:
            for field, text in ((DayField(), day), (MomentField(), f"{day} 12:00")):
                with self.subTest(text), self.assertRaises(ValidationError):
                    field.clean(text)

    def test_no_form_has_a_day_or_moment_without_bounds(self) -> None:
        for file, tree in House.read().trees.items():
            for node in ast.walk(tree):
                if file != "slots/console/dates.py" and isinstance(node, ast.Attribute):
                    wrong = node.attr in ("DateField", "DateTimeField", "SplitDateTimeField")
                    is_of_form = isinstance(node.value, ast.Name) and node.value.id == "forms"
                    self.assertFalse(wrong and is_of_form, f"{file}:{node.lineno}")

    def test_neither_has_the_form_of_a_slot(self) -> None:
        self.assertIsInstance(SlotForm.base_fields["gallery_until"], MomentField)

    def test_a_command_says_what_is_wrong(self) -> None:
        self.assertEqual(parse_day("2026-11-27").isoformat(), "2026-11-27")
        for day in (*FAR, "soon", ""):
            with self.subTest(day), self.assertRaisesRegex(CommandError, "since"):
                call_command("recount_costs", day)


@both_databases
class PageTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("serg"))

    def test_no_page_breaks_on_a_day_that_is_far_away(self) -> None:
        for day in FAR:
            moment = f"{day}T12:00"
            for path, asked in (
                ("/admin/ingest/job/", {"day": day, "hour": "3"}),
                ("/admin/audit/", {"day": day}),
                ("/admin/statistics/", {"first": moment, "last": moment}),
                ("/admin/slots/slot/slot-001/results.zip", {"since": moment, "until": moment}),
            ):
                with self.subTest(path, day=day):
                    status = self.client.get(path, asked).status_code
                    self.assertIn(status, (200, 302))

    def test_costs_are_not_recounted_from_there(self) -> None:
        for day in FAR:
            answer = self.client.post("/admin/costs/recount/", {"since": day})
            self.assertContains(answer, "2026", status_code=422)
