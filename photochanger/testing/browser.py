"""Pages in a real Chromium, on a real server: how they look, what they do, whom they exclude.

    class PageTests(BrowserTestCase):
        def test_the_page_is_good(self) -> None:
            for look in LOOKS:
                page = self.open("/public/slots/slot-001", look)
                assert_accessible(page)
                self.screenshot(page, "gallery", look)

One server and one browser per class. Every error in a page's console, a broken content policy
among them, fails the test; what a test expects it names: ``self.tolerate("status of 410")``. The
policy also forbids ``page.wait_for_function`` where it is not true at once: ``wait_until`` waits.
"""

import importlib.util
import json
import os
import re
import shutil
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal
from unittest import SkipTest

from django.test import SimpleTestCase, override_settings
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    expect,
    sync_playwright,
)

from media.view_ids import make_view_id
from photochanger.testing import live, server_process
from photochanger.testing.databases import BASE_DIR, chosen_database
from photochanger.testing.marks import browser
from photochanger.testing.waiting import PATIENCE_S

NO_CHROMIUM = "NO CHROMIUM: the pages were not tested in a browser; `make browser` installs it"
SCREENSHOTS = BASE_DIR / "var/screenshots"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
expect.set_options(timeout=PATIENCE_S * 1000)

PHONE, DESKTOP = (360, 740), (1280, 800)
Theme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Look:
    size: tuple[int, int] = PHONE
    theme: Theme = "light"

    def __str__(self) -> str:
        return f"{self.theme}-{self.size[0]}x{self.size[1]}"


# Each size and each theme once: twice is twice the time. English pages are seen the other way.
LOOKS = (Look(PHONE, "dark"), Look(DESKTOP, "light"))
OTHER_LOOKS = (Look(PHONE, "light"), Look(DESKTOP, "dark"))


