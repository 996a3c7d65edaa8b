"""The Gemini Developer API: which call it is, which scenario it plays, and when it answers.

A scenario is chosen, first come first served, by a marker in the prompt (``[sim:no-image]``,
``[sim:slow=5]``; ``[sim:latency=3]`` sets only the time), by the model's name (``no-image`` or
``sim-no-image``), or by the key (``sim-no-image``). A request is checked before any of them.
"""

import asyncio
import random
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from providers.simulator.gemini.answers import Work, error
from providers.simulator.gemini.contract import (
    GenerateRequest,
    Refused,
    check_key,
    read_request,
)
from providers.simulator.gemini.models import DEFAULT, MODELS
from providers.simulator.gemini.scenarios import (
    ERROR_S,
    SCENARIOS,
    Scenario,
    ok,
    retired,
    too_large,
)
from providers.simulator.journal import PROMPT_CHARS_KEPT, Call, Journal, PictureSeen
from providers.simulator.options import Options
from providers.simulator.wire import JSON, Answer, BodyTooLarge, Ending, Exchange, json_answer

_PATH = re.compile(r"/(v1|v1beta)/models(?:/([^/:]+)(?::(\w+))?)?/?")
_MARKER = re.compile(r"\[sim:([a-z0-9-]+)(?:=(\d+(?:\.\d+)?))?\]")
_NAME = re.compile(r"(?:sim-)?([a-z0-9-]+)(?:=(\d+(?:\.\d+)?))?")
_TURNS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Cue:
    """The scenario of one call. ``latency`` overrules every other time."""

    name: str
    number: float | None = None
    latency: float | None = None


