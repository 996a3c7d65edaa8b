"""The small picture that JFIF's own segment may hold of the whole does not leave with a photo."""

from django.test import SimpleTestCase

from ingest.pipeline.result_check import check_result
from photochanger.pictures import JPEG, Picture
from providers.base import DriverSettings
from providers.clean_photo import make_print_copy
from providers.tests.test_pictures import (
    SECRET,
    build_exif,
    build_segment,
    clean_and_read,
    draw_picture,
    encode_picture,
    make_photo,
    open_picture,
    read_pixels,
)

PLAIN = encode_picture(draw_picture(), dpi=(150, 150))
JFIF = PLAIN[2:20]
THUMBNAIL = (SECRET * 10)[:108]  # 6x6 of three bytes
WITH_THUMBNAIL = build_segment(0xE0, JFIF[4:16] + b"\x06\x06" + THUMBNAIL)
EXTENSION = build_segment(0xE0, b"JFXX\0\x10" + PLAIN[:100] + SECRET)


class ThumbnailTests(SimpleTestCase):
    def test_jfif_is_written_without_its_thumbnail(self) -> None:
        exif = encode_picture(draw_picture(), exif=build_exif(), dpi=(150, 150))
        assert exif[2:20] == JFIF
        for body in (
            PLAIN[:2] + WITH_THUMBNAIL + PLAIN[20:],
            PLAIN[:2] + WITH_THUMBNAIL + EXTENSION + exif[20:],
            PLAIN[:20] + EXTENSION + PLAIN[20:],
            PLAIN[:20] + WITH_THUMBNAIL + PLAIN[20:],  # once more
        ):
            left, slices = clean_and_read(body)
            assert not slices.is_copy and left == PLAIN
            copy = make_print_copy(make_photo(body))
            assert copy.body == PLAIN

    def test_one_that_is_not_the_first_goes_as_a_whole(self) -> None:
        left, _ = clean_and_read(PLAIN[:2] + EXTENSION + WITH_THUMBNAIL + PLAIN[20:])
        assert SECRET not in left and read_pixels(left) == read_pixels(PLAIN)

    def test_a_segment_that_is_cut_off_or_lies_is_a_picture_or_none(self) -> None:
        for length in (b"\0\x10", b"\0\x12", b"\xff\xff"):
            body = PLAIN[:4] + length + PLAIN[6:18] + b"\xff\xff" + PLAIN[20:]
            try:
                left, _ = clean_and_read(body)
            except ValueError:
                continue
            open_picture(left).load()

    def test_a_result_has_none_either(self) -> None:
        body = PLAIN[:2] + WITH_THUMBNAIL + encode_picture(draw_picture((96, 80)))[20:]
        result = check_result(Picture(body=body, mime=JPEG), DriverSettings())
        assert SECRET not in result.body and b"trainedAlgorithmicMedia" in result.body
        assert read_pixels(result.body) == read_pixels(body)
