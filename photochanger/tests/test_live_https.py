"""Behind a real front server with a certificate: the console's log-in, its cookies, HSTS."""

import re
import unittest

import httpx

from photochanger.testing import fronts, live
from photochanger.testing.databases import chosen_database
from photochanger.testing.marks import live_server


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
            page = browser.get("/admin/")
        self.assertEqual(page.status_code, 200)
        self.assertEqual(page.headers["Strict-Transport-Security"], "max-age=3600")

    def test_past_the_front_server_nobody_can_log_in_or_pretend_to_have_come_by_https(self) -> None:
        with httpx.Client(base_url=self.server.url) as browser:
            self.assertEqual(self.log_in(browser).status_code, 403)
            page = browser.get("/admin/login/")
        self.assertNotIn("Strict-Transport-Security", page.headers)
