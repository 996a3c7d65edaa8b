"""A slot's paper: through the API, into a copy, and in its history."""

from typing import Any

from django.utils.translation import override

from slots.editing import copy_slot
from slots.history.records import find_entries, read_record
from slots.history.restoration import plan_restoration, restore_slot
from slots.history.wording import describe_record
from slots.models import Slot
from slots.tests.support import AdminTestCase

SLOT = "/api/slots/slot-001"


class PaperTests(AdminTestCase):
    def save(self, **values: Any) -> Slot:
        self.assertEqual(self.put(SLOT, values).status_code, 200)
        return Slot.objects.get(pk="slot-001")

    def test_a_slot_has_no_paper_until_somebody_chooses_one(self) -> None:
        self.assertEqual(self.client.get(SLOT).json()["paper"], "")
        self.assertEqual(self.save(paper="5x7").paper, "5x7")
        self.assertEqual(self.client.get(SLOT).json()["paper"], "5x7")
        self.assertEqual(self.save(paper="").paper, "")

    def test_an_unknown_paper_is_refused(self) -> None:
        self.assertEqual(self.put(SLOT, {"paper": "7x9"}).status_code, 400)

    def test_a_copy_and_an_earlier_state_have_their_paper(self) -> None:
        self.save(paper="4x6")
        copy_slot("slot-001", "slot-002", version=1, by="serg")
        self.assertEqual(Slot.objects.get(pk="slot-002").paper, "4x6")
        self.save(paper="square")
        entry = find_entries(Slot, "slot-001")[0]
        record = read_record(entry)
        assert record is not None
        with override("en"):
            [line] = describe_record(record)
        self.assertEqual((line.label, line.was), ("Paper", "4×6 in (10×15 cm), upright"))
        earlier = plan_restoration("slot-001", entry, before=True)
        assert earlier is not None
        restored = restore_slot(earlier, seen_version=earlier.slot.version, by="serg")
        self.assertEqual(restored.paper, "4x6")
