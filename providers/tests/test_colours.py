"""Pictures in every colour space that cameras and programs use come out in sRGB."""

import io
import warnings
from collections.abc import Callable

from django.test import SimpleTestCase
from PIL import Image, ImageChops

from ingest.pipeline.result_check import check_result
from media.previews import make_preview
from photochanger.pictures import JPEG, PNG, Photo, Picture, prepare_photo, sniff_result
from providers.base import DriverSettings
from providers.clean_photo import clean_photo
from providers.tests.charts import (
    COLOURS,
    MAX_DIFFERENCE,
    RGB,
    add_chunk,
    build_exif,
    draw_chart,
    encode,
    encode_srgb,
    expect_adobe,
    expect_p3,
    make_icc,
    make_rgb16_png,
    measure_worst,
)

NO_LIMIT = 100 * 1024 * 1024
Case = tuple[bytes, Callable[[RGB], RGB]]


def same(colour: RGB) -> RGB:
    return colour


def shade(colour: RGB) -> RGB:
    """As Pillow makes grey of it."""
    grey = (colour[0] * 19595 + colour[1] * 38470 + colour[2] * 7471 + 0x8000) >> 16
    return grey, grey, grey


def lighten(colour: RGB) -> RGB:
    """Grey that counts light itself."""
    grey = encode_srgb(shade(colour)[0] / 255)
    return grey, grey, grey


def ink(colour: RGB) -> RGB:
    """The plain sum of inks, without black: what the chart's inks stand for."""
    return colour


def make_inks(*, with_marker: bool) -> bytes:
    body = encode(draw_chart().convert("CMYK"))
    start = body.index(b"\xff\xee")
    length = int.from_bytes(body[start + 2 : start + 4])
    return body if with_marker else body[:start] + body[start + 2 + length :]


def make_grey16() -> bytes:
    return encode(draw_chart().convert("L").convert("I;16").point(lambda value: value * 257), "PNG")


def see_through(image: Image.Image) -> Image.Image:
    clear = image.convert("RGBA")
    clear.putalpha(128)
    return clear


def on_white(colour: RGB) -> RGB:
    red, green, blue = (round((value * 128 + 255 * 127) / 255) for value in colour)
    return red, green, blue


def make_cases() -> dict[str, Case]:
    chart, other = draw_chart(), ImageChops.invert(draw_chart())
    p3, adobe = make_icc("p3"), make_icc("adobe")
    return {
        "Display P3": (encode(chart, icc_profile=p3), expect_p3),
        "Display P3, PNG": (encode(chart, "PNG", icc_profile=p3), expect_p3),
        "Display P3, WEBP": (encode(chart, "WEBP", icc_profile=p3, lossless=True), expect_p3),
        "Display P3 by cICP": (
            add_chunk(encode(chart, "PNG"), b"cICP", bytes((12, 13, 0, 1))),
            expect_p3,
        ),
        "Adobe RGB": (encode(chart, icc_profile=adobe), expect_adobe),
        "Adobe RGB by EXIF": (encode(chart, exif=build_exif()), expect_adobe),
        "Adobe RGB by a camera's own number": (
            encode(chart, exif=build_exif(index="R98", colour_space=2)),
            expect_adobe,
        ),
        "Adobe RGB, see-through": (
            encode(see_through(chart), "PNG", icc_profile=adobe),
            lambda colour: on_white(expect_adobe(colour)),
        ),
        "CMYK": (make_inks(with_marker=True), ink),
        "CMYK without marker": (make_inks(with_marker=False), ink),
        "CMYK with the profile of a screen": (
            encode(chart.convert("CMYK"), icc_profile=p3),
            ink,
        ),
        "grey with a profile": (
            encode(chart.convert("L"), icc_profile=make_icc("grey-1.0")),
            lighten,
        ),
        "grey with a profile, PNG": (
            encode(chart.convert("L"), "PNG", icc_profile=make_icc("grey-1.0")),
            lighten,
        ),
        "16 bits": (make_rgb16_png(chart), same),
        "16 bits of grey": (make_grey16(), shade),
        "palette": (encode(chart.quantize(256), "PNG"), same),
        "palette, see-through": (
            encode(see_through(chart).quantize(256, Image.Quantize.FASTOCTREE), "PNG"),
            on_white,
        ),
        "see-through": (encode(see_through(chart), "PNG"), on_white),
        "see-through, WEBP": (encode(see_through(chart), "WEBP", lossless=True), on_white),
        "animated WEBP": (
            encode(chart, "WEBP", save_all=True, append_images=[other], lossless=True),
            same,
        ),
        "animated PNG": (encode(chart, "PNG", save_all=True, append_images=[other]), same),
        "two pictures": (encode(chart, "MPO", save_all=True, append_images=[other]), same),
        "broken profile": (encode(chart, icc_profile=b"\0\1rubbish" * 40), same),
        "cut profile": (encode(chart, icc_profile=p3[:200]), same),
        "profile of another kind": (encode(chart, icc_profile=make_icc("grey-1.0")), same),
    }


