"""A photo is decoded far enough to be sure, in bounded time; every format gets the same verdict."""

import asyncio
import io
import random
import threading
import time
import warnings
from typing import Any

from django.test import SimpleTestCase
from PIL import Image

from photochanger.errors import InvalidImage
from photochanger.pictures import Photo, UnreadablePicture, prepare_photo
from photochanger.tasks import MAX_DECODES, run_in_worker
from providers.tests.test_pictures import build_chunk, draw_picture, encode_picture

FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {},
    "JPEG, progressive": {"progressive": True},
    "JPEG with restarts": {"restart_marker_blocks": 4},
    "PNG": {},
    "WEBP": {"quality": 90},
    "WEBP, lossless": {"lossless": True},
}


def encode_turned(name: str, orientation: int, *, mode: str = "RGB") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = draw_picture((400, 300), mode)
    return encode_picture(image, name.split()[0].strip(","), exif=exif, **FORMATS[name])


def prepare(body: bytes, *, max_side_px: int | None = None) -> Photo:
    photo = Photo.open(io.BytesIO(body), max_megapixels=80)
    prepared = prepare_photo(photo, max_side_px=max_side_px)
    if prepared is not photo:
        prepared.file.close()
    return prepared


def is_refused(body: bytes, *, max_side_px: int | None = None) -> bool:
    try:
        prepare(body, max_side_px=max_side_px)
    except (UnreadablePicture, InvalidImage):
        return True
    return False


