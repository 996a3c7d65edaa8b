"""Google's own client against the simulator: a judge of the contract that nobody here wrote."""

import base64
import io
import json
import os
import subprocess
from typing import Any, ClassVar

from django.test import SimpleTestCase
from PIL import Image

from photochanger.testing.foreign import GOOGLE
from photochanger.testing.marks import foreign, live_server
from providers import simulator

BANANA = "gemini-nano-banana-2.1"

# Runs in the other environment: reads the calls to make, prints what the client understood.
SCRIPT = """
import base64, json, sys
from google import genai
from google.genai import errors, types

def understood(response):
    candidate = (response.candidates or [None])[0]
    parts = (candidate.content.parts or []) if candidate and candidate.content else []
    usage, feedback = response.usage_metadata, response.prompt_feedback
    return {
        "parts": [
            {
                "thought": bool(part.thought),
                "text": part.text,
                "mime": part.inline_data and part.inline_data.mime_type,
                "start": part.inline_data and part.inline_data.data[:4].hex(),
            }
            for part in parts
        ],
        "candidates": None if response.candidates is None else len(response.candidates),
        "has_content": bool(candidate and candidate.content),
        "finish": candidate and candidate.finish_reason and candidate.finish_reason.value,
        "blocked": feedback and feedback.block_reason and feedback.block_reason.value,
        "model": response.model_version,
        "id": response.response_id,
        "tokens": usage and usage.total_token_count,
    }

def make(call, url):
    options = types.HttpOptions(
        base_url=url,
        api_version=call["version"],
        timeout=call["timeout_ms"],
        retry_options=types.HttpRetryOptions(
            attempts=call["attempts"], initial_delay=0.01, max_delay=0.02
        ),
        extra_body=call["extra_body"],
    )
    client = genai.Client(api_key=call["key"], http_options=options)
    if call["model"] is None:
        return {"models": [model.name for model in client.models.list()]}
    contents = [
        types.Part.from_bytes(data=base64.b64decode(data), mime_type=mime)
        for mime, data in call["pictures"]
    ]
    config = types.GenerateContentConfig(**call["config"])
    return understood(client.models.generate_content(
        model=call["model"], contents=[*contents, call["prompt"]], config=config
    ))

url, answers = sys.argv[1], {}
for name, call in json.load(sys.stdin).items():
    try:
        answers[name] = make(call, url)
    except errors.APIError as exc:
        answers[name] = {
            "raised": type(exc).__name__,
            "code": exc.code,
            "status": exc.status,
            "message": exc.message,
            "details": exc.details,
        }
    except Exception as exc:
        answers[name] = {"raised": type(exc).__name__}
json.dump(answers, sys.stdout)
"""


def picture(file_format: str) -> tuple[str, str]:
    out = io.BytesIO()
    Image.new("RGB", (60, 90), (180, 90, 40)).save(out, file_format)
    return f"image/{file_format.lower()}", base64.b64encode(out.getvalue()).decode()


def call(model: str | None, **changes: Any) -> dict[str, Any]:
    """One call for the script; a scenario by its name, everything else as usual."""
    usual: dict[str, Any] = {
        "model": model,
        "prompt": 'Сделай из них "космонавтов"',
        "pictures": [picture("JPEG")],
        "config": {"response_modalities": ["IMAGE"], "image_config": {"aspect_ratio": "2:3"}},
        "key": "dummy",
        "version": "v1beta",
        "timeout_ms": 48_000,
        "attempts": 1,
        "extra_body": None,
    }
    return usual | changes


