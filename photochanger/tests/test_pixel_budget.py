"""Decoded pixels of one process have a budget; who needs much waits, and nobody for ever."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

from django.test import SimpleTestCase
from PIL import Image

from photochanger.pictures import decode_file, decoding
from photochanger.pictures.budget import ORDINARY_BYTES, SMALL_BYTES, PixelBudget, PixelBudgets
from photochanger.pictures.decoding import estimate_bytes
from photochanger.pictures.header import describe_image, open_image
from photochanger.testing.waiting import wait_until

SHARE = 2 * SMALL_BYTES


class PixelBudgetTests(SimpleTestCase):
    def setUp(self) -> None:
        self.budget = PixelBudget(2 * SHARE)
        self.threads = self.enterContext(ThreadPoolExecutor(8))
        self.first = threading.Event()
        self.addCleanup(self.first.set)  # before the pool waits for who holds it
        self.came: list[str] = []

    def hold(self, name: str, size: int, until: threading.Event) -> None:
        with self.budget.spend(size):
            self.came.append(name)
            until.wait()

    def test_no_more_than_the_budget_is_ever_spent(self) -> None:
        lock, running, most = threading.Lock(), 0, 0

        def decode() -> None:
            nonlocal running, most
            with self.budget.spend(SHARE):
                with lock:
                    running += 1
                    most = max(most, running)
                threading.Event().wait(0.005)
                with lock:
                    running -= 1

        for done in [self.threads.submit(decode) for _ in range(40)]:
            done.result()
        self.assertEqual(most, 2)
        self.assertEqual(self.budget.free_bytes, self.budget.total_bytes)

    def test_a_large_one_that_waits_is_not_overtaken_and_small_ones_wait_for_nobody(self) -> None:
        rest = threading.Event()
        rest.set()
        held = [self.threads.submit(self.hold, "first", SHARE, self.first)]
        wait_until(lambda: self.came == ["first"])
        held.append(self.threads.submit(self.hold, "larger than all", 9 * SHARE, rest))
        wait_until(lambda: len(self.budget._waiting) == 1)
        held.append(self.threads.submit(self.hold, "behind it", SHARE, rest))
        wait_until(lambda: len(self.budget._waiting) == 2)
        self.hold("small", 100, rest)
        self.assertEqual(self.came, ["first", "small"])
        self.first.set()
        for done in held:
            done.result()
        self.assertEqual(self.came, ["first", "small", "larger than all", "behind it"])

    def test_whoever_fails_gives_back_what_was_held(self) -> None:
        with self.assertRaises(ValueError), self.budget.spend(SHARE):
            raise ValueError
        self.assertEqual(self.budget.free_bytes, self.budget.total_bytes)


class PixelBudgetsTests(SimpleTestCase):
    def test_an_ordinary_picture_never_waits_behind_huge_ones(self) -> None:
        budgets = PixelBudgets(PixelBudget(2 * ORDINARY_BYTES), PixelBudget(4 * ORDINARY_BYTES))
        with budgets.spend(9 * ORDINARY_BYTES), budgets.spend(ORDINARY_BYTES):
            self.assertEqual(budgets.large.free_bytes, 0)
            self.assertEqual(budgets.ordinary.free_bytes, ORDINARY_BYTES)
        self.assertEqual(budgets.large.free_bytes, 4 * ORDINARY_BYTES)
        self.assertEqual(budgets.ordinary.free_bytes, 2 * ORDINARY_BYTES)


class CountTests(SimpleTestCase):
    def count(self, max_side_px: int | None, kind: str = "JPEG", **options: bool) -> int:
        out = io.BytesIO()
        Image.new("RGB", (1600, 800)).save(out, kind, **options)
        with open_image(out, max_megapixels=80) as image:
            return estimate_bytes(image, describe_image(image, out), max_side_px)

    def test_a_jpeg_counts_as_it_will_be_decoded_and_all_others_whole(self) -> None:
        whole = 1600 * 800 * 7
        self.assertEqual(self.count(None), whole)
        self.assertEqual(self.count(1), whole // 64)
        self.assertEqual(self.count(800), whole * 25 // 64)
        self.assertEqual(self.count(1600), whole)
        self.assertEqual(self.count(1, progressive=True), whole)
        self.assertEqual(self.count(1, "PNG"), whole * 10 // 7)
        self.assertEqual(self.count(1, "WEBP"), whole * 16 // 7)

    def test_many_threads_decode_large_pictures_no_more_at_a_time_than_fit(self) -> None:
        out = io.BytesIO()
        Image.new("RGB", (1000, 800)).save(out, "PNG")
        free = []
        load = decoding._load

        def watch(*given: Any, **more: Any) -> Image.Image:
            free.append(budget.free_bytes)
            return load(*given, **more)

        def decode(_number: int) -> tuple[int, int]:
            file = io.BytesIO(out.getvalue())
            return decode_file(file, max_megapixels=80, max_side_px=500).image.size

        budget = PixelBudget(20_000_000)  # two of 8 MB
        with (
            mock.patch.object(decoding, "pixel_budget", budget),
            mock.patch.object(decoding, "_load", watch),
            ThreadPoolExecutor(6) as threads,
        ):
            self.assertEqual(set(threads.map(decode, range(12))), {(500, 400)})
        self.assertEqual(len(free), 12)
        self.assertLessEqual(set(free), {4_000_000, 12_000_000})
        self.assertEqual(budget.free_bytes, 20_000_000)
