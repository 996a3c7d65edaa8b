"""Statistics and the log of jobs as operators use them: by day, by night, on a phone."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime

from PIL import Image
from playwright.sync_api import Page, expect

from photochanger.testing.browser import (
    DESKTOP,
    LOOKS,
    PHONE,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
    expect_drawn,
)
from photochanger.testing.console import DESK, ConsoleTestCase

HOSTILE = "<script>document.title = 1</script> finishReason: IMAGE_SAFETY " * 5


class FiguresTestCase(ConsoleTestCase):
    def setUp(self) -> None:
        super().setUp()
        for table in ("job_attempt", "job_history", "media_object"):
            self.site.execute(f"DELETE FROM {table}")

    def add_evening(self) -> None:
        """Of the last hour; no photo of the busiest slot is newer than its last failure."""
        for ago in range(120, 3400, 80):
            slot = f"slot-00{1 + ago // 80 % 3}"
            reason = {7: "quota", 11: "storage_error"}.get(ago // 80 % 13, "")
            self.add_job(slot, ago_s=ago, reason=reason)
        self.add_job("slot-001", ago_s=4, is_open=True)
        self.site.execute(
            "UPDATE job_history SET provider_ms = 7700, duration_ms = 6000 + (rowid * 977) % 9000"
            " WHERE status = 'done'"
        )
        self.site.execute(
            "UPDATE job_history SET cost_micros = 39000,"
            " probable_micros = 39000 * (slot_id = 'slot-002'),"
            " unpriced_calls = slot_id = 'slot-003'"
        )
        self.site.execute(
            "UPDATE job_history SET status = 'timeout', failure_reason = 'timeout',"
            " duration_ms = 48000 WHERE failure_reason = 'storage_error' AND rowid % 2"
        )

    def add_call(self, job: str, number: int, *, reason: str = "", detail: str = "") -> None:
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        self.site.execute(
            "INSERT INTO job_attempt (job_id, number, provider, model, started_at, duration_ms,"
            " http_status, finish_reason, provider_request_id, failure_reason, detail, usage)"
            f" VALUES ('{job}', {number}, 'gemini', 'gemini-2.5-flash-image', '{at}', 3200, 200,"
            f" '', 'r-1', '{reason}', '{detail}', '{{}}')"
        )
        self.site.execute(
            "UPDATE job_attempt SET started_at = (SELECT started_at FROM job_history"
            f" WHERE job_history.job_id = job_attempt.job_id) WHERE job_id = '{job}'"
        )

    def jobs(self) -> list[str]:
        rows = self.site.rows("SELECT job_id FROM job_history ORDER BY started_at DESC")
        return [str(job_id) for (job_id,) in rows]

    def add_photo_with_picture(self) -> str:
        """A photo whose picture is kept, after a call that failed."""
        picture = io.BytesIO()
        Image.linear_gradient("L").resize((900, 600)).convert("RGB").save(picture, "JPEG")
        job_id = self.add_result(picture.getvalue()).replace("-", "")
        self.add_job("slot-001", ago_s=20)
        self.site.execute(
            f"UPDATE job_history SET job_id = '{job_id}', result_path = 'x', result_width = 900,"
            " result_height = 600, provider_ms = 7400, hash_recipe = 'sha1', booth_name = 'BOOTH-1'"
        )
        self.add_call(job_id, 1, reason="bad_response", detail=HOSTILE[:200].replace("'", ""))
        self.add_call(job_id, 2)
        return job_id

    def following(self, path: str) -> Page:
        """The page, with a clock that the test turns."""
        page = self.page(DESK)
        page.clock.install()
        self.log_in(page)
        page.goto(path)
        page.wait_for_load_state("networkidle")
        return page

    def in_every_look(self, path: str) -> Iterator[tuple[Page, Look]]:
        """One log-in for all of them."""
        page = self.logged_in()
        for look in LOOKS:
            page.set_viewport_size({"width": look.size[0], "height": look.size[1]})
            page.emulate_media(color_scheme=look.theme)
            page.goto(path)
            with self.subTest(look=str(look)):
                yield page, look

    def assert_good(self, page: Page, name: str, look: Look) -> None:
        page.wait_for_load_state("networkidle")
        self.screenshot(page, name, look, full_page=True)
        assert_accessible(page)
        assert_nothing_is_cut_off(page)


class FiguresTests(FiguresTestCase):
    """One class for three pages: each has a server and a browser of its own."""

    # --- Statistics
    def test_statistics_are_good_on_phones_and_desks_by_day_and_night(self) -> None:
        self.add_evening()
        failed = self.site.rows("SELECT job_id FROM job_history WHERE failure_reason = 'quota'")
        self.add_call(str(failed[0][0]), 1, reason="quota", detail=HOSTILE)
        for page, look in self.in_every_look("/admin/statistics/"):
            expect(page.locator(".plot-svg")).to_have_count(3)
            self.assert_good(page, "statistics", look)
            for width in (993, 1024, 1185):  # a tablet, and on both sides of cards
                page.set_viewport_size({"width": width, "height": 768})
                assert_nothing_is_cut_off(page)
            page.get_by_role("link", name="Вчера").click()
            expect(page.locator("#corner")).to_contain_text("за вчера")
            page.get_by_label("Начало", exact=True).fill("2026-01-02T10:00")
            page.get_by_label("Конец", exact=True).fill("2026-01-01T10:00")
            page.get_by_role("button", name="Показать", exact=True).click()
            expect(page.locator("#period-wrong")).to_contain_text("раньше, чем кончается")
            assert_accessible(page)
            assert_nothing_is_cut_off(page)
            with page.expect_download() as download:
                page.locator("#csv").click()
            self.assertRegex(download.value.suggested_filename, r"^photochanger-.*\.csv$")
        page.locator("#numbers summary").click()
        expect(page.locator("#numbers table")).to_be_visible()
        assert_accessible(page)

    def test_no_photo_yet_is_no_broken_page(self) -> None:
        look = LOOKS[0]
        page = self.logged_in(look)
        page.goto("/admin/statistics/?window=1440")
        expect(page.get_by_text("За это время фото не было.").first).to_be_visible()
        self.assert_good(page, "statistics-empty", look)

    def test_news_come_by_themselves_and_leave_the_focus_where_it_is(self) -> None:
        page = self.following("/admin/statistics/")
        expect(page.locator("#corner b")).to_have_text("0")
        page.locator("#stats-slot-002").focus()
        self.add_job("slot-002", ago_s=2, reason="quota")
        page.clock.run_for(11_000)
        expect(page.locator("#corner b")).to_have_text("1")
        expect(page.locator("#failure-lines")).to_contain_text("Квота AI-сервиса исчерпана")
        expect(page.locator("#stats-slot-002")).to_be_focused()

    # --- The log of jobs
    def test_the_log_is_good_on_phones_and_desks_by_day_and_night(self) -> None:
        self.add_evening()
        for page, look in self.in_every_look("/admin/ingest/job/"):
            self.assert_good(page, "jobs", look)
        page.get_by_role("link", name="Раньше").click()
        page.wait_for_url("**after=*")
        page.get_by_role("link", name="К новым").click()
        page.locator("#filter summary").click()
        page.get_by_label("Итог").select_option("failed")
        page.get_by_role("button", name="Показать").click()
        expect(page.locator(".pill.done")).to_have_count(0)

    def test_on_a_phone_the_first_photo_is_seen_and_failures_are_one_touch_away(self) -> None:
        job = self.add_photo_with_picture()
        self.add_job("slot-002", ago_s=30, reason="quota")
        look = Look(PHONE)
        page = self.logged_in(look)
        page.goto("/admin/ingest/job/")
        expect(page.locator("#log tbody tr").first).to_be_in_viewport()
        small = page.locator("#log img")
        expect(small).to_have_count(1)
        expect_drawn(small)
        self.screenshot(page, "jobs-pictures", look)
        page.get_by_role("link", name="Только сбои").click()
        expect(page.locator("#log tbody tr")).to_have_count(1)
        expect(page.locator("#log")).to_contain_text("Квота AI-сервиса исчерпана")
        page.get_by_role("link", name="Последний час").click()
        page.wait_for_url("**outcome=lost&last=hour")
        expect(page.locator(".chip[aria-current]")).to_have_count(2)
        assert_accessible(page)
        page.get_by_role("link", name="Только сбои").click()
        expect(
            page.locator(f"#job-{job[:8]}-{job[8:12]}-{job[12:16]}-{job[16:20]}-{job[20:]}")
        ).to_be_visible()

    def test_an_empty_log_says_what_to_do(self) -> None:
        page = self.logged_in(Look(DESKTOP, "dark"))
        page.goto("/admin/ingest/job/")
        expect(page.get_by_text("Ещё не пришло ни одного фото.")).to_be_visible()
        self.assert_good(page, "jobs-empty", Look(DESKTOP, "dark"))

    def test_photos_come_by_themselves_and_what_is_typed_stays(self) -> None:
        self.add_job("slot-001", ago_s=60)
        page = self.following("/admin/ingest/job/")
        page.locator("#filter summary").click()
        page.get_by_label("День").fill("2026-05-05")
        page.locator("#log a[id^=job-]").first.focus()
        self.add_job("slot-002", ago_s=3, is_open=True)
        self.add_job("slot-003", ago_s=2, reason="quota")
        page.clock.run_for(6000)
        expect(page.locator("#working h2")).to_contain_text("Сейчас в работе 1 фото")
        expect(page.locator("#log tbody tr")).to_have_count(2)
        expect(page.get_by_label("День")).to_have_value("2026-05-05")
        self.assertIn("job-", page.evaluate("document.activeElement.id"))

    # --- A photo
    def test_a_button_leads_from_a_failure_into_the_field_that_mends_it(self) -> None:
        self.add_job("slot-001", ago_s=5, reason="bad_response")
        path = f"/admin/ingest/job/{self.jobs()[0]}/change/"
        for page, look in self.in_every_look(path):
            expect(page.get_by_role("heading", name="Что делать")).to_be_visible()
            self.assert_good(page, "job-failed", look)
        page.get_by_role("link", name="Изменить промпт").click()
        expect(page.locator("[id='settings.prompt']")).to_be_focused()
        page.go_back()
        page.get_by_role("link", name="Задать вторую модель").click()  # in a fold
        expect(page.locator("[id='settings.fallback_model']")).to_be_focused()

    def test_a_photo_is_good_on_phones_and_desks_by_day_and_night(self) -> None:
        job = self.add_photo_with_picture()
        for page, look in self.in_every_look(f"/admin/ingest/job/{job}/change/"):
            expect(page.get_by_text("<script>document.title")).to_be_visible()
            self.assert_good(page, "job", look)

    def test_a_photo_is_found_by_its_link_and_its_picture_deleted(self) -> None:
        job = self.add_photo_with_picture()
        page = self.logged_in()
        page.goto("/admin/ingest/job/")
        page.locator("#searchbar").fill(job[:6])
        page.keyboard.press("Enter")
        page.wait_for_url("**/change/")
        # Whoever deletes a picture has seen it: a preview asked for later would be gone.
        page.wait_for_load_state("networkidle")
        page.locator("#delete-picture").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("button", name="Отмена")).to_be_focused()
        dialog.get_by_role("button", name="Удалить").click()
        expect(page.locator("#toasts li")).to_contain_text("Картинка удалена")
        expect(page.get_by_text("Картинка больше не хранится")).to_be_visible()

    def test_a_photo_in_work_follows_by_itself(self) -> None:
        self.add_job("slot-001", ago_s=2, is_open=True)
        page = self.following(f"/admin/ingest/job/{self.jobs()[0]}/change/")
        expect(page.locator(".verdict")).to_contain_text("AI-сервис работает")
        self.site.execute("UPDATE job_history SET status = 'failed', failure_reason = 'network'")
        page.clock.run_for(3000)
        expect(page.locator(".verdict")).to_contain_text("недоступен по сети")
