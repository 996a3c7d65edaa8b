"""The Gemini driver without its wire: what it says, and what it makes of every known answer.

The saved answers are made up to the shapes that spec/providers/gemini.md documents.
"""

import asyncio
import base64
import copy
import dataclasses
import io
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.test import SimpleTestCase, override_settings
from PIL import Image

from photochanger.errors import (
    BadResponse,
    ContentBlocked,
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderQuota,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from photochanger.pictures import JPEG, PNG, UnreadablePicture
from providers import http
from providers.base import CallTrace, ProviderRequest, Reference
from providers.gemini import driver as gemini
from providers.gemini.answer import explain_error, parse_picture
from providers.gemini.driver import GeminiSettings, build_body, prepare_pictures
from providers.gemini.models import DEFAULT_GEMINI_MODEL, GEMINI_MODELS
from providers.tests.test_pictures import (
    SECRET,
    build_exif,
    draw_picture,
    encode_picture,
    make_photo,
)

ANSWERS = Path(__file__).parent / "answers" / "gemini"
KEY = "a-key-of-nobody"
MEGABYTE = 1024 * 1024


def load_answer(name: str) -> bytes:
    return (ANSWERS / f"{name}.json").read_bytes()


def make_request(
    body: bytes | None = None, *, references: Iterable[tuple[str, bytes]] = (), **settings: Any
) -> ProviderRequest[GeminiSettings]:
    """A request of a slot with these settings, for one photo."""
    settings.setdefault("prompt", "Make them astronauts")
    return ProviderRequest(
        operation="image_edit",
        photo=make_photo(body or encode_picture(draw_picture(), exif=build_exif())),
        references=tuple(Reference(kind, make_photo(picture)) for kind, picture in references),
        settings=GeminiSettings(**settings),
        api_key=KEY,
        budget_s=47.3,
    )


@dataclasses.dataclass
class SentRequest:
    """What would go over the wire."""

    pieces: list[bytes]
    headers: dict[str, str]

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(b"".join(self.pieces))
        return found

    @property
    def parts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.message["contents"][0]["parts"]
        return found

    @property
    def text(self) -> str:
        return str(self.parts[-1]["text"])

    @property
    def pictures(self) -> list[bytes]:
        blobs = [part["inlineData"] for part in self.parts[:-1]]
        return [base64.b64decode(blob["data"], validate=True) for blob in blobs]

    @property
    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = self.message["generationConfig"]
        return found


def build_request(request: ProviderRequest[GeminiSettings]) -> SentRequest:
    async def collect() -> SentRequest:
        pictures = prepare_pictures(request)
        try:
            body = build_body(request, pictures)
            headers = gemini.build_headers(request, body)
            return SentRequest([piece async for piece in body], headers)
        finally:
            for picture in pictures:
                picture.close()

    return asyncio.run(collect())


class BuildTests(SimpleTestCase):
    def test_the_request_has_the_documented_shape(self) -> None:
        request = make_request(
            references=[("scene", encode_picture(draw_picture((20, 20)), "PNG"))],
            prompt="Put them on Mars",
            aspect_ratio="2:3",
            image_size="1K",
            safety="relaxed",
            keep_identity=False,
        )
        found = build_request(request)
        photo, reference = found.pictures
        assert found.message == {
            "contents": [
                {
                    "role": "user",
                    "parts": [
                        {
                            "inlineData": {
                                "mimeType": JPEG,
                                "data": base64.b64encode(photo).decode(),
                            }
                        },
                        {
                            "inlineData": {
                                "mimeType": PNG,
                                "data": base64.b64encode(reference).decode(),
                            }
                        },
                        {"text": found.text},
                    ],
                }
            ],
            "generationConfig": {
                "responseModalities": ["IMAGE"],
                "imageConfig": {"aspectRatio": "2:3", "imageSize": "1K"},
                "thinkingConfig": {"thinkingLevel": "MINIMAL"},
            },
            "safetySettings": [
                {"category": f"HARM_CATEGORY_{name}", "threshold": "BLOCK_ONLY_HIGH"}
                for name in (
                    "HARASSMENT",
                    "HATE_SPEECH",
                    "SEXUALLY_EXPLICIT",
                    "DANGEROUS_CONTENT",
                )
            ],
        }

    def test_nothing_is_sent_that_a_model_answers_400_to(self) -> None:
        message = build_request(
            make_request(references=[("style", encode_picture(draw_picture()))])
        ).message
        assert set(message) == {"contents", "generationConfig"}
        allowed = {"responseModalities", "imageConfig", "thinkingConfig"}
        assert set(message["generationConfig"]) <= allowed
        assert set(message["generationConfig"]["imageConfig"]) <= {"aspectRatio", "imageSize"}

    def test_the_announced_length_is_exact(self) -> None:
        for size in range(40, 48):  # every padding of base64
            photo = encode_picture(draw_picture((size, 30)), exif=build_exif())
            found = build_request(make_request(photo, prompt="Сделай их космонавтами 🚀"))
            length = sum(map(len, found.pieces))
            assert found.headers["content-length"] == str(length)
            found.message  # noqa: B018  it is JSON

    def test_a_large_photo_is_never_whole_in_memory(self) -> None:
        photo = encode_picture(Image.effect_noise((2400, 1800), 100), quality=96)
        assert len(photo) > 2 * MEGABYTE
        found = build_request(make_request(photo, references=[("style", photo)]))
        assert max(map(len, found.pieces)) <= 256 * 1024
        assert found.pictures == [photo, photo]

    def test_the_photo_leaves_without_metadata(self) -> None:
        photo = encode_picture(draw_picture(), exif=build_exif(), comment=SECRET)
        style = encode_picture(draw_picture(), "PNG", exif=build_exif())
        for picture in build_request(make_request(photo, references=[("style", style)])).pictures:
            assert SECRET not in picture and b"Exif" not in picture and b"eXIf" not in picture

    def test_a_photo_lying_on_its_side_is_sent_upright(self) -> None:
        photo = encode_picture(draw_picture(), exif=build_exif(orientation=6))
        assert Image.open(io.BytesIO(build_request(make_request(photo)).pictures[0])).size == (
            32,
            48,
        )

    def test_the_prompt_names_each_reference_by_number_and_kind(self) -> None:
        style, face = (
            encode_picture(draw_picture((16, 16))),
            encode_picture(draw_picture((20, 20)), "PNG"),
        )
        found = build_request(make_request(references=[("style", style), ("face", face)]))
        assert found.pictures[1:] == [style, face]
        assert "Image 1 is the photo of the guests" in found.text
        assert "image 2 is a style reference, image 3 is a face reference" in found.text
        assert "Image 1" not in build_request(make_request()).text

    def test_the_prompt_comes_first_and_whole(self) -> None:
        prompt = 'Привет "мир"\n\\ {"parts": []} \x00'
        assert build_request(make_request(prompt=prompt)).text.startswith(prompt + "\n\n")

    def test_the_identity_clause_can_be_switched_off(self) -> None:
        assert gemini.IDENTITY_CLAUSE in build_request(make_request()).text
        assert build_request(make_request(keep_identity=False)).text == "Make them astronauts"

    def test_every_safety_level_has_its_threshold(self) -> None:
        levels = {
            "strict": "BLOCK_LOW_AND_ABOVE",
            "relaxed": "BLOCK_ONLY_HIGH",
            "off": "OFF",
        }
        for level, threshold in levels.items():
            with self.subTest(level):
                rules = build_request(make_request(safety=level)).message["safetySettings"]
                assert {rule["threshold"] for rule in rules} == {threshold}
                assert len({rule["category"] for rule in rules}) == len(rules) == 4
        assert "safetySettings" not in build_request(make_request(safety="standard")).message

    def test_without_settings_ratio_and_size_are_the_models_defaults(self) -> None:
        assert "imageConfig" not in build_request(make_request()).config

    def test_size_and_ratio_go_out_as_they_were_set(self) -> None:
        assert build_request(make_request(image_size="4K")).config["imageConfig"] == {
            "imageSize": "4K"
        }
        assert build_request(make_request(aspect_ratio="9:16")).config["imageConfig"] == {
            "aspectRatio": "9:16"
        }

    def test_with_references_the_shape_follows_the_photo(self) -> None:
        shapes = {(300, 300): "1:1", (600, 400): "3:2", (400, 600): "2:3", (1600, 900): "16:9"}
        for size, ratio in shapes.items():
            for orientation in range(1, 9):
                turned = ":".join(reversed(ratio.split(":"))) if orientation >= 5 else ratio
                photo = encode_picture(
                    Image.new("RGB", size), exif=build_exif(orientation=orientation)
                )
                with self.subTest(size, orientation=orientation):
                    request = make_request(
                        photo, references=[("style", encode_picture(draw_picture((20, 90))))]
                    )
                    assert gemini.build_generation_config(request)["imageConfig"] == {
                        "aspectRatio": turned
                    }

    def test_a_set_shape_wins_over_the_photos(self) -> None:
        request = make_request(
            references=[("style", encode_picture(draw_picture()))], aspect_ratio="21:9"
        )
        assert gemini.build_generation_config(request)["imageConfig"] == {"aspectRatio": "21:9"}

    def test_the_shape_of_a_strip_is_the_nearest_there_is(self) -> None:
        request = make_request(
            encode_picture(Image.new("L", (4000, 1))),
            references=[("style", encode_picture(draw_picture()))],
        )
        assert gemini.choose_ratio(request) == "21:9"

    def test_thinking_is_the_fastest_a_model_takes_unless_set(self) -> None:
        for model in GEMINI_MODELS:
            for name in (model.id, f"models/{model.id}"):
                with self.subTest(name):
                    config = gemini.build_generation_config(make_request(model=name))
                    level = config.get("thinkingConfig", {}).get("thinkingLevel", "")
                    assert level == model.fastest_thinking
        config = gemini.build_generation_config(make_request(model="a-model-of-tomorrow"))
        assert "thinkingConfig" not in config
        config = gemini.build_generation_config(
            make_request(model="a-model-of-tomorrow", thinking_level="HIGH")
        )
        assert config["thinkingConfig"] == {"thinkingLevel": "HIGH"}

    def test_the_key_is_in_a_header_and_nowhere_else(self) -> None:
        found = build_request(make_request())
        assert found.headers["x-goog-api-key"] == KEY
        assert KEY.encode() not in b"".join(found.pieces)
        assert KEY not in gemini.build_url(DEFAULT_GEMINI_MODEL)

    def test_the_budget_is_sent_as_x_server_timeout(self) -> None:
        assert build_request(make_request()).headers["x-server-timeout"] == "48"
        late = dataclasses.replace(make_request(), budget_s=0.01)
        assert build_request(late).headers["x-server-timeout"] == "1"

    @override_settings(GEMINI_BASE_URL="https://host/prefix", GEMINI_API_VERSION="v1")
    def test_a_models_name_never_changes_the_address(self) -> None:
        start = "https://host/prefix/v1/models/"
        for model, path in {
            "gemini-x": "gemini-x",
            "models/gemini-x": "gemini-x",
            "../../evil?key=1#x": "..%2F..%2Fevil%3Fkey%3D1%23x",
            "two words\n": "two%20words%0A",
            "модель": "%D0%BC%D0%BE%D0%B4%D0%B5%D0%BB%D1%8C",
        }.items():
            with self.subTest(model):
                assert gemini.build_url(model) == f"{start}{path}:generateContent"


class RoomTests(SimpleTestCase):
    """Photo and references share what the service takes in one request."""

    def size(self, request: ProviderRequest[GeminiSettings]) -> int:
        return sum(map(len, build_request(request).pieces))

    @override_settings(GEMINI_MAX_REQUEST_MB=1)
    def test_the_whole_request_stays_below_the_cap(self) -> None:
        big = encode_picture(Image.effect_noise((1300, 1000), 100), quality=95)
        assert len(big) > MEGABYTE * 3 // 4
        prompt = "ё" * 4000
        for references in (0, 1, 3, 10):
            with self.subTest(references):
                request = make_request(big, references=[("style", big)] * references, prompt=prompt)
                assert MEGABYTE // 3 < self.size(request) <= MEGABYTE

    @override_settings(GEMINI_MAX_REQUEST_MB=1)
    def test_small_references_leave_their_room_to_the_photo(self) -> None:
        big = encode_picture(Image.effect_noise((1300, 1000), 100), quality=95)
        small = encode_picture(draw_picture())
        found = build_request(make_request(big, references=[("style", small)] * 3))
        assert found.pictures[1:] == [small] * 3
        assert len(found.pictures[0]) > MEGABYTE // 2

    def test_when_one_picture_fails_the_copies_of_the_others_are_closed(self) -> None:
        made: list[Any] = []
        real = gemini.clean_photo

        def record_pictures(*args: Any, **more: Any) -> Any:
            made.append(real(*args, **more))
            return made[-1]

        turned = encode_picture(draw_picture(), exif=build_exif(orientation=6))
        broken = encode_picture(draw_picture((300, 200)), exif=build_exif(orientation=6))
        broken = broken[: broken.index(b"\xff\xda") + 20]
        self.addCleanup(setattr, gemini, "clean_photo", real)
        gemini.clean_photo = record_pictures  # to see the files, not to replace anything
        with self.assertRaises(UnreadablePicture):
            prepare_pictures(make_request(broken, references=[("style", turned), ("face", turned)]))
        assert len(made) == 2 and all(slices.file.closed for slices in made)


# --- Parse ---------------------------------------------------------------------------------------
def encode_jpeg() -> str:
    answer = json.loads(load_answer("picture"))
    return str(answer["candidates"][0]["content"]["parts"][0]["inlineData"]["data"])


def build_picture_part(data: str | None = None, **more: Any) -> dict[str, Any]:
    return {"inlineData": {"mimeType": "image/jpeg", "data": data or encode_jpeg()}, **more}


def build_answer(*parts: Any, finish: Any = "STOP", **more: Any) -> bytes:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish}
    return json.dumps({"candidates": [candidate], **more}).encode()


