"""Calls through real proxies of others: an HTTP one and a SOCKS one, each with a password."""

import asyncio
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock
from urllib.parse import urlsplit

from django.test import SimpleTestCase, override_settings

from photochanger.errors import ProviderConfig, ProviderError, ProviderNetwork
from photochanger.testing.certificates import tls_pair
from photochanger.testing.marks import live_server
from photochanger.testing.waiting import wait_until
from providers import http, simulator
from providers.checking import KeyCheck
from providers.gemini.driver import GeminiSettings
from providers.registry import DRIVERS
from providers.tests.test_driver_promises import request_for

USER, PASSWORD, WRONG = "booth", "s3cr-et", "wr0ng-s3cr-et"
KEY = "sim-ok"


def find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def run_proxy(*command: str, port: int) -> Iterator[int]:
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        try:
            wait_until(lambda: is_listening(port))
            yield port
        finally:
            process.terminate()


@contextmanager
def run_http_proxy() -> Iterator[int]:
    port = find_port()
    options = ["--hostname", "127.0.0.1", "--port", str(port), "--num-workers", "1"]
    options += ["--num-acceptors", "1", "--basic-auth", f"{USER}:{PASSWORD}"]
    with run_proxy(sys.executable, "-m", "proxy", *options, port=port):
        yield port


@contextmanager
def run_socks_proxy() -> Iterator[int]:
    port, program = find_port(), str(Path(sys.executable).with_name("asyncio_socks_server"))
    with TemporaryDirectory() as folder:
        config = Path(folder) / "config.json"
        config.write_text(json.dumps({"USERS": {USER: PASSWORD}, "LISTEN_HOST": "127.0.0.1"}))
        options = ["-P", str(port), "-A", "2", "--config", str(config)]
        with run_proxy(program, *options, port=port):
            yield port


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def serve_tls(port: int, server_side: ssl.SSLContext) -> Iterator[int]:
    """HTTPS before a port of ours: what a proxy tunnels is opaque to it, as Google's is."""
    listener = socket.create_server(("127.0.0.1", 0))

    def relay(bare: socket.socket) -> None:
        with (
            suppress(OSError),
            server_side.wrap_socket(bare, server_side=True) as outside,
            socket.create_connection(("127.0.0.1", port)) as inside,
        ):
            back = threading.Thread(target=pump, args=(inside, outside), daemon=True)
            back.start()
            pump(outside, inside)
            back.join()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=relay, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@contextmanager
