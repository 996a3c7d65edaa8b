"""Pictures in a bucket: the whole path against a real S3 server process."""

import asyncio
import io
import os
import re
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from typing import Any, ClassVar

import boto3
from django.core.files.storage import default_storage
from django.test import SimpleTestCase, override_settings
from django.utils import timezone
from PIL import Image

from ingest.models import Job
from ingest.tests.support import IngestTestCase
from media import storage
from media.models import MediaObject
from photochanger.checks import environment
from photochanger.testing.marks import live_server
from photochanger.testing.waiting import wait_until_async

KEY, SECRET = "S3KEYSECRETA", "s3-secret-key-value"
NOWHERE = "http://127.0.0.1:9"  # nobody listens there


class Server:
    """An S3 server of its own process, with one bucket ``photos``."""

    def __enter__(self) -> "Server":
        code = "from moto.server import main; main(['-H', '127.0.0.1', '-p', '0'])"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        assert self.process.stderr
        for line in self.process.stderr:
            if found := re.search(rb"http://127\.0\.0\.1:\d+", line):
                self.url = found[0].decode()
                break
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        self.client.create_bucket(Bucket="photos")
        return self

    def __exit__(self, *failure: object) -> None:
        self.process.kill()
        self.process.communicate()

    def stored(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket="photos").get("Contents", ())
        return [item["Key"] for item in found]


def stored_at(url: str, *, bucket: str = "photos", prefix: str = "live") -> override_settings:
    options = {
        "bucket_name": bucket,
        "location": prefix,
        "endpoint_url": url,
        "region_name": "us-east-1",
        "access_key": KEY,
        "secret_key": SECRET,
    }
    return override_settings(
        STORAGES={
            "default": {"BACKEND": "media.storage.s3.BucketStorage", "OPTIONS": options},
            "staticfiles": {
                "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
            },
        }
    )


@live_server
class BucketTestCase(IngestTestCase):
    server: ClassVar[Server]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = cls.enterClassContext(Server())

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(stored_at(self.server.url))
        self.addCleanup(self.empty_the_bucket)

    def empty_the_bucket(self) -> None:
        for key in self.server.stored():
            self.server.client.delete_object(Bucket="photos", Key=key)

    async def fetch(self, path: str, method: str = "get", **headers: str) -> tuple[Any, bytes]:
        answer = await getattr(self.async_client, method)(path, headers=headers)
        if not answer.streaming:
            return answer, answer.content
        return answer, b"".join([chunk async for chunk in answer.streaming_content])


class PhotoInBucketTests(BucketTestCase):
    async def test_a_photo_goes_its_whole_way(self) -> None:
        done = await self.post()
        self.assertEqual(done.status_code, 200)
        job = await Job.objects.aget()
        folder = f"results/slot-001/{job.pk}"
        self.assertEqual(
            self.server.stored(), [f"live/{folder}/payload.jpg", f"live/{folder}/preview.webp"]
        )
        self.assertEqual(self.files(), [])  # nothing on disk
        kept = await asyncio.to_thread(lambda: sorted(f.path for f in storage.iter_files()))
        self.assertEqual(kept, [f"{folder}/payload.jpg", f"{folder}/preview.webp"])

        link = f"/public/results/{job.pk}"
        answer, body = await self.fetch(link)
        self.assertEqual((answer.status_code, body), (200, done.content))
        answer, body = await self.fetch(link, Range="bytes=100-199")
        self.assertEqual((answer.status_code, body), (206, done.content[100:200]))
        answer, body = await self.fetch(link, "head")
        self.assertEqual((answer.status_code, body), (200, b""))
        self.assertEqual(answer["Content-Length"], str(len(done.content)))
        answer, body = await self.fetch(f"{link}/preview")
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(Image.open(io.BytesIO(body)).format, "WEBP")

    async def test_the_same_photo_again_gets_its_picture_from_the_bucket(self) -> None:
        photo = Image.new("RGB", (64, 64))
        photo.save(body := io.BytesIO(), "JPEG")
        first = await self.post(body.getvalue())
        again = await self.post(body.getvalue())
        self.assertEqual(again["X-PhotoChanger-Replay"], "1")
        self.assertEqual(again.content, first.content)

    async def test_an_expired_picture_leaves_the_bucket(self) -> None:
        await self.post()
        job = await Job.objects.aget()
        await MediaObject.objects.filter(job_id=job.pk).aupdate(
            expires_at=timezone.now() - timedelta(seconds=1)
        )
        answer, _ = await self.fetch(f"/public/results/{job.pk}")
        self.assertEqual(answer.status_code, 410)
        self.assertEqual(self.server.stored(), [])

    async def test_a_picture_that_vanished_from_the_bucket_is_not_promised(self) -> None:
        await self.post()
        job = await Job.objects.aget()
        self.empty_the_bucket()
        answer, _ = await self.fetch(f"/public/results/{job.pk}")
        self.assertIn(answer.status_code, (404, 410))

    async def assert_answered_without_a_link(self) -> None:
        begun = time.monotonic()
        answer = await self.post()
        self.assertLess(time.monotonic() - begun, 40)
        self.assertEqual(answer.status_code, 200)
        job = await Job.objects.aget()
        self.assertEqual((job.status, job.failure_reason, job.result_path), ("done", "", ""))
        self.assertIn("sent, but not stored", job.failure_detail)
        self.assertIn("S3: ", job.failure_detail)
        self.assertNotIn(KEY, job.failure_detail)
        self.assertNotIn(SECRET, job.failure_detail)
        self.assertFalse(await MediaObject.objects.aexists())
        self.assertEqual(self.server.stored(), [])

    async def test_without_its_bucket_a_paid_picture_is_still_answered(self) -> None:
        with stored_at(self.server.url, bucket="nobodys"):
            await self.assert_answered_without_a_link()

    async def test_without_its_server_a_paid_picture_is_still_answered(self) -> None:
        with stored_at(NOWHERE):
            await self.assert_answered_without_a_link()