class TruncatedTests(SimpleTestCase):
    def setUp(self) -> None:
        self.enterContext(warnings.catch_warnings())
        warnings.simplefilter("ignore", UserWarning)  # Pillow's words about broken files

    def test_every_format_is_refused_however_it_lies_and_wherever_it_is_sent_smaller(self) -> None:
        for name in FORMATS:
            for orientation in (1, 3, 6):
                body = encode_turned(name, orientation)
                for share in (0.3, 0.7, 0.95):
                    for side in (None, 200):
                        with self.subTest(name, orientation=orientation, share=share, side=side):
                            assert is_refused(body[: int(len(body) * share)], max_side_px=side)
                assert not is_refused(body), name

    def test_grey_and_ink_are_judged_alike(self) -> None:
        for mode in ("L", "CMYK"):
            for orientation in (1, 6):
                body = encode_turned("JPEG", orientation, mode=mode)
                with self.subTest(mode, orientation=orientation):
                    assert is_refused(body[: len(body) * 7 // 10])
                    assert not is_refused(body)

    def test_an_end_marker_or_zeros_behind_the_cut_do_not_help(self) -> None:
        for name in ("JPEG", "JPEG, progressive", "JPEG with restarts"):
            body = encode_turned(name, 1)
            cut = body[: len(body) * 7 // 10]
            for tail in (b"\xff\xd9", bytes(len(body) - len(cut)), bytes(len(body))):
                with self.subTest(name, tail=tail[-2:]):
                    assert is_refused(cut + tail)

    def test_a_hole_in_the_middle_is_refused(self) -> None:
        for name in ("JPEG", "JPEG with restarts"):
            body = encode_turned(name, 1)
            half = len(body) // 2
            with self.subTest(name):
                assert is_refused(body[:half] + body[half + 900 :])

    def test_pixels_that_came_twice_are_refused(self) -> None:
        for name in ("JPEG", "JPEG, progressive"):
            body = encode_turned(name, 1)
            for share in (0.3, 0.4):
                at = int(len(body) * share)
                again = body[: at + 9000] + body[at:]
                foreign = body[:at] + body[at + 5000 : at + 9096] + body[at:]
                for side in (None, 200):
                    with self.subTest(name, share=share, side=side):
                        assert is_refused(again, max_side_px=side)
                        assert is_refused(foreign, max_side_px=side)

    def test_what_a_camera_fills_its_file_with_harms_nobody(self) -> None:
        for name in ("JPEG", "JPEG, progressive", "JPEG with restarts"):
            body = encode_turned(name, 1)
            for filling in (bytes(9000), b"\xff" * 9000, b"\xff\0" * 4500, b"U" * 700, b"odd" * 20):
                with self.subTest(name, filling=filling[:2]):
                    assert not is_refused(body[:-2] + filling + body[-2:])

    def test_a_photo_that_lacks_only_its_end_marker_passes(self) -> None:
        for name in ("JPEG", "JPEG, progressive", "JPEG with restarts"):
            for orientation in (1, 6):
                body = encode_turned(name, orientation)
                assert body.endswith(b"\xff\xd9")
                for tail in (b"", b"\xff", bytes(4096)):
                    with self.subTest(name, orientation=orientation, tail=tail[:2]):
                        assert not is_refused(body[:-2] + tail)

    def test_last_pixels_that_are_stored_as_zeros_are_pixels(self) -> None:
        chance, ends = random.Random(5), set()
        for _ in range(120):
            shade = Image.frombytes("L", (48, 32), chance.randbytes(48 * 32))
            body = encode_picture(shade.convert("RGB"))[:-2]
            ends.add(body[-1])
            assert not is_refused(body), body[-8:].hex()
        assert 0 in ends

    def test_what_stands_behind_the_end_harms_nobody(self) -> None:
        for name in FORMATS:
            assert not is_refused(encode_turned(name, 1) + b"trailer" * 100), name

    def test_random_bytes_are_refused_or_read_and_nothing_else(self) -> None:
        chance = random.Random(31)
        for name in FORMATS:
            whole = encode_turned(name, 6)
            for _ in range(30):
                body = bytearray(whole)
                for _ in range(3):
                    body[chance.randrange(2, len(body))] = chance.randrange(256)
                is_refused(bytes(body))

    def test_exif_behind_the_pixels_of_a_png_is_honoured(self) -> None:
        body = encode_turned("PNG", 6)
        at = body.index(b"eXIf") - 4
        chunk = body[at : at + 12 + int.from_bytes(body[at : at + 4])]
        end = body.index(b"IEND") - 4
        late = body[:at] + body[at + len(chunk) : end] + chunk + body[end:]
        assert prepare(late).header.width == 300

    def test_a_photo_of_hardly_any_pixels_is_refused(self) -> None:
        for size in ((1, 1), (2, 900), (900, 15)):
            for name in ("JPEG", "PNG", "WEBP"):
                with self.subTest(name, size=size):
                    assert is_refused(encode_picture(Image.new("RGB", size), name))
        assert not is_refused(encode_picture(Image.new("RGB", (16, 16))))


class BoundTests(SimpleTestCase):
    def test_a_picture_of_very_many_scans_is_refused_before_it_is_decoded(self) -> None:
        body = encode_picture(Image.new("L", (8000, 8000)), progressive=True)
        last = body.rindex(b"\xff\xda")
        started = time.process_time()
        assert is_refused(body[:last] + body[last:-2] * 300 + b"\xff\xd9")
        assert time.process_time() - started < 20  # 300 scans of it take minutes

    def test_a_png_that_promises_much_and_holds_little_is_refused(self) -> None:
        head = (9000).to_bytes(4) + (8000).to_bytes(4) + bytes((8, 6, 0, 0, 0))
        body = b"\x89PNG\r\n\x1a\n" + build_chunk(b"IHDR", head) + build_chunk(b"IEND", b"")
        assert is_refused(body)

    async def test_many_at_once_wait_for_few_threads(self) -> None:
        lock, running, most = threading.Lock(), 0, 0

        def step() -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.01)
            with lock:
                running -= 1

        await asyncio.gather(*(run_in_worker("slot-001", step) for _ in range(12)))
        assert 1 <= most <= MAX_DECODES

    async def test_who_gives_up_keeps_the_place_until_the_thread_is_done(self) -> None:
        begun, may_end, has_ended = (threading.Event() for _ in range(3))

        def step() -> None:
            begun.set()
            may_end.wait()
            has_ended.set()

        tasks = [asyncio.create_task(run_in_worker("slot-001", step)) for _ in range(MAX_DECODES)]
        await asyncio.to_thread(begun.wait)
        waiting = asyncio.create_task(run_in_worker("slot-001", has_ended.is_set))
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in (*tasks, waiting))
        may_end.set()
        assert await waiting
        await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)
