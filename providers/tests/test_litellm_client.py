"""LiteLLM's `image_edit` against the simulator: a second client of the contract by others.

Gateways of this kind stand between applications and Gemini; what they send differs from what
Google's own client sends, in the order of parts and in the settings.
"""

import base64
import io
import json
import os
import subprocess
from typing import Any, ClassVar

from django.test import SimpleTestCase
from PIL import Image

from photochanger.testing.foreign import LITELLM
from photochanger.testing.marks import foreign, live_server
from providers import simulator

SCRIPT = """
import base64, io, json, os, sys
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the internet for prices
import litellm

def edit(call, url):
    photos = [io.BytesIO(base64.b64decode(data)) for data in call.pop("photos")]
    answer = litellm.image_edit(image=photos, api_base=url + "/v1beta", max_retries=0, **call)
    usage = answer.usage
    return {
        "starts": [base64.b64decode(made.b64_json)[:3].hex() for made in answer.data],
        "tokens": [usage.input_tokens, usage.output_tokens, usage.total_tokens],
    }

answers = {}
for name, call in json.load(sys.stdin).items():
    try:
        answers[name] = edit(call, sys.argv[1])
    except Exception as exc:
        answers[name] = {
            "raised": type(exc).__name__,
            "code": getattr(exc, "status_code", None),
            "message": str(exc)[:500],
        }
print(json.dumps(answers))
"""


def photo(file_format: str, size: tuple[int, int] = (60, 90)) -> str:
    out = io.BytesIO()
    Image.new("RGB", size, (180, 90, 40)).save(out, file_format)
    return base64.b64encode(out.getvalue()).decode()


def call(scenario: str = "", **changes: Any) -> dict[str, Any]:
    usual = {
        "model": "gemini/gemini-nano-banana-2.1",
        "prompt": f"Сделай из них космонавтов [sim:{scenario}]" if scenario else "As astronauts",
        "photos": [photo("JPEG")],
        "api_key": "sim",
    }
    return usual | changes


FAILURES = ("400-key", "403", "404-retired", "429-retry", "500", "503", "504")
CALLS = {name: call(name) for name in FAILURES} | {
    "ok": call(),
    "two photos": call(photos=[photo("JPEG"), photo("PNG", (90, 60))]),
    "portrait": call(size="1024x1536"),
    "2.5": call(model="gemini/gemini-2.5-flash-image", size="1536x1024"),
    "image config": call(imageConfig={"aspectRatio": "4:5", "imageSize": "2K"}),
    "no image": call("no-image"),
    "two images": call("ok-two-images"),
    "unknown model": call(model="gemini/gemini-9-image"),
}


@foreign
@live_server
class LiteLLMTests(SimpleTestCase):
    """All calls are made once, by one process: importing LiteLLM takes seconds."""

    answers: ClassVar[dict[str, Any]]
    calls: ClassVar[list[simulator.Call]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        LITELLM.obtain()
        with simulator.running() as sim:
            done = subprocess.run(
                [LITELLM.python, "-c", SCRIPT, sim.url],
                input=json.dumps(CALLS),
                capture_output=True,
                text=True,
                timeout=240,
                check=False,
                env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "NO_PROXY": "127.0.0.1"},
            )
            assert done.returncode == 0, done.stderr[-4000:]
            cls.calls = sim.calls
        cls.answers = json.loads(done.stdout.splitlines()[-1])

    def seen(self, **wanted: object) -> simulator.Call:
        [found] = [
            call
            for call in self.calls
            if all(getattr(call, name) == value for name, value in wanted.items())
        ]
        return found

    def test_a_picture_comes_back_with_what_it_cost(self) -> None:
        answer = self.answers["ok"]
        assert answer["starts"] == ["ffd8ff"], answer
        came, made, total = answer["tokens"]
        assert came > 250
        assert made >= 1120
        assert total >= came + made

    def test_several_photos_arrive_in_their_order(self) -> None:
        assert self.answers["two photos"]["starts"] == ["ffd8ff"], self.answers["two photos"]
        [seen] = [call for call in self.calls if len(call.pictures) == 2]
        assert [(seen.mime, seen.width) for seen in seen.pictures] == [
            ("image/jpeg", 60),
            ("image/png", 90),
        ]

    def test_its_sizes_become_ratios_that_the_model_knows(self) -> None:
        for name in ("portrait", "2.5", "image config"):
            assert self.answers[name].get("starts") == ["ffd8ff"], self.answers[name]
        assert self.seen(aspect_ratio="4:5").image_size == "2K"
        assert self.seen(model="gemini-2.5-flash-image").aspect_ratio == "3:2"

    def test_no_picture_is_an_empty_list_and_two_are_two(self) -> None:
        assert self.answers["no image"]["starts"] == []
        assert len(self.answers["two images"]["starts"]) == 2

    def test_refusals_are_told_apart(self) -> None:
        """By status and, for the key, by the message: LiteLLM reads that of a wrong key."""
        expected = {
            "400-key": ("AuthenticationError", 401),
            "403": ("BadRequestError", 403),
            "404-retired": ("NotFoundError", 404),
            "unknown model": ("NotFoundError", 404),
            "429-retry": ("RateLimitError", 429),
            "500": ("InternalServerError", 500),
            "503": ("InternalServerError", 500),
            "504": ("Timeout", 504),
        }
        for name, pair in expected.items():
            answer = self.answers[name]
            assert (answer["raised"], answer["code"]) == pair, answer
