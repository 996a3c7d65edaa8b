"""Log-ins by strangers from many addresses: what they cost, and that they keep nobody out."""

import asyncio
from typing import Any
from unittest import mock

from django.contrib.auth.models import User
from django.test import SimpleTestCase
from django.urls import reverse

from photochanger.edge import login_queue
from photochanger.edge.asgi_types import Message
from photochanger.edge.lanes import RequestLanes
from photochanger.edge.login_queue import PLACES, PLACES_OF_ONE, LoginQueue
from photochanger.request_errors import LoginsBusy
from photochanger.request_scope import STRANGER_KEY
from photochanger.testing.marks import both_databases
from photochanger.tests.test_login import ELSEWHERE, HERE, PASSWORD, WRONG, LoginTestCase
from photochanger.web.devices import COOKIE, find_browser
from photochanger.web.lockouts import NAME_FAILURE_LIMIT

pytestmark = both_databases

COMPLETE: Message = {"type": "http.request", "body": b"{}", "more_body": False}


def make_scope(address: str, *, path: str = "/api/login", method: str = "POST") -> dict[str, Any]:
    return {"type": "http", "path": path, "method": method, "client": (address, 1), "headers": []}


class QueueTests(SimpleTestCase):
    def setUp(self) -> None:
        self.running, self.most, self.may_end = 0, 0, asyncio.Event()
        self.queue = LoginQueue(self.answer, lambda scope: scope.get("browser"))
        for name in ("TURN_S", "REFUSED_AFTER_S"):
            self.enterContext(mock.patch.object(login_queue, name, 0.0))

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        await self.may_end.wait()
        self.running -= 1
        self.assertEqual(await receive(), COMPLETE)
        await send({"type": "http.response.start", "status": 401})

    async def receive(self) -> Message:
        return COMPLETE

    async def send(self, message: Message) -> None:
        """What the client reads is not looked at."""

    def start(self, address: str, **more: Any) -> asyncio.Task[None]:
        scope = make_scope(address) | more
        return asyncio.create_task(self.queue(scope, self.receive, self.send))

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def end(self, tasks: list[asyncio.Task[None]]) -> list[bool]:
        """Whether each was let through."""
        self.may_end.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            self.assertIsInstance(result, LoginsBusy | None)
        return [result is None for result in results]

    async def test_one_is_checked_at_a_time_a_few_wait_and_the_others_are_refused(self) -> None:
        tasks = [self.start(f"203.0.113.{n}") for n in range(40)]
        await self.settle()
        self.assertEqual(sum(await self.end(tasks)), PLACES)
        self.assertEqual(self.most, 1)
        self.assertEqual(await self.end([self.start(HERE)]), [True])  # no place is lost

    async def test_one_address_does_not_take_all_places(self) -> None:
        tasks = [self.start(HERE) for _ in range(20)]
        await self.settle()
        tasks.append(self.start(ELSEWHERE))
        await self.settle()
        passed = await self.end(tasks)
        self.assertEqual((sum(passed), passed[-1]), (PLACES_OF_ONE + 1, True))

    async def test_a_known_browser_does_not_wait_for_strangers(self) -> None:
        tasks = [self.start(f"203.0.113.{n}") for n in range(40)]
        await self.settle()
        known = self.start(HERE, browser="100::1")
        await self.settle()
        self.assertEqual(self.running, 2)
        self.assertTrue((await self.end([*tasks, known]))[-1])

    async def test_who_has_not_sent_all_of_the_form_holds_no_place(self) -> None:
        stalled = asyncio.Event()

        async def receive() -> Message:
            await stalled.wait()
            return COMPLETE

        slow = [
            asyncio.create_task(self.queue(make_scope(f"203.0.113.{n}"), receive, self.send))
            for n in range(PLACES)
        ]
        await self.settle()
        self.assertEqual(await self.end([self.start(HERE)]), [True])
        stalled.set()
        await self.end(slow)

    async def test_who_has_waited_too_long_is_refused(self) -> None:
        first = self.start(HERE)
        await self.settle()
        is_short = mock.patch.object(login_queue, "PATIENCE_S", 0.01)
        with is_short, self.assertRaises(LoginsBusy) as caught:
            await self.start(ELSEWHERE)
        self.assertIn("Retry-After", caught.exception.headers)
        self.assertEqual(await self.end([first, self.start(ELSEWHERE)]), [True, True])

    async def test_nothing_but_a_log_in_waits(self) -> None:
        self.start(HERE)
        await self.settle()
        others = [
            asyncio.create_task(self.queue(make_scope(HERE) | more, self.receive, self.send))
            for more in ({"method": "GET"}, {"path": "/admin/"}, {"path": "/api/slots"})
        ]
        await self.settle()
        self.assertEqual(self.running, 1 + len(others))
        await self.end(others)

    async def test_a_turn_ends_before_the_answer_is_read(self) -> None:
        self.may_end.set()
        read = asyncio.Event()

        async def send(message: Message) -> None:
            await read.wait()

        slow = asyncio.create_task(self.queue(make_scope(HERE), self.receive, send))
        await self.settle()
        self.assertEqual(await self.end([self.start(HERE)]), [True])
        read.set()
        await slow


