"""The table of prices and the arithmetic on it; what is not known is never nothing."""

import json
from contextlib import redirect_stdout
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from ingest.costs.money import Currency, to_micros
from ingest.costs.price_table import (
    PriceTable,
    add_price,
    load_price_table,
    load_shipped,
)
from ingest.costs.pricing import PriceEntry, compute_cost
from ingest.costs.recount import recount_costs
from ingest.costs.spending import Amounts, add_spending, load_days, load_events, load_slots
from ingest.models import Attempt, Job
from photochanger.testing.marks import both_databases
from providers.gemini.token_counts import read_token_counts
from providers.registry import DRIVERS
from providers.tokens import TokenCounts
from slots.console.audit import LogEntry
from slots.platform_settings import load_platform_settings

MODEL = "gemini-nano-banana-2.1"
RATES = {"text_in": 1_500_000, "picture_in": 1_500_000, "picture_out": 30_000_000}
USAGE = {
    "promptTokenCount": 1200,
    "promptTokensDetails.TEXT": 80,
    "promptTokensDetails.IMAGE": 1120,
    "candidatesTokenCount": 1120,
    "candidatesTokensDetails.IMAGE": 1120,
    "thoughtsTokenCount": 109,
    "totalTokenCount": 2429,
}


def price(valid_from: str = "2026-01-01", model: str = MODEL, **amounts: int) -> PriceEntry:
    day = date.fromisoformat(valid_from)
    return PriceEntry(provider="gemini", model=model, valid_from=day, source="a page", **amounts)


class ArithmeticTests(SimpleTestCase):
    def test_tokens_are_charged_by_their_kind_and_rounded_once(self) -> None:
        tokens = TokenCounts(text_in=3, picture_in=1120, picture_out=1120)
        # 4.5 + 1680 + 33,600 micro-dollars: half up.
        self.assertEqual(compute_cost(price(**RATES), tokens, pictures=1), 35_285)

    def test_what_the_service_does_not_name_is_charged_as_the_dearer_kind(self) -> None:
        entry = price(text_in=1_000_000, picture_in=2_000_000, text_out=3, picture_out=9_000_000)
        tokens = TokenCounts(other_in=10, other_out=100)
        self.assertEqual(compute_cost(entry, tokens, pictures=1), 20 + 900)

    def test_a_kind_without_a_price_makes_the_cost_unknown_only_where_it_was_used(self) -> None:
        entry = price(text_in=1_000_000)
        self.assertEqual(compute_cost(entry, TokenCounts(text_in=7), pictures=0), 7)
        self.assertIsNone(compute_cost(entry, TokenCounts(text_in=7, thoughts=1), pictures=0))
        self.assertIsNone(compute_cost(price(), TokenCounts(), pictures=1))
        self.assertIsNone(compute_cost(entry, None, pictures=1))

    def test_a_service_may_charge_by_the_picture(self) -> None:
        entry = price(per_picture=50_000)
        self.assertEqual(compute_cost(entry, None, pictures=1), 50_000)
        self.assertEqual(compute_cost(entry, TokenCounts(text_in=9), pictures=0), 0)

    def test_usage_is_read_by_modality_and_what_is_left_over_is_kept(self) -> None:
        expected = TokenCounts(text_in=80, picture_in=1120, picture_out=1120, thoughts=109)
        self.assertEqual(read_token_counts(USAGE), expected)
        bare = {"promptTokenCount": 1200, "totalTokenCount": 2429}
        self.assertEqual(read_token_counts(bare), TokenCounts(other_in=1200, other_out=1229))
        for nothing in ({}, {"serviceTier": "flex"}, {"promptTokenCount": -5}):
            self.assertIsNone(read_token_counts(nothing))

    def test_an_estimate_is_never_below_what_a_picture_takes(self) -> None:
        driver = DRIVERS["gemini"]
        for model in driver.models:
            for size in (None, *model.sizes):  # type: ignore[attr-defined]
                recipe = driver.Settings(prompt="A nebula", model=model.id, image_size=size)
                found = driver.estimate_tokens(recipe, model.id, 2)
                self.assertGreaterEqual(found.picture_out, 747)
                self.assertGreaterEqual(found.picture_in, 2 * 560)