class ColourTestCase(SimpleTestCase):
    def setUp(self) -> None:
        self.enterContext(warnings.catch_warnings())
        warnings.simplefilter("ignore", UserWarning)  # Pillow's words about odd files

    def assert_plain(self, body: bytes) -> Image.Image:
        image = Image.open(io.BytesIO(body))
        assert image.format in ("JPEG", "PNG") and getattr(image, "n_frames", 1) == 1
        assert "icc_profile" not in image.info and not image.getexif()
        image.load()
        return image


class DoorTests(ColourTestCase):
    """Each of the three doors: to the service, to the booth, into the preview."""

    def test_a_photo_goes_to_the_service_in_srgb(self) -> None:
        for name, (body, expect) in make_cases().items():
            for max_side_px in (None, 400):
                with self.subTest(name, max_side_px=max_side_px):
                    worst = measure_worst(send(body, max_side_px=max_side_px), expect)
                    assert worst <= MAX_DIFFERENCE, worst

    def test_a_result_comes_to_the_booth_in_srgb(self) -> None:
        for name, (body, expect) in make_cases().items():
            for wanted in (None, "jpeg", "png"):
                with self.subTest(name, wanted=wanted):
                    mime = sniff_result(body[:16]) or ""
                    rules = DriverSettings(output_format=wanted, output_quality=97)
                    result = check_result(Picture(body=body, mime=mime), rules)
                    worst = measure_worst(self.assert_plain(result.body), expect)
                    assert worst <= MAX_DIFFERENCE, worst
                    assert result.mime in (JPEG, PNG) and wanted in (None, result.mime[6:])

    def test_a_preview_is_in_srgb(self) -> None:
        for name, (body, expect) in make_cases().items():
            with self.subTest(name):
                mime = sniff_result(body[:16]) or ""
                image = check_result(Picture(body=body, mime=mime), DriverSettings()).image
                worst = measure_worst(make_preview(image), expect)
                # WEBP itself is up to 14 off in such small and bright patches.
                assert worst <= MAX_DIFFERENCE + 14, worst

    def test_every_kind_a_service_might_send_becomes_one_a_booth_prints(self) -> None:
        chart = draw_chart()
        for file_format, options in (
            ("WEBP", {"quality": 95}),
            ("AVIF", {"quality": 95}),
            ("GIF", {}),
            ("BMP", {}),
            ("TIFF", {}),
        ):
            with self.subTest(file_format):
                body = encode(chart, file_format, **options)
                mime = sniff_result(body[:16])
                assert mime is not None
                result = check_result(Picture(body=body, mime=mime), DriverSettings())
                assert result.mime == JPEG and self.assert_plain(result.body).size == chart.size


