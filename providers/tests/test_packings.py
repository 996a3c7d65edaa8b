"""A picture that is paid for is read, whatever its packing and whatever stands beside it."""

import base64
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.test import SimpleTestCase

from photochanger.errors import BadResponse, ContentBlocked, ProviderError
from photochanger.pictures import JPEG
from providers.base import CallTrace
from providers.gemini.answer import parse_models, parse_picture
from providers.lenient import decode_base64, load_cut_json, load_json
from providers.tests.test_pictures import draw_picture, encode_picture
from providers.unpacking import MAX_PIECES, unpack

WHOLE = encode_picture(draw_picture((90, 70)))
OTHER = encode_picture(draw_picture((50, 40)))
HALF = WHOLE[: len(WHOLE) // 2]


def encode(picture: bytes = WHOLE) -> str:
    return base64.b64encode(picture).decode()


def part(data: Any = None, **more: Any) -> dict[str, Any]:
    return {"inlineData": {"mimeType": "image/jpeg", "data": data or encode()}, **more}


def answer(*parts: Any, finish: Any = "STOP", **more: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, "finishReason": finish}], **more}


def parse(body: Any) -> tuple[bytes, CallTrace]:
    trace = CallTrace()
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    picture = parse_picture(raw, trace)
    assert picture.mime == JPEG
    return picture.body, trace


class Base64Tests(SimpleTestCase):
    def test_every_way_to_write_it(self) -> None:
        raw = bytes(range(256)) * 3 + b"\xff\xfb\xfe!"
        text, urlsafe = base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()
        lines = "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))
        pieces = base64.b64encode(raw[:100]).decode() + base64.b64encode(raw[100:]).decode()
        ways = {
            "plain": text,
            "urlsafe": urlsafe,
            "without padding": urlsafe.rstrip("="),
            "lines": lines,
            "lines and a last one": lines + "\n",
            "spelled-out line breaks": lines.replace("\r\n", "\\n"),
            "blanks": " ".join(text[at : at + 4] for at in range(0, len(text), 4)),
            "pieces of many lengths": f"{text[:40]} {text[40:200]} {text[200:]}",
            "tabs": "\t" + text + "\t",
            "data URI": f"data:image/png;base64,{text}",
            "data URI with a name": f" data:image/png;name=a.png;base64,{lines}",
            "percent": quote(text, safe=""),
            "quotes": f'"{text}"',
            "pluses that became blanks": text.replace("+", " "),
            "padded pieces": pieces,
        }
        for name, way in ways.items():
            with self.subTest(name):
                self.assertEqual(decode_base64(way), raw)

    def test_what_is_none_is_refused(self) -> None:
        for text in ("%%% no %%%", "ёёё", "A", "data:image/png;base64,", "====", "<html>"):
            with self.subTest(text), self.assertRaises(ValueError):
                decode_base64(text)


