"""The Gemini Developer API: route the call, choose its scenario, and answer in its time.

A scenario is chosen, first come first served, by a marker in the prompt (``[sim:no-image]``,
``[sim:slow=5]``; ``[sim:latency=3]`` sets only the time), by the model's name (``no-image`` or
``sim-no-image``), or by the key (``sim-no-image``). A request is checked before any of them.
"""

import asyncio
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import ClassVar

from providers.simulator.gemini.answers import Work
from providers.simulator.gemini.contract import (
    GenerateRequest,
    Refusal,
    check_key,
    read_request,
)
from providers.simulator.gemini.model_list import (
    TUNED_MODELS,
    answer_model,
    answer_tuned_models,
    answer_unknown_model,
)
from providers.simulator.gemini.models import DEFAULT, MODELS
from providers.simulator.gemini.scenario_answers import answer_ok, answer_retired, answer_too_large
from providers.simulator.gemini.scenarios import ERROR_S, SCENARIOS, Scenario
from providers.simulator.journal import PROMPT_CHARS_KEPT, Call, Journal, PictureSeen
from providers.simulator.options import Options
from providers.simulator.scenario_choice import (
    Dice,
    ScenarioChoice,
    UnknownScenario,
    choose_scenario,
    parse_key,
    parse_name,
)
from providers.simulator.wire import JSON, Answer, BodyTooLarge, Ending, Exchange

_PATH = re.compile(r"/(v1|v1beta)/models(?:/([^/:]+)(?::(\w+))?)?/?")
_TURNS_KEPT = 10_000