def chromium() -> str | None:
    """The shell draws the same pages for a quarter less work."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    return next(filter(None, map(shutil.which, names)), None)


def chromium_or_skip() -> str:
    """Where Chromium is. Skips, or with BROWSER_TESTS=required fails, when it is nowhere."""
    if found := chromium():
        return found
    if os.environ.get("BROWSER_TESTS") == "required":
        raise AssertionError(NO_CHROMIUM)
    raise SkipTest(NO_CHROMIUM)


@browser
class BrowserTestCase(SimpleTestCase):
    """A site with its static files, its server, and a Chromium; ``slot-001`` is open.

    On SQLite only: a page's HTML is the same on both databases, which its HTTP tests show.
    The ORM must not be called from these tests: rows come by ``add_result`` or ``site.execute``.
    """

    # Where guests' links lead; empty: to the server, which listens where no phone gets to.
    public_address = ""

    site: live.LiveSite
    server: server_process.Server
    browser: Browser

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if chosen_database() != "sqlite":
            raise SkipTest("browser tests run in the pass on SQLite")
        path = chromium_or_skip()
        cls.site = cls.enterClassContext(live.site(prepare=cls.prepare))
        cls.site.share_static_files()
        cls.site.env["PUBLIC_BASE_URL"] = cls.public_address
        cls.server = cls.enterClassContext(cls.site.server())
        playwright = cls.enterClassContext(sync_playwright())
        cls.browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        cls.addClassCleanup(cls.browser.close)

    @classmethod
    def prepare(cls, site: live.LiveSite) -> None:
        """What the database of a class holds at first; made once for all that inherit it."""
        site.configure(slot={"display_name": "Летний бал"})

    def setUp(self) -> None:
        super().setUp()
        # A page that closes, or asks anew, breaks off what it was asking for: no harm, but htmx
        # complains, and rejects its own promise with nothing.
        self._tolerated = ["htmx:(sendAbort|afterRequest), ", ": undefined$"]
        self._complaints: list[str] = []
        self.addCleanup(self._assert_no_complaints)

    def tolerate(self, pattern: str) -> None:
        """Console errors that match are expected from now on."""
        self._tolerated.append(pattern)

    def _assert_no_complaints(self) -> None:
        bad = [c for c in self._complaints if not any(re.search(t, c) for t in self._tolerated)]
        self.assertEqual(bad, [], "a page complained in its console")

    def context(self, look: Look | None = None, **options: Any) -> BrowserContext:
        """A browser of its own: no cookies of another test. Options are Playwright's."""
        look = look or Look()
        given: dict[str, Any] = {
            "base_url": self.server.url,
            "viewport": {"width": look.size[0], "height": look.size[1]},
            "color_scheme": look.theme,
            "locale": "ru-RU",
            "reduced_motion": "reduce",
            "has_touch": look.size == PHONE,
        }
        context = self.browser.new_context(**(given | options))
        self.addCleanup(context.close)
        context.set_default_timeout(PATIENCE_S * 1000)
        return context

    def page(self, look: Look | None = None, **options: Any) -> Page:
        return self.watched(self.context(look, **options).new_page())

    def watched(self, page: Page) -> Page:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._complaints.append(f"{page.url}: {error}"))
        if delay_ms := float(os.environ.get("BROWSER_DELAY_MS", 0)):
            slow_down(page, delay_ms)
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complaints.append(f"{message.location.get('url', '')}: {message.text}")

    def open(self, path: str, look: Look | None = None, **options: Any) -> Page:
        page = self.page(look, **options)
        page.goto(path)
        return page

    def screenshot(self, page: Page, name: str, look: Look, *, full_page: bool = False) -> None:
        """The page as it is now, as ``var/screenshots/<name>-<theme>-<size>.png``.

        Not with SCREENSHOTS=no: nobody looks at those of a whole run, which takes a tenth of it.
        """
        if os.environ.get("SCREENSHOTS") == "no":
            return
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}-{look}.png"
        settle(page)
        page.screenshot(path=path, full_page=full_page)

    def add_result(
        self, body: bytes, *, slot_id: str = "slot-001", minutes_ago: float = 0, hours: float = 72
    ) -> str:
        """A finished JPEG as the photo's path would have stored it; returns the job's id."""
        job_id = uuid.uuid4()
        path = f"results/{slot_id}/{job_id}/payload.jpg"
        file = self.site.media_root / path
        file.parent.mkdir(parents=True)
        file.write_bytes(body)
        created = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        values = {
            "id": uuid.uuid4().hex,
            "job_id": job_id.hex,
            "slot_id": slot_id,
            "kind": "result",
            "path": path,
            "mime": "image/jpeg",
            "size_bytes": len(body),
            "sha256": "",
            "created_at": created.strftime("%Y-%m-%d %H:%M:%S.%f"),
            "expires_at": (created + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S.%f"),
            "is_listed": 1,
            "fetches": 0,
        }
        cells = ", ".join(f"'{v}'" if isinstance(v, str) else str(v) for v in values.values())
        self.site.execute(f"INSERT INTO media_object ({', '.join(values)}) VALUES ({cells})")
        return str(job_id)

    def view_id(self, job_id: str) -> str:
        """The id under which galleries publish a job's result."""
        with override_settings(SECRET_KEY=self.site.env["SECRET_KEY"]):
            return str(make_view_id(uuid.UUID(job_id)))


def slow_down(page: Page, delay_ms: float) -> None:
    """Each answer comes later, as on a busy machine: who looks before that fails every time."""
    debugger = page.context.new_cdp_session(page)
    network = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    debugger.send("Network.enable")
    debugger.send("Network.emulateNetworkConditions", network | {"latency": delay_ms})


def expect_drawn(picture: Locator, *, wider_than: int = 0) -> None:
    """The picture has come and could be decoded, to more than so many pixels across.

    ``complete`` says less: it is true of a picture without a source, and of a broken one.
    """
    picture.scroll_into_view_if_needed()  # some wait for that
    expect(picture).not_to_have_js_property("naturalWidth", 0)
    width = picture.evaluate("one => one.naturalWidth")
    assert width > wider_than, f"{picture}: {width} px across"


def settle(page: Page) -> None:
    """What fades or slides in has come; what turns for ever goes on.

    Nothing is waited for: a page that another one hides draws no frames, and ends no animation.
    """
    page.evaluate(
        """() => document.getAnimations()
            .filter((a) => a.effect.getComputedTiming().endTime < Infinity)
            .forEach((a) => a.finish())"""
    )


# --- Accessibility -------------------------------------------------------------------------------
# Every rule is tried; to tell of those that hold, and where, would take a third of the time.
AXE_OPTIONS = {"reporter": "no-passes", "resultTypes": ["violations"], "selectors": False}


@cache
def axe_source() -> str:
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec and spec.origin
    return (Path(spec.origin).parent / "axe.min.js").read_text()


def assert_accessible(page: Page, *, exclude: tuple[str, ...] = ()) -> None:
    """No violation, by axe-core, not even a minor one; ``exclude`` are selectors."""
    settle(page)  # what is half faded in has too little contrast
    page.evaluate(axe_source())  # by the debugger, so that no content policy is in the way
    found = page.evaluate(
        "([exclude, options]) => axe.run({exclude: exclude.map((e) => [e])}, options)",
        [list(exclude), AXE_OPTIONS],
    )
    bad = found["violations"]
    assert not bad, f"{page.url}:\n" + "\n".join(map(_told, bad))


def _told(violation: dict[str, Any]) -> str:
    places = [f"    {n['html'][:160]}\n      {_reasons(n)}" for n in violation["nodes"][:5]]
    title = f"  {violation['impact']}: {violation['help']} ({violation['id']})"
    return "\n".join([title, *places])


def _reasons(node: dict[str, Any]) -> str:
    return "; ".join(c["message"] for kind in ("any", "all", "none") for c in node[kind])


def assert_nothing_is_cut_off(page: Page) -> None:
    """No sideways scrolling: nothing is wider than the window."""
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1], f"{page.url}: {json.dumps(widths)} px wide"