class Gemini:
    name: ClassVar[str] = "gemini"
    prefixes: ClassVar[tuple[str, ...]] = ("v1", "v1beta")

    def __init__(self, options: Options, journal: Journal) -> None:
        self._options = options
        self._journal = journal
        self._max_bytes = round(options.max_request_mb * 1024 * 1024)
        self.reset()

    def reset(self) -> None:
        # Two sources: failures follow the order of arrival, whatever the jitter draws meanwhile.
        self._luck = random.Random(self._options.seed)  # noqa: S311  must be repeatable
        self._jitter = random.Random(self._options.seed)  # noqa: S311
        self._turns: Counter[int] = Counter()

    async def answer(self, exchange: Exchange) -> Answer:
        try:
            body = await exchange.read_body(
                limit_bytes=self._max_bytes, keep=not self._options.plain
            )
            return await self._route(exchange, body)
        except BodyTooLarge:
            exchange.call.scenario = "refused"
            return too_large()
        except Refused as refusal:
            exchange.call.scenario = exchange.call.scenario or "refused"
            return refusal.answer()

    async def _route(self, exchange: Exchange, body: bytes) -> Answer:
        match = _PATH.fullmatch(exchange.path)
        if not match:
            raise Refused("Requested entity was not found.", code=404, status="NOT_FOUND")
        version, model, verb = match.groups()
        exchange.call.model = (model or "")[:200]
        exchange.call.key_in_query = "key" in exchange.query
        key = exchange.headers.get("x-goog-api-key") or exchange.query.get("key", [""])[0]
        check_key(key)
        if model in self._options.retired:
            return retired(model, version)
        if exchange.method == "POST" and verb == "generateContent":
            if model not in MODELS and not _by_name(model):
                return _unknown_model(model, version)
            return await self._generate(exchange, body, model, key)
        if exchange.method == "GET" and not verb:
            return await self._about_models(exchange, version, model, key)
        raise Refused("Requested entity was not found.", code=404, status="NOT_FOUND")

    async def _generate(self, exchange: Exchange, body: bytes, model: str, key: str) -> Answer:
        call = exchange.call
        request = GenerateRequest()
        if not self._options.plain:
            request = await asyncio.to_thread(read_request, body, model)
            self._remember(call, request, body)
        cue = self._cue(model, request.prompt, key)
        call.scenario = cue.name
        scenario = SCENARIOS[cue.name]
        if scenario.fails and not self._fails_now(cue, scenario.fails, request.prompt, key):
            scenario = SCENARIOS["ok"]
        if self._options.plain and scenario.build is ok:
            answer = _plain_answer()
        else:
            plain = self._options.plain
            work = Work(model=model, request=request, number=cue.number, plain=plain)
            answer = await asyncio.to_thread(scenario.build, work)
        await exchange.wait_until(call.started + self._seconds(cue, scenario, answer))
        return answer

    def _remember(self, call: Call, request: GenerateRequest, body: bytes) -> None:
        call.prompt = request.prompt[:PROMPT_CHARS_KEPT]
        call.aspect_ratio, call.image_size = request.asked_ratio, request.asked_size
        call.pictures = tuple(
            PictureSeen(picture.mime, len(picture.body), *(picture.size or (None, None)))
            for picture in request.pictures
        )
        self._journal.last_body = body
        self._journal.last_photo = request.pictures[0].body if request.pictures else None

    def _cue(self, model: str, prompt: str, key: str) -> Cue:
        name, number, latency = "", None, None
        for marked, value in _MARKER.findall(prompt):
            if marked == "latency":
                latency = float(value or 0)
            elif marked in SCENARIOS:
                name, number = marked, float(value) if value else None
            else:
                raise Refused(f"The simulator has no scenario named {marked[:60]}.")
        if name:
            return Cue(name, number, latency)
        named = _by_name(model) or (_by_name(key) if key.startswith("sim-") else None)
        if named:
            return Cue(named.name, named.number, latency)
        unlucky = self._luck.random() < self._options.fail_share
        return Cue("no-image" if unlucky else "ok", None, latency)

    def _fails_now(self, cue: Cue, fails: int, prompt: str, key: str) -> bool:
        """Whether this try is one of those that fail; the key is kept as a hash only."""
        if len(self._turns) > _TURNS_KEPT:
            self._turns.clear()
        if cue.number is not None and cue.name != "429-short":
            fails = int(cue.number)
        who = hash((cue.name, prompt, key))
        turn = self._turns[who]
        self._turns[who] += 1
        return turn % (fails + 1) < fails

    def _seconds(self, cue: Cue, scenario: Scenario, answer: Answer) -> float:
        """How long the answer takes, counted from the request's arrival."""
        if cue.latency is not None:
            return cue.latency
        if scenario.seconds is not None:
            return scenario.seconds if cue.number is None else cue.number
        jitter = self._options.jitter
        latency = max(0.0, self._options.latency + self._jitter.uniform(-jitter, jitter))
        if answer.status >= 400 and answer.status not in (408, 504):
            return min(latency, ERROR_S)
        return latency if scenario.at_most is None else min(latency, scenario.at_most)

    async def _about_models(
        self, exchange: Exchange, version: str, model: str | None, key: str
    ) -> Answer:
        """Calls that cost nothing and need a good key; an outage or a quota is theirs too."""
        cue = _by_name(key) if key.startswith("sim-") else None
        scenario = SCENARIOS[cue.name] if cue else SCENARIOS["ok"]
        answer = self._list_models(version, model)
        if cue and scenario.build is not ok:
            exchange.call.scenario = cue.name
            played = await asyncio.to_thread(scenario.build, Work(model=DEFAULT, number=cue.number))
            is_picture = played.status == 200 and played.content_type == JSON
            if not is_picture or played.ending is not Ending.WHOLE:
                answer = played
        if cue and scenario.seconds is not None:
            await exchange.wait_until(exchange.call.started + self._seconds(cue, scenario, answer))
        return answer

    def _list_models(self, version: str, model: str | None) -> Answer:
        live = {name: m for name, m in MODELS.items() if name not in self._options.retired}
        if model is None:
            return json_answer({"models": [_described(name) for name in live]})
        if model not in live:
            return _unknown_model(model, version)
        return json_answer(_described(model))


def _by_name(text: str) -> Cue | None:
    """The scenario that a model's name or a key stands for."""
    match = _NAME.fullmatch(text)
    if not match or match[1] not in SCENARIOS:
        return None
    return Cue(match[1], float(match[2]) if match[2] else None)


@cache
def _plain_answer() -> Answer:
    return ok(Work(model=DEFAULT, plain=True))


def _unknown_model(model: str, version: str) -> Answer:
    message = (
        f"models/{model[:100]} is not found for API version {version}, or is not supported for "
        "generateContent. Call ListModels to see the list of available models and their "
        "supported methods."
    )
    return json_answer(error(404, "NOT_FOUND", message), 404)


def _described(name: str) -> dict[str, object]:
    model = MODELS[name]
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": model.title,
        "inputTokenLimit": model.input_tokens,
        "outputTokenLimit": model.output_tokens,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "thinking": model.thinks,
    }
