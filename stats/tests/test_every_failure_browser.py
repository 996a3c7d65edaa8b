"""Every way in which a booth prints originals leaves its mark on the dashboard: cause and remedy.

Each is provoked for real, by a booth in software against a running server; the table of them is in
deploy/runbooks/booth-prints-originals.md.
"""

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ClassVar

import httpx
from playwright.sync_api import Page, expect

from ingest.booth.client import BoothAnswer, send_photo
from ingest.booth.form import BoothForm, BoothRequest
from ingest.tests.life_support import small_disk
from ingest.tests.support import jpeg
from photochanger.testing import live
from photochanger.testing.browser import LOOKS, assert_accessible, assert_nothing_is_cut_off
from photochanger.testing.console import DESK, ConsoleTestCase

MB = 1024 * 1024
PROMPTS = {
    "slot-006": "[sim:slow=6]",
    "slot-007": "[sim:slow=6]",
    "slot-008": "[sim:503]",
    "slot-009": "[sim:429-daily]",
    "slot-010": "[sim:400-key]",
    "slot-011": "[sim:404-retired]",
    "slot-012": "[sim:img-safety]",
}
# Where on the dashboard, what happened, and what to do about it.
WAYS = {
    "wrong password": ("slot-001", "Неверный пароль будки", "Введите пароль будки"),
    "slot off": ("slot-002", "Слот выключен", "Включите слот"),
    "unknown link": ("alarms", "Слота с такой ссылкой нет", "Скопируйте в будку ссылку"),
    "wrong host": ("slot-003", "по имени, которого он не знает", "ALLOWED_HOSTS"),
    "too large": ("slot-004", "Снимок больше, чем разрешено", "Уменьшите размер снимка"),
    "wrong type": ("slot-005", "Файл не JPEG, PNG или WEBP", "Поставьте в будке формат JPEG"),
    "limit": ("slot-006", "Слишком много снимков сразу", "Поднимите предел"),
    "time-out of the booth": ("slot-007", "отключилась через", "тайм-аут 30 с"),
    "provider down": ("slot-008", "AI-сервис не работает", "переключите слот"),
    "quota": ("slot-009", "Квота AI-сервиса исчерпана", "Пополните счёт"),
    "key": ("slot-010", "AI-сервис не принял наш ключ", "рабочий ключ"),
    "model gone": ("slot-011", "не может работать", "модели может больше не быть"),
    "safety": ("slot-012", "по правилам безопасности", "смягчите промпт"),
    "disk full": ("slot-013", "Диск сервера заполнен", "Освободите диск"),
}
AWAY = ("slot-014", "База данных сервера не ответила", "Запустите базу данных снова")


