"""Some made-up cases for each reader of foreign bytes; `make fuzz` tries as many as one asks."""

import io
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

from django.test import SimpleTestCase
from PIL import Image

from ingest.pipeline.result_check import check_result
from photochanger.errors import InvalidImage
from photochanger.pictures import PNG, Photo, Picture, UnreadablePicture, decode, prepare_photo
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.fuzz import worker
from photochanger.testing.fuzz.picture_pieces import take_chunks_apart
from photochanger.testing.fuzz.picture_seeds import list_pngs, make_chunk
from photochanger.testing.fuzz.run import NAMES, fuzz
from photochanger.testing.fuzz.target import MB, Target
from photochanger.testing.fuzz.targets import TARGETS
from providers.base import DriverSettings
from providers.clean_photo import clean_photo

CASES, SEED, PATIENCE_S = 300, 20261127, 900
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
BAD_PROFILE = b"\xff\xe2\0\x12ICC_PROFILE\0\7\1ab"
READ = """
import io, sys, warnings
import django
django.setup()
from photochanger.pictures import Photo
Photo.open(io.BytesIO(sys.stdin.buffer.read()), max_megapixels=80)
from PIL import TiffImagePlugin
print(len(getattr(TiffImagePlugin, "__warningregistry__", {}).keys() - {"version"}))
"""


