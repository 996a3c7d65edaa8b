"""A picture that is paid for is read, whatever its packing and whatever stands beside it."""

import base64
import gzip
import json
import random
import zlib
from typing import Any
from urllib.parse import quote

from django.test import SimpleTestCase

from photochanger.errors import BadResponse, ContentBlocked, ProviderError
from photochanger.pictures import JPEG
from providers.base import CallTrace
from providers.gemini.answer import parse_models, parse_picture
from providers.lenient import decode_base64
from providers.tests.test_pictures import draw_picture, encode_picture

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


class BytesOneByOneTests(SimpleTestCase):
    """As programs write a buffer that they do not encode; whatever its size."""

    def test_a_list_of_bytes_is_the_picture(self) -> None:
        noise = draw_picture((600, 400))
        for body in (WHOLE, encode_picture(noise, quality=98)):
            numbers = list(body)
            ways = {
                "Node's": {"type": "Buffer", "data": numbers},
                "a list": numbers,
                "with a sign": [number - 256 if number > 127 else number for number in numbers],
                "by their places": {str(at): number for at, number in enumerate(numbers)},
            }
            for name, data in ways.items():
                for given in (part(data), {"inlineData": data}):
                    for indent in (None, 1):
                        text = json.dumps(answer(given), indent=indent).encode()
                        with self.subTest(name, size=len(body), indent=indent):
                            self.assertEqual(parse(text)[0], body)
        self.assertGreater(len(body), 60_000)

    def test_what_is_no_list_of_bytes_is_not_taken_for_one(self) -> None:
        for data in (["1"] * 2000, [[1]] * 2000, [1, None] * 900, [0.5] * 999, {"a": 1}):
            with self.subTest(str(data)[:30]), self.assertRaises(BadResponse):
                parse(answer(part(data)))


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
            "byte order mark": "\ufeff" + text,
            "a blank without width": text + "\u200b",
            "semicolon": text + ";",
            "full stop": text + ".",
            "backticks": f"`{text}`",
            "half of a data URI": f"base64,{text}",
            "its end with a type": f"image/jpeg;base64,{text}",
            "bytes of Python": f"b'{text}'",
            "entities": text.replace("+", "&#43;").replace("/", "&#x2F;").replace("=", "&equals;"),
            "escapes": text.replace("+", "\\u002b").replace("/", "\\/").replace("=", "\\u003d"),
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
            "its last brackets missing": whole[:-1],
            "more of them missing": whole[:-3],
            "a warning before, and the end missing": b"[warn] slow\n" + whole[:-2],
            "two lines": b'{"status": "working"}\n' + whole + b"\n",
            "two objects": b'{"a": [1]}' + whole,
            "a level before": b"[warn] slow\n" + whole,
            "braces before": b"Notice: {x} {y} in a.php\n" + whole,
            "an index before": b"Warning: undefined foo[0] in a.php on line [12]\n" + whole,
            "a note behind": whole + b"\n[debug] {x}\n",
            "a last comma": whole[:-1] + b",}",
            "a last comma inside": whole.replace(b"}]", b"},\n]"),
            "what JavaScript writes": whole[:-1] + b', "a": undefined, "b": [nan,nan]}',
            "packed without a word": zlib.compress(whole),
            "packed behind a line break": b"\r\n" + gzip.compress(whole),
            "an event that is none before": b"data: {x\n\ndata: " + whole + b"\n\n",
            "in an object": b'{"response": ' + whole + b"}",
            "in two objects": b'{"ok": true, "data": {"result": ' + whole + b"}}",
            "in two lists": b"[[" + whole + b"]]",
            "a text of JSON": json.dumps(whole.decode()).encode(),
            "a text of JSON in an object": json.dumps({"body": whole.decode()}).encode(),
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
            "markdown with a name": answer(
                {"text": f"![x](data:image/jpeg;name=a.jpg;base64,{encode()})"}
            ),
            "a text that is the picture": answer({"text": f"{encode()}\n"}),
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
        for finish in ("stop", 1, "1", "FINISH_REASON_STOP", "", None):
            with self.subTest(finish):
                found, trace = parse(answer(*thoughts, finish=finish))
                self.assertEqual((found, trace.note), (WHOLE, "thought_only"))
        for finish in ("MAX_TOKENS", "NO_IMAGE"):
            with self.subTest(finish), self.assertRaises(BadResponse):
                parse(answer(*thoughts, finish=finish))
        with self.assertRaises(BadResponse):
            parse(answer(part(encode(HALF), thought=True), finish=None))
        with self.assertRaises(ContentBlocked):
            parse(answer(*thoughts, finish="IMAGE_SAFETY"))

    def test_a_picture_that_came_and_cannot_be_read_is_not_bought_again(self) -> None:
        large = {"x": "%" * 60_000}
        noise = bytes(byte for byte in random.Random(1).randbytes(90_000) if byte not in b"[{")
        link, ends = "https://h/a.png", ("STOP", "", "stop")
        bodies = {
            "an address": answer({"fileData": {"fileUri": link}}),
            "a link": answer({"text": f"Here: ![it]({link})"}),
            "a large part of no known kind": answer({"blob": large}),
            "a large text of no alphabet": answer(part("%" * 60_000)),
            "a packing that is not read": b"\x28\xb5\x2f\xfd\x04" + noise[:99],
            "bytes of another packing": b"\x1b" + noise,
            "large, and broken": b'{"candidates": ["' + b"A" * 60_000 + b'" x',
        }
        for name, body in bodies.items():
            with self.subTest(name), self.assertRaises(BadResponse) as caught:
                parse(body)
            self.assertFalse(caught.exception.retryable, name)
        signature = {"text": "No.", "thoughtSignature": "A" * 60_000}
        rows = [answer(signature, finish=end) for end in ends]
        rows += [answer({"blob": large}, finish="NO_IMAGE")]
        rows += [answer(part(thought=True), {"blob": large}, finish="MAX_TOKENS")]
        for body in (*rows, answer({"text": f"See {link}"}), b"oops"):
            with self.subTest(str(body)[:90]), self.assertRaises(BadResponse) as caught:
                parse(body)
            self.assertTrue(caught.exception.retryable)

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
