import base64
import contextlib
import io
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, ClassVar

import httpx
from django.conf import settings
from django.core.management import call_command
from django.test import SimpleTestCase
from PIL import Image

from photochanger.testing.marks import live_server
from providers import simulator
from providers.simulator import pictures
from providers.simulator.gemini.scenarios import SCENARIOS
from providers.simulator.turbotext import scenarios as turbotext_scenarios

BANANA = "gemini-nano-banana-2.1"
FLASH_25 = "gemini-2.5-flash-image"
KEY = "a-very-secret-key"

# What each scenario looks like to a plain HTTP client; 200 where nothing is said.
STATUSES = {
    "err-list": 503,
    "html-502": 502,
    "empty-500": 500,
    "redirect": 302,
    "503-then-ok": 503,
} | {name: int(name[:3]) for name in SCENARIOS if name[:3].isdigit()}
BROKEN = ("drop-connection", "half-answer", "cut-after-picture")


def photo(
    size: tuple[int, int] = (64, 96), file_format: str = "JPEG", orientation: int | None = None
) -> bytes:
    image = Image.new("RGB", size, (200, 60, 40))
    image.paste((30, 60, 200), (0, 0, size[0], size[1] // 4))  # a blue top tells which way is up
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    out = io.BytesIO()
    image.save(out, file_format, exif=exif)
    return out.getvalue()


def build_inline_part(body: bytes, mime: str = "image/jpeg") -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime, "data": base64.b64encode(body).decode()}}


def build_body(*parts: dict[str, Any], **generation: Any) -> dict[str, Any]:
    config = {"responseModalities": ["IMAGE"], **generation}
    chosen = list(parts) or [build_inline_part(photo()), {"text": "Сделай из них космонавтов"}]
    return {"contents": [{"role": "user", "parts": chosen}], "generationConfig": config}


def build_prompt_body(prompt: str) -> dict[str, Any]:
    return build_body(build_inline_part(photo()), {"text": prompt})


def read_pictures(answer: httpx.Response) -> list[Image.Image]:
    parts = answer.json()["candidates"][0]["content"]["parts"]
    blobs = [part["inlineData"]["data"] for part in parts if "inlineData" in part]
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in blobs]


