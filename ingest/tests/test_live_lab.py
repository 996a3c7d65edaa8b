"""A run of the lab whose server is killed: nothing is left behind, and it goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from ingest.tests.life_support import LifeTestCase
from ingest.tests.support import jpeg
from photochanger.testing import live, server_process
from photochanger.testing.lab import LabPage, log_in
from photochanger.testing.marks import both_databases

pytestmark = both_databases

OWN = "slot-001:gemini-nano-banana-2.1"
LONG_AGO = "2026-01-01 00:00:00+00:00"


class LabLifeTests(LifeTestCase):
    session: str

    @classmethod
    def make_ready(cls, site: live.LiveSite) -> None:
        super().make_ready(site)
        cls.session = log_in(site)

    def setUp(self) -> None:
        super().setUp()
        self.site.execute("delete from job_history where status = 'processing'")
        self.site.execute("delete from lab_cell")

    def open(self, server: server_process.Server, path: str = "") -> LabPage:
        return self.enterContext(LabPage(server.url, self.session, path))

    def list_states(self) -> list[str]:
        return [state for (state,) in self.site.rows("select state from lab_cell order by id")]

    @contextmanager
    def at_work(self, page: LabPage, count: int) -> Iterator[None]:
        """A lane waits for the AI service within the block, with so many pictures in work."""

        def work() -> None:
            with suppress(httpx.HTTPError):
                page.ask()

        page.http.get("/admin/lab/")
        with self.provider.holding():
            lanes = [threading.Thread(target=work) for _ in range(count)]
            for lane in lanes:
                lane.start()
            self.eventually(lambda: self.provider.state()["in_flight"] == count)
            yield
        for lane in lanes:
            lane.join()

    def pass_time(self) -> None:
        """As if the deadlines and claims of what was in work had passed."""
        for sql in (
            f"update job_history set deadline = '{LONG_AGO}' where status = 'processing'",
            f"update lab_cell set claimed_until = '{LONG_AGO}' where state = 'running'",
        ):
            self.site.execute(sql)

    def kill_at_work(self, count: int = 2) -> str:
        """The path of a run whose server was killed while it worked on it."""
        with self.site.server() as server:
            page = self.open(server)
            page.make([jpeg() for _ in range(3)], [OWN])
            with self.at_work(page, count):
                server.process.kill()
            server.process.wait(90)
        return page.path

    def test_a_killed_server_leaves_claims_that_run_out_and_the_run_goes_on(self) -> None:
        path = self.kill_at_work()
        self.assertEqual(sorted(self.list_states()), ["running", "running", "waiting"])
        with self.site.server() as server:
            self.assertEqual(self.post(server).status_code, 200)  # a booth hears nothing of it
            self.pass_time()
            self.open(server, path).finish()
        self.assertEqual(self.list_states(), ["done"] * 3)
        self.site.manage("cleanup_media")
        self.assertEqual(self.open_jobs(), [])
        sql = "select source, status, failure_reason from job_history where source = 'lab'"
        outcomes = sorted(self.site.rows(sql))
        done, lost = ("lab", "done", ""), ("lab", "failed", "interrupted")
        self.assertEqual(outcomes, [done] * 3 + [lost] * 2)

    def test_a_run_deleted_after_its_server_was_killed_leaves_no_row_and_no_file(self) -> None:
        before = self.count_files()
        path = self.kill_at_work()
        with self.site.server() as server:
            self.open(server, path).post(f"{path}delete/", data={"confirmed": "1"})
        self.pass_time()
        self.site.manage("cleanup_media")
        run = int(path.strip("/").rpartition("/")[2])
        for table in ("lab_photo", "lab_recipe", "lab_cell"):
            sql = f"select count(*) from {table} where run_id = {run}"  # noqa: S608  our own names
            self.assertEqual(self.site.rows(sql)[0][0], 0, table)
        self.assertEqual(self.site.rows(f"select id from lab_run where id = {run}"), [])  # noqa: S608
        self.assertEqual(self.open_jobs(), [])
        self.assertEqual(self.count_files(), before)

    def test_a_server_that_is_asked_to_stop_finishes_what_the_lab_has_begun(self) -> None:
        with self.site.server() as server:
            page = self.open(server)
            page.make([jpeg() for _ in range(3)], [OWN])
            with self.at_work(page, 2):
                server.process.terminate()
            server.process.wait(90)
        self.assertEqual(self.list_states(), ["done", "done", "waiting"])
        self.assertEqual(self.open_jobs(), [])

    def test_a_stopped_run_finishes_what_it_has_begun_and_begins_nothing(self) -> None:
        with self.site.server() as server:
            page = self.open(server)
            page.make([jpeg() for _ in range(3)], [OWN])
            with self.at_work(page, 2):
                page.post(f"{page.path}stop/")
            page.finish()
        self.assertEqual(self.list_states(), ["done", "done", "waiting"])

    def count_files(self) -> int:
        files = (path for path in self.site.media_root.rglob("*") if path.is_file())
        return sum("closings" not in str(path) for path in files)
