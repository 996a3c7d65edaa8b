"""The photo API of turbotext.ru: queue, polls, and the downloads of results.

A scenario is chosen, first come first served, by a marker in ``content`` (``[sim:forbidden]``,
``[sim:reconnect=5]``; ``[sim:latency=3]`` sets only the time), or by the key (``sim-forbidden``),
for the methods without a ``content``. It holds for all calls about one queue id.
"""

import asyncio
import itertools
import re
import time
from collections import Counter, OrderedDict
from dataclasses import replace
from typing import ClassVar

from providers.simulator import pictures
from providers.simulator.journal import PROMPT_CHARS_KEPT, Call, Journal, PictureSeen
from providers.simulator.options import Options
from providers.simulator.scenario_choice import (
    Dice,
    ScenarioChoice,
    UnknownScenario,
    choose_scenario,
)
from providers.simulator.turbotext.answers import (
    Job,
    Work,
    answer_failure,
    answer_queue_id,
    answer_reconnect,
    draw,
)
from providers.simulator.turbotext.contract import (
    LINKS,
    METHODS,
    Form,
    Refusal,
    check_form,
    read_form,
    read_key,
)
from providers.simulator.turbotext.fetch import fetch_all
from providers.simulator.turbotext.scenario_answers import answer_page
from providers.simulator.turbotext.scenarios import SCENARIOS, SLOW_S
from providers.simulator.wire import Answer, BodyTooLarge, Exchange

_JOBS_KEPT = 10_000
_PICTURE_BYTES_KEPT = 256 * 1024 * 1024
_FIRST_QUEUE_ID = 12_345


