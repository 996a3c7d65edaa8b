"""A page of an open gallery is made once for all who ask for it, and shown no longer than fresh."""

import asyncio
from typing import Any

from django.core.cache import cache
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import override_settings

from photochanger.edge.asgi_types import Message, Receive, Scope, Send
from photochanger.web.gallery_memory import MADE_PER_S, GalleryMemory
from photochanger.web.stacks import MachineStack
from slots.models import Slot
from slots.tests.test_gallery import SLOT, GalleryTestCase


class MachineHandler(MachineStack, ASGIHandler):
    """As in photochanger/asgi.py, whose import would bound this process as a server's."""


class CountingDjango:
    def __init__(self) -> None:
        self.asked, self._handler = 0, MachineHandler()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await self._handler(scope, receive, send)


class Answer:
    def __init__(self, messages: list[Message]) -> None:
        self.status = messages[0]["status"]
        self.headers = {name.lower(): value for name, value in messages[0]["headers"]}
        self.text = b"".join(message.get("body", b"") for message in messages[1:]).decode()


async def ask(app: Any, path: str = SLOT, method: str = "GET", **headers: str) -> Answer:
    path, _, query = path.partition("?")
    named = {"host": "testserver"} | headers
    sent: list[Message] = []
    body: list[Message] = [{"type": "http.request", "body": b""}]

    async def receive() -> Message:
        if body:
            return body.pop()
        return await asyncio.Future()  # the phone stays

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "scheme": "http",
        "headers": [(name.replace("_", "-").encode(), v.encode()) for name, v in named.items()],
    }
    await app(scope, receive, send)
    return Answer(sent)


@override_settings(GALLERY_FRESH_SECONDS=60, ALLOWED_HOSTS=["testserver", "other.example.com"])
class GalleryMemoryTests(GalleryTestCase):
    def setUp(self) -> None:
        super().setUp()
        cache.clear()
        self.addCleanup(cache.clear)
        for signal in (request_started, request_finished):  # as Django's own clients do
            signal.disconnect(close_old_connections)
            self.addCleanup(signal.connect, close_old_connections)
        self.media = self.add()
        self.django = CountingDjango()
        self.app = GalleryMemory(self.django)

    async def test_a_page_is_made_once_however_many_ask(self) -> None:
        for path in (SLOT, f"{SLOT}?format=json", f"{SLOT}?format=fragment", f"{SLOT}/slideshow"):
            with self.subTest(path):
                before = self.django.asked
                answers = await asyncio.gather(*(ask(self.app, path) for _ in range(10)))
                answers.append(await ask(self.app, path + ("&" if "?" in path else "?") + "a=1"))
                self.assertEqual(self.django.asked, before + 1)
                self.assertEqual({answer.status for answer in answers}, {200})
                self.assertEqual(len({answer.text for answer in answers}), 1)
                self.assertEqual(answers[0].headers[b"cache-control"], b"private, no-cache")

    async def test_who_sees_something_else_gets_something_else(self) -> None:
        asked = [
            {"accept_language": "ru"},
            {"accept_language": "en"},
            {"accept_language": "en", "host": "other.example.com"},
        ]
        for _ in range(2):
            seen = [(await ask(self.app, **headers)).text for headers in asked]
            self.assertEqual(len(set(seen)), 3)
        self.assertEqual(self.django.asked, 3)
        self.assertIn("http://other.example.com", seen[2])
        secret = (await ask(self.app, host="unknown.example.com")).status
        self.assertEqual(secret, 400)

    async def test_who_has_it_already_is_told_so(self) -> None:
        path = f"{SLOT}?format=json"
        etag = (await ask(self.app, path)).headers[b"etag"].decode()
        for app in (self.app, GalleryMemory(self.django)):
            same = await ask(app, path, if_none_match=etag)
            self.assertEqual((same.status, same.text), (304, ""))
            self.assertEqual(same.headers[b"etag"].decode(), etag)
            self.assertNotIn(b"content-length", same.headers)
            news = await ask(app, path, if_none_match='"another"')
            self.assertEqual(news.status, 200)
            self.assertIn(str(self.media.view_id), news.text)
        self.assertEqual(self.django.asked, 2)

    async def test_it_can_be_looked_for_without_being_read(self) -> None:
        page = await ask(self.app)
        head = await ask(self.app, method="HEAD")
        self.assertEqual(head.status, 200)
        self.assertEqual(head.headers[b"content-length"], page.headers[b"content-length"])
        self.assertEqual((await ask(self.app, method="POST")).status, 405)

    async def test_what_is_closed_or_deleted_is_gone_when_it_was_to_be_fresh(self) -> None:
        with override_settings(GALLERY_FRESH_SECONDS=0.2):
            self.assertIn(str(self.media.view_id), (await ask(self.app)).text)
            await type(self.media).objects.all().adelete()
            await asyncio.sleep(0.25)
            self.assertNotIn(str(self.media.view_id), (await ask(self.app)).text)
            await Slot.objects.aupdate(gallery_mode="closed")
            await asyncio.sleep(0.25)
            self.assertEqual((await ask(self.app)).status, 404)

    async def test_a_page_is_no_younger_than_the_rows_it_was_made_of(self) -> None:
        with override_settings(GALLERY_FRESH_SECONDS=0.5):
            await ask(self.app, f"{SLOT}?format=json")  # reads the rows
            await asyncio.sleep(0.3)
            await ask(self.app, f"{SLOT}?format=fragment")
            await Slot.objects.aupdate(gallery_mode="closed")
            await asyncio.sleep(0.25)
            self.assertEqual((await ask(self.app, f"{SLOT}?format=fragment")).status, 404)

    async def test_a_refusal_is_not_remembered(self) -> None:
        await Slot.objects.aupdate(gallery_mode="closed")
        self.assertEqual((await ask(self.app)).status, 404)
        await Slot.objects.aupdate(gallery_mode="open")
        self.assertEqual((await ask(self.app)).status, 200)

    async def test_old_pages_are_forgotten(self) -> None:
        with override_settings(GALLERY_FRESH_SECONDS=0.05):
            for port in range(1000, 1020):
                await ask(self.app, host=f"testserver:{port}")
        self.assertLess(len(self.app._pages), 20)

    async def test_whatever_is_asked_few_pages_are_made(self) -> None:
        began_at = asyncio.get_running_loop().time()
        hosts = (f"testserver:{port}" for port in range(1000, 1010))
        answers = await asyncio.gather(*(ask(self.app, host=host) for host in hosts))
        self.assertEqual({answer.status for answer in answers}, {200})
        self.assertGreater(asyncio.get_running_loop().time() - began_at, 9 / MADE_PER_S)
