"""Where a result that is paid for is fetched: https, listed hosts, a few redirects, no key."""

import asyncio
from typing import Any
from unittest import mock

import httpx
from django.test import SimpleTestCase

from photochanger.errors import BadResponse
from providers import downloads, http
from providers.tests.test_turbotext import SITE
from providers.turbotext import driver

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


class DownloadTests(SimpleTestCase):
    """Where a result is fetched; nothing goes over the wire."""

    def setUp(self) -> None:
        self.enterContext(mock.patch.object(downloads, "PAUSES_S", (0.0, 0.0)))
        self.enterContext(mock.patch.object(downloads, "_is_public", self.say_public))
        self.fetched: list[str] = []

    async def say_public(self, host: str) -> bool:
        return not host.startswith("inside.")

    def fetch(self, address: str, moves: dict[str, str], *, base: str = SITE) -> bytes:
        async def get(url: str, **more: Any) -> http.Reply:
            self.assertEqual(set(more), {"max_bytes", "timeout_s"})  # no header, so no key
            self.fetched.append(url)
            if url in moves:
                return http.Reply(302, httpx.Headers({"location": moves[url]}), b"")
            return http.Reply(200, httpx.Headers(), PNG)

        hosts = ["cdn.example", "inside.example"]
        with mock.patch.object(http, "get", get):
            picture = asyncio.run(
                downloads.download(address, base_url=f"{base}/api_ai", hosts=hosts)
            )
        return picture.body

    def test_plain_http_becomes_https(self) -> None:
        for address, url in {
            "http://www.turbotext.ru/a.png": f"{SITE}/a.png",
            "http://cdn.example:80/a.png?x=1": "https://cdn.example/a.png?x=1",
            "HTTP://CDN.example./a.png": "https://CDN.example/a.png",
            "www.turbotext.ru/a.png": f"{SITE}/a.png",
            "CDN.example/a.png": "https://CDN.example/a.png",
            f" {SITE}/a.png\n": f"{SITE}/a.png",
        }.items():
            self.fetched.clear()
            self.assertEqual(self.fetch(address, {}), PNG)
            self.assertEqual(self.fetched, [url])
        self.fetch("http://127.0.0.1:9912/a.png", {}, base="http://127.0.0.1:9912")
        self.assertEqual(self.fetched[-1], "http://127.0.0.1:9912/a.png")

    def test_plain_http_to_anywhere_else_is_refused(self) -> None:
        for address in ("http://10.0.0.1/a", "http://evil.example/a", "http://cdn.example:8080/a"):
            with self.subTest(address), self.assertRaises(BadResponse):
                self.fetch(address, {})
        self.assertEqual(self.fetched, [])

    def test_a_redirect_is_followed_to_where_results_may_be(self) -> None:
        for target, url in {
            "/b.png": f"{SITE}/b.png",
            "b.png": f"{SITE}/b.png",
            "//cdn.example/b": "https://cdn.example/b",
            "http://cdn.example/b": "https://cdn.example/b",
        }.items():
            self.fetched.clear()
            self.assertEqual(self.fetch("/a.png", {f"{SITE}/a.png": target}), PNG)
            self.assertEqual(self.fetched, [f"{SITE}/a.png", url])

    def test_a_redirect_to_anywhere_else_is_refused(self) -> None:
        inside = ("http://127.0.0.1/", "https://169.254.169.254/", "https://inside.example/x")
        for target in (*inside, "https://evil.example/x", "file:///etc/passwd", "https://["):
            self.fetched.clear()
            with self.subTest(target), self.assertRaises(BadResponse):
                self.fetch("/a.png", {f"{SITE}/a.png": target})
            self.assertEqual(self.fetched, [f"{SITE}/a.png"])

    def test_at_most_three_redirects_are_followed(self) -> None:
        moves = {f"{SITE}/{n}": f"/{n + 1}" for n in range(9)}
        self.assertEqual(self.fetch("/6", moves), PNG)
        self.fetched.clear()
        with self.assertRaises(BadResponse):
            self.fetch("/5", moves)
        self.assertEqual(len(self.fetched), 4)

    def test_of_two_addresses_the_one_that_may_be_fetched_serves(self) -> None:
        get = mock.AsyncMock(return_value=http.Reply(200, httpx.Headers(), PNG))
        addresses = ("https://evil.example/a.png", "/a.png")
        with mock.patch.object(http, "get", get):
            picture = asyncio.run(driver.download_first(addresses, f"{SITE}/api_ai"))
        self.assertEqual(picture.body, PNG)
        self.assertEqual(get.await_args.args if get.await_args else (), (f"{SITE}/a.png",))
