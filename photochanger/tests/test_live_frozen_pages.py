"""A database that is there and does not answer: what guests, operators and programs get then."""

import re
from concurrent.futures import Future
from functools import partial
from typing import Any

import httpx

from ingest.tests.life_support import PROMPT, LifeTestCase
from photochanger.testing import live, server_process
from photochanger.testing.console_pages import PAGES
from photochanger.testing.databases import OwnPostgres, own_postgres
from photochanger.testing.marks import both_databases, only_postgresql
from photochanger.testing.waiting import wait_until

pytestmark = both_databases

PATIENCE_S = 200  # ten times what an idle machine takes at most; what hangs never answers
BROWSER = {"Accept": "text/html", "Accept-Language": "en"}
TRIED = ("dashboard", "dashboard, its part", "slot", "jobs", "statistics", "alerts", "events")


@only_postgresql("processes of its own that can be stopped")
class FrozenDatabasePageTests(LifeTestCase):
    """Each with connections that were in use a moment ago, which is when it is hardest to tell."""

    postgres: OwnPostgres
    server: server_process.Server
    browser: httpx.Client
    job_id: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.postgres = cls.enterClassContext(own_postgres())
        provider = cls.site.env["GEMINI_BASE_URL"]
        cls.site = cls.enterClassContext(live.site_on(cls.postgres.url))
        cls.site.env["GEMINI_BASE_URL"] = provider
        cls.site.share_static_files()
        cls.site.configure_all({"slot-001": {"settings": PROMPT, "gallery_mode": "open"}})
        said = cls.site.manage("sync_admins", "--generate", "--usernames", "serg")
        cls.keys = {"username": "serg", "password": said.split("serg")[1].split()[0]}
        cls.server = cls.enterClassContext(cls.site.server())
        cls.browser = cls.open_browser()

    @classmethod
    def open_browser(cls) -> httpx.Client:
        client = httpx.Client(base_url=cls.server.url, headers=BROWSER, timeout=PATIENCE_S)
        return cls.enterClassContext(client)

    def setUp(self) -> None:
        super().setUp()
        self.job_id = self.post(self.server).headers["X-Job-Id"]

    def is_shown(self, path: str) -> bool:
        return self.browser.get(path).status_code == 200

    def log_in(self, browser: httpx.Client) -> httpx.Response:
        page = browser.get("/admin/login/").text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        return browser.post("/admin/login/", data={**self.keys, "csrfmiddlewaretoken": token[1]})

    def ask_all(
        self, client: httpx.Client, paths: tuple[str, ...]
    ) -> dict[str, "Future[httpx.Response]"]:
        """At once, as people do who see that nothing happens."""
        return {path: self.workers.submit(client.get, path) for path in paths}

    def assert_page_says(self, answer: httpx.Response, words: str) -> None:
        self.assertEqual(answer.status_code, 503, answer.headers)
        self.assertIn(words, answer.text)
        self.assertIn("Retry-After", answer.headers)

    def list_guest_paths(self) -> tuple[str, ...]:
        result = f"/public/results/{self.job_id}"
        shown = (f"{result}/page", f"{result}/preview", f"{result}/share.jpg", f"{result}/delete")
        return (result, *shown, "/public/slots/slot-001")

    def test_guests_read_that_their_link_is_right_and_to_come_again(self) -> None:
        for path in self.list_guest_paths():
            self.assertEqual(self.browser.get(path).status_code, 200, path)
        with self.postgres.frozen():
            # What was asked for a moment ago is answered from memory, for seconds.
            wait_until(lambda: not any(map(self.is_shown, self.list_guest_paths())))
            for path, asked in self.ask_all(self.browser, self.list_guest_paths()).items():
                with self.subTest(path=path):
                    self.assert_page_says(asked.result(), "Your link is right.")
            self.assertEqual(httpx.get(f"{self.server.url}/livez", timeout=90).status_code, 200)
        for path in self.list_guest_paths():
            wait_until(partial(self.is_shown, path))

    def test_programs_are_told_that_it_is_our_storage(self) -> None:
        programs = httpx.Client(base_url=self.server.url, timeout=PATIENCE_S)
        self.enterContext(programs)
        paths = (
            f"/public/results/{self.job_id}",
            f"/api/jobs/{self.job_id}",
            "/public/slots/slot-001?format=json",
        )
        with self.postgres.frozen():
            # A gallery that was asked for a moment ago is answered from memory, for seconds.
            wait_until(lambda: programs.get(paths[-1]).status_code != 200)
            answers = [asked.result() for asked in self.ask_all(programs, paths).values()]
            answers.append(programs.delete(paths[0]))
            answers.append(programs.post("/api/login", json=self.keys))
            for answer in answers:
                with self.subTest(path=answer.url.path):
                    self.assert_storage_error(answer)
                    self.assertNotIn("could not be stored", answer.json()["details"])
        wait_until(lambda: programs.get(paths[0]).status_code == 200)  # nothing was deleted

    def test_operators_read_what_is_wrong_on_every_page_and_at_the_log_in(self) -> None:
        self.assertEqual(self.log_in(self.browser).status_code, 302)
        paths = tuple(PAGES[name] for name in TRIED)
        for path in paths:
            self.assertEqual(self.browser.get(path).status_code, 200, path)
        with self.postgres.frozen():
            answers: dict[str, Any] = dict(self.ask_all(self.browser, paths))
            answers["the log-in"] = self.workers.submit(self.log_in, self.open_browser())
            for path, asked in answers.items():
                with self.subTest(path=path):
                    self.assert_page_says(asked.result(), "The database does not answer")
        for path in paths:
            wait_until(partial(self.is_shown, path))