def silent_server() -> Iterator[int]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@live_server
class ProxyTests(SimpleTestCase):
    ports: dict[str, int]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        http_port = cls.enterClassContext(run_http_proxy())
        socks_port = cls.enterClassContext(run_socks_proxy())
        cls.ports = {"http": http_port, "socks5": socks_port, "socks5h": socks_port}

    def setUp(self) -> None:
        self.sim = self.enterContext(simulator.running())
        server_side, client_side = tls_pair()
        inside = urlsplit(self.sim.url).port
        assert inside
        port = self.enterContext(serve_tls(inside, server_side))
        # The client trusts this test's certificate; nothing else of it is replaced.
        self.enterContext(mock.patch.object(http, "_make_tls_context", lambda: client_side))
        self.secure_url = f"https://127.0.0.1:{port}"
        self.enterContext(override_settings(GEMINI_BASE_URL=self.secure_url))

    def address(self, scheme: str, login: str) -> str:
        return f"{scheme}://{login}127.0.0.1:{self.ports[scheme]}"

    async def check(self, proxy: str, base_url: str = "") -> KeyCheck:
        with self.settings(PROVIDER_PROXY_URL=proxy, GEMINI_BASE_URL=base_url or self.secure_url):
            try:
                return await DRIVERS["gemini"].check(KEY)
            finally:
                await http.close()

    async def test_a_photo_goes_through_each_of_them(self) -> None:
        for scheme in self.ports:
            with self.subTest(scheme):
                recipe = GeminiSettings(prompt="x [sim:latency=0]")
                request = request_for(recipe, operation="image_edit", api_key=KEY)
                proxy = self.address(scheme, f"{USER}:{PASSWORD}@")
                with self.settings(PROVIDER_PROXY_URL=proxy):
                    try:
                        picture = await DRIVERS["gemini"].process(request)
                    finally:
                        await http.close()
                self.assertGreater(len(picture.body), 1000)
        self.assertEqual([call.method for call in self.sim.calls], ["POST"] * len(self.ports))

    async def test_a_wrong_password_is_for_an_operator_to_mend(self) -> None:
        for scheme in self.ports:
            for login in (f"{USER}:{WRONG}@", f"nobody:{PASSWORD}@", ""):
                found = await self.check(self.address(scheme, login))
                with self.subTest(scheme, login=login):
                    self.assertEqual((found.ok, found.reason), (False, "provider_config"))
                    self.assertIn("PROVIDER_PROXY_URL", found.detail)
                    for secret in (PASSWORD, WRONG, KEY):
                        self.assertNotIn(secret, found.detail)
        self.assertEqual(self.sim.calls, [])

    async def test_a_wrong_password_is_told_without_a_tunnel_too(self) -> None:
        found = await self.check(self.address("http", f"{USER}:{WRONG}@"), self.sim.url)
        self.assertEqual(found.reason, "provider_config")
        self.assertIn("PROVIDER_PROXY_URL", found.detail)
        good = await self.check(self.address("http", f"{USER}:{PASSWORD}@"), self.sim.url)
        self.assertTrue(good.ok)

    async def test_a_service_that_the_proxy_cannot_reach_is_network(self) -> None:
        nobody = f"http://127.0.0.1:{find_port()}"
        found = await self.check(self.address("socks5", f"{USER}:{PASSWORD}@"), nobody)
        self.assertEqual(found.reason, "network")
        secure = nobody.replace("http:", "https:")
        found = await self.check(self.address("http", f"{USER}:{PASSWORD}@"), secure)
        self.assertEqual(found.reason, "network")

    async def test_a_socks_setting_that_leads_to_an_http_proxy_is_told_as_what_it_is(self) -> None:
        async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(refuse, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            with self.assertRaisesRegex(ProviderConfig, "does not speak SOCKS"):
                await self.process_by(f"socks5://{USER}:{PASSWORD}@127.0.0.1:{port}")

    async def test_a_proxy_that_says_nothing_is_network(self) -> None:
        """It hangs, or is an HTTP one that waits for the rest of a line: a reserve may help."""
        with silent_server() as silent:
            for port in (self.ports["http"], silent):
                with (
                    self.subTest(port=port),
                    mock.patch("providers.socks.GREETING_S", 0.5),
                    self.assertRaisesRegex(ProviderNetwork, "went silent") as caught,
                ):
                    await self.process_by(f"socks5://{USER}:{PASSWORD}@127.0.0.1:{port}")
                self.assertTrue(caught.exception.retryable)
        self.assertEqual(self.sim.calls, [])

    async def process_by(self, proxy: str) -> None:
        request = request_for(GeminiSettings(prompt="x"), operation="image_edit", api_key=KEY)
        with self.settings(PROVIDER_PROXY_URL=proxy):
            try:
                await DRIVERS["gemini"].process(request)
            finally:
                await http.close()

    async def test_no_secret_is_in_any_chained_error(self) -> None:
        for scheme in self.ports:
            proxy = self.address(scheme, f"{USER}:{WRONG}@")
            request = request_for(GeminiSettings(prompt="x"), operation="image_edit", api_key=KEY)
            with (
                self.settings(PROVIDER_PROXY_URL=proxy),
                self.assertRaises(ProviderError) as caught,
            ):
                await DRIVERS["gemini"].process(request)
            await http.close()
            seen: BaseException | None = caught.exception
            while seen:
                self.assertNotIn(WRONG, repr(seen))
                seen = seen.__cause__ or seen.__context__
