"""What every driver promises, over the wire; and the wire itself at its worst.

A new driver adds one class here that says where it calls and which keys make the simulator
misbehave.
"""

import asyncio
import contextlib
import dataclasses
import io
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx
from django.test import SimpleTestCase, override_settings
from PIL import Image

from photochanger.errors import (
    BadResponse,
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderNetwork,
)
from photochanger.pictures import Picture, decode
from photochanger.testing.certificates import tls_pair
from photochanger.testing.waiting import wait_until_async
from providers import downloads, http, simulator
from providers.base import CallTrace, DriverSettings, ProviderRequest, Reference
from providers.checking import KeyCheck
from providers.clean_photo import Slices
from providers.gemini.driver import GeminiSettings
from providers.registry import DRIVERS
from providers.simulator.gemini.scenarios import SCENARIOS as GEMINI_SCENARIOS
from providers.tests.links import serving_links
from providers.tests.test_pictures import (
    SECRET,
    build_exif,
    draw_picture,
    encode_picture,
    make_photo,
)
from providers.turbotext import driver as turbotext
from providers.turbotext.driver import TurbotextSettings

GOOD_KEY = "sim-ok"


def request_for(
    recipe: DriverSettings, *, operation: str, api_key: str = GOOD_KEY, **more: Any
) -> ProviderRequest[Any]:
    photo = encode_picture(draw_picture((300, 200)), exif=build_exif(), comment=SECRET)
    return ProviderRequest(
        operation=operation,
        photo=more.pop("photo", None) or make_photo(photo),
        settings=more.pop("settings", recipe),
        api_key=api_key,
        budget_s=20.0,
        trace=more.pop("trace", None) or CallTrace(),
        **more,
    )