class Gemini:
    name: ClassVar[str] = "gemini"
    prefixes: ClassVar[tuple[str, ...]] = ("v1", "v1beta")

    def __init__(self, options: Options, journal: Journal) -> None:
        self._options = options
        self._journal = journal
        self._max_bytes = round(options.max_request_mb * 1024 * 1024)
        self.reset()

    def reset(self) -> None:
        self._dice = Dice(self._options)
        self._turns: Counter[int] = Counter()

    async def answer(self, exchange: Exchange) -> Answer:
        try:
            body = await exchange.read_body(
                limit_bytes=self._max_bytes, keep=not self._options.plain
            )
            return await self._answer_route(exchange, body)
        except BodyTooLarge:
            exchange.call.scenario = "refused"
            return answer_too_large()
        except Refusal as refusal:
            exchange.call.scenario = exchange.call.scenario or "refused"
            return refusal.answer()

    async def _answer_route(self, exchange: Exchange, body: bytes) -> Answer:
        if exchange.path in TUNED_MODELS and exchange.method == "GET":
            check_key(_read_key(exchange))
            return answer_tuned_models(exchange)
        match = _PATH.fullmatch(exchange.path)
        if not match:
            raise Refusal("Requested entity was not found.", code=404, status="NOT_FOUND")
        version, model, verb = match.groups()
        exchange.call.model = (model or "")[:200]
        exchange.call.key_in_query = "key" in exchange.query
        exchange.call.authorization_sent = "authorization" in exchange.headers
        key = _read_key(exchange)
        check_key(key)
        if model in self._options.retired:
            return answer_retired(model, version)
        if exchange.method == "POST" and verb == "generateContent":
            if model not in MODELS and not parse_name(model, known=SCENARIOS):
                return answer_unknown_model(model, version)
            return await self._generate(exchange, body, model, key)
        if exchange.method == "GET" and not verb:
            return await self._answer_about_models(exchange, version, model, key)
        raise Refusal("Requested entity was not found.", code=404, status="NOT_FOUND")

    async def _generate(self, exchange: Exchange, body: bytes, model: str, key: str) -> Answer:
        call = exchange.call
        request = GenerateRequest()
        if not self._options.plain:
            request = await asyncio.to_thread(read_request, body, model)
            self._record_request(call, request, body)
        choice = self._choose_scenario(model, request.prompt, key)
        call.scenario = choice.name
        scenario = SCENARIOS[choice.name]
        if scenario.fails and not self._is_failing(choice, scenario.fails, request.prompt, key):
            scenario = SCENARIOS["ok"]
        if self._options.plain and scenario.build is answer_ok:
            answer = _make_plain_answer()
        else:
            work = Work(
                model=model,
                request=request,
                number=choice.number,
                plain=self._options.plain,
                detail_px=self._options.detail_px,
            )
            answer = await asyncio.to_thread(scenario.build, work)
            call.bill, call.billed_model = work.bill, work.billed_model
        await exchange.wait_until(call.read_at + self._choose_seconds(choice, scenario, answer))
        return _name_tier(answer, request.service_tier, is_served=not scenario.downgrades)

    def _record_request(self, call: Call, request: GenerateRequest, body: bytes) -> None:
        call.prompt = request.prompt[:PROMPT_CHARS_KEPT]
        call.aspect_ratio, call.image_size = request.asked_ratio, request.asked_size
        call.pictures = tuple(
            PictureSeen(picture.mime, len(picture.body), *(picture.size or (None, None)))
            for picture in request.pictures
        )
        self._journal.last_body = body
        self._journal.last_photo = request.pictures[0].body if request.pictures else None

    def _choose_scenario(self, model: str, prompt: str, key: str) -> ScenarioChoice:
        names = (model, key) if key.startswith("sim-") else (model,)
        try:
            return choose_scenario(
                prompt, names, known=SCENARIOS, dice=self._dice, failing="no-image"
            )
        except UnknownScenario as exc:
            raise Refusal(str(exc)) from exc

    def _is_failing(self, choice: ScenarioChoice, fails: int, prompt: str, key: str) -> bool:
        """Whether this try is one of those that fail; the key is kept as a hash only."""
        if len(self._turns) > _TURNS_KEPT:
            self._turns.clear()
        if choice.number is not None and not SCENARIOS[choice.name].number_is_delay:
            fails = int(choice.number)
        who = hash((choice.name, prompt, key))
        turn = self._turns[who]
        self._turns[who] += 1
        return turn % (fails + 1) < fails

    def _choose_seconds(self, choice: ScenarioChoice, scenario: Scenario, answer: Answer) -> float:
        """How long the answer takes, counted from the request's last byte."""
        if choice.latency is not None:
            return choice.latency
        if scenario.seconds is not None:
            return scenario.seconds if choice.number is None else choice.number
        latency = self._dice.draw_latency_s()
        if answer.status >= 400 and answer.status not in (408, 504):
            return min(latency, ERROR_S)
        return latency if scenario.at_most is None else min(latency, scenario.at_most)

    async def _answer_about_models(
        self, exchange: Exchange, version: str, model: str | None, key: str
    ) -> Answer:
        """Calls that cost nothing and need a good key; an outage or a quota is theirs too."""
        choice = parse_key(key, known=SCENARIOS)
        scenario = SCENARIOS[choice.name] if choice else SCENARIOS["ok"]
        answer = answer_model(exchange, version, model, self._options.retired)
        if choice and scenario.build is not answer_ok:
            exchange.call.scenario = choice.name
            work = Work(model=DEFAULT, number=choice.number, detail_px=self._options.detail_px)
            played = await asyncio.to_thread(scenario.build, work)
            is_picture = played.status == 200 and played.content_type == JSON
            if not is_picture or played.ending is not Ending.WHOLE:
                answer = played
        if choice and scenario.seconds is not None:
            await exchange.wait_until(
                exchange.call.read_at + self._choose_seconds(choice, scenario, answer)
            )
        return answer


def _read_key(exchange: Exchange) -> str:
    """The service's own header, the bearer token of relays, or the query."""
    bearer: str = exchange.headers.get("authorization", "").removeprefix("Bearer ")
    return exchange.headers.get("x-goog-api-key") or bearer or exchange.query.get("key", [""])[0]


def _name_tier(answer: Answer, tier: str, *, is_served: bool) -> Answer:
    """The tier that really served stands in a header, where one was asked for."""
    if not tier or answer.status != 200:
        return answer
    named = ("x-gemini-service-tier", tier if is_served else "standard")
    return replace(answer, headers=(*answer.headers, named))


@cache
def _make_plain_answer() -> Answer:
    return answer_ok(Work(model=DEFAULT, plain=True))