class LaneTests(SimpleTestCase):
    def test_neither_the_console_nor_other_machines_share_a_thread_with_strangers(self) -> None:
        lanes = RequestLanes(mock.Mock())

        def find(path: str, **more: Any) -> list[int]:
            return [id(lane) for lane in lanes._lanes_for(make_scope(HERE, path=path) | more)]

        stranger = find("/api/login", **{STRANGER_KEY: True})
        self.assertEqual(len(stranger), 1)
        for path in ("/admin/", "/api/slots", "/api/jobs/x", "/public/results/x", "/livez"):
            self.assertFalse(set(stranger) & set(find(path)), path)
        self.assertEqual(find("/api/login", **{STRANGER_KEY: False}), find("/admin/"))
        for path in ("/api/jobs/x", "/public/results/x"):
            self.assertFalse(set(find(path)) & set(find("/admin/")), path)


class NameTests(LoginTestCase):
    def fail_everywhere(self) -> None:
        for number in range(NAME_FAILURE_LIMIT):
            self.fail(1, address=f"198.51.100.{number}")

    def remember(self) -> str:
        """A browser's cookie, once ``serg`` has logged in."""
        self.assertEqual(self.console().status_code, 302)
        cookie: str = self.client.cookies[COOKIE].value
        self.client.logout()
        return cookie

    def test_a_name_that_fails_from_everywhere_is_closed_to_strangers(self) -> None:
        User.objects.create_superuser("igor", password=PASSWORD)
        self.fail_everywhere()
        self.assertEqual(self.log_in(address=HERE).status_code, 429)
        page = self.console(address=HERE)
        self.assertEqual(page.status_code, 429)
        self.assertLessEqual(int(page["Retry-After"]), 15 * 60)
        self.assertEqual(self.log_in("igor").status_code, 200)

    def test_it_stays_open_to_browsers_that_have_logged_in_before(self) -> None:
        cookie = self.remember()
        self.fail_everywhere()
        self.client.cookies[COOKIE] = cookie
        self.assertEqual(self.console(password=WRONG).status_code, 200)
        self.assertEqual(self.console().status_code, 302)

    def test_who_is_logged_in_may_confirm_the_own_password(self) -> None:
        self.client.force_login(self.serg)
        self.fail_everywhere()
        form = {"own_password": WRONG}
        page = self.client.post(reverse("admin:booth_passwords"), form, REMOTE_ADDR=HERE)
        self.assertEqual(page.status_code, 200)

    def test_the_edge_knows_the_browsers_that_django_knows(self) -> None:
        cookie = self.remember()
        for value, is_known in ((cookie, True), (cookie[:-1] + "!", False), ("", False)):
            headers = [(b"cookie", f"a=b; {COOKIE}={value}".encode())]
            self.assertIs(bool(find_browser(make_scope(HERE) | {"headers": headers})), is_known)