class EnvelopeTests(SimpleTestCase):
    def test_every_way_to_pack_the_answer(self) -> None:
        whole = json.dumps(answer({"text": "Here."}, part())).encode()
        raw_lines = whole.replace(
            encode().encode(), encode()[:200].encode() + b"\n" + encode()[200:].encode()
        )
        ways = {
            "as documented": whole,
            "byte order mark": b"\xef\xbb\xbf" + whole,
            "blanks around": b"\r\n  " + whole + b"\r\n",
            "UTF-16": whole.decode().encode("utf-16"),
            "in a list": b"[" + whole + b"]",
            "in two chunks": json.dumps([answer({"text": "Wait"}), answer(part())]).encode(),
            "an event of a stream": b"event: message\ndata: " + whole + b"\n\ndata: [DONE]\n\n",
            "a warning before": b"<br />\nWarning: slow\n" + whole,
            "a prefix against hijacking": b")]}'\n" + whole,
            "something after": whole + b"\n<!-- cached -->",
            "raw line breaks in a text": raw_lines,
            "a text that is not UTF-8": whole.replace(b"Here.", b"\xcf\xf0\xe8\xe2\xe5\xf2"),
            "NaN beside": whole[:-1] + b', "usageMetadata": {"x": NaN}}',
            "a lone surrogate": whole.replace(b"Here.", b"\\ud800"),
        }
        for name, body in ways.items():
            with self.subTest(name):
                self.assertEqual(parse(body)[0], WHOLE)

    def test_every_way_to_spell_the_parts(self) -> None:
        blob = {"mime_type": "image/jpeg", "data": encode()}
        ways: dict[str, Any] = {
            "snake_case": answer({"inline_data": blob}),
            "both in one": answer({"inlineData": blob, "thought_signature": "x"}),
            "other capitals": answer({"InlineData": {"Data": encode()}}),
            "a part alone": {"candidates": [{"content": {"parts": part()}}]},
            "a candidate alone": {"candidates": {"content": {"parts": [part()]}}},
            "parts without a content": {"candidates": [{"content": [part()]}]},
            "the second candidate": {
                "candidates": [{"finishReason": "OTHER"}, answer(part())["candidates"][0]]
            },
            "the data alone": answer({"inlineData": encode()}),
            "a data URI as a file": answer(
                {"fileData": {"fileUri": f"data:image/jpeg;base64,{encode()}"}}
            ),
            "markdown in a text": answer({"text": f"![x](data:image/jpeg;base64,{encode()})"}),
            "odd parts beside": answer(5, None, "x", {"text": {"a": 1}}, part()),
            "an error beside": answer(part()) | {"error": None},
        }
        for name, body in ways.items():
            with self.subTest(name):
                self.assertEqual(parse(body)[0], WHOLE)

    def test_a_whole_picture_beats_a_bad_finish_and_a_broken_one_does_not(self) -> None:
        for finish in ("SAFETY", "IMAGE_SAFETY", "MAX_TOKENS", "OTHER", "IMAGE_RECITATION", "NEW"):
            with self.subTest(finish):
                self.assertEqual(parse(answer(part(), finish=finish))[0], WHOLE)
        for finish in ("SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"):
            with self.subTest(finish), self.assertRaises(ContentBlocked):
                parse(answer(part(encode(HALF)), finish=finish))

    def test_of_several_pictures_the_last_whole_one_is_meant(self) -> None:
        for broken in (encode(HALF), "%%%", encode(b"<html>")):
            body = answer(part(encode(OTHER)), part(), part(broken))
            self.assertEqual(parse(body)[0], WHOLE)
        self.assertEqual(parse(answer(part(encode(OTHER)), part()))[0], WHOLE)

    def test_a_picture_among_the_thoughts_alone_is_the_answer(self) -> None:
        thoughts = (part(encode(OTHER), thought=True), part(thought=True))
        found, trace = parse(answer(*thoughts))
        self.assertEqual((found, trace.note), (WHOLE, "thought_only"))
        found, trace = parse(answer(part(thought=True), part(encode(OTHER))))
        self.assertEqual((found, trace.note), (OTHER, ""))
        for finish in ("MAX_TOKENS", "NO_IMAGE", None):
            with self.subTest(finish), self.assertRaises(BadResponse):
                parse(answer(*thoughts, finish=finish))
        with self.assertRaises(ContentBlocked):
            parse(answer(*thoughts, finish="IMAGE_SAFETY"))

    def test_usage_is_kept_by_modality(self) -> None:
        usage = {
            "promptTokenCount": 1133,
            "thoughtsTokenCount": 109,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 13},
                {"modality": "IMAGE", "tokenCount": 1120},
            ],
            "candidates_tokens_details": [{"modality": "IMAGE", "token_count": 1120}],
            "odd": [{"modality": "A\0B", "tokenCount": 1e99}, 5, {"tokenCount": -1}],
        }
        _, trace = parse(answer(part(), usageMetadata=usage))
        expected = {
            "promptTokenCount": 1133,
            "thoughtsTokenCount": 109,
            "promptTokensDetails.TEXT": 13,
            "promptTokensDetails.IMAGE": 1120,
            "candidatesTokensDetails.IMAGE": 1120,
        }
        self.assertEqual(trace.usage, expected)
        with self.assertRaises(BadResponse):
            parse_picture(json.dumps(answer(usageMetadata=usage)).encode(), trace := CallTrace())
        self.assertEqual(trace.usage, expected)  # empty answers are billed too

    def test_an_error_inside_of_a_good_status_is_that_error(self) -> None:
        rows = {"RESOURCE_EXHAUSTED": "quota", "UNAVAILABLE": "provider_5xx"}
        rows |= {"UNAUTHENTICATED": "provider_auth", "INVALID_ARGUMENT": "provider_rejected"}
        for status, reason in rows.items():
            for body in ({"error": {"status": status}}, [{"error": {"status": status}}]):
                with self.subTest(status), self.assertRaises(ProviderError) as caught:
                    parse(body)
                self.assertEqual(caught.exception.reason, reason)

    def test_a_list_of_models_is_read_in_other_shapes_too(self) -> None:
        for body in (
            {"models": [{"name": "models/a"}, {"name": "b"}]},
            {"object": "list", "data": [{"id": "a"}, {"id": "b"}]},
            [{"id": "a"}, {"id": "b"}],
        ):
            self.assertEqual(parse_models(json.dumps(body).encode()), {"a", "b"})


class BombTests(SimpleTestCase):
    """JSON that is made of structure takes no memory to speak of, and no time."""

    def test_very_many_values_are_refused_before_they_are_made(self) -> None:
        lists = b'{"candidates":[' + b"[]," * 700_000 + b"[]]}"
        keys = b"{" + b",".join(b'"%d":0' % number for number in range(300_000)) + b"}"
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
