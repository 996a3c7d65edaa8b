"""A bucket that accepts and does not answer, and a pipe under a picture's name: time is kept."""

import os
import time
import uuid
from typing import Any, ClassVar

import httpx
import psutil

from ingest.tests.life_support import PROMPT, LifeTestCase
from ingest.tests.support import jpeg
from media.tests.test_s3 import KEY, SECRET
from media.tests.test_s3 import Server as Bucket
from photochanger.testing import server_process

WAIT_S, ABOUT_S = 20, 30  # of the slot; what a busy machine adds, where nothing would answer


class FrozenBucketTests(LifeTestCase):
    simulated: ClassVar[dict[str, Any]] = {"plain": True}
    bucket: Bucket
    server: server_process.Server

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.bucket = cls.enterClassContext(Bucket())
        cls.site.env |= {
            "S3_BUCKET": "photos",
            "S3_ENDPOINT_URL": cls.bucket.url,
            "S3_ACCESS_KEY_ID": KEY,
            "S3_SECRET_ACCESS_KEY": SECRET,
        }
        slot = {"settings": PROMPT, "sync_response_seconds": WAIT_S}
        cls.site.configure_all({"slot-001": slot})
        cls.server = cls.enterClassContext(cls.site.server())

    def test_pictures_reach_their_booths_in_time_and_rows_say_why_they_have_no_file(self) -> None:
        frozen = psutil.Process(self.bucket.process.pid)
        begun = time.monotonic()
        with self.in_flight(self.server, 10) as sent:
            frozen.suspend()
        try:
            self.assert_all_well([photo.result() for photo in sent])
            self.assertLess(time.monotonic() - begun, WAIT_S + ABOUT_S)
            self.assertEqual(httpx.get(f"{self.server.url}/livez", timeout=90).status_code, 200)
        finally:
            frozen.resume()
        self.eventually(lambda: self.open_jobs() == [])
        sql = "select job_id, status, result_path, failure_detail from job_history"
        rows = {uuid.UUID(str(job_id)): rest for job_id, *rest in self.site.rows(sql)}
        for photo in sent:
            status, path, detail = rows[uuid.UUID(photo.result().headers["X-Job-Id"])]
            self.assertEqual((status, path), ("done", ""))
            self.assertIn("sent, but not stored", detail)
        self.assert_all_well([self.post(self.server)])

    def test_a_repeat_whose_picture_cannot_be_read_is_a_clear_refusal_in_time(self) -> None:
        photo, frozen = jpeg(), psutil.Process(self.bucket.process.pid)
        self.assert_all_well([self.post(self.server, photo)])
        frozen.suspend()
        try:
            self.assertLess(self.measure_refusal_s(self.server, photo), WAIT_S + ABOUT_S)
        finally:
            frozen.resume()
        self.assertEqual(self.post(self.server, photo).headers["X-PhotoChanger-Replay"], "1")


class PipeTests(LifeTestCase):
    simulated: ClassVar[dict[str, Any]] = {"plain": True}

    def test_a_pipe_under_a_pictures_name_keeps_nobody(self) -> None:
        with self.site.server() as server:
            photo = jpeg()
            answer = self.post(server, photo)
            self.assert_all_well([answer])
            job_id = answer.headers["X-Job-Id"]
            (name,) = (path for path in self.results() if f"{job_id}/payload" in path)
            file = self.site.media_root / name
            file.unlink()
            os.mkfifo(file)
            link = f"{server.url}/public/results/{job_id}"
            for _ in range(6):
                self.assertEqual(httpx.get(link, timeout=90).status_code, 500)
            self.assert_storage_error(self.post(server, photo))
            self.assert_all_well([self.post(server)])