class FuzzTests(SimpleTestCase):
    def test_nothing_but_documented_refusals_comes_of_made_up_bytes(self) -> None:
        self.assertEqual(set(TARGETS), set(NAMES))
        for name in NAMES:
            with self.subTest(target=name), tempfile.TemporaryDirectory() as keep:
                outcome = fuzz(name, seed=SEED, seconds=PATIENCE_S, cases=CASES, keep=Path(keep))
                self.assertEqual(outcome.found, {})
                self.assertEqual(outcome.cases, CASES)
                # Else they would only try the first check of many.
                self.assertGreater(outcome.read_whole, CASES // 20, outcome.outcomes)

    def test_a_case_is_made_again_by_its_seed_and_number(self) -> None:
        for target in TARGETS.values():
            with self.subTest(target=target.name):
                self.assertEqual(target.make(SEED, 11), target.make(SEED, 11))
                self.assertNotEqual(target.make(SEED, 11), target.make(SEED, 12))


class WatchedTests(SimpleTestCase):
    """What is found is told: by a target that fails, wastes and dies."""

    def try_one(self, try_case: object, **limits: float) -> list[worker.Finding]:
        limits = {"most_cpu_s": 60, "most_bytes": 10_000 * MB} | limits
        target = Target(name="forms", make_case=lambda rng: b"x", try_case=try_case, **limits)
        told: list[worker.Finding] = []
        trial = worker.Trial(target, SEED, bytearray(8))
        with (
            mock.patch.object(trial, "_report", told.append),
            mock.patch.object(trial, "_tell"),
        ):
            trial.run(0, worker.WARMING_CASES + 2, 60)
        return told

    def test_an_error_a_slow_case_and_a_hungry_one_are_findings(self) -> None:
        def fail(case: bytes) -> str:
            raise ZeroDivisionError

        self.assertIn("ZeroDivisionError", self.try_one(fail)[0].kind)
        self.assertEqual(self.try_one(lambda case: "ok", most_cpu_s=-1)[0].kind, "slow")
        hungry = self.try_one(lambda case: "ok" if b"x" * 60 * MB else "", most_bytes=MB)
        self.assertEqual({finding.kind for finding in hungry}, {"memory"})


class FoundTests(SimpleTestCase):
    """What `make fuzz` has found once."""

    def open_photo(self, *chunks: bytes) -> Photo:
        return Photo.open(io.BytesIO(PNG_HEAD + b"".join(chunks)), max_megapixels=80)

    def test_a_photo_longer_than_any_jpeg_is_refused(self) -> None:
        long = io.BytesIO()
        Image.new("1", (16, 65_501)).save(long, "PNG")
        with self.assertRaises(InvalidImage):
            Photo.open(long, max_megapixels=80)

    def test_pixels_that_are_only_in_an_animation_reach_the_service(self) -> None:
        animated = next(png for png in list_pngs() if b"acTL" in png)
        photo = self.open_photo(*(c for c in take_chunks_apart(animated) if c[4:8] != b"IDAT"))
        self.assert_leaves_whole(photo)

    def test_a_broken_chunk_behind_the_pixels_stays_here(self) -> None:
        """Pillow reads it only where no frames of an animation stand before it."""
        animated = next(png for png in list_pngs() if b"acTL" in png)
        *chunks, end = take_chunks_apart(animated)
        self.assert_leaves_whole(self.open_photo(*chunks, make_chunk(b"tRNS", b"<"), end))

    def test_a_result_whose_head_stands_behind_something_else_reaches_the_booth_whole(self) -> None:
        head, *chunks = take_chunks_apart(list_pngs()[0])
        odd = b"".join((PNG_HEAD, make_chunk(b"caBX", b"x"), head, *chunks))
        result = check_result(Picture(body=odd, mime=PNG), DriverSettings(output_format="png"))
        self.assertEqual(decode(result.body, max_megapixels=1)[0].size, (80, 64))

    def assert_leaves_whole(self, photo: Photo) -> None:
        slices = clean_photo(prepare_photo(photo), max_bytes=MB)
        self.addCleanup(slices.close)
        image, _mime = decode(b"".join(slices.read_chunks(MB)), max_megapixels=1)
        self.assertEqual(image.size, (80, 64))

    def test_a_photo_without_its_palette_is_refused_before_it_is_sent(self) -> None:
        # The head alone does not tell where something of the palette is clear.
        coloured = next(png for png in list_pngs() if b"PLTE" in png and b"tRNS" in png)
        photo = self.open_photo(*(c for c in take_chunks_apart(coloured) if c[4:8] != b"PLTE"))
        with self.assertRaises(UnreadablePicture):
            prepare_photo(photo)

    def test_odd_bytes_in_a_head_do_not_hide_that_pixels_are_missing(self) -> None:
        out = io.BytesIO()
        Image.radial_gradient("L").convert("RGB").save(out, "JPEG")
        whole = out.getvalue()
        cut = whole[: len(whole) // 2] + b"\xff\xd9"
        for max_side_px in (None, 32):
            for odd in (b"", bytes(3), b"\xff\xd2\0\4ab", BAD_PROFILE):
                with self.subTest(max_side_px=max_side_px, odd=odd):
                    photo = self.open_jpeg(whole[:20] + odd + whole[20:])  # behind JFIF
                    prepare_photo(photo, max_side_px=max_side_px)
                    photo = self.open_jpeg(cut[:20] + odd + cut[20:])
                    with self.assertRaises(UnreadablePicture):
                        prepare_photo(photo, max_side_px=max_side_px)

    def open_jpeg(self, body: bytes) -> Photo:
        return Photo.open(io.BytesIO(body), max_megapixels=80)


class PictureWarningTests(SimpleTestCase):
    def test_an_odd_photo_leaves_no_warnings_in_memory_nor_in_the_log(self) -> None:
        """Pillow warns of each damaged entry in words of its own, as many as EXIF has entries."""
        entries = [struct.pack("<HHII", 0x9000 + n, 2, 100 + n, 60_000) for n in range(500)]
        exif = b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
        out = io.BytesIO()
        Image.new("RGB", (64, 64)).save(out, "JPEG", exif=b"Exif\0\0" + exif)
        done = subprocess.run(
            [sys.executable, "-c", READ],
            input=out.getvalue(),
            capture_output=True,
            cwd=BASE_DIR,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "photochanger.testing.settings"},
            check=True,
        )
        self.assertEqual(done.stdout.split(), [b"0"])
        self.assertNotIn(b"Warning", done.stderr)
