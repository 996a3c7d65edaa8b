"""The result check: a picture that decodes, converted as the slot's rules say, or a refusal."""

import base64
import hashlib
import io
import random
import struct
import zlib
from typing import Any

from django.test import SimpleTestCase
from PIL import Image

from ingest.pipeline import result_check
from ingest.pipeline.result_check import ResultPicture, check_result
from media.previews import PREVIEW_SIDE_PX, make_preview
from photochanger.errors import BadResponse
from photochanger.pictures import JPEG, PNG, WEBP, Picture, sniff
from photochanger.pictures.metadata import find_ranges_without_metadata
from providers.base import DriverSettings

MIMES = {"jpeg": JPEG, "png": PNG, "webp": WEBP}


def picture(
    size: tuple[int, int] = (160, 96),
    *,
    file_format: str = "JPEG",
    mode: str = "RGB",
    **options: Any,
) -> Picture:
    image = Image.linear_gradient("L").resize(size).convert(mode)
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return Picture(body=out.getvalue(), mime=MIMES[file_format.lower()])


def check(given: Picture, **rules: Any) -> ResultPicture:
    result = check_result(given, DriverSettings(**rules))
    assert sniff(result.body[:16]) == result.mime
    assert result.sha256 == hashlib.sha256(result.body).hexdigest()
    return result


def cut_mark(body: bytes) -> bytes:
    """The picture without the one thing that is added to it: that an AI made it."""
    assert body.count(b"/digitalsourcetype/trainedAlgorithmicMedia") == 1
    ranges = find_ranges_without_metadata(io.BytesIO(body), len(body))
    assert ranges is not None and len(ranges) == 2
    return b"".join(body[start:end] for start, end in ranges)


def open_image(body: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(body))
    image.load()
    return image


