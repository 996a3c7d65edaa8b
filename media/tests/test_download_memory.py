"""A link that many open at once is looked up once; nothing that is gone is ever sent."""

import unittest
from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

import httpx
from django.utils import timezone

from ingest.tests.live_support import LiveTestCase
from media import storage
from media.deletion import delete_result
from media.download_memory import SCOPE_KEY, DownloadMemory, forget_downloads
from media.models import MediaObject
from media.tests.support import ResultsTestCase
from photochanger.db import in_db

Scope = MutableMapping[str, Any]


class DjangoDouble:
    """Answers with what is stored, as Django does, and counts how often it was asked."""

    def __init__(self, media: MediaObject) -> None:
        self.media, self.asked = media, 0

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        self.asked += 1
        scope[SCOPE_KEY] = self.media
        headers = [(b"content-type", self.media.mime.encode()), (b"x-asked", b"%d" % self.asked)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"as Django sends it"})


class MemoryTests(ResultsTestCase):
    def setUp(self) -> None:
        forget_downloads()
        self.addCleanup(forget_downloads)
        self.media = self.store_result()
        self.django = DjangoDouble(self.media)

    async def ask(
        self, query: str = "", method: str = "GET", **headers: str
    ) -> tuple[Scope, bytes]:
        sent: list[Scope] = []

        async def send(message: Scope) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": f"/public/results/{self.media.job_id}",
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
            ],
        }
        await DownloadMemory(self.django)(scope, None, send)
        return sent[0], b"".join(message.get("body", b"") for message in sent[1:])

    async def test_the_second_is_answered_without_django_and_from_the_file(self) -> None:
        first, _ = await self.ask()
        second, body = await self.ask()
        self.assertEqual(self.django.asked, 1)
        self.assertEqual(second, first)
        with storage.open_file(self.media.path) as file:
            self.assertEqual(body, file.read())

    async def test_another_manner_of_asking_goes_to_django(self) -> None:
        await self.ask()
        await self.ask("inline=1")
        await self.ask(range="bytes=0-9")
        await self.ask(if_none_match='"x"')
        await self.ask(content_length="3")
        await self.ask(cookie="django_language=en")
        await self.ask(method="HEAD")
        self.assertEqual(self.django.asked, 7)

    async def test_a_deleted_picture_is_forgotten_at_once(self) -> None:
        await self.ask()
        await in_db(delete_result, self.media.job_id, by="guest")
        await self.ask()
        self.assertEqual(self.django.asked, 2)

    async def test_a_file_that_another_process_deleted_is_not_sent(self) -> None:
        await self.ask()
        storage.remove(self.media.path)
        await self.ask()
        self.assertEqual(self.django.asked, 2)

    async def test_nothing_is_remembered_past_its_end(self) -> None:
        self.media.expires_at = timezone.now() - timedelta(seconds=1)
        await self.ask()
        await self.ask()
        self.assertEqual(self.django.asked, 2)


class LiveMemoryTests(LiveTestCase, unittest.TestCase):
    def test_downloads_are_equal_until_the_picture_is_deleted(self) -> None:
        self.site.configure()
        with self.site.server() as server:
            link = self.post(server).headers["X-Result-Url"]
            first, second = httpx.get(link), httpx.get(link)
            self.assertEqual((first.status_code, first.content), (200, second.content))
            told = [
                {name: value for name, value in answer.headers.items() if name not in OWN}
                for answer in (first, second)
            ]
            self.assertEqual(*told)
            self.assertEqual(httpx.delete(link).status_code, 204)
            self.assertEqual(httpx.get(link).status_code, 410)


OWN = ("date", "x-request-id")
