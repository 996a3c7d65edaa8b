"""What files of strangers say of their origin is read, whoever wrote it, and believed by nobody."""

import io
import random
import time
from unittest import mock

import c2pa
from django.test import SimpleTestCase
from PIL import Image

from photochanger.pictures.provenance import Credentials, read_credentials
from photochanger.pictures.provenance.cbor import BadCbor, read_cbor
from photochanger.redaction import remember_secret
from photochanger.testing.c2pa_signing import sign_picture
from providers.simulator.credentials import add_credentials, encode_cbor

FORMATS = ("JPEG", "PNG", "WEBP")
HOSTILE = "<script>alert(1)</script>\u202e\x00\n\t" + "A" * 500


def draw(file_format: str) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((160, 120)).convert("RGB").save(out, file_format)
    return out.getvalue()


class ReadingTests(SimpleTestCase):
    def test_what_the_reference_implementation_signed_is_read(self) -> None:
        for file_format in FORMATS:
            with self.subTest(file_format):
                body = sign_picture(
                    draw(file_format),
                    f"image/{file_format.lower()}",
                    generator="Foreign generator",
                    signer="Foreign signer",
                    company="Foreign company",
                )
                self.assertEqual(
                    read_credentials(body),
                    Credentials(
                        is_signed=True,
                        generator="Foreign generator 7",
                        signer="Foreign signer, Foreign company",
                        issuer="Test authority, Foreign company",
                        source_type="compositeWithTrainedAlgorithmicMedia",
                    ),
                )

    def test_the_simulators_pictures_are_content_credentials_to_others(self) -> None:
        """All but the binding to the pixels, which they lack on purpose."""
        for file_format in FORMATS:
            body = add_credentials(draw(file_format))
            with self.subTest(file_format), self.assertRaisesRegex(c2pa.C2paError, "hard binding"):
                c2pa.Reader(f"image/{file_format.lower()}", io.BytesIO(body))

    def test_a_mark_in_xmp_alone_is_read_in_each_of_its_spellings(self) -> None:
        place = b"http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
        for spelling in (
            b'<d Iptc4xmpExt:DigitalSourceType="%s" photoshop:Credit="Made &amp; sold"/>',
            b"<Iptc4xmpExt:DigitalSourceType>%s</x><photoshop:Credit>Made &amp; sold</x>",
            b"<e:DigitalSourceType rdf:resource='%s'/><p:Credit>Made &amp; sold</p:Credit>",
        ):
            with self.subTest(spelling):
                out = io.BytesIO()
                with Image.open(io.BytesIO(draw("JPEG"))) as image:
                    image.save(out, "JPEG", xmp=spelling % place)
                said = read_credentials(out.getvalue())
                self.assertEqual(
                    said, Credentials(source_type="algorithmicMedia", credit="Made & sold")
                )

    def test_plain_pictures_and_other_files_say_nothing(self) -> None:
        for body in (*map(draw, FORMATS), b"", b"GIF89a", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"):
            self.assertEqual(read_credentials(body), Credentials())


class HostileTests(SimpleTestCase):
    def test_texts_are_short_printable_and_without_secrets(self) -> None:
        secret = "AQ.hidden-key-of-ours-4711"
        remember_secret(secret)
        said = read_credentials(
            add_credentials(draw("PNG"), generator=HOSTILE, signer=secret, company="a\u202eb")
        )
        self.assertTrue(said.generator.startswith("<script>alert(1)</script> AAA"))
        self.assertEqual(len(said.generator), 100)
        self.assertEqual(said.signer, "***, a b")
        for text in (said.generator, said.signer, said.issuer):
            self.assertTrue(text.isprintable())

    def test_damage_anywhere_costs_neither_the_picture_nor_time(self) -> None:
        chance = random.Random(3)
        for file_format in FORMATS:
            whole = add_credentials(draw(file_format))
            for _ in range(300):
                body = bytearray(whole)
                for _ in range(6):
                    body[chance.randrange(len(body))] = chance.choice((0, 1, 255, 127))
                read_credentials(bytes(body[: chance.randrange(20, len(body))]))

    def test_bombs_are_bounded(self) -> None:
        deep, wide = b"\x81" * 100_000, b"\x9b" + b"\xff" * 8
        for bomb in (deep, wide, b"\x9f" * 50, b"\xbb" + b"\xff" * 8 + b"\x00" * 100_000):
            with self.subTest(bomb[:3]), self.assertRaises(BadCbor):
                read_cbor(bomb)
        chunks = draw("PNG")[:33] + (b"\0\0\0\0aaAA" + bytes(4)) * 400_000
        begun = time.process_time()
        self.assertEqual(read_credentials(chunks), Credentials())
        self.assertLess(time.process_time() - begun, 2)  # 10 ms

    def test_a_parser_that_fails_is_told_and_stops_nothing(self) -> None:
        where = "photochanger.pictures.provenance.credentials.x509.load_der_x509_certificate"
        with mock.patch(where, side_effect=RuntimeError("x")):
            said = read_credentials(add_credentials(draw("JPEG")))
        self.assertEqual(
            (said.is_signed, said.generator, said.signer), (True, "Simulated Image Service 2.1", "")
        )


class CborTests(SimpleTestCase):
    def test_values_are_read_as_they_were_written(self) -> None:
        for value in (0, 23, 24, 255, 65_536, 2**40, -1, -300, b"x" * 300, "ё" * 40, None):
            self.assertEqual(read_cbor(encode_cbor([value, {"a": value}])), [value, {"a": value}])

    def test_what_the_standards_own_examples_say(self) -> None:
        for text, value in {
            "f93c00": 1.0,
            "fb 3ff1 9999 9999 999a": 1.1,
            "f5": True,
            "c1 1a 514b67b0": 1363896240,  # a tag is dropped
            "5f 42 0102 43 030405 ff": b"\x01\x02\x03\x04\x05",
            "7f 65 7374726561 64 6d696e67 ff": "streaming",
            "9f 01 82 02 03 9f 04 05 ff ff": [1, [2, 3], [4, 5]],
            "bf 6161 01 6162 9f 02 03 ff ff": {"a": 1, "b": [2, 3]},
        }.items():
            self.assertEqual(read_cbor(bytes.fromhex(text)), value, text)