class EveryFailureTests(ConsoleTestCase):
    provider: ClassVar[live.Simulator]
    booths: ClassVar[ThreadPoolExecutor]

    @classmethod
    def prepare(cls, site: live.LiveSite) -> None:
        super().prepare(site)
        slots: dict[str, dict[str, Any]] = {
            f"slot-{number:03}": {"sync_response_seconds": 20} for number in range(1, 16)
        }
        for slot_id, columns in slots.items():
            columns["settings"] = {"prompt": f"A nebula {PROMPTS.get(slot_id, '')}"}
        slots["slot-002"]["is_active"] = False
        slots["slot-004"]["size_limit_mb"] = 1
        site.configure_all(slots, limits={"max_jobs_per_slot": 1})

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.provider = cls.enterClassContext(cls.site.simulator(plain=False))
        # One that knows the simulator, and its own name.
        env = {"ALLOWED_HOSTS": "127.0.0.1"}
        cls.server = cls.enterClassContext(cls.site.server(env=env))
        cls.booths = cls.enterClassContext(ThreadPoolExecutor(16))

    def send(self, slot: str, photo: bytes | None = None, **request: Any) -> BoothAnswer:
        given = {"url": self.server.url, "password": self.site.password} | request
        return send_photo(BoothRequest(slot=slot, photo=photo or jpeg(), **given))

    def send_by_another_name(self) -> httpx.Response:
        booth = BoothRequest(url="", slot="", photo=jpeg(), password=self.site.password)
        form = BoothForm.of(booth, io.BytesIO(bytes(booth.photo)))  # type: ignore[arg-type]
        headers = {
            "Host": "photos.elsewhere.example",
            "Content-Type": f"multipart/form-data; boundary={form.boundary}",
        }
        url, body = f"{self.server.url}/ingest/slot-003", b"".join(form.iter_chunks())
        return httpx.post(url, content=body, headers=headers, timeout=90)

    def provoke_all(self) -> None:
        """All at once, as far as they do not disturb each other."""
        sent = [
            self.booths.submit(self.send, "slot-001", password="not-this-one"),
            self.booths.submit(self.send, "slot-002"),
            self.booths.submit(self.send, "slot-016"),
            self.booths.submit(self.send_by_another_name),
            self.booths.submit(self.send, "slot-004", jpeg() + bytes(2 * MB)),
            self.booths.submit(self.send, "slot-005", b"GIF89a" + bytes(5000)),
            *(self.booths.submit(self.send, "slot-006") for _ in range(3)),
            self.booths.submit(self.send, "slot-007", timeout_s=2.0),
            *(self.booths.submit(self.send, f"slot-{number:03}") for number in range(8, 13)),
        ]
        for booth in sent:
            booth.result()
        with small_disk(self.site.tmp, "2m") as disk, disk.fill():
            self.send("slot-013", jpeg() + bytes(3 * MB))

    def test_each_leaves_a_mark_with_its_cause_and_its_remedy(self) -> None:
        page = self.logged_in(DESK)
        self.provoke_all()
        begun = time.monotonic()
        for way, (place, cause, remedy) in WAYS.items():
            with self.subTest(way):
                self.expect_mark(page, place, cause, remedy)
        print(f"all marks stood after {time.monotonic() - begun:.1f} s")
        self.assert_looks()
        self.assert_list_names_the_unknown_link(page)

    def expect_mark(self, page: Page, place: str, cause: str, remedy: str) -> None:
        problem = page.locator(f"#{place} .trouble").filter(has_text=cause)
        expect(problem).to_contain_text(remedy)
        expect(problem.get_by_role("link").first).to_be_visible()
        expect(page.locator("#alarms")).to_contain_text(cause)  # the bar on top leads there

    def assert_looks(self) -> None:
        for look in LOOKS:
            page = self.logged_in(look)
            self.screenshot(page, "dashboard-every-failure", look, full_page=True)
            assert_accessible(page)
            assert_nothing_is_cut_off(page)
            page.goto("/admin/refusals/")
            self.screenshot(page, "refusals", look, full_page=True)
            assert_accessible(page)
            assert_nothing_is_cut_off(page)

    def assert_list_names_the_unknown_link(self, page: Page) -> None:
        page.get_by_role("link", name="Все отказы и будки").click()
        unknown = page.locator("#refused li").filter(has_text="Слота с такой ссылкой нет")
        expect(unknown).to_contain_text("slot-016")
        expect(unknown).to_contain_text("1 раз")
        booth = page.locator("#booth-lines tr").filter(has_text="DESKTOP-K968T3F").first
        expect(booth).to_contain_text("127.0.0.1")

    def test_a_database_that_is_away_is_told_by_what_still_answers(self) -> None:
        self.tolerate("status of 50[03]|Status Error Code 50[03]")
        page = self.logged_in(DESK)
        with self.broken_database():
            answer = self.send("slot-014")
            self.assertEqual(answer.status, 500)
            expect(page.locator("#offline")).to_contain_text("недоступна база данных")
            other = self.page(DESK)
            other.context.add_cookies(self.session)
            other.goto("/admin/")
            expect(other.get_by_role("heading")).to_have_text("База данных не отвечает")
            self.screenshot(other, "database-away", DESK)
        self.expect_mark(page, *AWAY)
        expect(page.locator("#offline")).to_be_hidden()

    @contextmanager
    def broken_database(self) -> Iterator[None]:
        """Every question about a slot fails, as on a database that is being restored."""
        self.site.execute("ALTER TABLE slot RENAME TO slot_away")
        try:
            yield
        finally:
            self.site.execute("ALTER TABLE slot_away RENAME TO slot")