class Promises:
    """Mixed into one test case for each driver."""

    driver: ClassVar[str]
    base_url: ClassVar[str]  # the setting with the service's address
    recipe: ClassVar[DriverSettings]
    bad_key: ClassVar[str] = "bad-key-of-nobody"
    quota_key: ClassVar[str]
    down_key: ClassVar[str]
    slow_key: ClassVar[str] = "sim-slow"
    garbage_key: ClassVar[str]
    dropped_key: ClassVar[str] = "sim-drop-connection"
    is_paid_at_once: ClassVar[bool] = False  # then no call is made again but one nobody heard
    late_failure_key: ClassVar[str] = ""  # fails when it has seen the photo; or else ``down_key``

    def setUp(self: Any) -> None:
        self.sim = self.enterContext(simulator.running())
        self.point_at(self.sim.url)

    def point_at(self: Any, url: str) -> None:
        self.enterContext(override_settings(**{self.base_url: url}))

    async def process(self, api_key: str = GOOD_KEY, **more: Any) -> tuple[Picture, CallTrace]:
        driver = DRIVERS[self.driver]
        operation = next(iter(driver.operations))
        request = request_for(self.recipe, operation=operation, api_key=api_key, **more)
        try:
            return await driver.process(request), request.trace
        finally:
            await http.close()

    async def failure(self: Any, api_key: str, **more: Any) -> ProviderError:
        with self.assertRaises(ProviderError) as caught:
            await self.process(api_key, **more)
        error: ProviderError = caught.exception
        assert api_key not in str(error)
        return error

    async def test_a_picture_comes_back(self) -> None:
        picture, trace = await self.process()
        image, mime = decode(picture.body, max_megapixels=50)
        assert mime == picture.mime and min(image.size) > 64
        assert trace.http_status == 200 and trace.model

    async def test_the_photo_arrives_without_metadata(self: Any) -> None:
        await self.process()
        arrived = self.sim.last_photo
        assert arrived and SECRET not in arrived and b"Exif" not in arrived
        assert Image.open(io.BytesIO(arrived)).size == (300, 200)

    async def test_a_photo_on_its_side_arrives_upright(self: Any) -> None:
        lying = encode_picture(draw_picture((300, 200)), exif=build_exif(orientation=6))
        await self.process(photo=make_photo(lying))
        assert Image.open(io.BytesIO(self.sim.last_photo)).size == (200, 300)

    async def test_the_key_is_never_in_the_address(self: Any) -> None:
        await self.process()
        assert self.sim.calls
        for call in self.sim.calls:
            assert not call.key_in_query and GOOD_KEY not in call.path

    async def test_another_address_of_the_service_wins_over_its_own(self) -> None:
        driver = DRIVERS[self.driver]
        relay = driver.base_url
        self.point_at("http://127.0.0.1:1")
        try:
            picture, _trace = await self.process(base_url=relay)
            assert picture.body
            found = await driver.check(GOOD_KEY, relay)
            assert found.ok, found.detail
        finally:
            await http.close()

    async def test_a_used_up_quota_is_quota_with_its_delay(self) -> None:
        error = await self.failure(self.quota_key)
        assert error.reason == "quota" and error.retry_after_s

    async def test_a_service_that_is_down_may_be_tried_again(self) -> None:
        error = await self.failure(self.down_key)
        assert (error.reason, error.retryable) == ("provider_5xx", not self.is_paid_at_once)

    async def test_a_page_instead_of_a_picture_is_not_retryable(self) -> None:
        error = await self.failure(self.garbage_key)
        assert error.reason in ("bad_response", "provider_auth") and not error.retryable

    async def test_a_refused_key_is_provider_auth(self) -> None:
        error = await self.failure(self.bad_key)
        assert (error.reason, error.retryable) == ("provider_auth", False)

    async def test_a_malformed_key_is_refused_and_never_logged(self: Any) -> None:
        for key in ("se-cr-et\n", "se-cr-et\r\nX-Evil: 1", "ключ-se-cr-et", " se-cr-et", "\0", ""):
            with self.subTest(repr(key)):
                error = await self.failure_of_key(key)
                seen: BaseException | None = error
                while seen:
                    assert "cr-et" not in f"{seen!r}"
                    seen = seen.__cause__ or seen.__context__
                assert error.reason == "provider_auth"
        assert not self.sim.calls

    async def failure_of_key(self: Any, key: str) -> ProviderError:
        with self.assertRaises(ProviderError) as caught:
            await self.process(key)
        error: ProviderError = caught.exception
        return error

    async def checked(self: Any, api_key: str) -> KeyCheck:
        try:
            found: KeyCheck = await DRIVERS[self.driver].check(api_key)
        finally:
            await http.close()
        assert api_key == "" or api_key not in f"{found.detail} {found.sentence}"
        return found

    async def test_a_check_of_a_key_makes_no_picture(self: Any) -> None:
        found = await self.checked(GOOD_KEY)
        assert found.ok and found.latency_ms is not None
        assert found.clock_skew_s is not None and abs(found.clock_skew_s) < 60
        (call,) = self.sim.calls
        assert (call.method, call.pictures, call.key_in_query) == ("GET", (), False)

    async def test_a_check_without_a_key_or_with_an_odd_one_calls_nobody(self: Any) -> None:
        assert (await self.checked("")).reason == "no_key"
        assert (await self.checked("ключ-se-cr-et")).reason == "provider_auth"
        assert not self.sim.calls

    async def test_a_check_of_a_service_that_is_away_says_so(self: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.point_at(f"http://127.0.0.1:{port}")
        found = await self.checked(GOOD_KEY)
        assert (found.ok, found.reason) == (False, "network")

    async def test_a_refused_connection_is_network_and_may_be_tried_again(self: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.point_at(f"http://127.0.0.1:{port}")
        error = await self.failure(GOOD_KEY)
        assert (error.reason, error.retryable) == ("network", True)

    async def test_a_dropped_connection_is_network_and_may_have_been_accepted(self) -> None:
        error = await self.failure(self.dropped_key)
        assert (error.reason, error.retryable) == ("network", False)

    async def test_a_cancelled_driver_closes_its_connection(self: Any) -> None:
        working = asyncio.ensure_future(self.process(self.slow_key))
        await self.wait_until_true(lambda: self.sim.in_flight > 0)
        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(0.05):
                await working  # the service takes 70 s
        assert working.cancelled()
        await self.wait_until_true(lambda: any(call.client_left for call in self.sim.calls))

    async def wait_until_true(self, happened: Callable[[], bool]) -> None:
        await wait_until_async(happened)

    async def test_the_photo_can_be_sent_again(self: Any) -> None:
        lying = make_photo(encode_picture(draw_picture((300, 200)), exif=build_exif(orientation=6)))
        for photo in (lying, make_photo(encode_picture(draw_picture((300, 200))))):
            await self.failure(self.late_failure_key or self.down_key, photo=photo)
            first = self.sim.last_photo
            await self.process(photo=photo)
            assert self.sim.last_photo == first and not photo.file.closed

    async def test_what_cannot_be_encoded_here_is_never_called_the_services_refusal(
        self: Any,
    ) -> None:
        broken = encode_picture(draw_picture((300, 200)), exif=build_exif(orientation=6))
        broken = broken[: broken.index(b"\xff\xda") + 20]
        shorter = make_photo(encode_picture(draw_picture((300, 200))))
        shorter.file.truncate(len(broken))
        for photo in (make_photo(broken), shorter):
            error = await self.failure(GOOD_KEY, photo=photo)
            assert (error.reason, error.retryable) == ("provider_config", False)


OUTCOMES = {  # of one call of the simulated Gemini, by scenario; "" is a picture
    name: word
    for word, names in {
        "": "ok ok-thoughts ok-two-images ok-jpeg-declared-png ok-urlsafe-base64 ok-png "
        "ok-unpadded-base64 ok-snake ok-webp unknown-finish big-picture ok-lines ok-blanks "
        "ok-data-uri ok-percent ok-mark ok-list ok-event ok-warning ok-raw-lines ok-utf16 ok-gzip "
        "ok-gzip-unnamed ok-deflate ok-markdown ok-half-snake ok-parts-object ok-safety "
        " ok-broken-last cut-after-picture 203 thought-only tier-downgraded truncated-image",
        "bad_response": "no-image no-image-then-ok image-other other empty-parts empty-content "
        "null-content no-candidates empty-object malformed max-tokens text-only bad-base64 "
        "html-image html-200 empty-200 huge-answer huge-stream gzip-bomb thoughts-cut",
        "content_blocked": "img-safety img-prohibited prohibited safety spii blocklist language "
        "prompt-blocked recitation recitation-then-ok safety-half",
        "provider_rejected": "400 400-quoting 400-unknown-field 415 422",
        "provider_auth": "400-key 401 403",
        "provider_config": "400-location 400-billing 402 404-retired 400-page 403-page 404-page "
        "413 405 407 410 421 451 redirect",
        "quota": "429-retry 429-short 429-daily 429-limit-0 429-bare 429-bare-then-ok "
        "429-retry-after 429-retry-date 429-retry-ms 429-two-hints 429-in-words 429-as-object "
        "429-in-list 429-reset 429-gateway 429-quoted 429-hostile-hint 429-monthly "
        "429-spend-cap 429-prepaid 200-error 403-exhausted",
        "provider_5xx": "500 500-inner-400 503 503-then-ok err-list 409 html-502 empty-500 499 "
        "499-then-ok 425 400-unavailable",
        "timeout": "408 408-then-ok 504",
        "network": "drop-connection half-answer",
    }.items()
    for name in names.split()
}


@contextlib.contextmanager
def serving_quotes(status: int = 400, headers: dict[str, str] | None = None) -> Iterator[str]:
    """A service that says the client's key in its answer."""

    class Quoting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            error = {"status": "INVALID_ARGUMENT", "message": self.headers["x-goog-api-key"]}
            body = json.dumps({"error": error}).encode()
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Quoting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class GeminiPromises(Promises, SimpleTestCase):
    driver = "gemini"
    base_url = "GEMINI_BASE_URL"
    recipe = GeminiSettings(prompt="Make them astronauts")
    quota_key = "sim-429-retry"
    down_key = "sim-503"
    garbage_key = "sim-html-200"

    async def test_a_check_tells_what_is_wrong_with_a_key(self) -> None:
        rows = {
            self.bad_key: "provider_auth",
            "sim-403": "provider_auth",
            self.quota_key: "quota",
            self.down_key: "provider_5xx",
            "sim-html-200": "bad_response",
            "sim-400-location": "provider_config",
            "sim-drop-connection": "network",
        }
        for key, word in rows.items():
            with self.subTest(key):
                found = await self.checked(key)
                assert (found.ok, found.reason, found.models) == (False, word, None)
        assert "gemini-3-pro-image" in ((await self.checked(GOOD_KEY)).models or ())

    async def test_the_key_goes_as_the_relay_wants_it(self: Any) -> None:
        for auth, sends_bearer in (("header", False), ("bearer", True)):
            with override_settings(GEMINI_AUTH=auth):
                await self.process()
                assert (await self.checked(GOOD_KEY)).ok
                assert (await self.checked(self.bad_key)).reason == "provider_auth"
                assert (await self.checked("ключ-se-cr-et")).reason == "provider_auth"
            for call in self.sim.calls:
                assert call.authorization_sent is sends_bearer and not call.key_in_query
            self.sim.reset()

    async def test_a_key_that_the_service_quotes_is_not_kept(self) -> None:
        with serving_quotes() as url, override_settings(GEMINI_BASE_URL=url):
            error = await self.failure("a-key-of-nobody-7")
        assert error.reason == "provider_rejected" and "***" in str(error)

    async def test_the_tier_that_served_is_kept(self: Any) -> None:
        with serving_quotes(200, {"x-gemini-service-tier": "priority"}) as url:
            self.point_at(url)
            request = request_for(self.recipe, operation="image_edit")
            with contextlib.suppress(ProviderError):
                await DRIVERS[self.driver].process(request)
            await http.close()
        assert request.trace.usage == {"serviceTier": "priority"}

    async def test_references_arrive_in_their_order(self) -> None:
        style, face = (
            encode_picture(draw_picture((90, 60)), "PNG"),
            encode_picture(draw_picture((60, 90)), "WEBP"),
        )
        references = (Reference("style", make_photo(style)), Reference("face", make_photo(face)))
        await self.process(references=references)
        call = self.sim.calls[-1]
        assert [(p.mime, p.width, p.height) for p in call.pictures] == [
            ("image/jpeg", 300, 200),
            ("image/png", 90, 60),
            ("image/webp", 60, 90),
        ]
        assert call.aspect_ratio == "3:2"

    async def test_every_scenario_is_a_picture_or_its_word(self) -> None:
        assert set(OUTCOMES) <= set(GEMINI_SCENARIOS)
        rows = {name: OUTCOMES.get(name, "") for name in GEMINI_SCENARIOS if name != "slow"}
        driver = DRIVERS[self.driver]
        photo = make_photo(encode_picture(draw_picture((64, 48))))
        for name, word in rows.items():
            # The scenario by its marker; no time but its own is lost.
            prompt = f"[sim:{name}] [sim:latency=0]"
            settings = GeminiSettings(prompt=prompt, model="gemini-3.1-flash-lite-image")
            request = request_for(settings, operation="image_edit", photo=photo)
            with self.subTest(name):
                try:
                    await driver.process(request)
                    found = ""
                except ProviderError as exc:
                    found = exc.reason
                assert found == word
        await http.close()


class TurbotextPromises(Promises, SimpleTestCase):
    driver = "turbotext"
    base_url = "TURBOTEXT_BASE_URL"
    recipe = TurbotextSettings()
    quota_key = "sim-429"
    down_key = "sim-503-create"
    slow_key = "sim-slow-create"
    garbage_key = "sim-html-login-200"
    is_paid_at_once = True
    late_failure_key = "sim-limit-at-result"

    def setUp(self) -> None:
        super().setUp()
        self.links = self.enterContext(serving_links())
        quick_polls(self)

    def point_at(self, url: str) -> None:
        super().point_at(f"{url}/api_ai")

    async def process(self, api_key: str = GOOD_KEY, **more: Any) -> tuple[Picture, CallTrace]:
        style = Reference("style", make_photo(encode_picture(draw_picture((90, 60)), "WEBP")))
        more = {"references": (style,), "publish": self.links.publish, **more}
        return await super().process(api_key, **more)

    async def of(self, scenario: str, operation: str = "style_transfer", **more: Any) -> str:
        """The word for what comes of a scenario; "" is a picture."""
        recipe = TurbotextSettings(prompt=f"[sim:{scenario}]")
        style = Reference("style", make_photo(encode_picture(draw_picture((90, 60)))))
        more = {"references": (style,), "publish": self.links.publish, **more}
        request = request_for(recipe, operation=operation, **more)
        try:
            picture = await DRIVERS[self.driver].process(request)
        except ProviderError as exc:
            is_limit = scenario in ("429", "429-then-ok", "busy-then-ok")  # nothing was accepted
            assert exc.retryable is is_limit, scenario
            return exc.reason
        decode(picture.body, max_megapixels=50)
        return ""

    async def test_every_scenario_is_a_picture_or_its_word(self) -> None:
        rows = {
            **dict.fromkeys(("ok", "ok-uploaded-top", "ok-data-uploaded", "ok-image-relative"), ""),
            **dict.fromkeys(("ok-image-absolute", "ok-success-string", "ok-with-limits"), ""),
            **dict.fromkeys(("reconnect", "500-one-poll", "drop-poll", "html-poll=3"), ""),
            **dict.fromkeys(("500-one-poll=3", "drop-poll=6", "result-404-then-ok=2"), ""),
            **dict.fromkeys(("429-one-poll", "429-one-poll=0.1"), ""),
            **dict.fromkeys(("result-429-then-ok", "ok-no-success", "ok-escaped"), ""),
            **dict.fromkeys(("ok-warning", "ok-mark", "ok-list", "ok-cp1251"), ""),
            **dict.fromkeys(("invalid-json", "ok-python", "ok-objects", "ok-queue-id"), ""),
            **dict.fromkeys(("404-one-poll=3", "empty-one-poll=3", "wait-in-words"), ""),
            **dict.fromkeys(("result-redirect",), ""),
            **dict.fromkeys(("404-one-poll=4",), "provider_config"),
            **dict.fromkeys(("empty-one-poll=4",), "bad_response"),
            **dict.fromkeys(("success-no-image", "success-false-text"), "bad_response"),
            **dict.fromkeys(("no-queueid", "result-404-then-ok=3"), "bad_response"),
            **dict.fromkeys(("result-410", "result-html", "result-evil-host"), "bad_response"),
            **dict.fromkeys(("result-private-ip", "result-redirect-away"), "bad_response"),
            **dict.fromkeys(("result-redirect-round",), "bad_response"),
            **dict.fromkeys(("result-oversize",), "bad_response"),
            **dict.fromkeys(("forbidden",), "content_blocked"),
            **dict.fromkeys(("html-login-200", "401", "403", "html-poll"), "provider_auth"),
            **dict.fromkeys(("404", "400-page"), "provider_config"),
            **dict.fromkeys(("429", "limit", "limit-at-result", "money-in-message"), "quota"),
            **dict.fromkeys(("429-then-ok", "busy-then-ok"), "quota"),
            **dict.fromkeys(("no-face", "url-error"), "provider_rejected"),
            **dict.fromkeys(("500-create", "503-create", "500-all-polls"), "provider_5xx"),
            **dict.fromkeys(("499",), "provider_5xx"),
            **dict.fromkeys(("drop-connection",), "network"),
        }
        for scenario, word in rows.items():
            with self.subTest(scenario):
                assert await self.of(scenario) == word
        await http.close()

    async def test_a_check_says_that_the_key_was_not_checked(self: Any) -> None:
        found = await self.checked(self.bad_key)
        assert (found.ok, found.reason, found.models) == (True, "not_checked", None)
        assert not self.sim.calls[-1].authorization_sent

    async def test_no_order_is_put_in_twice(self) -> None:
        for scenario in (
            "drop-connection",
            "500-create",
            "500-all-polls",
            "result-410",
            "drop-poll",
        ):
            self.sim.reset()
            await self.of(scenario)
            orders = [call for call in self.sim.calls if call.form.get("do") == "create_queue"]
            assert len(orders) == 1, scenario
        await http.close()

    async def test_the_key_never_goes_with_a_download(self) -> None:
        for scenario in ("ok", "ok-image-relative", "ok-image-absolute", "result-404-then-ok"):
            await self.of(scenario)
        downloads = [call for call in self.sim.calls if "/api_ai/" not in call.path]
        assert len(downloads) == 5
        assert not any(call.authorization_sent for call in downloads)
        await http.close()

    async def test_redirects_of_the_result_are_followed_three_times_at_most(self) -> None:
        rows = {"result-redirect": [302, 200], "result-redirect-away": [302]}
        for scenario, statuses in {**rows, "result-redirect-round": [302] * 4}.items():
            self.sim.reset()
            await self.of(scenario)
            downloads = [call for call in self.sim.calls if "/api_ai/" not in call.path]
            assert [call.status for call in downloads] == statuses
            assert not any(call.authorization_sent for call in downloads)
        await http.close()

    async def test_an_order_that_is_never_done_ends_with_the_deadline(self) -> None:
        for scenario in ("reconnect-forever", "result-slow", "slow-create"):
            begun = time.monotonic()
            with self.subTest(scenario), self.assertRaises(TimeoutError):
                async with asyncio.timeout(0.25):
                    await self.of(scenario)
            assert time.monotonic() - begun < 20  # the slow ones take 70 s
        await http.close()

    async def test_a_slow_download_is_tried_anew_in_its_own_time(self) -> None:
        self.addCleanup(setattr, downloads, "TIMEOUT_S", downloads.TIMEOUT_S)
        downloads.TIMEOUT_S = 1.0  # a busy machine too has put the question by then
        assert await self.of("result-slow") == "network"
        assert len([call for call in self.sim.calls if "/api_ai/" not in call.path]) == 3
        await http.close()

    async def test_a_dead_link_is_a_failure(self) -> None:
        async def publish(picture: Slices) -> str:
            return f"{self.links.url}/nothing.jpg"

        assert await self.of("ok", publish=publish) == "provider_rejected"
        await http.close()

    async def test_only_what_the_service_reads_is_published(self) -> None:
        big = encode_picture(draw_picture((3000, 1000)), "PNG")
        await self.process(photo=make_photo(big))
        seen = next(call for call in self.sim.calls if call.pictures).pictures
        assert [(p.mime, p.width, p.height) for p in seen] == [
            ("image/jpeg", 2048, 683),
            ("image/jpeg", 90, 60),  # a WEBP of the slot
        ]
        assert all(path.endswith(".jpg") for path in self.links.pictures)

    async def test_the_responses_facts_are_in_the_trace(self) -> None:
        recipe = TurbotextSettings(prompt="[sim:ok-with-limits]")
        request = request_for(recipe, operation="image_edit", publish=self.links.publish)
        await DRIVERS[self.driver].process(request)
        await http.close()
        trace = request.trace
        assert (trace.model, trace.http_status) == ("generate_image2image", 200)
        assert trace.usage == {"foto_limit": 123} and trace.provider_request_id.isdigit()


def quick_polls(case: TurbotextPromises) -> None:
    for name in ("FIRST_POLL_S", "SECOND_POLL_S", "NEXT_POLLS_S"):
        case.addCleanup(setattr, turbotext, name, getattr(turbotext, name))
        setattr(turbotext, name, 0.02)
    case.addCleanup(setattr, downloads, "PAUSES_S", downloads.PAUSES_S)
    downloads.PAUSES_S = (0.02, 0.02)


class EveryDriverTests(SimpleTestCase):
    def test_every_driver_has_a_class_of_promises(self) -> None:
        assert {case.driver for case in Promises.__subclasses__()} == set(DRIVERS)


# --- The wire ------------------------------------------------------------------------------------
Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclasses.dataclass
class RawServer:
    """A server that says exactly the given bytes, and remembers what it was told."""

    answer: bytes
    end_of_request: bytes = b"\r\n\r\n{}"
    heads: list[bytes] = dataclasses.field(default_factory=list)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            try:
                yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
            finally:
                await http.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            self.heads.append(await reader.readuntil(self.end_of_request))
            writer.write(self.answer)
            await writer.drain()
        writer.close()


def raw(status: str, *headers: str, body: bytes = b"{}") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


async def posted(url: str, **headers: str) -> http.Reply:
    return await http.post(url, headers={"content-length": "2", **headers}, content=b"{}")


class WireTests(SimpleTestCase):
    async def test_no_cookie_joins_two_calls(self) -> None:
        server = RawServer(raw("200 OK", "set-cookie: session=abc; path=/"))
        async with server.running() as url:
            await posted(url)
            await posted(url)
        assert len(server.heads) == 2
        assert b"cookie" not in server.heads[1].lower()

    async def test_a_compressed_failure_keeps_its_status(self) -> None:
        server = RawServer(raw("502 Bad Gateway", "content-encoding: gzip", body=b"\x1f\x8b"))
        async with server.running() as url:
            assert (await posted(url)).status == 502

    async def test_a_reply_that_is_not_http_is_network(self) -> None:
        answers = (
            b"",
            b"SSH-2.0-OpenSSH_9\r\n",
            b"HTTP/1.1 abc\r\n\r\n",
            b"\0" * 99,
            b"HTTP/1.1 200",
        )
        endless = b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000
        bad_length = b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n{}"
        for answer in (*answers, endless, bad_length, raw("200 OK", "transfer-encoding: chunked")):
            async with RawServer(answer).running() as url:
                with self.subTest(answer[:20]), self.assertRaises(ProviderNetwork) as caught:
                    await posted(url)
                assert not caught.exception.retryable

    async def test_https_to_a_server_without_it_is_network(self) -> None:
        async with RawServer(raw("200 OK"), end_of_request=b"\x01").running() as url:
            with self.assertRaises(ProviderNetwork) as caught:
                await posted(url.replace("http:", "https:"))
            assert caught.exception.retryable

    async def test_a_broken_tls_record_is_network(self) -> None:
        server_side, client_side = tls_pair()
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            with server_side.wrap_socket(listener.accept()[0], server_side=True) as connection:
                connection.recv(1000)
                with socket.socket(fileno=connection.detach()) as bare:
                    bare.sendall(b"\x17\x03\x03\x00\x40" + bytes(64))

        thread = threading.Thread(target=serve)
        thread.start()
        http._clients[asyncio.get_running_loop()] = httpx.AsyncClient(verify=client_side)
        with self.assertRaises(ProviderNetwork) as caught:
            await posted(f"https://127.0.0.1:{listener.getsockname()[1]}/x")
        assert not caught.exception.retryable
        await http.close()
        thread.join()
        listener.close()

    async def test_an_invalid_address_is_a_configuration_error(self) -> None:
        addresses = ("", "host/x", "ftp://host/x", "http://", "http://[::1/x", "http://a\nb/x")
        for url in (*addresses, "http://имя..рф/x", "http://host:port/x"):
            with self.subTest(url), self.assertRaises(ProviderConfig):
                await posted(url)
        await http.close()

    async def test_a_name_that_does_not_exist_is_network(self) -> None:
        for host in ("no-such-host.invalid", "a..b", "a" * 70):
            with self.subTest(host), self.assertRaises(ProviderNetwork) as caught:
                await posted(f"http://{host}/x")
            assert caught.exception.retryable
        await http.close()

    async def test_an_answer_over_the_limit_is_refused(self) -> None:
        body = bytes(2 * 1024 * 1024)
        limit, http.MAX_ANSWER_BYTES = http.MAX_ANSWER_BYTES, 1024 * 1024
        self.addCleanup(setattr, http, "MAX_ANSWER_BYTES", limit)
        async with RawServer(raw("200 OK", body=body)).running() as url:
            with self.assertRaises(BadResponse):
                await posted(url)

    async def test_a_key_with_a_line_break_is_refused_before_it_is_sent(self) -> None:
        server = RawServer(raw("200 OK"))
        async with server.running() as url:
            for key in ("a\nb", "a\r\nb: c", "ключ", "a\x7f", " a", "a ", ""):
                with self.subTest(repr(key)), self.assertRaises(ProviderAuth):
                    await posted(url, **{"x-key": key})
        assert not server.heads
