"""JPEGs in codings that no camera uses: a right picture or a refusal, and the process lives on."""

import base64
import io
import zlib

from django.test import SimpleTestCase
from PIL import Image

from ingest.pipeline.result_check import check_result
from photochanger.errors import BadResponse, InvalidImage
from photochanger.pictures import JPEG, Photo, Picture, UnsuitablePicture, prepare_photo
from photochanger.pictures.decoding import decode_jpeg
from photochanger.pictures.mending import COMMON_FRAMES, find_frame, mend_head
from providers.base import DriverSettings
from providers.clean_photo import clean_photo


def unpack(text: bytes) -> bytes:
    return zlib.decompress(base64.b64decode(text))


# By libjpeg-turbo, 96x80: red and yellow above blue and azure.
LOSSLESS = unpack(
    b"eNr7f+P/OwY+x5T8pFSGFAYQ+H+YQZCDIYAhgTlIkMFdkMFJkOH/EQYxBkZGRgYUwM7x/xYDD3MQgzuDEwNQbkn6n3"
    b"8M6ID1AQNhMKpoVNGoolFFo4oGiSKevGsNGIJxRJg1qmhU0aiiUUWjigaLov83AXpSR4I="
)
TWELVE_BITS = unpack(
    b"eNr7f+P/AwYBLzdPNwZGRgYGRiBk+H+bwZmBiREEQCQTCLAwg0hWFhZmFjZWNjYwZufkAGJ2NjYObg5OLhAAsni4uX"
    b"hAHJAhEK1MrMzMrFzsbOxcJIP/BxkEeRgCGBKYGZUYmAQZmQUZ/x9hEAM6FehMZMDDCxQXEUATBXrlCIM42CNoqjmB"
    b"EhKCjAzMqBIymSte/L/FwAMUZhJkFmSwZzj3mdGmOgUoxbjYginhS+4DoO5nBiI/dCYAxTLOMcywla5gYGC27PEJM4"
    b"tS+Hv/WPiL73zP6gLT5jzfatWUtKH5e71k/OKT86dELrd867dgxhqImk/pT8Uyz1Xn7uDsOnLwQ937x9pfqsx+4lAV"
    b"vEJNm8O+/OPUXzYzf7rOKp5380yCWZSMNZoLWO24VYBCUsYNavxu90CevwkAmQpwKA=="
)
ARITHMETIC = unpack(
    b"eNr7f+P/AwYBLzdPNwZGRgYGRiBk+H+bwZmBmYkJhICABYhYOVhZWVhYudjZ2Th4uHh4uLm4uXn5hAR4+QT5uLkFxA"
    b"QEhUVERUV5+MUlxEQkhERERUCGMDID9bCwcrKycorwcvOKkAz+n2QQ5GAIYEhgZlRiYBJkZBZk/H+GgYtBQICVUUCQ"
    b"9f8tBh5mRqAEsyCDPcN/hjvTLBIWsWW+e7QsdjvjxYsTv2Z+N2nVv/5nrnrqz/i7h1ocTwfYlAnwRVirN7SlRGx/kX"
    b"nkP8OGjmi7KZIRUuzmL7YtXLzb6+r7GZpTfHc9tNc/yLApgkXnY2rvV36lfOcv4csUSwseVnt+eOutc695V+v9RQKV"
    b"Pq/5BVR1ZL7b8jy/teD/TQCz0Vi6"
)
BODIES = {"lossless": LOSSLESS, "of 12 bits": TWELVE_BITS}


def send(body: bytes, **more: int) -> bytes:
    photo = Photo.open(io.BytesIO(body), max_megapixels=80)
    return clean_photo(prepare_photo(photo, **more), max_bytes=1_000_000).read_all()


class RareJpegTests(SimpleTestCase):
    def test_a_photo_of_another_coding_is_refused_clearly(self) -> None:
        """TurboJPEG asked for a smaller lossless one wrote past the end of its memory."""
        for name, body in BODIES.items():
            for more in ({}, {"max_side_px": 40}):
                with self.subTest(name, more=more), self.assertRaises(InvalidImage) as caught:
                    send(body, **more)
                self.assertIn("is a JPEG of", str(caught.exception))

    def test_a_result_of_another_coding_is_not_bought_again(self) -> None:
        for name, body in BODIES.items():
            with self.subTest(name), self.assertRaises(BadResponse) as caught:
                check_result(Picture(body=body, mime=JPEG), DriverSettings())
            self.assertFalse(caught.exception.retryable)

    def test_the_decoder_never_gets_one_hidden_behind_odd_segments(self) -> None:
        plain = send(ARITHMETIC)
        hidden = {
            "plainly": LOSSLESS,
            "behind padding": b"\xff\xd8\xff\xff" + LOSSLESS[2:],
            "behind stray bytes": b"\xff\xd8\0\0" + LOSSLESS[2:],
            "behind very many comments": b"\xff\xd8" + b"\xff\xfe\0\2" * 2000 + LOSSLESS[2:],
        }
        for name, body in hidden.items():
            for given in (body, mend_head(body)):
                with self.subTest(name), self.assertRaises(UnsuitablePicture):
                    decode_jpeg(given, mode="RGB", max_side_px=1)
        # A segment without a length must not get another one's when the head is mended.
        short = b"\xff\xd8\xff\xee\0\0" + plain[2:]
        self.assertEqual(mend_head(short)[:6], short[:6])

    def test_one_with_arithmetic_coding_becomes_one_that_all_programs_read(self) -> None:
        result = check_result(Picture(body=ARITHMETIC, mime=JPEG), DriverSettings())
        for body in (send(ARITHMETIC), send(ARITHMETIC, max_side_px=2048), result.body):
            self.assertIn(find_frame(body)[0], COMMON_FRAMES)
            image = Image.open(io.BytesIO(body))
            for at, colour in (((10, 10), (200, 0, 0)), ((80, 70), (0, 120, 180))):
                found = image.getpixel(at)
                assert isinstance(found, tuple)
                self.assertLess(max(abs(a - b) for a, b in zip(found, colour, strict=True)), 8)
