"""What a photo may cost at most, before anything is known of it: never below what is sent."""

from django.test import SimpleTestCase
from django.utils import timezone

from ingest.costs.estimate import estimate_call, estimate_tokens
from ingest.costs.price_table import PriceTable, load_shipped
from providers.tokens import TokenCounts
from slots.models import Slot

PRICES = PriceTable(load_shipped())
MODEL = "gemini-nano-banana-2.1"
GUEST = {"name": "guest", "max_length": 100, "characters": "text"}


def estimate(slot: Slot, *kinds: str) -> TokenCounts:
    found = estimate_tokens(slot, MODEL, kinds=kinds)
    assert found is not None
    return found


def make_slot(prompt: str = "A nebula", **more: object) -> Slot:
    return Slot(
        pk="slot-001", provider="gemini", settings={"prompt": prompt, "model": MODEL}, **more
    )


class EstimateTests(SimpleTestCase):
    def test_the_paper_decides_on_the_size_where_the_recipe_leaves_it_open(self) -> None:
        self.assertEqual(estimate(make_slot()).picture_out, 1120)
        self.assertEqual(estimate(make_slot(paper="6x8")).picture_out, 1680)

    def test_a_frame_may_need_the_largest_picture_and_is_not_sent(self) -> None:
        plain, framed = estimate(make_slot()), estimate(make_slot(), "frame")
        self.assertEqual((plain.picture_out, framed.picture_out), (1120, 3780))
        self.assertEqual(framed.picture_in, plain.picture_in)
        self.assertEqual(estimate(make_slot(), "style").picture_in, 2 * plain.picture_in)

    def test_the_booths_words_count_as_long_as_they_may_be(self) -> None:
        plain = estimate(make_slot("For {guest}"))
        filled = estimate(make_slot("For {guest}", variables=[GUEST]))
        self.assertGreaterEqual(filled.text_in - plain.text_in, 2 * 100)

    def test_letters_that_take_more_tokens_count_more(self) -> None:
        latin, chinese = estimate(make_slot("n" * 400)), estimate(make_slot("\u6f22" * 400))
        self.assertEqual(latin.text_in, 600)
        self.assertEqual(chinese.text_in, 400 + 2 * 400)

    def test_a_recipe_that_is_not_whole_has_no_estimate(self) -> None:
        broken = Slot(pk="slot-001", provider="gemini", settings={})
        self.assertIsNone(estimate_call(broken, PRICES, timezone.localdate(), kinds=[]))