def send(body: bytes, *, max_side_px: int | None = None) -> bytes:
    photo = Photo.open(io.BytesIO(body), max_megapixels=80)
    prepared = prepare_photo(photo, max_side_px=max_side_px)
    slices = clean_photo(prepared, max_bytes=NO_LIMIT)
    sent = b"".join(slices.read_chunks(65536))
    slices.close()
    if prepared is not photo:
        prepared.file.close()
    return sent


class EveryByteTests(ColourTestCase):
    def test_a_photo_in_srgb_keeps_every_byte(self) -> None:
        chart = draw_chart()
        for name, body in {
            "plain": encode(chart),
            "progressive": encode(chart, progressive=True),
            "grey": encode(chart.convert("L")),
            "PNG": encode(chart, "PNG"),
            "palette": encode(chart.quantize(64), "PNG"),
            "WEBP": encode(chart, "WEBP"),
            "opaque": encode(chart.convert("RGBA"), "PNG"),
            "sRGB by profile": encode(chart, icc_profile=make_icc("srgb")),
            "sRGB by chunk": add_chunk(encode(chart, "PNG"), b"sRGB", b"\0"),
            "sRGB by gamma": add_chunk(encode(chart, "PNG"), b"gAMA", (45455).to_bytes(4)),
        }.items():
            with self.subTest(name):
                assert send(body) == body

    def test_only_the_index_tells_adobe_rgb(self) -> None:
        plain = encode(draw_chart())
        for exif in (build_exif(index="R98", colour_space=1), build_exif(index="R98")):
            assert send(encode(draw_chart(), exif=exif)) == plain

    def test_a_profile_is_trusted_before_exif(self) -> None:
        body = encode(draw_chart(), icc_profile=make_icc("p3"), exif=build_exif())
        assert measure_worst(send(body), expect_p3) <= MAX_DIFFERENCE

    def test_a_broken_profile_gives_way_to_what_else_is_said(self) -> None:
        broken = b"\0\1rubbish" * 40
        body = encode(draw_chart(), icc_profile=broken, exif=build_exif())
        assert measure_worst(send(body), expect_adobe) <= MAX_DIFFERENCE
        for options in ({"icc_profile": broken}, {"icc_profile": make_icc("p3")[:200]}):
            png = encode(draw_chart(), "PNG", exif=build_exif(), **options)
            assert measure_worst(send(png), expect_adobe) <= MAX_DIFFERENCE
            by_chunk = add_chunk(png, b"cICP", bytes((12, 13, 0, 1)))
            assert measure_worst(send(by_chunk), expect_p3) <= MAX_DIFFERENCE

    def test_gamma_and_primaries_of_a_png_are_followed(self) -> None:
        points = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)  # of sRGB
        linear = add_chunk(encode(draw_chart(), "PNG"), b"gAMA", (100_000).to_bytes(4))
        assert send(linear) == linear  # alone it is not believed
        linear = add_chunk(linear, b"cHRM", b"".join(point.to_bytes(4) for point in points))

        def expect(colour: RGB) -> RGB:
            red, green, blue = (encode_srgb(value / 255) for value in colour)
            return red, green, blue

        assert measure_worst(send(linear), expect) <= MAX_DIFFERENCE

    def test_nonsense_in_colour_chunks_spoils_no_photo(self) -> None:
        body = encode(draw_chart(), "PNG")
        for kind, content in (
            (b"gAMA", bytes(4)),
            (b"cHRM", bytes(32)),
            (b"cHRM", b"\xff" * 32),
            (b"cICP", b"\xff" * 4),
        ):
            with self.subTest(kind, content=content):
                assert measure_worst(send(add_chunk(body, kind, content)), same) <= MAX_DIFFERENCE

    def test_the_chart_has_every_hue(self) -> None:
        assert len(COLOURS) == 125
        assert max(abs(a - b) for c in COLOURS for a, b in zip(c, expect_p3(c), strict=True)) > 40