def build_finish(finish: str, **more: Any) -> bytes:
    return json.dumps({"candidates": [{"finishReason": finish, "index": 0, **more}]}).encode()


class ParsePictureTests(SimpleTestCase):
    def picture(self, body: bytes) -> CallTrace:
        """The answer must be the red JPEG, whatever else is in it."""
        trace = CallTrace()
        picture = parse_picture(body, trace)
        assert picture.mime == JPEG
        assert picture.body == base64.b64decode(encode_jpeg())
        return trace

    def test_the_documented_answer_is_a_picture(self) -> None:
        trace = self.picture(load_answer("picture"))
        assert (trace.finish_reason, trace.provider_request_id) == ("STOP", "abc123")
        assert trace.usage == {
            "promptTokenCount": 271,
            "candidatesTokenCount": 1120,
            "thoughtsTokenCount": 109,
            "totalTokenCount": 1500,
            "promptTokensDetails.TEXT": 13,
            "promptTokensDetails.IMAGE": 258,
            "candidatesTokensDetails.IMAGE": 1120,
        }

    def test_thoughts_are_no_answer_and_of_several_pictures_the_last_is_meant(self) -> None:
        self.picture(load_answer("thoughts"))
        self.picture(load_answer("two-pictures"))
        self.picture(
            build_answer(build_picture_part(), build_picture_part(encode_jpeg()[:40], thought=True))
        )

    def test_the_declared_type_is_not_believed(self) -> None:
        self.picture(load_answer("jpeg-declared-png"))

    def test_snake_case_is_understood(self) -> None:
        trace = self.picture(load_answer("snake-case"))
        assert (trace.finish_reason, trace.provider_request_id) == ("STOP", "abc123")

    def test_both_alphabets_of_base64_with_and_without_padding(self) -> None:
        raw = base64.b64decode(encode_jpeg()) + b"\xff\xfb\xfe"
        for tail in (b"", b"a", b"ab"):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                for text in (encode(raw + tail).decode(), encode(raw + tail).decode().rstrip("=")):
                    picture = parse_picture(build_answer(build_picture_part(text)), CallTrace())
                    assert picture.body == raw + tail

    def test_an_unknown_finish_reason_with_a_picture_is_a_picture(self) -> None:
        for finish in ("IMAGE_NEWLY_MADE", "CONTINUATION", "MAX_TOKENS", "SAFETY", None, 7):
            with self.subTest(finish):
                trace = self.picture(build_answer(build_picture_part(), finish=finish))
                assert trace.finish_reason == str(finish or "")

    def test_unexpected_parts_do_not_hide_the_picture(self) -> None:
        odd: dict[str, Any] = {
            "unknown keys": {"modelStatus": {"modelStage": "LEGACY"}, "newKey": [1, {"a": None}]},
            "usage is a list": {"usageMetadata": [1, 2]},
            "usage is text": {"usageMetadata": "many"},
            "usage is null": {"usageMetadata": None},
            "an id that is a number": {"responseId": 17},
            "a version that is a number": {"modelVersion": 2.1},
            "feedback is null": {"promptFeedback": None},
        }
        for name, more in odd.items():
            with self.subTest(name):
                self.picture(build_answer(build_picture_part(), **more))
        parts: dict[str, Any] = {
            "a null blob": {"inlineData": None, "text": "a"},
            "a blob without data": {"inlineData": {"mimeType": "image/png"}},
            "a blob of null": {"inlineData": {"data": None}},
            "an empty blob": {"inlineData": {"data": ""}},
            "a text that is a number": {"text": 5},
            "an empty part": {},
            "a call of a function": {"functionCall": {"name": "x", "args": {}}},
        }
        for name, part in parts.items():
            with self.subTest(name):
                self.picture(build_answer(build_picture_part(), part))

    def test_only_counts_of_usage_are_kept(self) -> None:
        usage = (
            b'{"a":1,"nan":NaN,"inf":1e999,"nul\\u0000":3,"neg":-1,"yes":true,"f":1.5,'
            b'"huge":123456789012345678901234567890,"text":"x","list":[{"b":NaN}]}'
        )
        body = build_answer(build_picture_part())[:-1] + b',"usageMetadata":' + usage + b"}"
        assert self.picture(body).usage == {"a": 1, "nul ": 3}


