"""Bodies before anybody knows what they say: packed, broken, or made to take memory and time."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress

from django.test import SimpleTestCase

from photochanger.errors import BadResponse
from providers.base import CallTrace
from providers.error_body import read_error_body
from providers.lenient import decode_base64, load_cut_json, load_json
from providers.tests.test_packings import WHOLE, answer, encode, parse, part
from providers.turbotext.answer import parse_answer
from providers.unpacking import MAX_PIECES, unpack


class BrokenTests(SimpleTestCase):
    def test_what_is_inside_of_a_broken_object_does_not_pass_for_it(self) -> None:
        order = b'{"success": true, "data": {"queueid": 5}, "queueid": 12'
        for body in (order, b"x " + order, order + b"x" + b"}", b'{"a": "%s' % (b"x" * 500)):
            with self.subTest(body[:60]), self.assertRaises(ValueError):
                self.assertEqual(load_json(body), {"queueid": 5})


class BombTests(SimpleTestCase):
    """JSON that is made of structure takes no memory to speak of, and no time."""

    def test_very_many_values_are_refused_before_they_are_made(self) -> None:
        lists = b'{"candidates":[' + b"[]," * 700_000 + b"[]]}"
        keys = b"{" + b",".join(b'"k%d":0' % number for number in range(300_000)) + b"}"
        bodies = {
            "lists": lists,
            "keys": keys,
            "UTF-16": lists.decode().encode("utf-16"),
            "behind a warning": b"Warning: x\n" + lists,
            "objects one after the other": b"{}\n" * 700_000,
            "events": b"data: {}\n" * 700_000,
            "nested": b"[" * 700_000,
            "a long number": b"1" * 2_000_000,
            "a long number inside": b'{"a":' + b"1" * 2_000_000 + b"}",
        }
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for name, body in bodies.items():
            for load in (load_json, load_cut_json):
                tracemalloc.reset_peak()
                with self.subTest(name, load=load.__name__), self.assertRaises(ValueError):
                    load(body)
                self.assertLess(tracemalloc.get_traced_memory()[1], 4 * len(body) + 10**6, name)

    def test_base64_in_very_many_pieces_takes_no_memory_to_speak_of(self) -> None:
        repeated = [piece * 300_000 for piece in ("A ", "A=", "%41")]
        texts = (*repeated, "AAA " + "A" * 300_000 + "%")  # looked through for blanks only once
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for text in texts:
            tracemalloc.reset_peak()
            with suppress(ValueError):
                decode_base64(text)
            self.assertLess(tracemalloc.get_traced_memory()[1], 8 * len(text) + 10**5, text[:9])

    def test_what_is_read_on_the_event_loop_unpacks_to_no_more_than_may_come(self) -> None:
        plain = b'{"error": {"message": "' + b"x" * 20_000_000
        for pack in (gzip.compress, zlib.compress):
            packed, trace = pack(plain), CallTrace()
            tracemalloc.start()
            self.addCleanup(tracemalloc.stop)
            read_error_body(packed)
            with self.assertRaises(BadResponse):
                parse_answer(packed, trace)
            self.assertLess(tracemalloc.get_traced_memory()[1], 5_000_000)

    def test_very_many_brackets_of_warnings_are_not_all_tried(self) -> None:
        for noise in (b'["a" x', b'{"a" x', b"[1 ", b"[" * 900 + b"\n"):
            body = b"\n" * 3_000_000 + noise * 10_000
            with self.subTest(noise[:9]), self.assertRaises(ValueError):
                load_json(body)

    def test_a_large_picture_is_no_structure(self) -> None:
        picture = WHOLE + bytes(range(256)) * 8000
        self.assertEqual(parse(answer(part(encode(picture))))[0], picture)


class UnpackingTests(SimpleTestCase):
    def test_every_packing_that_is_none_of_ours(self) -> None:
        plain = b'{"a": 1}' * 99
        raw = zlib.compressobj(wbits=-15)
        deflated = raw.compress(plain) + raw.flush()
        rows: list[tuple[bytes, str]] = [
            (gzip.compress(plain), "gzip"),
            (gzip.compress(plain), "x-gzip"),
            (gzip.compress(plain), ""),
            (gzip.compress(gzip.compress(plain)), "gzip, gzip"),
            (gzip.compress(plain[:50]) + gzip.compress(plain[50:]), "gzip"),
            (gzip.compress(plain) + b"\0\0", "gzip"),
            (gzip.compress(plain)[:-8], "gzip"),
            (zlib.compress(plain), "deflate"),
            (deflated, "deflate"),
            (zlib.compress(plain), ""),
            (b"\r\n" + gzip.compress(plain), ""),
            (b"\r\n" + zlib.compress(plain), "deflate"),
            (plain, "gzip"),
            (plain, "deflate"),
            (plain, "br"),
        ]
        for body, encoding in rows:
            with self.subTest(encoding, size=len(body)):
                self.assertEqual(unpack(body, encoding, max_bytes=10**6), plain)

    def test_a_bomb_is_refused(self) -> None:
        pack: Callable[[bytes], bytes]
        for pack, encoding in ((gzip.compress, "gzip"), (zlib.compress, "deflate")):
            with self.assertRaises(BadResponse):
                unpack(pack(bytes(10**6)), encoding, max_bytes=10**5)
        twice = gzip.compress(bytes(90_000)) * 2
        with self.assertRaises(BadResponse):
            unpack(twice, "gzip", max_bytes=10**5)

    def test_a_body_of_very_many_pieces_is_refused(self) -> None:
        pieces = [gzip.compress(b"ab")] * MAX_PIECES
        self.assertEqual(unpack(b"".join(pieces), "", max_bytes=10**6), b"ab" * MAX_PIECES)
        with self.assertRaises(BadResponse):
            unpack(gzip.compress(b"") * 1_500_000, "gzip", max_bytes=10**6)  # it took for ever
