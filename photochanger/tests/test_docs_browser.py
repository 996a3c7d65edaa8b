"""The page of the API's description, as people see it: from our server alone, within our policy."""

from urllib.parse import urlsplit

from playwright.sync_api import Request, expect

from photochanger.testing.browser import DESKTOP, BrowserTestCase, Look


class DocsTests(BrowserTestCase):
    def test_the_page_shows_every_operation_and_loads_nothing_from_elsewhere(self) -> None:
        asked: list[Request] = []
        look = Look(DESKTOP)
        page = self.page(look)
        page.on("request", lambda request: asked.append(request))
        answer = page.goto("/api/docs")
        assert answer
        self.assertIn("script-src 'self'", answer.headers["content-security-policy"])
        expect(page.locator(".opblock")).not_to_have_count(0)
        paths = page.request.get("/api/openapi.json").json()["paths"]
        operations = sum(len(methods) for methods in paths.values())
        expect(page.locator(".opblock")).to_have_count(operations)
        page.get_by_text("Send a photo").first.click()
        expect(page.get_by_text("The booth password").first).to_be_visible()
        self.screenshot(page, "api-docs", look)
        hosts = {urlsplit(request.url).netloc for request in asked} - {""}  # data: has none
        self.assertEqual(hosts, {urlsplit(self.server.url).netloc})
