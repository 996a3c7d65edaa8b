"""Pictures with something broken beside their pixels, which are whole: they are taken and go on
without it. What is broken in the pixels stays refused."""

import io
import struct
import zlib

from PIL import Image

from ingest.pipeline.result_check import check_result
from photochanger.pictures import (
    PNG,
    Photo,
    Picture,
    UnreadablePicture,
    decode,
    decode_file,
    prepare_photo,
    sniff,
)
from photochanger.pictures.metadata import find_ranges_without_metadata
from providers.base import DriverSettings
from providers.tests.charts import make_icc
from providers.tests.test_pictures import (
    QuietTestCase,
    build_chunk,
    build_exif,
    build_segment,
    clean_and_read,
    draw_picture,
    encode_picture,
    has_no_metadata,
    measure_difference,
    open_picture,
)

MB = 1024 * 1024


def split_png(body: bytes) -> list[bytes]:
    """The signature and each chunk."""
    pieces, position = [body[:8]], 8
    while position < len(body):
        end = position + 12 + int.from_bytes(body[position : position + 4])
        pieces.append(body[position:end])
        position = end
    return pieces


def put_before_pixels(body: bytes, chunk: bytes) -> bytes:
    at = body.index(b"IDAT") - 4
    return body[:at] + chunk + body[at:]


def put_behind_pixels(body: bytes, chunk: bytes) -> bytes:
    return body[:-12] + chunk + body[-12:]


def spoil_checksum(chunk: bytes) -> bytes:
    return chunk[:-4] + bytes(value ^ 0xFF for value in chunk[-4:])


