"""A slot's list of the booth's texts: saved and refused in words, copied, told by the history."""

from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command
from django.utils.translation import override

from photochanger.testing.marks import both_databases
from slots.editing import copy_slot
from slots.history.records import find_entries, read_record
from slots.history.wording import describe_record
from slots.models import Slot
from slots.tests.support import AdminTestCase

pytestmark = both_databases

SLOT = "/api/slots/slot-001"
GUEST = {"name": "guest", "label": "the guest's name", "default": "our guest"}
WHOLE = GUEST | {
    "source": "form",
    "field": "",
    "characters": "name",
    "max_length": 40,
    "example": "",
}
PROMPT = {"prompt": "A poster for {guest}"}


class VariablesApiTests(AdminTestCase):
    def test_a_list_is_saved_whole_and_read_back(self) -> None:
        answer = self.put(SLOT, {"settings": PROMPT, "variables": [GUEST]})
        self.assertEqual(answer.json()["variables"], [WHOLE])
        again = self.put(SLOT, self.client.get(SLOT).json())
        self.assertEqual((again.status_code, again.json()["variables"]), (200, [WHOLE]))
        self.assertEqual(self.put(SLOT, {"display_name": "x"}).json()["variables"], [WHOLE])

    def test_what_is_wrong_is_told_by_its_place(self) -> None:
        for variables, place, words in (
            ([{"name": "two words"}], "variables.0.name", "not written as it must be"),
            ([GUEST, {"name": "Guest"}], "variables", "each word once"),
            ([{"name": "people"}], "variables.0", "number of people"),
            ([{"name": "x", "field": "password"}], "variables.0", "not for prompts"),
            ([GUEST | {"max_length": 500}], "variables.0.max_length", "at most 100"),
            ([GUEST | {"characters": ".*"}], "variables.0.characters", "One of these"),
            ([GUEST | {"pattern": ".*"}], "variables.0.pattern", "no such field"),
            ([{"name": f"n{n}"} for n in range(11)], "variables", "at most 10"),
        ):
            found = self.refused(SLOT, {"variables": variables})
            self.assertIn(words, found.get(place, str(found)), variables)

    def test_it_is_told_in_the_readers_language(self) -> None:
        answer = self.put(SLOT, {"variables": [{"name": "people"}]}, **{"Accept-Language": "ru"})
        self.assertIn("это число людей на снимке", answer.json()["fields"]["variables.0"])

    def test_a_prompt_that_cannot_be_meant_is_not_saved(self) -> None:
        for prompt, words in (
            ("For {gest}", "{gest} is none of this slot's words: there are {people}, {guest}."),
            ("{people: one | two", "no closing brace"),
        ):
            found = self.refused(SLOT, {"settings": {"prompt": prompt}, "variables": [GUEST]})
            self.assertIn(words, found["settings.prompt"])

    def test_a_word_that_a_prompt_needs_cannot_be_taken_away_unnoticed(self) -> None:
        both = [GUEST, {"name": "city"}]
        self.put(SLOT, {"settings": PROMPT, "variables": both})
        found = self.refused(SLOT, {"variables": [{"name": "city"}]})
        self.assertIn("{guest} is none", found["settings.prompt"])

    def test_people_cannot_be_told_where_nobody_may_look(self) -> None:
        found = self.refused(SLOT, {"settings": {"prompt": "{people} heroes"}, "faces": "off"})
        self.assertIn("how many people", found["faces"])


class VariablesElsewhereTests(AdminTestCase):
    def save(self, **values: Any) -> None:
        self.assertEqual(self.put(SLOT, values).status_code, 200)

    def test_a_copy_has_the_list(self) -> None:
        self.save(settings=PROMPT, variables=[GUEST])
        copy_slot("slot-001", "slot-002", version=1, by="serg")
        self.assertEqual(Slot.objects.get(pk="slot-002").variables, [WHOLE])

    def test_the_history_tells_the_list_in_words(self) -> None:
        self.save(settings=PROMPT, variables=[GUEST])
        record = read_record(find_entries(Slot, "slot-001")[0])
        assert record is not None
        with override("en"):
            lines = {line.place: line for line in describe_record(record)}
        self.assertEqual(
            lines["variables"].now,
            "{guest}: field of the form guest, letters, at most 40, otherwise “our guest”",
        )

    def test_the_command_shows_and_sets_it(self) -> None:
        out = StringIO()
        options = ["--set", "prompt=For {guest}", "--variables", '[{"name": "guest"}]']
        with override("en"):
            call_command("slot", "slot-001", *options, stdout=out)
            self.assertIn("{guest}: field of the form guest", out.getvalue())
            with self.assertRaisesMessage(CommandError, "number of people"):
                call_command("slot", "slot-001", "--variables", '[{"name": "people"}]')
