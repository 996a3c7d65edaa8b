"""Pages of the console in a browser: who is logged in, jobs in the database."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from playwright.sync_api import Page

from photochanger.testing import live
from photochanger.testing.browser import (
    DESKTOP,
    BrowserTestCase,
    Look,
)
from photochanger.testing.databases import quote

DESK = Look(DESKTOP)
PASSWORD = "correct-horse-battery"
ADD_ADMINISTRATOR = """
    INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name,
        last_name, email, date_joined)
    VALUES ('serg', {password}, TRUE, TRUE, TRUE, '', '', '', CURRENT_TIMESTAMP)
"""
_numbers = count()


class ConsoleTestCase(BrowserTestCase):
    session: ClassVar[list[Any]]  # the cookies of who has been here: hashing a password takes long

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.session = []

    @classmethod
    def prepare(cls, site: live.LiveSite) -> None:
        super().prepare(site)
        site.execute(ADD_ADMINISTRATOR.format(password=quote(make_password(PASSWORD))))
        recipe = """'{"prompt": "A nebula"}'"""
        site.execute(f"UPDATE slot SET settings = {recipe}, is_active = 1 WHERE id <= 'slot-004'")
        names = {1: "Летний бал", 2: "Космическая вечеринка", 3: "Портрет маслом", 4: "Нуар"}
        for number, name in names.items():
            site.execute(f"UPDATE slot SET display_name = '{name}' WHERE id = 'slot-{number:03}'")

    def logged_in(self, look: Look = DESK, **options: Any) -> Page:
        page = self.page(look, **options)
        self.log_in(page)
        return page

    def log_in(self, page: Page, path: str = "/admin/") -> None:
        """Through the door once, and then as one who has been here."""
        if self.session:
            page.context.add_cookies(self.session)
            page.goto(path)
            return
        page.goto(f"/admin/login/?next={path}")
        self.enter(page)
        page.wait_for_url(f"**{path}")
        self.session.extend(page.context.cookies())

    def enter(self, page: Page) -> None:
        page.get_by_label("Имя пользователя").fill("serg")
        page.get_by_label("Пароль", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Войти").click()

    def add_job(
        self, slot_id: str, *, ago_s: float = 60, reason: str = "", is_open: bool = False
    ) -> None:
        started = datetime.now(UTC) - timedelta(seconds=ago_s)
        shown = "%Y-%m-%d %H:%M:%S.%f"
        values: dict[str, Any] = {
            "job_id": uuid4().hex,
            "slot_id": slot_id,
            "slot_version": 1,
            "source": "ingest",
            "status": "processing" if is_open else "failed" if reason else "done",
            "provider": "gemini",
            "operation": "image_edit",
            "started_at": started.strftime(shown),
            "deadline": (started + timedelta(seconds=48)).strftime(shown),
            "failure_reason": reason,
            "photo_sha256": f"{next(_numbers):064}",
            "photo_bytes": 1000,
        }
        if not is_open:
            values |= {"finished_at": values["deadline"], "duration_ms": 8000}
        columns = {name: "" for name, *_ in self.empty_columns()} | values
        cells = ", ".join(f"'{v}'" if isinstance(v, str) else str(v) for v in columns.values())
        self.site.execute(f"INSERT INTO job_history ({', '.join(columns)}) VALUES ({cells})")

    def empty_columns(self) -> list[tuple[str]]:
        """Of a job: what must not be null, and has no other default than nothing."""
        rows = self.site.rows(
            "SELECT name, type, \"notnull\" FROM pragma_table_info('job_history')"
        )
        return [(name,) for name, _type, is_needed in rows if is_needed]

    def open_dashboard(self) -> Page:
        """The dashboard, with a clock that the test turns."""
        page = self.page(DESK)
        page.clock.install()
        self.log_in(page)
        return page
