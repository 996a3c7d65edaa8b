"""What a picture is, and what of it may leave us."""

import hashlib
import io
import random
import struct
import time
import warnings
import zlib
from collections.abc import Callable
from typing import IO
from unittest import mock

from django.test import SimpleTestCase
from PIL import Image, ImageChops, ImageCms, ImageFile, ImageOps, PngImagePlugin

from photochanger.pictures import (
    JPEG,
    PNG,
    WEBP,
    Photo,
    UnreadablePicture,
    decode,
    decode_file,
    encode,
    sniff,
)
from photochanger.pictures.header import ORIENTATION_TAG, Header, describe_image, open_image
from photochanger.pictures.metadata import MAX_JPEG_SEGMENTS
from providers.clean_photo import Slices, clean_photo

MEGAPIXELS = 80
NO_LIMIT = 100 * 1024 * 1024
SECRET = b"a secret of the guest"
GPS = 0x8825


def draw_picture(size: tuple[int, int] = (48, 32), mode: str = "RGB") -> Image.Image:
    """Something with detail and no symmetry, so that a turn or a loss shows."""
    noise = Image.frombytes("L", size, random.Random(7).randbytes(size[0] * size[1]))
    shade = Image.linear_gradient("L").resize(size)
    bands = [shade, ImageChops.blend(shade.rotate(180), noise, 0.2), Image.new("L", size, 90)]
    image = Image.merge("RGB", bands)
    image.paste((250, 20, 20), (0, 0, size[0] // 3, size[1] // 3))
    return image if mode == "RGB" else image.convert(mode)


def read_header(file: IO[bytes], *, max_megapixels: int) -> Header:
    with open_image(file, max_megapixels=max_megapixels) as image:
        return describe_image(image, file)


def encode_picture(image: Image.Image, file_format: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def build_exif(**more: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif[GPS] = {1: "N", 2: (59.0, 56.0, 3.0)}
    if "orientation" in more:
        exif[ORIENTATION_TAG] = more["orientation"]
    return exif


def build_segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def build_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def make_photo(body: bytes) -> Photo:
    header = read_header(io.BytesIO(body), max_megapixels=MEGAPIXELS)
    return Photo(
        file=io.BytesIO(body),
        size_bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        mime=sniff(body[:16]) or "",
        header=header,
    )


def clean_and_read(body: bytes, *, max_bytes: int = NO_LIMIT) -> tuple[bytes, Slices]:
    slices = clean_photo(make_photo(body), max_bytes=max_bytes)
    left = b"".join(slices.read_chunks(3 * 65536))
    assert len(left) == slices.size_bytes
    assert sniff(left[:16]) == slices.mime
    slices.close()
    return left, slices


def read_pixels(body: bytes) -> tuple[str, tuple[int, int], bytes]:
    with Image.open(io.BytesIO(body)) as image:
        return image.mode, image.size, image.tobytes()


def open_picture(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body))


def draw_dot(body: bytes, at: tuple[int, int]) -> tuple[int, ...]:
    found = open_picture(body).getpixel(at)
    assert isinstance(found, tuple)
    return found


def measure_difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures of one size, 0 to 255."""
    assert one.size == other.size, (one.size, other.size)
    diff = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).convert("L")
    return sum(n * count for n, count in enumerate(diff.histogram())) / (diff.width * diff.height)


def has_no_metadata(body: bytes) -> bool:
    words = (b"Exif", b"GPS", b"http://ns.adobe.com", b"Photoshop", b"eXIf", b"tEXt", SECRET)
    return not any(word in body for word in words)


class SniffTests(SimpleTestCase):
    def test_the_type_is_detected_from_the_bytes(self) -> None:
        for file_format, mime in (("JPEG", JPEG), ("PNG", PNG), ("WEBP", WEBP)):
            with self.subTest(file_format):
                assert sniff(encode_picture(draw_picture(), file_format)[:16]) == mime

    def test_everything_else_has_no_type(self) -> None:
        for file_format in ("GIF", "BMP", "TIFF", "ICO"):
            with self.subTest(file_format):
                assert sniff(encode_picture(draw_picture(), file_format)[:16]) is None
        for head in (
            b"",
            b"\xff",
            b"\xff\xd8",
            b"\x89PNG",
            b"RIFF\0\0\0\0WAVE",
            b"<html>",
            b"%PDF-",
        ):
            with self.subTest(head):
                assert sniff(head) is None


class QuietTestCase(SimpleTestCase):
    def setUp(self) -> None:
        self.enterContext(warnings.catch_warnings())
        warnings.simplefilter("ignore", UserWarning)  # Pillow's words about broken EXIF


class ReadHeaderTests(QuietTestCase):
    def header(self, body: bytes, *, max_megapixels: int = MEGAPIXELS) -> tuple[int, int, int]:
        found = read_header(io.BytesIO(body), max_megapixels=max_megapixels)
        return found.width, found.height, found.orientation

    def test_size_is_as_stored_and_orientation_separate(self) -> None:
        for orientation in range(1, 9):
            for file_format in ("JPEG", "PNG", "WEBP"):
                with self.subTest(orientation, format=file_format):
                    exif = build_exif(orientation=orientation)
                    body = encode_picture(draw_picture(), file_format, exif=exif)
                    assert self.header(body) == (48, 32, orientation)

    def test_an_odd_orientation_is_upright(self) -> None:
        for odd in (0, 9, 65535):
            with self.subTest(odd):
                assert self.header(
                    encode_picture(draw_picture(), exif=build_exif(orientation=odd))
                ) == (
                    48,
                    32,
                    1,
                )

    def test_an_orientation_that_is_no_number_is_upright(self) -> None:
        def tag(kind: int, count: int, value: bytes) -> bytes:
            entry = struct.pack(">HHI", ORIENTATION_TAG, kind, count) + value
            return b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + b"\0\0\0\0"

        odd = {
            "text": tag(2, 4, b"abc\0"),
            "a byte": tag(1, 1, b"\x06\0\0\0"),
            "bytes": tag(7, 4, b"abcd"),
            "a fraction far away": tag(5, 1, b"\xff\xff\xff\xff"),
            "not a number": tag(11, 1, b"\x7f\xc0\0\0"),
            "an unknown type": tag(99, 1, b"\0\x06\0\0"),
        }
        for name, exif in odd.items():
            with self.subTest(name):
                body = encode_picture(draw_picture())
                body = body[:2] + build_segment(0xE1, exif) + body[2:]
                assert self.header(body) == (48, 32, 1)

    def test_broken_exif_spoils_no_photo(self) -> None:
        rubbish = (
            b"",
            b"II",
            b"MM\0*\xff\xff\xff\xff",
            b"II*\0\x08\0\0\0\xff\xff",
            b"no tiff at all",
        )
        for tiff in rubbish:
            with self.subTest(tiff):
                body = encode_picture(draw_picture())
                body = body[:2] + build_segment(0xE1, b"Exif\0\0" + tiff) + body[2:]
                assert self.header(body) == (48, 32, 1)

    def test_what_is_no_picture_is_refused(self) -> None:
        bodies = {
            "empty": b"",
            "text": b"hello, I am a photo",
            "a page": b"<html>" * 100,
            "a GIF": encode_picture(draw_picture(), "GIF"),
            "the first bytes of a JPEG": encode_picture(draw_picture())[:20],
            "the first bytes of a PNG": encode_picture(draw_picture(), "PNG")[:20],
            "the first bytes of a WEBP": encode_picture(draw_picture(), "WEBP")[:20],
            "a JPEG of zeros": b"\xff\xd8\xff" + bytes(1000),
        }
        for name, body in bodies.items():
            with self.subTest(name), self.assertRaises(UnreadablePicture):
                self.header(body)

    def test_random_damage_is_refused_or_read_and_nothing_else(self) -> None:
        chance = random.Random(11)
        for file_format in ("JPEG", "PNG", "WEBP"):
            whole = encode_picture(draw_picture(), file_format, exif=build_exif(orientation=6))
            for _ in range(100):
                body = bytearray(whole[: chance.randrange(4, len(whole) + 1)])
                for _ in range(chance.randrange(1, 8)):
                    body[chance.randrange(len(body))] = chance.randrange(256)
                try:
                    self.header(bytes(body))
                except UnreadablePicture:
                    continue

    def test_too_many_pixels_are_refused(self) -> None:
        body = encode_picture(Image.new("L", (1001, 1000)), "PNG")
        with self.assertRaisesMessage(UnreadablePicture, "1001x1000"):
            self.header(body, max_megapixels=1)
        assert self.header(body, max_megapixels=2) == (1001, 1000, 1)

    def test_a_bomb_is_not_decoded_to_learn_its_size(self) -> None:
        header = struct.pack(">IIBBBBB", 8000, 4000, 8, 2, 0, 0, 0)
        rows = zlib.compress(bytes(4000 * (1 + 3 * 8000) // 100))
        body = b"\x89PNG\r\n\x1a\n" + build_chunk(b"IHDR", header) + build_chunk(b"IDAT", rows)
        body += build_chunk(b"IEND", b"")
        with mock.patch.object(ImageFile.ImageFile, "load", side_effect=AssertionError):
            with self.assertRaises(UnreadablePicture):
                self.header(body, max_megapixels=31)
            assert self.header(body, max_megapixels=81) == (8000, 4000, 1)

    def test_what_can_only_be_decoded_whole_has_fewer_pixels_than_a_cameras_jpeg(self) -> None:
        grey = Image.new("L", (9000, 5200))
        for file_format, most, options in (
            ("PNG", 34, {}),
            ("WEBP", 21, {}),
            ("JPEG", 46, {"progressive": True}),
            ("JPEG", None, {}),
        ):
            with self.subTest(file_format, **options):
                body = encode_picture(grey, file_format, **options)
                if most is None:
                    assert self.header(body, max_megapixels=80) == (9000, 5200, 1)
                    continue
                with self.assertRaisesMessage(UnreadablePicture, "9000x5200"):
                    self.header(body, max_megapixels=80)
                rows = most * 1_000_000 // 9000
                fits = encode_picture(grey.crop((0, 0, 9000, rows)), file_format, **options)
                assert self.header(fits, max_megapixels=80) == (9000, rows, 1)

    def test_the_file_stands_at_its_beginning_and_open_afterwards(self) -> None:
        for body in (encode_picture(draw_picture()), b"no picture"):
            file = io.BytesIO(body)
            file.seek(3)
            try:
                read_header(file, max_megapixels=MEGAPIXELS)
            except UnreadablePicture:
                assert body == b"no picture"
            assert file.tell() == 0 and not file.closed


class DecodeTests(SimpleTestCase):
    def test_a_truncated_picture_is_refused(self) -> None:
        for file_format in ("JPEG", "PNG", "WEBP"):
            whole = encode_picture(draw_picture((200, 200)), file_format)
            with self.subTest(file_format), self.assertRaises(UnreadablePicture):
                decode(whole[: len(whole) * 2 // 3], max_megapixels=1)

    def test_a_picture_comes_upright_and_in_a_plain_mode(self) -> None:
        for mode in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I;16"):
            file_format = "JPEG" if mode == "CMYK" else "PNG"
            image = (
                Image.new("I;16", (48, 32), 30000) if mode == "I;16" else draw_picture(mode=mode)
            )
            if mode == "PA":
                continue  # no format stores it
            with self.subTest(mode):
                body = encode_picture(image, file_format, exif=build_exif(orientation=6))
                found, _ = decode(body, max_megapixels=1)
                assert found.size == (32, 48)
                assert found.mode in ("L", "RGB", "RGBA")

    def test_a_result_of_every_kind_is_turned_once(self) -> None:
        drawn = draw_picture((96, 64))
        kinds: tuple[tuple[str, dict[str, object]], ...] = (
            ("TIFF", {}),
            ("TIFF", {"compression": "tiff_lzw"}),
            ("AVIF", {"quality": 95}),
            ("PNG", {}),
        )
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[ORIENTATION_TAG] = orientation
            note = exif.tobytes()
            upright = ImageOps.exif_transpose(open_picture(encode_picture(drawn, "PNG", exif=note)))
            for file_format, options in kinds:
                body = encode_picture(drawn, file_format, exif=note, **options)
                with self.subTest(file_format, orientation=orientation, **options):
                    found, _ = decode(body, max_megapixels=1)
                    assert measure_difference(found, upright) < 9

    def test_sixteen_bits_of_grey_are_scaled_not_cut(self) -> None:
        image, _ = decode(encode_picture(Image.new("I;16", (4, 4), 30000), "PNG"), max_megapixels=1)
        assert image.getpixel((0, 0)) == 30000 // 256

    def test_a_png_has_one_clear_colour_in_its_own_depth(self) -> None:
        """The left half of each is the clear one; what differs from it only by a bit is not."""
        rows: dict[tuple[int, int], tuple[bytes, bytes, bytes]] = {  # by depth and kind of colours
            (16, 0): (b"\x30\x39" * 2 + b"\x30\x38" * 2, b"\x30\x39", b"\x30"),
            (8, 0): (b"\x30\x30\x31\x31", b"\0\x30", b"\x31"),
            (4, 0): (b"\x77\x66", b"\0\7", b"\x66"),
            (2, 0): (b"\xa5", b"\0\2", b"\x55"),
            (1, 0): (b"\xc0", b"\0\1", b"\0"),
            (16, 2): (b"\x80\0" * 6 + b"\x7f\0" * 6, b"\x80\0" * 3, b"\x7f"),
            (8, 2): (b"\x80" * 6 + b"\x7f" * 6, b"\0\x80" * 3, b"\x7f"),
        }
        for (depth, kind), (row, clear, left) in rows.items():
            head = struct.pack(">IIBBBBB", 4, 4, depth, kind, 0, 0, 0)
            chunks = [build_chunk(b"IHDR", head), build_chunk(b"tRNS", clear)]
            chunks.append(build_chunk(b"IDAT", zlib.compress((b"\0" + row) * 4)))
            body = b"".join((b"\x89PNG\r\n\x1a\n", *chunks, build_chunk(b"IEND", b"")))
            with self.subTest(depth=depth, kind=kind):
                image, _ = decode(body, max_megapixels=1)
                assert image.convert("L").tobytes()[:4] == b"\xff\xff" + left * 2
                small = decode_file(io.BytesIO(body), max_megapixels=1, max_side_px=1).image
                mean = (255 + left[0]) / 2
                assert abs(small.convert("L").tobytes()[0] - mean) < 3

    def test_every_mode_can_be_encoded_in_every_format(self) -> None:
        palette = draw_picture(mode="P")
        bodies = [
            encode_picture(draw_picture(mode="CMYK")),
            encode_picture(palette, "PNG", transparency=0),
            encode_picture(draw_picture(mode="LA"), "PNG"),
            encode_picture(draw_picture(mode="RGBA"), "WEBP"),
            encode_picture(Image.new("I;16", (9, 9), 9), "PNG"),
        ]
        for number, body in enumerate(bodies):
            image, _ = decode(body, max_megapixels=1)
            for mime in (JPEG, PNG, WEBP):
                with self.subTest(number, mime=mime):
                    assert sniff(encode(image, mime, quality=90)[:16]) == mime

    def test_transparency_becomes_white_where_a_format_has_none(self) -> None:
        image = Image.new("RGBA", (16, 16), (10, 200, 10, 0))
        found, _ = decode(encode(image, JPEG, quality=95), max_megapixels=1)
        assert found.getpixel((8, 8)) == (255, 255, 255)

    def test_nothing_of_the_original_is_written_again(self) -> None:
        xmp = b"<x:xmpmeta>" + SECRET
        jpeg = encode_picture(draw_picture(), exif=build_exif(), comment=SECRET, xmp=xmp)
        webp = encode_picture(draw_picture(), "WEBP", exif=build_exif(), xmp=xmp)
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SECRET.decode())
        png = encode_picture(draw_picture(), "PNG", exif=build_exif(), pnginfo=text)
        for body in (jpeg, webp, png):
            image, _ = decode(body, max_megapixels=1)
            for mime in (JPEG, PNG, WEBP):
                assert has_no_metadata(encode(image, mime, quality=90))

    def test_no_colour_profile_is_written_again(self) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        cmyk = profile[:16] + b"CMYK" + profile[20:]
        for name, mode, given in (
            ("sRGB", "RGB", profile),
            ("grey with colours' profile", "L", profile),
            ("CMYK", "CMYK", cmyk),
            ("absurdly large", "RGB", profile + bytes(5_000_000)),
            ("rubbish", "RGB", b"rubbish"),
        ):
            with self.subTest(name):
                image, _ = decode(
                    encode_picture(draw_picture(mode=mode), icc_profile=given), max_megapixels=1
                )
                again = Image.open(io.BytesIO(encode(image, JPEG, quality=90)))
                assert "icc_profile" not in again.info


class CleanJpegTests(QuietTestCase):
    def assert_only_pixels_left(self, body: bytes) -> bytes:
        left, slices = clean_and_read(body)
        assert not slices.is_copy, "the bytes of the pixels are kept"
        assert has_no_metadata(left)
        assert read_pixels(left) == read_pixels(body)
        return left

    def test_all_metadata_goes_and_every_pixel_stays(self) -> None:
        body = encode_picture(
            draw_picture(), exif=build_exif(), comment=SECRET, xmp=b"<x>" + SECRET
        )
        body = body[:2] + build_segment(0xED, b"Photoshop 3.0\0" + SECRET) + body[2:]
        assert not has_no_metadata(body)
        self.assert_only_pixels_left(body)

    def test_a_plain_photo_is_sent_as_it_is(self) -> None:
        body = encode_picture(draw_picture())
        assert self.assert_only_pixels_left(body) == body

    def test_the_colour_profile_stays(self) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        left = self.assert_only_pixels_left(
            encode_picture(draw_picture(), icc_profile=profile, exif=build_exif())
        )
        assert Image.open(io.BytesIO(left)).info["icc_profile"] == profile

    def test_trailing_bytes_are_cut(self) -> None:
        body = encode_picture(draw_picture())
        for tail in (
            SECRET,
            encode_picture(draw_picture((16, 16)), exif=build_exif()) + b"SEFT",
            bytes(100),
            encode_picture(draw_picture((16, 16)), exif=build_exif()),  # and nothing announces it
        ):
            assert self.assert_only_pixels_left(body + tail) == body

    def test_a_picture_behind_the_end_is_cut_where_metadata_announces_it(self) -> None:
        second = encode_picture(draw_picture((16, 16)), exif=build_exif())
        xmp = build_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>")
        body = encode_picture(draw_picture())
        announced = body[:2] + xmp + body[2:] + second
        assert self.assert_only_pixels_left(announced) == body

    def test_the_second_picture_of_a_multi_picture_file_is_cut(self) -> None:
        second = draw_picture((24, 16))
        second.info["comment"] = SECRET
        body = encode_picture(draw_picture(), "MPO", save_all=True, append_images=[second])
        left = self.assert_only_pixels_left(body)
        assert left.count(b"\xff\xd8\xff") == 1 and b"MPF" not in left

    def test_progressive_photos_keep_their_pixels(self) -> None:
        body = encode_picture(
            draw_picture((300, 200)), progressive=True, quality=97, exif=build_exif()
        )
        self.assert_only_pixels_left(body)

    def test_metadata_between_the_scans_goes_too(self) -> None:
        body = encode_picture(draw_picture((300, 200)), progressive=True)
        second_scan = body.index(b"\xff\xda", body.index(b"\xff\xda") + 2)
        between = body[:second_scan] + build_segment(0xFE, SECRET) + body[second_scan:]
        assert self.assert_only_pixels_left(between) == body

    def test_restart_markers_are_pixels(self) -> None:
        body = encode_picture(draw_picture((300, 200)), restart_marker_blocks=1, exif=build_exif())
        assert b"\xff\xd3" in body
        self.assert_only_pixels_left(body)

    def test_padding_before_a_marker_does_not_hide_metadata(self) -> None:
        body = encode_picture(draw_picture())
        with_filling = body[:2] + b"\xff\xff\xff" + build_segment(0xE1, b"Exif\0\0" + SECRET)
        with_filling += b"\xff\xff" + build_segment(0xFE, SECRET) + b"\xff" + body[2:]
        self.assert_only_pixels_left(with_filling)

    def test_an_end_marker_inside_of_metadata_is_not_the_end(self) -> None:
        thumbnail = encode_picture(draw_picture((16, 16)))
        body = encode_picture(draw_picture())
        body = body[:2] + build_segment(0xE1, b"Exif\0\0MM\0*" + thumbnail + SECRET) + body[2:]
        self.assert_only_pixels_left(body)

    def test_an_app_segment_under_a_false_number_goes(self) -> None:
        body = encode_picture(draw_picture())
        for marker in (0xE0, 0xE2, 0xEE, 0xE7):
            with self.subTest(hex(marker)):
                hidden = body[:2] + build_segment(marker, b"JFXX\0" + SECRET) + body[2:]
                self.assert_only_pixels_left(hidden)

    def test_a_marker_on_the_border_of_two_reads_is_found(self) -> None:
        body = encode_picture(draw_picture((2500, 1400)), quality=97)
        start = body.index(b"\xff\xda") + 14
        assert len(body) > start + 1024 * 1024
        for shift in (-2, -1, 0):
            at = start + 1024 * 1024 + shift
            left, _ = clean_and_read(body[:at].rstrip(b"\xff") + b"\xff\xd9" + SECRET)
            with self.subTest(shift):
                assert left.endswith(b"\xff\xd9") and SECRET not in left

    def test_a_photo_without_its_end_marker_gets_one(self) -> None:
        whole = encode_picture(draw_picture((300, 200)))
        left, slices = clean_and_read(whole[:-2])
        assert left == whole and not slices.is_copy
        for size in (1, 7, len(whole) - 2, len(whole) - 1, len(whole)):
            assert b"".join(slices.read_chunks(size)) == whole

    def test_wrong_lengths_lead_to_a_new_picture_or_a_refusal(self) -> None:
        body = encode_picture(draw_picture())
        for lie in (b"\0\0", b"\0\1", b"\xff\xff"):
            with self.subTest(lie):
                try:
                    left, _ = clean_and_read(body[:2] + b"\xff\xfe" + lie + SECRET + body[2:])
                except UnreadablePicture:
                    continue
                assert has_no_metadata(left)

    def test_the_number_of_segments_is_limited(self) -> None:
        body = encode_picture(draw_picture())
        many = body[:2] + build_segment(0xFE, b"") * (MAX_JPEG_SEGMENTS + 1) + body[2:]
        left, slices = clean_and_read(many)
        assert slices.is_copy and measure_difference(*map(open_picture, (left, body))) < 3


class CleanPngTests(SimpleTestCase):
    def test_text_and_exif_go_and_every_pixel_stays(self) -> None:
        text = PngImagePlugin.PngInfo()
        text.add_text("Author", SECRET.decode())
        text.add_text("Note", SECRET.decode(), zip=True)
        text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        body = encode_picture(
            draw_picture(), "PNG", pnginfo=text, exif=build_exif(), dpi=(300, 300)
        )
        left, slices = clean_and_read(body)
        assert not slices.is_copy and has_no_metadata(left) and b"zTXt" not in left
        assert read_pixels(left) == read_pixels(body)

    def test_unknown_chunks_are_removed(self) -> None:
        body = encode_picture(draw_picture(), "PNG")
        end = body.index(b"IEND") - 4
        left, _ = clean_and_read(body[:end] + build_chunk(b"prVt", SECRET) + body[end:] + SECRET)
        assert left == body

    def test_colours_and_transparency_stay(self) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        body = encode_picture(draw_picture(mode="P"), "PNG", transparency=0, icc_profile=profile)
        left, _ = clean_and_read(body)
        assert left == body

    def test_sixteen_bits_become_eight(self) -> None:
        left, _ = clean_and_read(encode_picture(Image.new("I;16", (20, 20), 40000), "PNG"))
        assert open_picture(left).mode == "L"
        assert open_picture(left).getpixel((5, 5)) == 40000 // 256

    def test_of_an_animation_the_first_picture_stays(self) -> None:
        frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "lime", "blue")]
        body = encode_picture(frames[0], "PNG", save_all=True, append_images=frames[1:])
        left, _ = clean_and_read(body)
        found = open_picture(left)
        assert getattr(found, "n_frames", 1) == 1
        assert found.convert("RGB").getpixel((5, 5)) == (255, 0, 0)

    def test_wrong_lengths_lead_to_a_new_picture_or_a_refusal(self) -> None:
        body = encode_picture(draw_picture(), "PNG", exif=build_exif())
        for kind in (b"eXIf", b"IDAT", b"IEND"):
            at = body.index(kind) - 4
            for lie in (1, 2**31 - 1, 2**32 - 1, len(body)):
                with self.subTest(kind, lie=lie):
                    try:
                        left, slices = clean_and_read(
                            body[:at] + struct.pack(">I", lie) + body[at + 4 :]
                        )
                    except UnreadablePicture:
                        continue
                    assert has_no_metadata(left)
                    open_picture(left).load()

    def test_an_end_with_something_in_it_hides_nothing(self) -> None:
        body = encode_picture(draw_picture(), "PNG")
        end = body.index(b"IEND") - 4
        left, _ = clean_and_read(body[:end] + build_chunk(b"IEND", SECRET))
        assert has_no_metadata(left)


class CleanWebpTests(SimpleTestCase):
    def test_a_plain_one_goes_as_it_is(self) -> None:
        for options in ({}, {"lossless": True}):
            body = encode_picture(draw_picture(), "WEBP", **options)
            left, slices = clean_and_read(body + SECRET)
            assert left == body and not slices.is_copy

    def test_one_with_metadata_is_encoded_again(self) -> None:
        body = encode_picture(
            draw_picture((120, 80)), "WEBP", exif=build_exif(), xmp=SECRET, quality=95
        )
        left, slices = clean_and_read(body)
        assert slices.is_copy and has_no_metadata(left)
        assert measure_difference(open_picture(left), open_picture(body)) < 4

    def test_metadata_in_a_simple_webp_is_removed(self) -> None:
        plain = encode_picture(draw_picture(), "WEBP")
        extra = b"EXIF" + struct.pack("<I", len(SECRET) + 1) + SECRET + b"\0"
        whole = plain[:4] + struct.pack("<I", len(plain) + len(extra) - 8) + plain[8:] + extra
        assert has_no_metadata(clean_and_read(whole)[0])

    def test_transparency_survives(self) -> None:
        image = draw_picture((64, 64)).convert("RGBA")
        image.putalpha(Image.linear_gradient("L").resize((64, 64)))
        body = encode_picture(image, "WEBP", exif=build_exif())
        left, slices = clean_and_read(body)
        assert slices.mime == PNG and has_no_metadata(left)
        assert draw_dot(left, (0, 0))[3] < 5

    def test_of_an_animation_the_first_picture_stays(self) -> None:
        frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "lime", "blue")]
        body = encode_picture(
            frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True
        )
        left, slices = clean_and_read(body)
        assert slices.mime == JPEG
        red, green, _ = draw_dot(left, (10, 10))
        assert red > 240 and green < 15


class EncodedAgainTests(SimpleTestCase):
    def test_every_orientation_is_made_upright(self) -> None:
        for orientation in range(2, 9):
            for file_format in ("JPEG", "PNG", "WEBP"):
                with self.subTest(orientation, format=file_format):
                    body = encode_picture(
                        draw_picture((96, 64)),
                        file_format,
                        exif=build_exif(orientation=orientation),
                    )
                    left, slices = clean_and_read(body)
                    assert slices.is_copy and has_no_metadata(left)
                    assert (
                        measure_difference(
                            open_picture(left), ImageOps.exif_transpose(open_picture(body))
                        )
                        < 9
                    )

    def test_orientation_six_swaps_the_sides(self) -> None:
        left, _ = clean_and_read(encode_picture(draw_picture(), exif=build_exif(orientation=6)))
        assert open_picture(left).size == (32, 48)

    def test_a_large_photo_shrinks_just_enough(self) -> None:
        noise = Image.effect_noise((700, 500), 90).convert("RGB")
        body = encode_picture(noise, quality=97)
        for share in (0.95, 0.5, 0.2, 0.05):
            with self.subTest(share):
                max_bytes = int(len(body) * share)
                left, _ = clean_and_read(body, max_bytes=max_bytes)
                assert 0.4 * max_bytes < len(left) <= max_bytes
                open_picture(left).load()

    def test_fewer_bytes_come_from_quality_before_pixels(self) -> None:
        body = encode_picture(Image.effect_noise((700, 500), 90).convert("RGB"), quality=97)
        left, _ = clean_and_read(body, max_bytes=len(body) * 9 // 10)
        assert open_picture(left).size == (700, 500)

    def test_a_large_transparent_picture_shrinks_and_stays_transparent(self) -> None:
        image = Image.effect_noise((300, 300), 90).convert("RGBA")
        image.putalpha(Image.effect_noise((300, 300), 90))
        body = encode_picture(image, "PNG")
        left, slices = clean_and_read(body, max_bytes=len(body) // 3)
        assert slices.mime == PNG and len(left) <= len(body) // 3
        assert open_picture(left).mode == "RGBA"

    def test_a_palette_is_made_smooth_before_it_shrinks(self) -> None:
        image = Image.linear_gradient("L").resize((400, 400)).convert("P")
        body = encode_picture(image, "PNG", transparency=255, compress_level=0)
        left, slices = clean_and_read(body, max_bytes=len(body) // 8)
        assert slices.mime == PNG and len(left) <= len(body) // 8

    def test_what_can_never_fit_is_refused_not_tried_for_ever(self) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        huge = profile + random.Random(3).randbytes(200_000)
        body = encode_picture(draw_picture(), icc_profile=huge)
        for max_bytes in (10, 0, -1):
            with self.subTest(max_bytes), self.assertRaises(UnreadablePicture):
                clean_and_read(body, max_bytes=max_bytes)

    def test_an_absurd_profile_does_not_come_along(self) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        body = encode_picture(draw_picture(), icc_profile=profile + bytes(500_000))
        left, _ = clean_and_read(body, max_bytes=100_000)
        assert len(left) < 20_000

    def test_cmyk_and_grey_photos_come_out_in_their_colours(self) -> None:
        for mode in ("CMYK", "L"):
            with self.subTest(mode):
                body = encode_picture(
                    draw_picture((96, 64), mode=mode), quality=95, exif=build_exif(orientation=3)
                )
                left, _ = clean_and_read(body)
                assert (
                    measure_difference(
                        open_picture(left), ImageOps.exif_transpose(open_picture(body))
                    )
                    < 9
                )

    def test_one_pixel_is_a_picture(self) -> None:
        for file_format in ("JPEG", "PNG", "WEBP"):
            for orientation in (1, 6):
                body = encode_picture(
                    Image.new("RGB", (1, 1)), file_format, exif=build_exif(orientation=orientation)
                )
                left, _ = clean_and_read(body)
                assert open_picture(left).size == (1, 1) and has_no_metadata(left)

    def test_a_header_without_pixels_is_refused(self) -> None:
        body = encode_picture(draw_picture((300, 200)), exif=build_exif(orientation=6))
        start = body.index(b"\xff\xda")
        with self.assertRaises(UnreadablePicture):
            clean_and_read(body[: start + 20])


class SlicesTests(SimpleTestCase):
    def slices(self, *ranges: tuple[int, int]) -> Slices:
        return Slices(io.BytesIO(bytes(range(100))), PNG, ranges)

    def test_pieces_are_of_one_size_across_ranges(self) -> None:
        slices = self.slices((0, 5), (10, 11), (20, 50), (60, 60), (70, 75))
        whole = [*range(5), 10, *range(20, 50), *range(70, 75)]
        for size in (1, 3, 7, 12, 41, 100):
            with self.subTest(size):
                pieces = list(slices.read_chunks(size))
                assert b"".join(pieces) == bytes(whole)
                assert {len(piece) for piece in pieces[:-1]} <= {size}
                assert 0 < len(pieces[-1]) <= size
        assert slices.size_bytes == len(whole)

    def test_a_piece_that_ends_with_a_range_is_not_followed_by_an_empty_one(self) -> None:
        assert [len(piece) for piece in self.slices((0, 6), (6, 9)).read_chunks(3)] == [3, 3, 3]

    def test_no_ranges_are_no_pieces(self) -> None:
        assert list(self.slices().read_chunks(3)) == []

    def test_a_file_that_became_shorter_is_an_error_not_an_endless_loop(self) -> None:
        with self.assertRaises(UnreadablePicture):
            list(self.slices((90, 200)).read_chunks(30))

    def test_very_many_ranges_take_linear_time(self) -> None:
        body = bytes(200_000)
        slices = Slices(io.BytesIO(body), PNG, tuple((n, n + 1) for n in range(0, 200_000, 2)))
        begun = time.perf_counter()
        assert sum(map(len, slices.read_chunks(3 * 65536))) == 100_000
        assert time.perf_counter() - begun < 30  # quadratic, it would take minutes

    def test_close_ends_a_copy_and_leaves_the_photo_open(self) -> None:
        upright, turned = (
            encode_picture(draw_picture()),
            encode_picture(draw_picture(), exif=build_exif(orientation=6)),
        )
        whole, copy = (clean_photo(make_photo(b), max_bytes=NO_LIMIT) for b in (upright, turned))
        whole.close()
        copy.close()
        assert not whole.file.closed and copy.file.closed


class HostileFileTests(QuietTestCase):
    def test_random_damage_gives_a_clean_picture_or_a_refusal(self) -> None:
        chance = random.Random(23)
        makers: list[Callable[[], bytes]] = [
            lambda: encode_picture(draw_picture(), exif=build_exif()),
            lambda: encode_picture(draw_picture(), progressive=True, comment=SECRET),
            lambda: encode_picture(draw_picture(), "PNG", exif=build_exif()),
            lambda: encode_picture(draw_picture(), "WEBP", exif=build_exif()),
        ]
        for make in makers:
            whole = make()
            for _ in range(60):
                body = bytearray(whole)
                for _ in range(chance.randrange(1, 6)):
                    body[chance.randrange(2, len(body))] = chance.randrange(256)
                try:
                    photo = make_photo(bytes(body))
                    slices = clean_photo(photo, max_bytes=NO_LIMIT)
                except UnreadablePicture:
                    continue
                assert sum(map(len, slices.read_chunks(1000))) == slices.size_bytes
                slices.close()