class BrokenPictureTests(SimpleTestCase):
    def refusal(self, body: bytes, mime: str = JPEG) -> BadResponse:
        with self.assertRaises(BadResponse) as caught:
            check_result(Picture(body=body, mime=mime), DriverSettings())
        return caught.exception

    def test_what_does_not_decode_goes_no_further_and_may_be_tried_again(self) -> None:
        whole = {name: picture(file_format=name.upper()).body for name in MIMES}
        bodies = {
            "empty": b"",
            "a page": b"<html>Please sign in</html>",
            "a head without a body": b"\xff\xd8\xff\xe0" + bytes(100),
            **{f"half of a {name}": body[: len(body) // 2] for name, body in whole.items()},
        }
        for name, body in bodies.items():
            with self.subTest(name):
                assert self.refusal(body).retryable

    def test_size_limits_are_enforced(self) -> None:
        for size in ((63, 500), (500, 63), (1, 1), (16_384, 64)):
            with self.subTest(size):
                error = self.refusal(picture(size).body)
                assert f"{size[0]}x{size[1]}" in str(error)
                assert error.retryable is (max(size) <= 16_383)  # another one would be as large
        for size in ((64, 64), (64, 16_383)):
            with self.subTest(size):
                assert check(picture(size)).image.size == size

    def test_a_bomb_is_refused_before_it_is_decoded(self) -> None:
        bomb = picture((8000, 6300), file_format="PNG", mode="L").body
        assert (
            len(bomb) < 2_000_000 and result_check.MAX_RESULT_MEGAPIXELS * 1_000_000 < 8000 * 6300
        )
        error = self.refusal(bomb)
        assert "8000x6300" in str(error) and not error.retryable

    def test_the_largest_that_services_make_are_read(self) -> None:
        for size, file_format in (((7680, 4320), "PNG"), ((5504, 3712), "WEBP")):
            with self.subTest(file_format):
                given = picture(size, file_format=file_format)
                assert check(given, output_max_side_px=500).image.width == 500

    def test_one_larger_than_may_be_decoded_whole_is_not_bought_again(self) -> None:
        for size, file_format, options in (
            ((8000, 4300), "PNG", {}),
            ((5500, 4000), "WEBP", {}),
            ((7000, 6600), "JPEG", {"progressive": True}),
            ((8000, 6300), "JPEG", {}),
        ):
            with self.subTest(file_format, **options):
                error = self.refusal(picture(size, file_format=file_format, **options).body)
                assert "pixels" in str(error) and not error.retryable

    def test_random_damage_is_a_picture_or_a_refusal(self) -> None:
        chance = random.Random(5)
        for file_format in ("JPEG", "PNG", "WEBP"):
            whole = picture(file_format=file_format)
            for _ in range(40):
                body = bytearray(whole.body)
                for _ in range(3):
                    body[chance.randrange(len(body))] = chance.randrange(256)
                try:
                    check(Picture(body=bytes(body), mime=whole.mime), output_format="png")
                except BadResponse as exc:
                    assert base64.b64encode(body[:12]).decode() not in str(exc)


class OutputRuleTests(SimpleTestCase):
    def test_a_picture_that_is_right_already_keeps_every_byte(self) -> None:
        for file_format in ("JPEG", "PNG"):
            for mode in ("L", "RGB"):
                given = picture(file_format=file_format, mode=mode)
                result = check(given, output_format=file_format.lower())
                mime = MIMES[file_format.lower()]
                assert (cut_mark(result.body), result.mime) == (given.body, mime)

    def test_a_png_whose_head_is_longer_than_the_format_has_it_leaves_as_one_that_all_read(
        self,
    ) -> None:
        body = picture(file_format="PNG").body
        head = b"IHDR" + body[16:29] + bytes(7)
        odd = struct.pack(">I", 20) + head + struct.pack(">I", zlib.crc32(head))
        open_image(body[:8] + odd + body[33:])  # Pillow reads it
        result = check(Picture(body=body[:8] + odd + body[33:], mime=PNG), output_format="png")
        self.assertEqual(open_image(result.body).size, open_image(body).size)
        self.assertEqual(result.body[8:16], struct.pack(">I", 13) + b"IHDR")

    def test_the_type_is_detected_from_the_bytes(self) -> None:
        given = Picture(body=picture(file_format="PNG").body, mime=JPEG)
        assert cut_mark(check(given, output_format="png").body) == given.body
        assert check(given).mime == JPEG  # the smaller one, where the slot says nothing

    def test_rules_that_are_met_already_change_nothing(self) -> None:
        given = picture()
        rules = {"output_format": "jpeg", "output_max_side_px": 256, "output_quality": 50}
        assert cut_mark(check(given, **rules).body) == given.body

    def test_every_picture_can_have_every_format(self) -> None:
        for given in (
            picture(),
            picture(mode="L"),
            picture(mode="CMYK"),
            picture(file_format="PNG", mode="RGBA"),
            picture(file_format="PNG", mode="LA"),
            picture(file_format="PNG", mode="P", transparency=0),
            picture(file_format="PNG", mode="1"),
            picture(file_format="PNG", mode="I;16"),
            picture(file_format="WEBP", mode="RGBA"),
        ):
            for wanted, mime in MIMES.items():
                with self.subTest(given.body[:60], wanted=wanted):
                    result = check(given, output_format=wanted)
                    assert result.mime == (JPEG if wanted == "webp" else mime)
                    assert open_image(result.body).size == (160, 96)

    def test_the_longest_side_is_a_limit_and_the_shape_stays(self) -> None:
        for size, expected in (((800, 400), (256, 128)), ((400, 800), (128, 256))):
            result = check(picture(size), output_max_side_px=256)
            assert open_image(result.body).size == result.image.size == expected
        assert check(picture((200, 100)), output_max_side_px=256).image.size == (200, 100)

    def test_quality_applies_when_encoded_again(self) -> None:
        given = picture((600, 400), file_format="PNG")
        sizes = [
            len(check(given, output_format="jpeg", output_quality=quality).body)
            for quality in (50, 75, 95)
        ]
        assert sizes == sorted(set(sizes))

    def test_transparency_becomes_white_in_a_jpeg(self) -> None:
        clear = Image.new("RGBA", (80, 80), (200, 0, 0, 0))
        out = io.BytesIO()
        clear.save(out, "PNG")
        result = check(Picture(body=out.getvalue(), mime=PNG), output_format="jpeg")
        assert open_image(result.body).getpixel((40, 40)) == (255, 255, 255)

    def test_a_picture_on_its_side_is_upright_when_encoded_again_and_in_the_preview(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        result = check(picture((300, 100), exif=exif), output_format="png")
        assert open_image(result.body).size == result.image.size == (100, 300)
        assert open_image(make_preview(result.image)).size == (100, 300)


class PreviewTests(SimpleTestCase):
    def preview(self, given: Picture) -> Image.Image:
        return open_image(make_preview(check(given).image))

    def test_the_preview_is_a_small_webp_of_the_same_shape(self) -> None:
        side = PREVIEW_SIDE_PX
        for size, expected in (
            ((2048, 1024), (side, side // 2)),
            ((1000, 3000), (round(side / 3), side)),
            ((513, 513), (side, side)),
            ((200, 100), (200, 100)),
        ):
            with self.subTest(size):
                preview = self.preview(picture(size))
                assert preview.format == "WEBP"
                assert (
                    abs(preview.width - expected[0]) <= 2 and abs(preview.height - expected[1]) <= 2
                )

    def test_every_kind_of_picture_has_a_preview(self) -> None:
        for mode, file_format in (("CMYK", "JPEG"), ("L", "JPEG"), ("P", "PNG"), ("I;16", "PNG")):
            with self.subTest(mode):
                assert self.preview(picture(file_format=file_format, mode=mode)).size == (160, 96)
        assert self.preview(picture(file_format="PNG", mode="RGBA")).size == (160, 96)

    def test_the_thinnest_strip_has_a_preview(self) -> None:
        preview = self.preview(picture((16_383, 64)))
        assert preview.width <= PREVIEW_SIDE_PX and preview.height >= 1

    def test_sixteen_bits_of_grey_do_not_turn_white(self) -> None:
        out = io.BytesIO()
        Image.new("I;16", (100, 100), 20_000).save(out, "PNG")
        shade = self.preview(Picture(body=out.getvalue(), mime=PNG)).convert("L").getpixel((50, 50))
        assert isinstance(shade, int) and 60 < shade < 100

    def test_making_the_preview_leaves_the_picture_alone(self) -> None:
        result = check(picture((900, 600)))
        before = result.image.tobytes()
        make_preview(result.image)
        assert result.image.tobytes() == before and result.image.size == (900, 600)