class BucketTests(BucketTestCase):
    def test_a_file_is_stored_under_exactly_its_name(self) -> None:
        for body in (b"first", b"second"):
            storage.write("templates/a.jpg", body)
            self.assertEqual(storage.read("templates/a.jpg"), body)
        self.assertEqual(self.server.stored(), ["live/templates/a.jpg"])

    def test_removing_a_missing_file_is_fine(self) -> None:
        storage.write("templates/a.jpg", b"first")
        storage.remove("templates/a.jpg")
        storage.remove("templates/a.jpg")
        self.assertEqual(self.server.stored(), [])
        with self.assertRaises(FileNotFoundError):
            storage.read("templates/a.jpg")

    def test_a_remote_file_is_seekable(self) -> None:
        storage.write("templates/a.jpg", b"0123456789")
        with storage.open_file("templates/a.jpg") as file:
            file.seek(7)
            self.assertEqual(file.read(), b"789")

    async def test_a_large_file_comes_in_pieces_and_in_part(self) -> None:
        body = bytes(range(256)) * 10_000
        await asyncio.to_thread(storage.write, "results/large.png", body)
        for start, length in ((0, None), (0, len(body)), (1_500_000, None), (99, 1_200_000)):
            opened = await storage.open_chunks("results/large.png", start=start, length=length)
            chunks = [chunk async for chunk in opened]
            end = len(body) if length is None else start + length
            self.assertEqual(b"".join(chunks), body[start:end])
            self.assertLessEqual(max(map(len, chunks)), storage.REMOTE_CHUNK_BYTES)
        with self.assertRaises(FileNotFoundError):
            await storage.open_chunks("results/none.png")

    async def test_a_client_that_hangs_up_closes_the_buckets_connection(self) -> None:
        await asyncio.to_thread(storage.write, "results/large.png", bytes(5_000_000))
        opened = await storage.open_chunks("results/large.png")
        reading = asyncio.ensure_future(anext(opened))
        await asyncio.sleep(0)
        reading.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await reading
        await wait_until_async(lambda: opened._file.closed)

    def test_one_client_serves_all_threads(self) -> None:
        storage.warm_up()
        here = default_storage.connection

        async def elsewhere() -> Any:
            return await asyncio.to_thread(lambda: default_storage.connection)

        self.assertIs(asyncio.run(elsewhere()), here)

    def test_a_start_without_the_bucket_says_so_and_goes_on(self) -> None:
        with stored_at(self.server.url, bucket=f"no-{uuid.uuid4()}"), self.assertLogs() as seen:
            storage.warm_up()
        self.assertIn("server.storage.unavailable", seen.output[0])
        self.assertNotIn(SECRET, "".join(seen.output))


@live_server
class SettingsTests(SimpleTestCase):
    def test_incomplete_settings_stop_the_start(self) -> None:
        for half in (
            {"S3_ACCESS_KEY_ID": KEY, "S3_SECRET_ACCESS_KEY": SECRET},
            {"S3_BUCKET": "photos", "S3_ACCESS_KEY_ID": KEY},
            {"S3_BUCKET": "s3://photos"},
        ):
            with self.subTest(half), override_settings(**half):
                found = [error.id for error in environment.check_environment()]
                self.assertEqual(found, ["photochanger.E011"])

    def test_the_environment_chooses_the_storage_and_boto3_is_not_imported_for_a_disk(self) -> None:
        look = (
            "import sys; from media import storage; import django; django.setup();"
            "print(storage.is_local(), 'boto3' in sys.modules)"
        )
        for given, said in (({}, "True False"), ({"S3_BUCKET": "photos"}, "False True")):
            done = subprocess.run(
                [sys.executable, "-c", look], env=os.environ | given, capture_output=True, text=True
            )
            self.assertEqual(done.stdout.strip(), said, done.stderr)