class Turbotext:
    name: ClassVar[str] = "turbotext"
    prefixes: ClassVar[tuple[str, ...]] = ("api_ai", "download.php", "image")

    def __init__(self, options: Options, journal: Journal) -> None:
        self._options = options
        self._journal = journal
        self._max_bytes = round(options.max_request_mb * 1024 * 1024)
        self._running: set[asyncio.Task[None]] = set()
        # Goes on after a reset: a poll about a forgotten job must not meet a new one.
        self._numbers = itertools.count(_FIRST_QUEUE_ID)
        self.reset()

    def reset(self) -> None:
        self._dice = Dice(self._options)
        self._jobs: OrderedDict[int, Job] = OrderedDict()
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._turns: Counter[int] = Counter()

    async def answer(self, exchange: Exchange) -> Answer:
        exchange.call.authorization_sent = "authorization" in exchange.headers
        try:
            body = await exchange.read_body(limit_bytes=self._max_bytes)
            root, _, rest = exchange.path.strip("/").partition("/")
            if root == "api_ai":
                return await self._call_method(exchange, body, rest)
            return await self._download(exchange, root, rest)
        except BodyTooLarge:
            exchange.call.scenario = "refused"
            return answer_page("413 Request Entity Too Large", 413)(Work("", None))
        except Refusal as refusal:
            exchange.call.scenario = exchange.call.scenario or "refused"
            return refusal.answer()

    async def _call_method(self, exchange: Exchange, body: bytes, method: str) -> Answer:
        call = exchange.call
        call.model = method[:200]
        if method not in METHODS:
            raise Refusal("Метод не найден", code=404)
        if exchange.method != "POST":
            raise Refusal("POST only", code=405)
        key = read_key(exchange.headers.get("authorization", ""))
        form = read_form(body, exchange.headers.get("content-type", ""))
        call.form, call.prompt = form, form.get("content", "")[:PROMPT_CHARS_KEPT]
        call.queueid = form.get("queueid", "")
        self._journal.last_body = body
        check_form(method, form)
        if form["do"] == "get_result":
            return self._poll(exchange, method, form, key)
        return await self._create(exchange, method, form, key)

    async def _create(self, exchange: Exchange, method: str, form: Form, key: str) -> Answer:
        call = exchange.call
        choice = self._choose_scenario(form.get("content", ""), key)
        call.scenario = choice.name
        scenario = SCENARIOS[choice.name]
        work = Work(_get_origin(exchange), choice.number)
        if scenario.create and not scenario.creates and self._is_refusing(choice, form, key):
            return scenario.create(work)
        job = Job(
            queueid=next(self._numbers),
            method=method,
            form=form,
            scenario=choice.name,
            number=choice.number,
            ready_at=call.started + self._choose_seconds(choice),
            owner=hash(key),
        )
        self._jobs[job.queueid] = job
        if len(self._jobs) > _JOBS_KEPT:
            self._jobs.popitem(last=False)
        call.queueid = str(job.queueid)
        begins = call.started
        try:
            if scenario.slow == "create":
                begins += _choose_slow_s(job)
                await exchange.wait_until(begins)
            if scenario.create and scenario.creates:
                return scenario.create(replace(work, job=job))
            return answer_queue_id(job)
        finally:
            # Also when the client has left: the service knows nothing of that, and comes for the
            # pictures no sooner. The task's first step comes when this one yields, and that is
            # after the answer went out.
            task = asyncio.create_task(self._work_on(job, call, begins))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _is_refusing(self, choice: ScenarioChoice, form: Form, key: str) -> bool:
        """Whether this order is one of those that are refused before one is taken."""
        who = hash((choice.name, form.get("content", ""), key))
        turn, refuses = self._turns[who], SCENARIOS[choice.name].refuses
        self._turns[who] += 1
        return turn % (refuses + 1) < refuses

    async def _work_on(self, job: Job, call: Call, begins: float) -> None:
        """Fetch the pictures, alter the first, and leave the result where its link says."""
        if (early := begins - time.monotonic()) > 0:
            await asyncio.sleep(early)
        links = {name: job.form[name] for name in LINKS[job.method]}
        if links and not self._options.plain:
            photos, fetched = await fetch_all(links)
            call.fetched = tuple(fetched)
            call.pictures = tuple(
                PictureSeen(fetch.mime, fetch.size_bytes, fetch.width, fetch.height)
                for fetch in fetched
                if not fetch.error
            )
            failed = next((fetch for fetch in fetched if fetch.error), None)
            if failed:
                job.error = f"url_error: {failed.field}: {failed.error}"
            else:
                self._journal.last_photo = photos[0]
                detail_px = self._options.detail_px
                drawn = await asyncio.to_thread(draw, job, photos, detail_px)
                self._store_picture(job.picture_name, drawn)
        job.is_done = True

    def _store_picture(self, name: str, picture: bytes) -> None:
        self._pictures[name] = picture
        while sum(map(len, self._pictures.values())) > _PICTURE_BYTES_KEPT:
            self._pictures.popitem(last=False)

    def _poll(self, exchange: Exchange, method: str, form: Form, key: str) -> Answer:
        job = self._jobs.get(int(form["queueid"]))
        if not job or (job.method, job.owner) != (method, hash(key)):
            exchange.call.scenario = "refused"
            return answer_failure("queueid не найден")
        exchange.call.scenario = job.scenario
        scenario, work = SCENARIOS[job.scenario], Work(_get_origin(exchange), job.number, job)
        job.polls += 1
        if job.polls <= _choose_count(scenario.polls, job.number):
            return scenario.poll(work)
        if job.is_done and job.error:  # a dead link is noticed at once
            return answer_failure(job.error)
        if not job.is_done or time.monotonic() < job.ready_at:
            return answer_reconnect(work)
        return scenario.result(work)

    async def _download(self, exchange: Exchange, root: str, rest: str) -> Answer:
        name = rest if root == "image" else exchange.query.get("f", [""])[0]
        match = re.search(r"_id(\d{1,18})_0\.png$", name)
        job = self._jobs.get(int(match[1])) if match else None
        if exchange.method != "GET" or not job or name != job.picture_name:
            return answer_page("404 Not Found", 404)(Work("", None))
        exchange.call.scenario, exchange.call.queueid = job.scenario, str(job.queueid)
        scenario = SCENARIOS[job.scenario]
        job.downloads += 1
        if scenario.slow == "download":
            await exchange.wait_until(exchange.call.started + _choose_slow_s(job))
        # A redirect leads to the picture itself, so that following it does not go round.
        is_target = "moved" in exchange.query
        fails_now = job.downloads <= _choose_count(scenario.downloads, job.number)
        if scenario.download and fails_now and not is_target:
            return scenario.download(Work(_get_origin(exchange), job.number, job))
        body = pictures.make_noisy_png() if self._options.plain else self._pictures.get(name)
        if body is None:
            return answer_page("410 Gone", 410)(Work("", None))
        return Answer(body=body, content_type="image/png")

    def _choose_scenario(self, content: str, key: str) -> ScenarioChoice:
        names = (key,) if key.startswith("sim-") else ()
        try:
            return choose_scenario(
                content, names, known=SCENARIOS, dice=self._dice, failing="success-false-text"
            )
        except UnknownScenario as exc:
            raise Refusal(str(exc)) from exc

    def _choose_seconds(self, choice: ScenarioChoice) -> float:
        """The time from the arrival of create_queue until the result is ready."""
        if choice.latency is not None:
            return choice.latency
        return self._dice.draw_latency_s()


def _get_origin(exchange: Exchange) -> str:
    return f"http://{exchange.headers.get('host', '127.0.0.1')}"


def _choose_count(usual: float, number: float | None) -> float:
    """How many polls or downloads go wrong; a number means nothing where none would."""
    return number if usual and number is not None else usual


def _choose_slow_s(job: Job) -> float:
    return SLOW_S if job.number is None else job.number