class TableTests(SimpleTestCase):
    def test_the_price_of_the_day_counts_and_the_last_entry_of_a_day(self) -> None:
        table = PriceTable(
            (
                price("2026-03-01", text_in=1),
                price("2026-05-01", text_in=2),
                price("2026-05-01", text_in=3),
                price("2026-04-01", model="", text_in=9),
            )
        )
        for day, expected in {"2026-02-28": None, "2026-03-01": 1, "2026-05-01": 3}.items():
            found = table.find_on("gemini", MODEL, date.fromisoformat(day))
            self.assertEqual(found.text_in if found else None, expected, day)
        other = table.find_on("gemini", "another", date(2026, 6, 1))
        self.assertEqual(other.text_in if other else None, 9)
        named = table.find_on("gemini", f"models/{MODEL}", date(2026, 6, 1))
        self.assertEqual(named.text_in if named else None, 3)
        self.assertIsNone(table.find_on("turbotext", "", date(2026, 6, 1)))

    def test_every_model_that_is_offered_comes_with_a_price_or_says_that_it_has_none(self) -> None:
        table = PriceTable(load_shipped())
        for name, driver in DRIVERS.items():
            for model in [one.id for one in driver.models] or [""]:
                entry = table.find_on(name, model, date(2026, 11, 27))
                assert entry is not None and entry.source, model
                self.assertEqual(entry.is_known, name == "gemini")

    def test_amounts_are_shown_in_the_operators_currency(self) -> None:
        rubles = Currency.model_validate({"code": "RUB", "per_dollar": "92.5"})
        self.assertEqual(rubles.format(37_200), "3,44\u202f₽")
        self.assertEqual(Currency().format(37_200), "0,0372\u202f$")
        self.assertEqual(rubles.to_micros(rubles.convert(37_200)), 37_200)


@both_databases
class StoredPriceTests(TestCase):
    def test_an_entry_counts_for_all_processes_and_stands_in_the_history(self) -> None:
        self.assertEqual(load_platform_settings().prices_version, 0)
        add_price(price("2026-11-01", per_picture=to_micros("0.05")), by="serg")
        version = load_platform_settings().prices_version
        found = load_price_table(version).find_on("gemini", MODEL, date(2026, 11, 27))
        assert found is not None
        self.assertEqual((found.per_picture, found.picture_out), (50_000, None))
        self.assertIn("per_picture 0.05", LogEntry.objects.latest("pk").change_message)

    def make_job(self, **more: object) -> Job:
        now = timezone.now()
        return Job.objects.create(
            slot_id="slot-001",
            slot_version=1,
            source=Job.Source.INGEST,
            status=Job.Status.DONE,
            provider="gemini",
            operation="image_edit",
            started_at=now,
            deadline=now + timedelta(seconds=48),
            photo_sha256="0" * 64,
            photo_bytes=1,
            **more,
        )

    def test_a_price_that_comes_later_is_counted_by_a_recount_once(self) -> None:
        job = self.make_job(cost_micros=0, unpriced_calls=1)
        Attempt.objects.create(
            job=job,
            number=1,
            provider="gemini",
            model="another",
            started_at=job.started_at,
            duration_ms=5,
            usage=USAGE,
            payment="paid",
        )
        add_spending(job, Amounts.of_job(job))
        add_price(price("2026-01-01", model="another", **RATES, thoughts=7_500_000), by="serg")
        today = timezone.localdate()
        self.assertEqual(recount_costs(today), 1)
        self.assertEqual(recount_costs(today), 0)
        job.refresh_from_db()
        self.assertEqual((job.cost_micros, job.unpriced_calls), (36_218, 0))
        self.assertEqual(
            load_days(today), [(today, Amounts(photos=1, pictures=1, known_micros=36_218))]
        )

    def test_spending_is_added_up_by_day_slot_and_event(self) -> None:
        job = self.make_job(cost_micros=7)
        job.event_id = 3
        for _again in range(2):
            add_spending(job, Amounts.of_job(job))
        twice = Amounts(photos=2, pictures=2, known_micros=14)
        today = timezone.localdate()
        self.assertEqual(load_slots(today), [("slot-001", twice)])
        self.assertEqual(load_events(today), [(3, twice)])


class ComparisonTests(TestCase):
    def compare(self, price_map: object) -> str:
        with TemporaryDirectory() as folder, redirect_stdout(StringIO()) as told:
            path = Path(folder, "map.json")
            path.write_text(json.dumps(price_map))
            try:
                call_command("compare_prices", str(path), stdout=told)
            except CommandError as exc:
                return f"{told.getvalue()}{exc}"
            return told.getvalue()

    def test_prices_are_compared_with_a_map_of_litellm(self) -> None:
        line = {
            "input_cost_per_token": 1.5e-06,
            "output_cost_per_token": 7.5e-06,
            "output_cost_per_image_token": 3e-05,
        }
        self.assertIn("No price differs", self.compare({f"gemini/{MODEL}": line}))
        dearer = self.compare({f"gemini/{MODEL}": {**line, "output_cost_per_image_token": 4e-05}})
        self.assertIn("picture_out, a million tokens: ours $30, theirs $40", dearer)
        self.assertIn("Prices differ", dearer)
        self.assertIn("knows none of our models", self.compare({"other": {}}))
        self.assertIn("no price map could be read", self.compare([]))

    def test_a_file_that_is_not_there_is_a_sentence(self) -> None:
        with self.assertRaisesMessage(CommandError, "no price map could be read there"):
            call_command("compare_prices", "/nowhere/map.json")