FULL_CONFIG = {
    "response_modalities": ["TEXT", "IMAGE"],
    "image_config": {"aspect_ratio": "3:4", "image_size": "1K"},
    "thinking_config": {"include_thoughts": False, "thinking_level": "MINIMAL"},
    "safety_settings": [
        {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"},
    ],
    "system_instruction": "Keep faces",
    "temperature": 0.7,
    "candidate_count": 1,
    "seed": 7,
}
# Scenarios that need nothing but their name.
SCENARIOS = (
    *("ok-thoughts", "ok-two-images", "ok-jpeg-declared-png", "ok-snake", "ok-urlsafe-base64"),
    *("ok-unpadded-base64", "text-only", "no-image", "null-content", "empty-parts"),
    *("no-candidates", "empty-object", "empty-200", "img-safety", "prompt-blocked", "max-tokens"),
    *("unknown-finish", "bad-base64", "html-200", "400-location", "400-unknown-field", "401"),
    *("403", "404-retired", "429-retry", "429-daily", "500", "503", "504", "err-list"),
    *("html-502", "empty-500", "drop-connection", "half-answer", "redirect"),
)
CALLS = {name: call(name) for name in SCENARIOS} | {
    "ok": call(BANANA),
    "ok on v1": call(BANANA, version="v1"),
    "everything": call(
        BANANA, pictures=[picture("JPEG"), picture("PNG")], config=FULL_CONFIG, timeout_ms=40_000
    ),
    "retried": call("503-then-ok", attempts=3),
    "too slow": call("slow", timeout_ms=300),
    "bad key": call(BANANA, key="bad-key"),
    "retired model": call("gemini-2.5-flash-image-preview"),
    "wrong ratio": call(BANANA, config={"image_config": {"aspect_ratio": "99:1"}}),
    "lower-case size": call(BANANA, config={"image_config": {"image_size": "2k"}}),
    "image/jpg": call(BANANA, pictures=[("image/jpg", picture("JPEG")[1])]),
    "system on 2.5": call("gemini-2.5-flash-image", config={"system_instruction": "Keep"}),
    "image as text": call(BANANA, config={"response_mime_type": "image/png"}),
    "unknown name": call(
        BANANA, extra_body={"generationConfig": {"imageConfig": {"outputMimeType": "image/png"}}}
    ),
    "models": call(None),
}


@foreign
@live_server
class OfficialClientTests(SimpleTestCase):
    """All calls are made once, by one process; each test looks at what came of some of them."""

    answers: ClassVar[dict[str, Any]]
    calls: ClassVar[list[simulator.Call]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        GOOGLE.obtain()
        with simulator.running() as sim:
            done = subprocess.run(
                [GOOGLE.python, "-c", SCRIPT, sim.url],
                input=json.dumps(CALLS),
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
                env=os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
            )
            assert done.returncode == 0, done.stderr
            cls.calls = sim.calls
        cls.answers = json.loads(done.stdout)

    def error(self, name: str) -> tuple[str, int, str]:
        answer = self.answers[name]
        assert "raised" in answer, answer
        return answer["raised"], answer.get("code"), answer.get("status")

    def seen(self, scenario: str) -> list[simulator.Call]:
        return [call for call in self.calls if call.scenario == scenario]

    def test_a_picture_comes_back_with_all_that_the_client_reads(self) -> None:
        for name in ("ok", "ok on v1"):
            answer = self.answers[name]
            [part] = answer["parts"]
            assert (part["mime"], part["start"][:6]) == ("image/jpeg", "ffd8ff")
            assert (answer["finish"], answer["model"]) == ("STOP", BANANA)
            assert answer["id"]
            assert answer["tokens"] > 1120

    def test_the_clients_mixed_names_and_url_safe_base64_are_understood(self) -> None:
        answer = self.answers["everything"]
        assert [part["mime"] for part in answer["parts"]] == [None, "image/jpeg"]
        [seen] = [call for call in self.calls if len(call.pictures) == 2]
        assert [picture.mime for picture in seen.pictures] == ["image/jpeg", "image/png"]
        assert (seen.aspect_ratio, seen.image_size) == ("3:4", "1K")
        assert seen.headers["x-server-timeout"] == "40"
        assert seen.prompt == 'Сделай из них "космонавтов"'
        assert not any(call.key_in_query for call in self.calls)

    def test_thoughts_are_told_from_the_answer(self) -> None:
        parts = self.answers["ok-thoughts"]["parts"]
        assert [part["thought"] for part in parts] == [True, True, False, False]
        assert len(self.answers["ok-two-images"]["parts"]) == 2

    def test_the_odd_but_good_answers_are_read(self) -> None:
        for name in ("ok-urlsafe-base64", "ok-unpadded-base64", "ok-jpeg-declared-png"):
            [part] = self.answers[name]["parts"]
            assert part["start"][:6] == "ffd8ff", name
        assert self.answers["ok-jpeg-declared-png"]["parts"][0]["mime"] == "image/png"
        assert self.answers["unknown-finish"]["finish"] == "IMAGE_NEWLY_MADE"
        assert self.answers["unknown-finish"]["parts"]
        # The client finds the picture in a snake_case answer and loses the rest.
        assert self.answers["ok-snake"]["parts"]
        assert self.answers["ok-snake"]["finish"] is None

    def test_answers_without_a_picture_are_answers_not_errors(self) -> None:
        for name, finish in (
            ("no-image", "NO_IMAGE"),
            ("null-content", "NO_IMAGE"),
            ("img-safety", "IMAGE_SAFETY"),
        ):
            answer = self.answers[name]
            assert (answer["finish"], answer["has_content"]) == (finish, False), name
        assert [part["mime"] for part in self.answers["text-only"]["parts"]] == [None]
        assert self.answers["max-tokens"]["finish"] == "MAX_TOKENS"
        assert self.answers["empty-parts"]["parts"] == []
        assert self.answers["prompt-blocked"]["blocked"] == "PROHIBITED_CONTENT"
        assert self.answers["prompt-blocked"]["candidates"] is None
        for name in ("no-candidates", "empty-object", "empty-200"):
            assert not self.answers[name]["candidates"], name

    def test_refusals_arrive_as_client_errors(self) -> None:
        invalid = ("ClientError", 400, "INVALID_ARGUMENT")
        for name in ("bad key", "wrong ratio", "lower-case size", "image/jpg", "system on 2.5"):
            assert self.error(name) == invalid, name
        for name in ("image as text", "unknown name", "400-unknown-field"):
            assert self.error(name) == invalid, name
        details = self.answers["bad key"]["details"]["error"]["details"]
        assert details[0]["reason"] == "API_KEY_INVALID"
        assert 'Unknown name "outputMimeType"' in self.answers["unknown name"]["message"]
        assert self.error("400-location") == ("ClientError", 400, "FAILED_PRECONDITION")
        assert self.error("401") == ("ClientError", 401, "UNAUTHENTICATED")
        assert self.error("403") == ("ClientError", 403, "PERMISSION_DENIED")
        for name in ("retired model", "404-retired"):
            assert self.error(name) == ("ClientError", 404, "NOT_FOUND"), name

    def test_quota_errors_carry_their_retry_delay_or_none(self) -> None:
        delays = {}
        for name in ("429-retry", "429-daily"):
            assert self.error(name) == ("ClientError", 429, "RESOURCE_EXHAUSTED")
            details = self.answers[name]["details"]["error"]["details"]
            delays[name] = [item["retryDelay"] for item in details if "retryDelay" in item]
        assert delays == {"429-retry": ["33s"], "429-daily": []}

    def test_failures_of_the_service_arrive_as_server_errors(self) -> None:
        assert self.error("500") == ("ServerError", 500, "INTERNAL")
        assert self.error("504") == ("ServerError", 504, "DEADLINE_EXCEEDED")
        for name in ("503", "err-list"):
            assert self.error(name) == ("ServerError", 503, "UNAVAILABLE"), name
        assert self.error("html-502")[:2] == ("ServerError", 502)
        assert self.error("empty-500")[:2] == ("ServerError", 500)

    def test_nonsense_and_broken_connections_are_not_taken_for_answers(self) -> None:
        assert self.error("bad-base64")[0] == "ValidationError"
        assert self.error("html-200")[0] == "JSONDecodeError"
        assert self.error("too slow")[0] == "ReadTimeout"
        for name in ("drop-connection", "half-answer"):
            assert self.error(name)[0] == "RemoteProtocolError", name
        assert self.seen("slow")[0].client_left

    def test_the_client_tries_again_only_when_told_to(self) -> None:
        assert self.answers["retried"]["parts"]
        assert len(self.seen("503-then-ok")) == 2
        assert len(self.seen("503")) == 1

    def test_the_client_follows_a_redirect_as_a_get(self) -> None:
        [followed] = [call for call in self.calls if call.path == "/redirected"]
        assert followed.method == "GET"
        assert self.error("redirect")[:2] == ("ClientError", 404)

    def test_the_model_list_is_read(self) -> None:
        assert f"models/{BANANA}" in self.answers["models"]["models"]
