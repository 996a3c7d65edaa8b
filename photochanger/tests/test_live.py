"""The live site itself: a photo goes through real processes and leaves what it should."""

import io
import sqlite3
import unittest

import httpx
import psycopg
from PIL import Image

from photochanger.testing import live, server_process, server_watch
from photochanger.testing.databases import chosen_database, new_database, pg_connections, rows
from photochanger.testing.marks import live_server


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((320, 240), 40).convert("RGB").save(out, "JPEG")
    return out.getvalue()


@live_server
class LiveSiteTests(unittest.TestCase):
    site: live.LiveSite

    @classmethod
    def setUpClass(cls) -> None:
        cls.site = cls.enterClassContext(live.site(chosen_database()))
        cls.site.configure(prompt="Make it a beach")

    def post(self, server: server_process.Server, password: str) -> httpx.Response:
        return httpx.post(
            f"{server.url}/ingest/slot-001",
            data={"password": password},
            files={"fileToUpload": ("IMG_0001.JPG", jpeg(), "image/jpeg")},
            timeout=30,
        )

    def test_a_photo_goes_through_real_processes_and_is_recorded(self) -> None:
        with self.site.simulator(latency_s=0.1) as provider, self.site.server() as server:
            with server_watch.Watch(server, self.site.database_url) as watch:
                answer = self.post(server, self.site.password)
            assert answer.status_code == 200, answer.text + server.log_text()
            assert answer.headers["content-type"].startswith("image/")
            assert provider.state()["max_in_flight"] == 1
            assert self.site.temp_bytes(server) == 0
            assert "ingest.job.closed" in server.log_text()
            assert self.site.password not in server.log_text()
        status, slot_id = self.site.rows("select status, slot_id from job_history")[-1]
        assert (status, slot_id) == ("done", "slot-001")
        assert watch.samples > 0
        assert watch.max_rss_bytes >= watch.rss_before_bytes > 0

    def test_gunicorn_serves_with_its_own_workers_and_stops_on_sigterm(self) -> None:
        with self.site.server(gunicorn=2) as server:
            assert len(server.tree()) >= 3  # the master and two workers
            assert self.post(server, "wrong").status_code == 401
        assert not server.process.is_running()

    def test_nobody_stays_connected_after_the_server_is_gone(self) -> None:
        if chosen_database() == "sqlite":
            self.skipTest("SQLite has no connections to count: run with --postgres")
        with self.site.server() as server:
            self.post(server, "wrong")
            assert pg_connections(self.site.database_url) >= 1
        assert pg_connections(self.site.database_url) == 0

    def test_a_new_database_is_empty_and_gone_afterwards(self) -> None:
        with new_database(chosen_database()) as url:
            assert rows(url, "select 1") == [(1,)]
        with self.assertRaises((psycopg.OperationalError, sqlite3.OperationalError)):
            rows(url, "select 1")
