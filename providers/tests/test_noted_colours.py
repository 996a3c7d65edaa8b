"""Colours of which a picture tells in another way than by a profile: all come out in sRGB."""

import io

from django.test import SimpleTestCase
from PIL import Image

from ingest.pipeline.result_check import check_result
from photochanger.pictures import Picture
from photochanger.pictures.header import EXIF_IFD
from photochanger.pictures.metadata import read_avif_colours
from providers.base import DriverSettings
from providers.tests.charts import (
    MAX_DIFFERENCE,
    add_chunk,
    draw_chart,
    encode,
    expect_adobe,
    expect_p3,
    make_icc,
    measure_worst,
)
from providers.tests.test_colours import same, send

ADOBE_POINTS = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
P3_POINTS = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
SRGB_POINTS = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
D65 = (0.3127, 0.329)


def note_points(primaries: tuple[float, ...], *, colour_space: int | None = 65535) -> Image.Exif:
    exif = Image.Exif()
    exif[0x013E], exif[0x013F] = D65, primaries
    if colour_space is not None:
        exif.get_ifd(EXIF_IFD)[0xA001] = colour_space
    return exif


def note_name(name: str) -> bytes:
    space = "http://ns.adobe.com/photoshop/1.0/"
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description'
        f' xmlns:photoshop="{space}" photoshop:ICCProfile="{name}"/></rdf:RDF></x:xmpmeta>'
    ).encode()


def make_avif(primaries: int, **options: object) -> bytes:
    """In the colours of that number, by its nclx box."""
    body = encode(draw_chart(), "AVIF", quality=100, subsampling="4:4:4", **options)
    at = body.index(b"nclx") + 4
    return body[:at] + primaries.to_bytes(2) + body[at + 2 :]


class ResultTests(SimpleTestCase):
    def check(self, body: bytes) -> Image.Image:
        rules = DriverSettings(output_format="png")
        result = check_result(Picture(body=body, mime=""), rules)
        return Image.open(io.BytesIO(result.body))

    def test_an_avif_tells_by_its_own_box(self) -> None:
        assert measure_worst(self.check(make_avif(12)), expect_p3) <= MAX_DIFFERENCE
        for primaries in (1, 2, 999):
            with self.subTest(primaries):
                assert measure_worst(self.check(make_avif(primaries)), same) <= MAX_DIFFERENCE

    def test_what_an_avif_embeds_counts_more(self) -> None:
        body = encode(draw_chart(), "AVIF", quality=100, icc_profile=make_icc("p3"))
        assert measure_worst(self.check(body), expect_p3) <= 2 * MAX_DIFFERENCE

    def test_boxes_that_lie_about_their_length_say_nothing(self) -> None:
        body = make_avif(12)
        at = body.index(b"meta") - 4
        for length in (0, 1, 7, 2**31):
            file = io.BytesIO(body[:at] + length.to_bytes(4) + body[at + 4 :])
            assert read_avif_colours(file) in (b"", bytes((12, 13))) and file.tell() == 0
        assert read_avif_colours(io.BytesIO(bytes(4) + b"ftyp")) == b""
        assert read_avif_colours(io.BytesIO(b"")) == b""

    def test_the_code_of_a_png_counts_more_than_its_profile(self) -> None:
        """By the PNG standard, 3rd edition."""
        srgb, p3 = (
            encode(draw_chart(), "PNG", icc_profile=make_icc(space)) for space in ("srgb", "p3")
        )
        for body, code, expect in (
            (srgb, (12, 13, 0, 1), expect_p3),
            (p3, (1, 13, 0, 1), same),
            (p3, (12, 16, 0, 1), expect_p3),  # PQ is not for eight bits
            (p3, (99, 99, 0, 1), expect_p3),
        ):
            with self.subTest(code=code):
                found = self.check(add_chunk(body, b"cICP", bytes(code)))
                assert measure_worst(found, expect) <= MAX_DIFFERENCE


class PhotoTests(SimpleTestCase):
    def test_the_points_of_its_primaries_are_followed(self) -> None:
        for points, expect in ((ADOBE_POINTS, expect_adobe), (P3_POINTS, expect_p3)):
            for colour_space in (65535, None):
                with self.subTest(points=points, colour_space=colour_space):
                    exif = note_points(points, colour_space=colour_space)
                    body = encode(draw_chart(), exif=exif)
                    assert measure_worst(send(body), expect) <= MAX_DIFFERENCE

    def test_the_name_of_a_profile_that_was_left_out_is_followed(self) -> None:
        for name, expect in (("Adobe RGB (1998)", expect_adobe), ("Display P3", expect_p3)):
            for file_format in ("JPEG", "PNG", "WEBP"):
                options = {"lossless": True} if file_format == "WEBP" else {}
                with self.subTest(name, file_format=file_format):
                    body = encode(draw_chart(), file_format, xmp=note_name(name), **options)
                    if file_format == "PNG":
                        text = b"XML:com.adobe.xmp\0\0\0\0\0" + note_name(name)
                        body = add_chunk(encode(draw_chart(), "PNG"), b"iTXt", text)
                    assert measure_worst(send(body), expect) <= MAX_DIFFERENCE

    def test_what_is_srgb_or_nonsense_keeps_every_byte(self) -> None:
        plain = encode(draw_chart())
        nothing = note_points((0.0,) * 6), note_points((0.5,) * 6), note_points((0.64, 0.33))
        for exif in (
            note_points(ADOBE_POINTS, colour_space=1),  # as some cameras write
            note_points(SRGB_POINTS),
            *nothing,
        ):
            assert send(encode(draw_chart(), exif=exif)) == plain
        for name in ("sRGB IEC61966-2.1", "", "Dot Gain 20%", "\xd0\xff"):
            assert send(encode(draw_chart(), xmp=note_name(name))) == plain

    def test_a_profile_counts_more_than_any_note(self) -> None:
        exif, xmp = note_points(ADOBE_POINTS), note_name("Adobe RGB (1998)")
        body = encode(draw_chart(), icc_profile=make_icc("p3"), exif=exif, xmp=xmp)
        assert measure_worst(send(body), expect_p3) <= MAX_DIFFERENCE