class ParseFailureTests(SimpleTestCase):
    def failure(self, body: bytes) -> tuple[ProviderError, CallTrace]:
        trace = CallTrace()
        with self.assertRaises(ProviderError) as caught:
            parse_picture(body, trace)
        return caught.exception, trace

    def assert_failures(
        self, kind: type[ProviderError], bodies: dict[str, bytes], *, retryable: bool
    ) -> None:
        for name, body in bodies.items():
            with self.subTest(name):
                error, _ = self.failure(body)
                assert type(error) is kind, repr(error)
                assert error.retryable is retryable, repr(error)

    def test_a_blocked_picture_or_prompt_is_content_blocked_and_final(self) -> None:
        reasons = ("SAFETY", "IMAGE_SAFETY", "PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT")
        bodies = {
            reason: build_finish(reason) for reason in (*reasons, "BLOCKLIST", "SPII", "LANGUAGE")
        }
        for reason in ("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "NEW"):
            feedback = {"promptFeedback": {"blockReason": reason}}
            bodies[f"prompt {reason}"] = json.dumps(feedback).encode()
        bodies |= {name: load_answer(name) for name in ("image-safety", "prompt-blocked")}
        bodies["null content"] = build_finish("IMAGE_SAFETY", content=None)
        bodies["null parts"] = build_finish("SAFETY", content={"role": "model", "parts": None})
        self.assert_failures(ContentBlocked, bodies, retryable=False)

    def test_recitation_is_random_and_may_be_tried_again(self) -> None:
        bodies = {reason: build_finish(reason) for reason in ("RECITATION", "IMAGE_RECITATION")}
        self.assert_failures(ContentBlocked, bodies, retryable=True)

    def test_an_answer_without_a_picture_may_be_tried_again(self) -> None:
        reasons = ("NO_IMAGE", "IMAGE_OTHER", "OTHER", "STOP", "MAX_TOKENS", "MALFORMED_RESPONSE")
        bodies = {reason: build_finish(reason) for reason in (*reasons, "MADE_TOMORROW")}
        bodies |= {
            "saved": load_answer("no-image"),
            "text only": load_answer("text-only"),
            "no parts": build_answer(),
            "empty content": build_finish("STOP", content={}),
            "null content": build_finish("NO_IMAGE", content=None),
            "null parts": build_finish("NO_IMAGE", content={"parts": None}),
            "thoughts of an answer that did not end well": build_answer(
                build_picture_part(thought=True), finish="MAX_TOKENS"
            ),
            "cut in a thought": build_answer({"text": "I will now"}, finish="MAX_TOKENS"),
            "no candidates": b'{"candidates": []}',
            "candidates null": b'{"candidates": null}',
            "empty object": b"{}",
            "no finish reason": b'{"candidates": [{}]}',
            "bad base64": build_answer(build_picture_part("%%% this is not base64 %%%")),
            "cut base64": build_answer(build_picture_part(encode_jpeg()[:41].rstrip("="))),
            "letters of no alphabet": build_answer(build_picture_part("ёёёё")),
        }
        self.assert_failures(BadResponse, bodies, retryable=True)

    def test_a_broken_answer_may_be_tried_again(self) -> None:
        bodies = {
            "empty": b"",
            "blanks": b" \n ",
            "cut off": load_answer("picture")[:200],
            "a list of nothing": b"[[], 7]",
            "a number": b"7",
            "a word": b'"ok"',
            "null": b"null",
            "NaN": b"NaN",
            "not UTF-8": b'{"candidates": "\xff\xfe"}',
            "nested": b"[" * 1_000,
            "nested inside": b'{"usageMetadata":' + b'{"a":' * 500,
            "candidates is a dict": b'{"candidates": {"a": 1}}',
            "a candidate is text": b'{"candidates": ["x"]}',
            "a part is a number": build_answer(5),
            "data is a list": build_answer({"inlineData": {"data": ["a"]}}),
        }
        self.assert_failures(BadResponse, bodies, retryable=True)

    def test_a_broken_answer_as_large_as_a_picture_is_final(self) -> None:
        """The next one would come the same way, and be paid for too."""
        bodies = {
            "deeply nested": b"[" * 100_000,
            "deeply nested inside": b'{"usageMetadata":' + b'{"a":' * 50_000,
            "very many numbers": build_answer({"inlineData": {"data": [0.5] * 60_000}}),
            "very many objects": b"[" + b"{}," * 60_000 + b"{}]",
            "nothing but base64": b'"' + b"A" * 60_000 + b'"',
        }
        self.assert_failures(BadResponse, bodies, retryable=False)

    def test_a_page_instead_of_json_is_final(self) -> None:
        page = b"<!doctype html><html>Please sign in</html>"
        bodies = {"page": page, "after blanks": b"\r\n  " + page}
        self.assert_failures(BadResponse, bodies, retryable=False)

    def test_data_that_is_no_picture_is_final(self) -> None:
        bodies = {
            "a page": build_answer(build_picture_part(base64.b64encode(b"<html>" * 9).decode())),
            "a sound": build_answer(
                build_picture_part(base64.b64encode(b"OggS" + bytes(90)).decode())
            ),
        }
        self.assert_failures(BadResponse, bodies, retryable=False)

    def test_the_services_own_words_reach_the_operator(self) -> None:
        error, trace = self.failure(load_answer("image-safety"))
        assert str(error).startswith("IMAGE_SAFETY: Unable to show the generated image.")
        assert trace.finish_reason == "IMAGE_SAFETY"
        error, _ = self.failure(load_answer("text-only"))
        assert str(error) == "STOP: I can not edit this picture. What should I do?"
        error, trace = self.failure(load_answer("prompt-blocked"))
        assert trace.finish_reason == "PROHIBITED_CONTENT"
        assert trace.usage == {"promptTokenCount": 271, "totalTokenCount": 271}

    def test_words_are_short_and_without_control_characters(self) -> None:
        error, trace = self.failure(build_finish("NEW\0\n" * 99, finishMessage="a\0b\x1b[2J" * 999))
        assert str(error).isprintable() and len(str(error)) <= 500
        assert trace.finish_reason.isprintable() and len(trace.finish_reason) == 50

    def test_no_picture_gets_into_a_message(self) -> None:
        data = encode_jpeg()
        for body in (
            build_answer({"inlineData": {"data": [data]}}),
            build_answer({"inlineData": {"data": {"x": data}}}),
            build_answer(build_picture_part(data + "%")),
            load_answer("picture").partition(data[90:].encode())[0],
        ):
            error, _ = self.failure(body)
            seen: BaseException | None = error
            while seen:
                assert data[:30] not in f"{seen}"
                seen = seen.__cause__


# --- Errors --------------------------------------------------------------------------------------
def build_error(
    status: str = "", message: str = "words", details: Any = None, code: int = 400
) -> bytes:
    body = {"code": code, "message": message, "status": status}
    return json.dumps({"error": body if details is None else {**body, "details": details}}).encode()


RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
QUOTA_FAILURE = "type.googleapis.com/google.rpc.QuotaFailure"


class ExplainTests(SimpleTestCase):
    def test_every_documented_status_has_its_word(self) -> None:
        rows: list[tuple[int, bytes, type[ProviderError], bool]] = [
            (400, build_error("INVALID_ARGUMENT"), ProviderRejected, False),
            (400, load_answer("error-key"), ProviderAuth, False),
            (400, build_error("FAILED_PRECONDITION"), ProviderConfig, False),
            (401, build_error("UNAUTHENTICATED"), ProviderAuth, False),
            (402, build_error("payment_required"), ProviderConfig, False),
            (403, build_error("PERMISSION_DENIED"), ProviderAuth, False),
            (404, build_error("NOT_FOUND"), ProviderConfig, False),
            (408, b"<html>408</html>", ProviderTimeout, True),
            (409, build_error("ABORTED"), ProviderUnavailable, True),
            (413, b"<html>413</html>", ProviderConfig, False),
            (413, build_error("", "Request payload size exceeds"), ProviderRejected, False),
            (429, load_answer("error-quota-minute"), ProviderQuota, True),
            (429, load_answer("error-quota-day"), ProviderQuota, False),
            (499, build_error("CANCELLED"), ProviderUnavailable, True),
            (500, build_error("INTERNAL"), ProviderUnavailable, True),
            (502, b"<html><h1>502 Bad Gateway</h1></html>", ProviderUnavailable, True),
            (503, build_error("UNAVAILABLE"), ProviderUnavailable, True),
            (504, build_error("DEADLINE_EXCEEDED"), ProviderTimeout, False),
            (529, b"", ProviderUnavailable, True),
            (302, b"", ProviderConfig, False),
            (204, b"", BadResponse, False),
        ]
        for status, body, kind, retryable in rows:
            with self.subTest(status, body=body[:60]):
                error = explain_error(status, body, model="gemini-x")
                assert type(error) is kind and error.retryable is retryable
                assert str(error).startswith(("HTTP", "model")) and str(status) in str(error)

    def test_the_words_and_statuses_are_those_of_the_design(self) -> None:
        words = {
            BadResponse: ("bad_response", 502),
            ContentBlocked: ("content_blocked", 502),
            ProviderRejected: ("provider_rejected", 502),
            ProviderUnavailable: ("provider_5xx", 503),
            ProviderQuota: ("quota", 503),
            ProviderAuth: ("provider_auth", 503),
            ProviderConfig: ("provider_config", 503),
            ProviderTimeout: ("timeout", 504),
        }
        for kind, (reason, status) in words.items():
            assert (kind.reason, kind.status) == (reason, status)

    def test_an_error_in_a_list_is_unwrapped(self) -> None:
        body = b"[" + build_error("FAILED_PRECONDITION", "User location is not supported") + b"]"
        error = explain_error(400, body, model="m")
        assert type(error) is ProviderConfig and "location" in str(error)

    def test_a_500_with_a_refusal_inside_is_still_a_500(self) -> None:
        inner = build_error("INVALID_ARGUMENT", "Cannot fetch content", code=400)
        assert type(explain_error(500, inner, model="m")) is ProviderUnavailable

    def test_a_retired_model_is_named(self) -> None:
        message = "models/gemini-x is not found for API version v1beta"
        error = explain_error(404, build_error("NOT_FOUND", message), model="gemini-x")
        assert str(error).startswith("model gemini-x is retired or misspelt")
        assert message in str(error)

    def test_the_services_words_are_short_and_printable(self) -> None:
        error = explain_error(400, build_error("A\0B", "x\0y\n" * 2000), model="m")
        assert str(error).isprintable() and len(str(error)) <= 600

    def test_a_body_without_an_error_object_is_reported_as_such(self) -> None:
        for body in (
            b"",
            b"<html>",
            b"{}",
            b"[]",
            b"7",
            b'"x"',
            b"null",
            b'{"error": "x"}',
            b"\xff",
        ):
            for status in (400, 429, 500):
                with self.subTest(status, body=body):
                    error = explain_error(status, body, model="m")
                    assert "no error object" in str(error) and error.reason != "internal_error"

    def test_values_of_wrong_types_are_skipped(self) -> None:
        odd: list[Any] = ["text", 7, None, {"a": 1}, ["x", None, [1]], [{"violations": {"a": 1}}]]
        odd += [
            [{"violations": ["x", 7]}],
            [{"@type": 7, "reason": []}],
            [{"violations": "PerDay"}],
        ]
        for details in odd:
            with self.subTest(details):
                body = json.dumps({"error": {"message": "m", "status": "S", "details": details}})
                assert "S m" in str(explain_error(500, body.encode(), model="m"))
                assert type(explain_error(429, body.encode(), model="m")) is ProviderQuota
        for field in ("message", "status"):
            body = json.dumps({"error": {"message": "kept", "status": "kept", field: [1]}})
            assert "kept" in str(explain_error(400, body.encode(), model="m"))

    def test_a_huge_error_is_not_read_to_its_end(self) -> None:
        body = build_error("FAILED_PRECONDITION", "x" * 5_000_000)
        assert type(explain_error(400, body, model="m")) is ProviderRejected


class QuotaTests(SimpleTestCase):
    def quota(self, *details: Any, message: str = "You exceeded your quota") -> ProviderError:
        body = build_error("RESOURCE_EXHAUSTED", message, list(details), code=429)
        error = explain_error(429, body, model="m")
        assert type(error) is ProviderQuota
        return error

    def test_a_limit_per_minute_passes_after_its_delay(self) -> None:
        error = explain_error(429, load_answer("error-quota-minute"), model="m")
        assert (error.retryable, error.retry_after_s) == (True, 33.7)
        assert error.headers["Retry-After"] == "34"

    def test_a_limit_per_day_does_not_pass_however_short_its_delay(self) -> None:
        error = explain_error(429, load_answer("error-quota-day"), model="m")
        assert (error.retryable, error.retry_after_s) == (False, 12)

    def test_a_model_outside_of_the_plan_does_not_pass(self) -> None:
        info = {"@type": RETRY_INFO, "retryDelay": "3s"}
        assert not self.quota(info, message="Quota exceeded, limit: 0, model: x").retryable
        assert not self.quota(info, message="Quota exceeded, limit: 0").retryable
        assert self.quota(info, message="Quota exceeded, limit: 10").retryable

    def test_without_a_sign_of_a_day_it_passes_even_without_a_delay(self) -> None:
        error = self.quota({"@type": QUOTA_FAILURE, "violations": [{"quotaId": "PerMinute"}]})
        assert (error.retryable, error.retry_after_s) == (True, None)
        assert "busy" in str(error) and error.sentence == ProviderQuota.busy_sentence

    def test_delays_are_durations_or_nothing(self) -> None:
        good = {"33s": 33, "33.7s": 33.7, "0s": 0, "0.5s": 0.5, "86399s": 86399}
        for text, seconds in good.items():
            with self.subTest(text):
                assert (
                    self.quota({"@type": RETRY_INFO, "retryDelay": text}).retry_after_s == seconds
                )
        bad: list[Any] = ["abc", "-5s", "1e99s", "nans", "infs", "", "s", None, [], {}, True]
        for value in (*bad, "9" * 5000, "86401s", {"seconds": "many"}):
            with self.subTest(str(value)[:20]):
                error = self.quota({"@type": RETRY_INFO, "retryDelay": value})
                assert (error.retryable, error.retry_after_s) == (True, None)


# --- Anything at all -----------------------------------------------------------------------------
HOSTILE: list[Any] = [
    *(None, True, 0, -1, 1e308, 2**70, "", "x", "\0", "\ud7ff", [], {}, [None], [[]], {"": {}}),
    *("STOP", "33s", "-1s", "PerDay", [{"quotaId": 5}], {"data": "////"}, {"parts": [{}]}),
]


def list_nodes(value: Any) -> list[tuple[Any, Any]]:
    """Every place of a JSON value: its container, and the key or index in it."""
    keys: Iterable[Any] = ()
    if isinstance(value, dict):
        keys = value.keys()
    elif isinstance(value, list):
        keys = range(len(value))
    found: list[tuple[Any, Any]] = []
    for key in keys:
        found += [(value, key), *list_nodes(value[key])]
    return found


class AnythingTests(SimpleTestCase):
    def mutations(self) -> Iterable[bytes]:
        chance = random.Random(2026)
        bodies = [path.read_bytes() for path in sorted(ANSWERS.glob("*.json"))]
        snippets = (
            b"null",
            b"NaN",
            b"1e999",
            b"{}",
            b"[",
            b"]",
            b'"',
            b"\\u0000",
            b"\xff",
            b"\\ud800",
        )
        for body in bodies:
            for _ in range(40):  # other values in their places
                data = json.loads(body)
                for _ in range(chance.randrange(1, 4)):
                    container, key = chance.choice(list_nodes(data))
                    container[key] = copy.deepcopy(chance.choice(HOSTILE))
                yield json.dumps(data).encode()
            for _ in range(30):  # damaged bytes
                broken = bytearray(body)
                for _ in range(chance.randrange(1, 4)):
                    at = chance.randrange(len(broken))
                    broken[at : at + chance.randrange(9)] = chance.choice(snippets)
                yield bytes(broken)

    def assert_fit_for_a_row(self, *texts: str) -> None:
        for text in texts:
            assert text.isprintable() and len(text) <= 600, text

    def test_any_answer_is_a_picture_or_a_provider_error(self) -> None:
        outcomes = set()
        for body in self.mutations():
            trace = CallTrace()
            try:
                outcomes.add(parse_picture(body, trace).mime)
            except ProviderError as exc:
                self.assert_fit_for_a_row(str(exc))
                outcomes.add(exc.reason)
            self.assert_fit_for_a_row(trace.finish_reason, trace.provider_request_id)
            self.assert_fit_for_a_row(json.dumps(trace.usage, allow_nan=False))
        assert outcomes >= {JPEG, "bad_response", "content_blocked"}

    def test_any_error_body_is_explained(self) -> None:
        outcomes = set()
        for number, body in enumerate(self.mutations()):
            status = (400, 429, 403, 404, 500, 503, 302)[number % 7]
            error = explain_error(status, body, model="gemini-x")
            assert isinstance(error, ProviderError)
            assert error.retry_after_s is None or 0 <= error.retry_after_s < 86400
            self.assert_fit_for_a_row(str(error))
            outcomes.add(error.reason)
        assert len(outcomes) >= 5


class StatusOnlyTests(SimpleTestCase):
    def test_every_status_there_is_has_a_provider_error(self) -> None:
        for status in range(100, 600):
            assert isinstance(http.error_for_status(status, ""), ProviderError)
