"""A photo is decoded far enough to be sure, in bounded time; every format gets the same verdict."""

import asyncio
import io
import random
import struct
import threading
import time
import warnings
import zlib
from typing import Any

from django.test import SimpleTestCase
from PIL import Image

from photochanger.errors import InvalidImage
from photochanger.pictures import Photo, UnreadablePicture, prepare_photo
from photochanger.pictures.completeness import PNG_PASSES
from photochanger.tasks import MAX_DECODES, run_in_worker
from providers.tests.test_pictures import (
    QuietTestCase,
    build_chunk,
    draw_picture,
    encode_picture,
)

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


def make_pngs(image: Image.Image) -> dict[str, tuple[bytes, int]]:
    """In all modes, each with how many bytes its pixels are, unpacked."""
    modes = {"1": 1, "L": 8, "LA": 16, "P": 8, "RGB": 24, "RGBA": 32, "I;16": 16}
    pngs = {}
    for mode, bits in modes.items():
        grey = image.convert("L").convert("I;16") if mode == "I;16" else None
        body = encode_picture(grey or image.convert(mode), "PNG")
        pngs[mode] = (body, image.height * (1 + -(-image.width * bits // 8)))
    pngs["interlaced"] = interlace(image.convert("L"))
    return pngs


def interlace(image: Image.Image) -> tuple[bytes, int]:
    data, rows = image.tobytes(), b""
    for x, y, across, down in PNG_PASSES:
        for at in range(y, image.height, down):
            rows += b"\0" + data[at * image.width : (at + 1) * image.width][x::across]
    head = struct.pack(">IIBBBBB", *image.size, 8, 0, 0, 0, 1)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(build_chunk(*chunk) for chunk in chunks), len(rows)


def drop_pixels(body: bytes, missing: int) -> bytes:
    """The PNG with so many bytes less, and nothing else wrong with it."""
    at = body.index(b"IDAT")
    data = body[at + 4 : at + 4 + int.from_bytes(body[at - 4 : at])]
    kept = build_chunk(b"IDAT", zlib.compress(zlib.decompress(data)[:-missing]))
    return body[: at - 4] + kept + body[at + 8 + len(data) :]


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

    def test_a_webp_that_was_not_written_to_its_end_is_refused(self) -> None:
        for name in ("WEBP", "WEBP, lossless"):
            for mode in ("RGB", "RGBA"):
                body = encode_picture(draw_picture((400, 300), mode), "WEBP", **FORMATS[name])
                for share in (0.3, 0.5, 0.7, 0.9):
                    written = body[: int(len(body) * share)]
                    with self.subTest(name, mode=mode, share=share):
                        assert is_refused(written + bytes(len(body) - len(written)))

    def test_a_flat_webp_whose_pixels_are_stored_as_zeros_passes(self) -> None:
        flat = Image.new("RGB", (512, 512), (90, 10, 200))
        flat.paste(Image.frombytes("L", (512, 100), random.Random(1).randbytes(51_200)))
        zeros = 0
        for options in ({"lossless": True}, {"quality": 1}, {"quality": 90}):
            body = encode_picture(flat, "WEBP", method=0, **options)
            zeros = max(zeros, len(body) - len(body.rstrip(b"\0")))
            with self.subTest(**options):
                assert not is_refused(body)
        assert zeros > 64

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

    def test_texts_that_say_which_way_is_up_are_honoured_wherever_they_stand(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        raw = b"\nexif\n  %d\n" % len(exif.tobytes()) + exif.tobytes().hex().encode() + b"\n"
        packet = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
        texts = (
            build_chunk(b"tEXt", b"Raw profile type exif\0" + raw),
            build_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw)),
            build_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0en\0word\0" + packet),
            build_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(packet)),
        )
        body = encode_picture(draw_picture((400, 300)), "PNG")
        start, end = body.index(b"IDAT") - 4, len(body) - 12
        odd = build_chunk(b"gAMA", b"")  # for which Pillow reads nothing of it
        for text in texts:
            for at, more in ((start, b""), (start, odd), (end, b"")):
                with self.subTest(text=text[4:30], at=at, more=more):
                    assert prepare(body[:at] + text + more + body[at:]).header.width == 300

    def test_a_photo_of_hardly_any_pixels_is_refused(self) -> None:
        for size in ((1, 1), (2, 900), (900, 15)):
            for name in ("JPEG", "PNG", "WEBP"):
                with self.subTest(name, size=size):
                    assert is_refused(encode_picture(Image.new("RGB", size), name))
        assert not is_refused(encode_picture(Image.new("RGB", (16, 16))))


class MissingRowsTests(QuietTestCase):
    """Of a PNG whose packed pixels come to an end too early, as somebody's encoder left them."""

    def test_a_png_without_its_last_rows_is_refused(self) -> None:
        for name, (body, count) in make_pngs(draw_picture((61, 50))).items():
            for missing in (1, count * 3 // 10):
                with self.subTest(name, missing=missing):
                    assert is_refused(drop_pixels(body, missing))
            assert not is_refused(body), name

    def test_a_png_whose_last_rows_are_black_or_clear_is_whole(self) -> None:
        image = draw_picture((61, 50), "RGBA")
        image.paste((0, 0, 0, 0), (0, 30, 61, 50))
        for name, (body, _) in make_pngs(image).items():
            with self.subTest(name):
                assert not is_refused(body)


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