def is_blue(picture: Image.Image, x: int) -> bool:
    pixel = picture.convert("RGB").getpixel((x, picture.height // 3))
    assert isinstance(pixel, tuple)
    return pixel[2] > pixel[0]


def wait_until_true(condition: Callable[[], bool], within_s: float = 90.0) -> bool:
    until = time.monotonic() + within_s
    while not condition() and time.monotonic() < until:
        time.sleep(0.005)
    return condition()


def open_call(sim: simulator.Simulator, model: str) -> socket.socket:
    """A call that nobody waits for: its connection, to read from or to close."""
    body = json.dumps(build_body()).encode()
    head = (
        f"POST /v1/models/{model}:generateContent HTTP/1.1\r\nHost: sim\r\n"
        f"x-goog-api-key: k\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    caller = socket.create_connection(("127.0.0.1", int(sim.url.split(":")[-1])))
    caller.sendall(head.encode() + body)
    return caller


class GeminiCase(SimpleTestCase):
    """One simulator for each class, with an empty record for each test."""

    options: ClassVar[dict[str, Any]] = {}
    sim: ClassVar[simulator.Simulator]
    http: ClassVar[httpx.Client]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.sim = cls.enterClassContext(simulator.running(**cls.options))
        cls.http = cls.enterClassContext(
            httpx.Client(base_url=cls.sim.url, trust_env=False, timeout=90)
        )

    def setUp(self) -> None:
        self.sim.reset()

    def generate(
        self, body: object = None, *, model: str = BANANA, key: str = KEY, version: str = "v1beta"
    ) -> httpx.Response:
        address = f"/{version}/models/{model}:generateContent"
        sent = build_body() if body is None else body
        return self.http.post(address, json=sent, headers={"x-goog-api-key": key})

    def assert_refused(self, answer: httpx.Response, words: str, code: int = 400) -> None:
        error = answer.json()["error"]
        assert answer.status_code == error["code"] == code, answer.text
        assert words in error["message"], error["message"]
        assert error["status"] == ("INVALID_ARGUMENT" if code == 400 else "NOT_FOUND")


class AnswerTests(GeminiCase):
    def test_a_good_answer_has_the_documented_shape(self) -> None:
        answer = self.generate(build_body(imageConfig={"aspectRatio": "2:3", "imageSize": "1K"}))
        data = answer.json()
        candidate = data["candidates"][0]
        assert (answer.status_code, candidate["finishReason"]) == (200, "STOP")
        assert answer.headers["content-type"] == "application/json; charset=UTF-8"
        [part] = candidate["content"]["parts"]
        assert part["inlineData"]["mimeType"] == "image/jpeg"
        assert part["thoughtSignature"]
        usage = data["usageMetadata"]
        assert usage["candidatesTokenCount"] == 1120
        counted = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
        assert usage["totalTokenCount"] == sum(usage[name] for name in counted)
        assert data["modelVersion"] == BANANA
        assert data["responseId"]

    def test_the_picture_has_the_pixels_of_the_ratio_and_size(self) -> None:
        for model, config, size in (
            (BANANA, {"aspectRatio": "2:3"}, (848, 1264)),
            (BANANA, {"aspectRatio": "9:16", "imageSize": "2K"}, (1536, 2752)),
            (FLASH_25, {"aspectRatio": "2:3"}, (832, 1248)),
            (BANANA, {}, (848, 1264)),  # nothing asked: the photo's own shape
        ):
            with self.subTest(model=model, config=config):
                [picture] = read_pictures(
                    self.generate(build_body(imageConfig=config), model=model)
                )
                assert picture.size == size

    def test_the_photo_is_turned_upright_and_visibly_altered(self) -> None:
        lying = photo((96, 64), orientation=6)  # its blue band belongs at the right
        body = build_body(
            build_inline_part(lying), {"text": "x"}, imageConfig={"aspectRatio": "2:3"}
        )
        [picture] = read_pictures(self.generate(body))
        assert is_blue(picture, picture.width - 80)
        assert not is_blue(picture, 80)

    def test_thoughts_come_first_and_are_marked(self) -> None:
        thinking = {"thinkingConfig": {"includeThoughts": True, "thinkingLevel": "MINIMAL"}}
        for answer in (self.generate(model="ok-thoughts"), self.generate(build_body(**thinking))):
            parts = answer.json()["candidates"][0]["content"]["parts"]
            assert [part.get("thought", False) for part in parts] == [True, True, False, False]
            assert "thoughtSignature" in parts[3]

    def test_without_image_among_the_modalities_there_is_only_text(self) -> None:
        answer = self.generate(build_body(responseModalities=["TEXT"]))
        [part] = answer.json()["candidates"][0]["content"]["parts"]
        assert list(part) == ["text"]

    def test_the_order_of_good_and_draft_pictures_is_told_apart_by_size(self) -> None:
        draft, final = read_pictures(self.generate(model="ok-two-images"))
        assert (draft.size, final.size) == ((512, 512), (848, 1264))

    def test_the_caption_is_written_with_and_without_a_cyrillic_font(self) -> None:
        picture = pictures.stylise_photo([photo()], (400, 600), title="model", prompt="Ёж и щука")
        assert picture.size == (400, 600)
        assert "Ёж и Щука".translate(pictures._SPELLING) == "Ezh i Shchuka"

    def test_the_model_list_needs_a_key(self) -> None:
        answer = self.http.get("/v1beta/models", headers={"x-goog-api-key": KEY})
        names = [model["name"] for model in answer.json()["models"]]
        assert f"models/{BANANA}" in names
        assert "models/gemini-3.1-flash-image" not in names
        assert self.http.get("/v1beta/models").status_code == 400


class StrictnessTests(GeminiCase):
    def test_a_wrong_or_missing_key_is_a_400_with_its_reason(self) -> None:
        for key in ("", "bad-key-7"):
            answer = self.generate(key=key)
            self.assert_refused(answer, "API key not valid")
            assert answer.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"

    def test_a_key_in_the_address_works_and_is_noted(self) -> None:
        address = f"/v1/models/{BANANA}:generateContent?key={KEY}"
        assert self.http.post(address, json=build_body()).status_code == 200
        assert self.sim.calls[-1].key_in_query
        assert KEY not in repr(self.sim.calls[-1])

    def test_unknown_names_are_refused_at_every_level(self) -> None:
        for place, words in (
            ((), 'Unknown name "imageOutputOptions": Cannot find'),
            (("contents", 0), "at 'contents[0]'"),
            (("contents", 0, "parts", 0), "at 'contents[0].parts[0]'"),
            (("contents", 0, "parts", 0, "inlineData"), "at 'contents[0].parts[0].inline_data'"),
            (("generationConfig",), "at 'generation_config'"),
            (("generationConfig", "imageConfig"), "at 'generation_config.image_config'"),
        ):
            body: Any = build_body(imageConfig={"aspectRatio": "1:1"})
            level = body
            for step in place:
                level = level[step]
            level["imageOutputOptions"] = {"mimeType": "image/png"}
            with self.subTest(place=place):
                self.assert_refused(self.generate(body), words)

    def test_snake_case_and_mixed_names_are_accepted(self) -> None:
        data = base64.urlsafe_b64encode(photo()).decode().rstrip("=")
        body = {
            "contents": [{"parts": [{"inline_data": {"mimeType": "image/jpeg", "data": data}}]}],
            "generation_config": {
                "responseModalities": ["Image"],
                "image_config": {"aspect_ratio": "1:1", "imageSize": "1K"},
                "thinkingConfig": {"thinking_level": "MINIMAL", "include_thoughts": False},
            },
        }
        answer = self.generate(body)
        assert answer.status_code == 200, answer.text
        assert self.sim.last_photo == photo()
        assert "usageMetadata" in answer.json()

    def test_values_are_checked_by_the_rules_of_each_model(self) -> None:
        minimal = {"thinkingConfig": {"thinkingLevel": "MINIMAL"}}
        for model, generation, words in (
            (BANANA, {"imageConfig": {"aspectRatio": "99:1"}}, "aspect_ratio"),
            (BANANA, {"imageConfig": {"imageSize": "1k"}}, "image_size"),
            (BANANA, {"imageConfig": {"imageSize": "512"}}, "image_size"),
            (BANANA, {"thinkingConfig": {"thinkingLevel": "LOW"}}, "Thinking level LOW"),
            (BANANA, {"thinkingConfig": {"thinkingLevel": "minimal"}}, "Invalid value"),
            (BANANA, {"responseMimeType": "image/png"}, "response_mime_type"),
            (BANANA, {"responseModalities": ["AUDIO"]}, "AUDIO"),
            (BANANA, {"imageConfig": {"aspectRatio": 5}}, "Invalid value at 'generation_config"),
            (FLASH_25, {"imageConfig": {"imageSize": "2K"}}, "image_size"),
            (FLASH_25, {"imageConfig": {"aspectRatio": "1:4"}}, "aspect_ratio"),
            (FLASH_25, minimal, "Thinking is not enabled"),
            (
                "gemini-3.1-flash-lite-image",
                {"thinkingConfig": {"thinkingLevel": "MEDIUM"}},
                "Thinking level MEDIUM",
            ),
            ("gemini-3.1-flash-lite-image", {"imageConfig": {"imageSize": "4K"}}, "image_size"),
            ("gemini-3-pro-image", {"imageConfig": {"aspectRatio": "8:1"}}, "aspect_ratio"),
            ("gemini-3-pro-image", minimal, "Thinking level"),
        ):
            with self.subTest(model=model, generation=generation):
                self.assert_refused(self.generate(build_body(**generation), model=model), words)

    def test_a_system_instruction_is_refused_by_the_old_model_only(self) -> None:
        body = build_body() | {"systemInstruction": {"parts": [{"text": "Keep faces"}]}}
        self.assert_refused(self.generate(body, model=FLASH_25), "Developer instruction")
        assert self.generate(body).status_code == 200

    def test_safety_settings_know_their_words(self) -> None:
        setting = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}
        assert self.generate(build_body() | {"safetySettings": [setting]}).status_code == 200
        wrong = setting | {"threshold": "BLOCK_SOME"}
        self.assert_refused(self.generate(build_body() | {"safetySettings": [wrong]}), "BLOCK_SOME")

    def test_a_picture_must_be_what_it_is_declared_to_be(self) -> None:
        for part, words in (
            (build_inline_part(photo(), "image/jpg"), "Unsupported MIME type: image/jpg"),
            (build_inline_part(photo(), "image/png"), "does not match"),
            (build_inline_part(b"<html>", "image/png"), "Unable to process input image"),
            (build_inline_part(photo()[:40]), "Unable to process input image"),
            (build_inline_part(photo((600, 600))[:2000]), "Unable to process input image"),
            ({"inlineData": {"mimeType": "image/png", "data": "%%%"}}, "Base64 decoding failed"),
            ({"text": ""}, "required oneof field 'data'"),
        ):
            with self.subTest(words=words):
                self.assert_refused(self.generate(build_body(part)), words)
        for file_format in ("PNG", "WEBP"):
            part = build_inline_part(photo(file_format=file_format), f"image/{file_format.lower()}")
            assert self.generate(build_body(part)).status_code == 200

    def test_what_is_not_a_request_is_refused(self) -> None:
        headers = {"x-goog-api-key": KEY}
        address = f"/v1beta/models/{BANANA}:generateContent"
        broken = self.http.post(address, content=b"{broken", headers=headers)
        self.assert_refused(broken, "Invalid JSON payload")
        self.assert_refused(self.generate([]), "Root must be")
        self.assert_refused(self.generate({}), "contents is not specified")
        too_many = build_body(*[build_inline_part(photo())] * 15)
        self.assert_refused(self.generate(too_many), "fewer than 15 images")

    def test_retired_and_unknown_models_are_not_found(self) -> None:
        for model, words in (
            ("gemini-3.1-flash-image", "no longer available"),
            ("gemini-2.5-flash-image-preview", "no longer available"),
            ("no-such-model", "is not found for API version v1"),
        ):
            self.assert_refused(self.generate(model=model, version="v1"), words, 404)
        assert self.generate(version="v7").status_code == 404
        assert self.http.get(f"/v1/models/{BANANA}:generateContent").status_code in (400, 404)

    def test_a_body_over_the_limit_is_a_413(self) -> None:
        with simulator.running(max_request_mb=0.1) as small:
            address = f"{small.url}/v1/models/{BANANA}:generateContent"
            answer = self.http.post(address, content=b"x" * 3_000_000)
            assert answer.status_code == 413
            assert small.calls[-1].body_bytes == 3_000_000


class ScenarioTests(GeminiCase):
    def test_every_scenario_answers_what_its_name_says(self) -> None:
        for name in SCENARIOS:
            with self.subTest(scenario=name):
                body = build_prompt_body("[sim:slow=0]") if name == "slow" else None
                if name in BROKEN:
                    with self.assertRaises(httpx.RemoteProtocolError):
                        self.generate(body, model=name)
                else:
                    answer = self.generate(body, model=name)
                    assert answer.status_code == STATUSES.get(name, 200), answer.text[:300]
                assert self.sim.calls[-1].scenario == name
        assert self.sim.in_flight == 0

    def test_a_scenario_is_chosen_by_prompt_then_model_then_key(self) -> None:
        self.generate(build_prompt_body("a [sim:no-image] b"), model="503", key="sim-500")
        self.generate(model="sim-503", key="sim-500")
        self.generate(key="sim-500")
        self.generate(key="sim-of-nothing")
        seen = [(call.scenario, call.status) for call in self.sim.calls]
        assert seen == [("no-image", 200), ("503", 503), ("500", 500), ("ok", 200)]

    def test_a_misspelt_marker_is_an_error_not_a_success(self) -> None:
        self.assert_refused(
            self.generate(build_prompt_body("[sim:no-imagine]")), "no scenario named"
        )

    def test_what_fails_once_then_works_does_so_for_each_prompt_and_key(self) -> None:
        body = build_prompt_body("[sim:503-then-ok]")
        assert [self.generate(body).status_code for _ in range(4)] == [503, 200, 503, 200]
        assert self.generate(body, key="another").status_code == 503
        twice = build_prompt_body("[sim:503-then-ok=2]")
        assert [self.generate(twice).status_code for _ in range(3)] == [503, 503, 200]
        quota = [self.generate(model="429-short") for _ in range(2)]
        assert quota[0].json()["error"]["details"][2]["retryDelay"] == "0.5s"
        assert quota[1].status_code == 200

    def test_the_number_of_a_quota_marker_is_its_delay(self) -> None:
        details = self.generate(build_prompt_body("[sim:429-retry=7]")).json()["error"]["details"]
        assert details[-1] == {
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": "7s",
        }

    def test_broken_answers_are_broken_in_their_own_way(self) -> None:
        def data(name: str) -> str:
            parts = self.generate(model=name).json()["candidates"][0]["content"]["parts"]
            text: str = parts[-1]["inlineData"]["data"]
            return text

        assert "-" in data("ok-urlsafe-base64")
        assert len(data("ok-unpadded-base64")) % 4 == 2
        assert base64.b64decode(data("ok-jpeg-declared-png")).startswith(b"\xff\xd8")
        assert base64.b64decode(data("html-image")).startswith(b"<!doctype html>")
        with self.assertRaises(OSError):
            Image.open(io.BytesIO(base64.b64decode(data("truncated-image")))).load()
        assert "usage_metadata" in self.generate(model="ok-snake").json()
        assert len(self.generate(model="huge-answer").content) > 40_000_000


class TimeTests(GeminiCase):
    """A busy machine only ever makes a call longer: its latency here is far more than that."""

    options = {"latency": 30}

    def seconds(self, body: object = None, **how: str) -> float:
        self.generate(body, **how)
        call = self.sim.calls[-1]
        assert call.finished is not None
        return call.finished - call.started

    def test_a_good_answer_takes_the_latency_and_an_error_comes_sooner(self) -> None:
        with (
            simulator.running(latency=0.4) as quick,
            httpx.Client(base_url=quick.url, trust_env=False, timeout=90) as caller,
        ):
            address = f"/v1beta/models/{BANANA}:generateContent"
            caller.post(address, json=build_body(), headers={"x-goog-api-key": KEY})
            (call,) = quick.calls
        assert call.finished is not None and call.finished - call.started > 0.39
        assert 0.29 < self.seconds(model="503") < 20

    def test_a_prompt_may_set_the_time_of_its_call(self) -> None:
        assert 0.09 < self.seconds(build_prompt_body("[sim:text-only] [sim:latency=0.1]")) < 20
        assert 0.19 < self.seconds(build_prompt_body("[sim:slow=0.2]")) < 20


class WaitingCallersTests(GeminiCase):
    def test_a_client_that_leaves_is_noticed_at_once(self) -> None:
        with open_call(self.sim, "slow"):
            assert wait_until_true(lambda: self.sim.in_flight == 1)
        assert wait_until_true(lambda: self.sim.calls[-1].client_left)
        assert (self.sim.in_flight, self.sim.state["clients_left"]) == (0, 1)
        assert self.sim.calls[-1].status is None

    def test_a_client_that_stops_reading_a_huge_answer_is_noticed_too(self) -> None:
        address = "/v1/models/huge-stream:generateContent"
        headers = {"x-goog-api-key": KEY}
        with self.http.stream("POST", address, json=build_body(), headers=headers) as answer:
            next(answer.iter_raw())
        assert wait_until_true(lambda: self.sim.state["clients_left"] == 1)

    def test_a_crowd_is_held_until_it_is_released(self) -> None:
        assert self.http.post("/_sim/hold").is_success
        with open_call(self.sim, "ok") as first, open_call(self.sim, "503") as second:
            assert wait_until_true(lambda: self.sim.in_flight == 2)
            second.settimeout(0.2)
            with self.assertRaises(TimeoutError):
                second.recv(1)
            assert self.http.post("/_sim/release").is_success
            second.settimeout(90)
            assert first.recv(12) + second.recv(12) == b"HTTP/1.1 200HTTP/1.1 503"
        assert self.sim.max_in_flight == 2

    def test_a_reset_releases_who_is_held(self) -> None:
        self.sim.hold()
        with open_call(self.sim, "ok") as caller:
            assert wait_until_true(lambda: self.sim.in_flight == 1)
            self.sim.reset()
            assert caller.recv(12) == b"HTTP/1.1 200"

    def test_stopping_does_not_wait_for_abandoned_calls(self) -> None:
        with simulator.running() as sim:
            caller = open_call(sim, "slow")
            assert wait_until_true(lambda: sim.in_flight == 1)
            before = time.monotonic()
        assert time.monotonic() - before < 20  # the call takes 70 s
        with caller, contextlib.suppress(ConnectionResetError):
            assert caller.recv(100) == b""


class RecordTests(GeminiCase):
    def test_a_call_is_described_without_its_key(self) -> None:
        picture, template = photo(), photo((20, 10), "PNG")
        body = build_body(
            build_inline_part(picture),
            build_inline_part(template, "image/png"),
            {"text": "Привет"},
            imageConfig={"aspectRatio": "3:4", "imageSize": "2K"},
        )
        self.http.post(
            f"/v1beta/models/{BANANA}:generateContent",
            json=body,
            headers={"x-goog-api-key": KEY, "X-Server-Timeout": "40"},
        )
        [call] = self.sim.calls
        assert (call.service, call.model, call.scenario, call.status) == (
            "gemini",
            BANANA,
            "ok",
            200,
        )
        assert (call.prompt, call.aspect_ratio, call.image_size) == ("Привет", "3:4", "2K")
        assert call.pictures == (
            simulator.PictureSeen("image/jpeg", len(picture), 64, 96),
            simulator.PictureSeen("image/png", len(template), 20, 10),
        )
        assert call.headers["x-server-timeout"] == "40"
        assert self.sim.last_photo == picture
        assert json.loads(self.sim.last_body or b"") == body
        assert KEY not in repr(call)
        assert KEY.encode() not in (self.sim.last_body or b"")

    def test_the_counters_are_served_over_http_and_can_be_reset(self) -> None:
        self.generate(model="no-image")
        self.generate(key="bad-key")
        assert self.http.get("/_sim/state").json() == {
            "calls": 2,
            "in_flight": 0,
            "max_in_flight": 1,
            "clients_left": 0,
            "by_scenario": {"no-image": 1, "refused": 1},
            "by_status": {"200": 1, "400": 1},
        }
        assert self.http.post("/_sim/reset").status_code == 200
        assert self.http.get("/_sim/state").json()["calls"] == 0
        assert self.sim.calls == []

    def test_an_address_of_no_service_is_a_404_and_is_recorded(self) -> None:
        assert self.http.get("/elsewhere").status_code == 404
        assert self.sim.calls[-1].path == "/elsewhere"

    def test_the_journal_keeps_counting_when_it_no_longer_keeps_calls(self) -> None:
        from providers.simulator import journal

        book = journal.Journal()
        for _ in range(journal.CALLS_KEPT + 5):
            call = journal.Call("gemini", "POST", "/", {})
            book.open(call)
            book.close(call)
        assert (len(book.calls), book.count) == (journal.CALLS_KEPT, journal.CALLS_KEPT + 5)


class PlainTests(GeminiCase):
    options = {"plain": True}

    def test_a_benchmark_gets_the_same_big_picture_for_anything(self) -> None:
        answers = [self.generate({"anything": number}) for number in range(2)]
        assert answers[0].content == answers[1].content
        [picture] = read_pictures(answers[0])
        assert (picture.format, picture.size) == ("PNG", (1024, 1024))
        assert 1_700_000 < len(pictures.make_noisy_png()) < 2_100_000

    def test_nothing_of_the_photo_is_kept_but_its_size(self) -> None:
        self.generate()
        assert self.sim.calls[-1].body_bytes == len(
            httpx.Request("POST", "http://x", json=build_body()).content
        )
        assert (self.sim.last_photo, self.sim.last_body, self.sim.calls[-1].prompt) == (
            None,
            None,
            "",
        )

    def test_failures_by_model_name_work_here_too(self) -> None:
        assert self.generate(model="503").status_code == 503


class FailShareTests(GeminiCase):
    options = {"plain": True, "fail_share": 0.3, "seed": 7}

    def test_a_share_of_calls_fails_and_the_same_ones_in_every_run(self) -> None:
        runs = []
        for _ in range(2):
            self.sim.reset()
            for _ in range(40):
                self.generate({})
            runs.append([call.scenario for call in self.sim.calls])
        assert runs[0] == runs[1]
        assert 6 <= runs[0].count("no-image") <= 18

    def test_a_call_that_names_its_scenario_never_fails_by_chance(self) -> None:
        for _ in range(10):
            self.generate({}, model="ok")
        assert self.sim.state["by_scenario"] == {"ok": 10}


@live_server
class CommandTests(SimpleTestCase):
    def test_the_scenarios_are_listed_one_to_a_line(self) -> None:
        out = io.StringIO()
        call_command("simulate_providers", "--list", stdout=out)
        listed = [line.split()[0] for line in out.getvalue().splitlines()]
        assert listed == ["Gemini:", *SCENARIOS, "Turbotext:", *turbotext_scenarios.SCENARIOS]

    def test_the_command_serves_and_says_where(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        command = [sys.executable, "manage.py", "simulate_providers", f"--port={port}"]
        process = subprocess.Popen(
            [*command, "--latency=0"], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        assert process.stdout
        with process.stdout as out:
            assert f"http://127.0.0.1:{port}" in out.readline()
            assert wait_until_true(lambda: self.is_up(port))

    def is_up(self, port: int) -> bool:
        try:
            state = httpx.get(f"http://127.0.0.1:{port}/_sim/state", trust_env=False)
        except httpx.ConnectError:
            return False
        return state.status_code == 200
