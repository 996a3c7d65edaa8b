"""Behind a real front server with a certificate: the console's log-in, its cookies, HSTS."""

import re
import unittest

import httpx

from photochanger.testing import fronts, live
from photochanger.testing.databases import chosen_database
from photochanger.testing.marks import live_server

YEAR = "max-age=31536000"
# Pages, JSON, files, redirects, refusals, of every kind of handler.
ANSWERS = {
    "/": 302,
    "/admin/": 302,
    "/admin/login/": 200,
    "/admin/nowhere/": 302,
    "/static/nowhere.css": 404,
    "/nowhere": 404,
    "/api/nowhere": 404,
    "/api/slots": 401,
    "/api/openapi.json": 200,
    "/api/docs": 200,
    "/api/jobs/00000000-0000-4000-8000-000000000000": 404,
    "/ingest/slot-001": 405,
    "/public/slots/slot-001": 404,
    "/public/slots/slot-001?format=json": 404,
    "/public/results/00000000-0000-4000-8000-000000000000": 404,
    "/livez": 200,
    "/healthz": 200,
    "/metrics": 404,
}


@live_server
class HttpsTests(unittest.TestCase):
    site: live.LiveSite

    @classmethod
    def setUpClass(cls) -> None:
        fronts.program_or_skip("nginx")
        cls.site = cls.enterClassContext(live.site(chosen_database()))
        cls.site.share_static_files()
        said = cls.site.manage("sync_admins", "--generate", "--usernames", "serg")
        cls.password = said.split("serg")[1].split()[0]
        env = {"TRUSTED_PROXIES": "127.0.0.1", "COOKIES_OVER_HTTPS_ONLY": "true"}
        cls.server = cls.enterClassContext(cls.site.server(env=env))
        cls.front = cls.enterClassContext(fronts.nginx(cls.site, [cls.server.port]))

    def log_in(self, browser: httpx.Client) -> httpx.Response:
        page = browser.get("/admin/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        form = {"username": "serg", "password": self.password, "csrfmiddlewaretoken": token[1]}
        origin = {"Origin": str(browser.base_url).rstrip("/")}
        return browser.post("/admin/login/?next=/admin/", data=form, headers=origin)

    def test_the_console_works_and_browsers_are_told_to_come_back_by_https(self) -> None:
        with httpx.Client(base_url=self.front.url, verify=self.front.tls) as browser:
            answer = self.log_in(browser)
            self.assertEqual((answer.status_code, answer.headers["Location"]), (302, "/admin/"))
            for cookie in answer.headers.get_list("Set-Cookie"):
                self.assertIn("Secure", cookie)
                self.assertRegex(
                    cookie, r"^__(Host-(sessionid|csrftoken)|Secure-photochanger_device)="
                )
                if cookie.startswith("__Host-"):
                    self.assertIn("Path=/;", f"{cookie};")
                    self.assertNotIn("Domain", cookie)
            page = browser.get("/admin/")
        self.assertEqual(page.status_code, 200)
        self.assertEqual(page.headers["Strict-Transport-Security"], YEAR)

    def test_every_answer_says_what_browsers_may_do_with_it(self) -> None:
        with httpx.Client(base_url=self.front.url, verify=self.front.tls) as browser:
            style = re.search(r'href="(/static/[^"]+\.css)"', browser.get("/admin/login/").text)
            assert style
            seen = {path: browser.get(path) for path in [*ANSWERS, style[1]]}
            tagged = {"If-None-Match": seen["/api/openapi.json"].headers["ETag"]}
            dated = {"If-Modified-Since": seen[style[1]].headers["Last-Modified"]}
            seen["304"] = browser.get("/api/openapi.json", headers=tagged)
            seen["304 of a file"] = browser.get(style[1], headers=dated)
            seen["large"] = browser.post("/nowhere", content=b"x" * 100_000)
            seen["bad host"] = browser.get(
                "/public/slots/slot-001", headers={"Host": "evil.example"}
            )
        for path, status in ANSWERS.items():
            if path not in ("/metrics", "/"):  # the front server's own refusal; its redirect
                self.assertEqual(seen[path].status_code, status, path)
        self.assertEqual({seen["304"].status_code, seen["304 of a file"].status_code}, {304})
        del seen["/metrics"], seen["bad host"]
        for path, answer in seen.items():
            with self.subTest(path):
                told = answer.headers
                self.assertEqual(told["Strict-Transport-Security"], YEAR)
                self.assertEqual(told["X-Content-Type-Options"], "nosniff")
                self.assertIn("frame-ancestors 'none'", told["Content-Security-Policy"])
                self.assertIn("default-src 'none'", told["Content-Security-Policy"])
                self.assertEqual(told["Referrer-Policy"], "same-origin")
                self.assertIn(told["Cross-Origin-Resource-Policy"], ("same-origin", "cross-origin"))
                if path.startswith("/api/") and path != "/api/openapi.json":
                    self.assertIn("no-store", told.get("Cache-Control", ""))

    def test_past_the_front_server_nobody_can_log_in_or_pretend_to_have_come_by_https(self) -> None:
        with httpx.Client(base_url=self.server.url) as browser:
            self.assertEqual(self.log_in(browser).status_code, 403)
            page = browser.get("/admin/login/")
        self.assertNotIn("Strict-Transport-Security", page.headers)