def make_odd_chunks() -> dict[str, bytes]:
    text = build_chunk(b"tEXt", b"Comment\0a word")
    packed = zlib.compress(bytes(3 * MB))
    return {
        "a wrong checksum of a text": spoil_checksum(text),
        "a wrong checksum of EXIF": spoil_checksum(build_chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0")),
        "a large packed text": build_chunk(b"zTXt", b"Comment\0\0" + packed),
        "a large packed text of many languages": build_chunk(
            b"iTXt", b"Comment\0\1\0\0\0" + packed
        ),
        "much text": build_chunk(b"tEXt", b"Comment\0" + b"a" * (70 * MB)),
        "a large profile": build_chunk(b"iCCP", b"big\0\0" + zlib.compress(bytes(2 * MB))),
        "an empty profile": build_chunk(b"iCCP", b""),
        **{
            f"a short {name}": build_chunk(name.encode(), b"\0" * length)
            for name, length in (("gAMA", 2), ("cHRM", 9), ("pHYs", 3), ("sRGB", 0))
        },
        **{f"a short {name}": build_chunk(name.encode(), b"\0") for name in ("acTL", "fcTL")},
    }


def make_odd_segments() -> dict[str, bytes]:
    return {
        "a profile without numbers": build_segment(0xE2, b"ICC_PROFILE\0"),
        "a short Adobe": build_segment(0xEE, b"Adobe\0"),
        "a short JFIF": build_segment(0xE0, b"JFIF\0"),
        "a cut block of Photoshop's": build_segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04"),
        "a lone marker": b"\xff\x01",
        "a second beginning": b"\xff\xd8",
    }


class BesidePixelsTests(QuietTestCase):
    def check(self, body: bytes, expected: Image.Image) -> None:
        """As a photo: whole, in small, and as it goes to a service; and as a result."""
        found, _ = decode(body, max_megapixels=1)
        assert measure_difference(found, expected) < 3
        photo = Photo.open(io.BytesIO(body), max_megapixels=1)
        prepare_photo(photo)
        small = decode_file(io.BytesIO(body), max_megapixels=1, max_side_px=24).image
        assert max(small.size) == 24
        left, _ = clean_and_read(body)
        assert has_no_metadata(left)
        assert measure_difference(open_picture(left), expected) < 9
        mime = sniff(body[:16]) or ""
        rules = DriverSettings(output_format="png" if mime == PNG else "jpeg")
        sent = check_result(Picture(body=body, mime=mime), rules).body
        assert measure_difference(open_picture(sent), expected) < 9
        assert find_ranges_without_metadata(io.BytesIO(sent), len(sent)) is not None

    def test_a_png_is_read_without_its_odd_chunks(self) -> None:
        drawn = draw_picture((96, 64))
        body = encode_picture(drawn, "PNG")
        for name, chunk in make_odd_chunks().items():
            for put in (put_before_pixels, put_behind_pixels):
                with self.subTest(name, put=put.__name__):
                    self.check(put(body, chunk), drawn)

    def test_a_last_chunk_that_promises_more_than_there_is_harms_no_png(self) -> None:
        drawn = draw_picture((96, 64))
        chunk = (900).to_bytes(4) + b"tEXtComment\0a word"
        self.check(put_behind_pixels(encode_picture(drawn, "PNG"), chunk), drawn)

    def test_a_jpeg_is_read_without_its_odd_segments(self) -> None:
        for mode in ("RGB", "L"):
            body = encode_picture(draw_picture((96, 64), mode), quality=95)
            for name, segment in make_odd_segments().items():
                for at in (2, body.index(b"\xff\xdb")):
                    with self.subTest(name, mode=mode, at=at):
                        self.check(body[:at] + segment + body[at:], open_picture(body))

    def test_what_of_the_head_is_sound_is_followed(self) -> None:
        exif, icc = build_exif(orientation=6), make_icc("p3")
        png = encode_picture(draw_picture((96, 64)), "PNG", exif=exif, icc_profile=icc)
        jpeg = encode_picture(draw_picture((96, 64)), exif=exif, icc_profile=icc)
        cases = [(png, put_before_pixels(png, chunk)) for chunk in make_odd_chunks().values()][:3]
        cases += [(jpeg, jpeg[:2] + part + jpeg[2:]) for part in make_odd_segments().values()]
        for sound, odd in cases:
            with self.subTest(odd=odd[:20]):
                expected, _ = decode(sound, max_megapixels=1)
                found, _ = decode(odd, max_megapixels=1)
                assert found.size == (64, 96)
                assert measure_difference(found, expected) < 1

    def test_a_profile_larger_than_pillow_unpacks_is_followed(self) -> None:
        icc = make_icc("p3")
        large = struct.pack(">I", len(icc) + 2 * MB) + icc[4:] + bytes(2 * MB)
        drawn = draw_picture((96, 64))
        body = encode_picture(drawn, "PNG")
        found, expected = (
            decode(
                put_before_pixels(body, build_chunk(b"iCCP", b"p3\0\0" + zlib.compress(profile))),
                max_megapixels=1,
            )[0]
            for profile in (large, icc)
        )
        assert measure_difference(found, drawn) > 1
        assert measure_difference(found, expected) < 1


class DamagedPixelsTests(QuietTestCase):
    """Behind something odd, that alone would be forgiven."""

    def assert_refused(self, body: bytes) -> None:
        with self.assertRaises(UnreadablePicture):
            decode(body, max_megapixels=1)

    def test_a_wrong_checksum_of_what_pixels_need_is_refused(self) -> None:
        drawn = draw_picture((96, 64))
        body = encode_picture(drawn.quantize(16), "PNG", transparency=bytes(range(8)))
        pieces = split_png(put_before_pixels(body, make_odd_chunks()["an empty profile"]))
        for kind in (b"IHDR", b"PLTE", b"tRNS"):
            spoiled = [spoil_checksum(part) if part[4:8] == kind else part for part in pieces]
            with self.subTest(kind):
                assert spoiled != pieces
                self.assert_refused(b"".join(spoiled))

    def test_a_cut_png_is_refused(self) -> None:
        body = encode_picture(draw_picture((96, 64)), "PNG")
        body = put_before_pixels(body, make_odd_chunks()["a short gAMA"])
        for share in (0.3, 0.7, 0.95):
            with self.subTest(share):
                self.assert_refused(body[: int(len(body) * share)])

    def test_a_cut_or_torn_jpeg_is_refused(self) -> None:
        body = encode_picture(draw_picture((96, 64)))
        for name, part in make_odd_segments().items():
            odd = body[:2] + part + body[2:]
            half = len(odd) * 3 // 4
            for torn in (odd[:half], odd[:half] + b"\xff\xd9", odd[:half] + odd[half + 200 :]):
                with self.subTest(name, length=len(torn)):
                    self.assert_refused(torn)
