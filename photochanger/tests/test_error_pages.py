"""Where a page of the console cannot be, plain words stand in its place and lead back."""

from typing import Any
from unittest import mock

from django.contrib.admin.sites import AdminSite
from django.test import AsyncClient, Client
from structlog.contextvars import bound_contextvars

from photochanger.testing.marks import both_databases
from slots.tests.support import ConsoleTestCase

SLOT = "/admin/slots/slot/slot-001/change/"


def broken_console(words: str = "") -> Any:
    return mock.patch.object(AdminSite, "each_context", side_effect=RuntimeError(words))


@both_databases
class ErrorPageTests(ConsoleTestCase):
    def assert_says(self, answer: Any, status: int, words: str) -> str:
        self.assertEqual((answer.status_code, answer["Cache-Control"]), (status, "no-store"))
        self.assertIn("default-src 'none'", answer["Content-Security-Policy"])
        page = answer.content.decode()
        self.assertIn(f"<h1>{words}</h1>", page)
        self.assertIn('href="/admin/"', page)
        return str(page)

    def post_form(self, **headers: str) -> Any:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(self.serg)
        return browser.post(SLOT, {"name": "x"}, headers=headers)

    def test_an_address_that_leads_nowhere(self) -> None:
        for path in ("/admin/nowhere/", "/admin/slots/slot/slot-099/history/"):
            with self.subTest(path=path):
                answer = self.client.get(path)
                self.assert_says(answer, 404, "Такой страницы нет")

    def test_in_the_readers_language(self) -> None:
        answer = self.client.get("/admin/nowhere/", headers={"accept-language": "en"})
        self.assert_says(answer, 404, "There is no such page")

    def test_a_right_that_is_missing(self) -> None:
        self.assert_says(self.client.get("/admin/slots/slot/add/"), 403, "Сюда вас не пускают")

    def test_a_form_from_before_the_last_log_in(self) -> None:
        self.assert_says(self.post_form(), 403, "Форма устарела")

    def test_an_address_that_the_server_does_not_know_as_its_own(self) -> None:
        answer = self.post_form(origin="https://photos.example.com")
        page = self.assert_says(answer, 403, "Этому адресу сервер не доверяет")
        self.assertIn("CSRF_TRUSTED_ORIGINS", page)

    async def test_a_mistake_of_ours_shows_its_number_and_not_its_words(self) -> None:
        browser = AsyncClient(raise_request_exception=False)  # as a server does: over threads
        await browser.aforce_login(self.serg)
        number = bound_contextvars(request_id="0123abcd")  # the edge does that
        with broken_console("secret"), number, self.assertLogs("django.request", "ERROR"):
            answer = await browser.get("/admin/")
        page = self.assert_says(answer, 500, "Эта страница не получилась")
        self.assertIn("0123abcd", page)
        self.assertNotIn("secret", page)

    def test_a_page_that_cannot_be_shown_at_all_is_a_short_answer(self) -> None:
        self.client.raise_request_exception = False
        no_page = mock.patch(
            "photochanger.web.error_pages.render_to_string", side_effect=ValueError("no manifest")
        )
        with broken_console(), no_page, self.assertLogs("django.request", "ERROR"):
            answer = self.client.get("/admin/")
        self.assertEqual(answer.status_code, 500)
        self.assertNotIn("manifest", answer.content.decode())

    def test_strangers_and_programs_get_the_short_answers(self) -> None:
        answer = self.client.get("/nowhere")
        self.assertEqual(answer.status_code, 404)
        self.assertNotIn("/admin/", answer.content.decode())
        self.assertEqual(self.client.get("/api/nowhere").json()["status"], "error")
