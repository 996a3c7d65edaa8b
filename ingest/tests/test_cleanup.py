import io
import json
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from datetime import timedelta
from pathlib import Path

from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import SimpleTestCase, TestCase, override_settings
from django.utils import timezone

from ingest.cleanup import CleanupReport, clean_up, load_last_cleanup
from ingest.models import Job
from ingest.pipeline.closing import CLOSED_AFTER
from ingest.tests.support import IngestTestCase
from media import storage
from media.models import MediaObject
from photochanger.db import in_db
from photochanger.testing import live
from photochanger.testing.databases import BASE_DIR, chosen_database
from photochanger.testing.marks import both_databases, live_server
from photochanger.testing.old_files import expired_results, stray_file

pytestmark = both_databases


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("cleanup_media", *arguments, stdout=out)
    return out.getvalue()


class CleanupCase(TestCase):
    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(override_settings(MEDIA_ROOT=self.root))

    def add_expired_result(self, slot_id: str = "slot-001") -> MediaObject:
        job_id = uuid.uuid4()
        path = f"results/{slot_id}/{job_id}/payload.jpg"
        storage.write(path, b"picture")
        return MediaObject.objects.create(
            job_id=job_id,
            slot_id=slot_id,
            kind=MediaObject.Kind.RESULT,
            path=path,
            mime="image/jpeg",
            size_bytes=7,
            expires_at=timezone.now() - timedelta(hours=1),
        )

    def add_broken_result(self) -> MediaObject:
        media = self.add_expired_result()
        path = self.root / media.path
        path.unlink()
        (path / "inside").mkdir(parents=True)
        return media


class CommandTests(CleanupCase):
    def test_it_reports_as_text_and_as_json(self) -> None:
        self.add_expired_result()
        self.assertIn("1 result", command())
        self.add_expired_result()
        report = CleanupReport.model_validate_json(command("--json"))
        self.assertEqual((report.removed["result"], report.freed_bytes), (1, 7))
        self.assertEqual((report.failures, report.slot_id, report.dry_run), (0, None, False))

    def test_a_dry_run_touches_nothing_not_even_the_time_of_the_last_run(self) -> None:
        media, job = self.add_expired_result(), open_job(overdue_by=timedelta(hours=1))
        said = command("--dry-run")
        self.assertIn("Files would be removed: 1 result", said)
        self.assertIn("interrupted: 1", said)
        media.refresh_from_db()
        job.refresh_from_db()
        self.assertEqual((media.cleaned_at, job.status), (None, Job.Status.PROCESSING))
        self.assertTrue((self.root / media.path).exists())
        self.assertIsNone(load_last_cleanup())

    def test_it_ends_with_status_1_when_something_failed_and_has_done_the_rest(self) -> None:
        self.add_broken_result()
        good = self.add_expired_result()
        with self.assertRaises(CommandError) as caught:
            command()
        self.assertEqual(caught.exception.returncode, 1)
        good.refresh_from_db()
        self.assertIsNotNone(good.cleaned_at)
        last = load_last_cleanup()
        assert last is not None
        self.assertEqual((last.failures, last.removed["result"]), (1, 1))

    def test_a_slot_alone_or_none_at_all(self) -> None:
        self.add_expired_result("slot-002")
        mine = self.add_expired_result("slot-003")
        other, own = open_job(), open_job("slot-003")
        report = json.loads(command("--slot", "slot-003", "--json"))
        self.assertEqual((report["removed"]["result"], report["closed_jobs"]), (1, 1))
        mine.refresh_from_db()
        self.assertIsNotNone(mine.cleaned_at)
        for job, status in ((other, Job.Status.PROCESSING), (own, Job.Status.FAILED)):
            job.refresh_from_db()
            self.assertEqual(job.status, status)
        self.assertIsNone(load_last_cleanup())  # it must not hide that nobody cleans the others
        with self.assertRaises(CommandError):
            command("--slot", "slot-099")

    def test_the_last_report_is_stored_for_the_console_and_for_metrics(self) -> None:
        self.assertIsNone(load_last_cleanup())
        self.add_expired_result()
        with self.assertLogs("ingest.cleanup", "INFO") as logged:
            report = clean_up(by="serg")
        self.assertEqual(load_last_cleanup(), report)
        self.assertEqual(report.by, "serg")
        finished = next(line for line in logged.output if "media.cleanup.finished" in line)
        for word in ("removed", "freed_bytes", "failures", "took_ms", "dry_run"):
            self.assertIn(word, finished)
        clean_up(by="igor")
        last = load_last_cleanup()
        assert last is not None
        self.assertEqual((last.by, last.removed["result"]), ("igor", 0))


def open_job(slot_id: str = "slot-001", *, overdue_by: timedelta = 2 * CLOSED_AFTER) -> Job:
    deadline = timezone.now() - overdue_by
    return Job.objects.create(
        slot_id=slot_id,
        slot_version=1,
        provider="gemini",
        operation="image_edit",
        started_at=deadline - timedelta(seconds=48),
        deadline=deadline,
        photo_sha256="0" * 64,
        photo_bytes=1,
        replay_key=f"key:{uuid.uuid4()}",
    )


class OverdueJobTests(CleanupCase):
    def test_a_job_whose_server_died_is_closed_as_every_reader_sees_it_already(self) -> None:
        job = open_job()
        with self.assertLogs("ingest.cleanup", "WARNING") as logged:
            self.assertEqual(clean_up(by="test").closed_jobs, 1)
        self.assertIn(str(job.pk), str(logged.output))
        seen_before = job.outcome
        job.refresh_from_db()
        self.assertEqual(job.outcome, seen_before)
        self.assertEqual((job.status, job.failure_reason), ("failed", "interrupted"))
        self.assertEqual((job.finished_at, job.duration_ms), (job.deadline, None))
        self.assertIsNone(job.replay_key)
        self.assertEqual(clean_up(by="test").closed_jobs, 0)

    def test_a_server_may_still_be_writing_what_came_of_a_photo(self) -> None:
        for overdue_by in (timedelta(seconds=-10), CLOSED_AFTER / 2):
            open_job(overdue_by=overdue_by)
        self.assertEqual(clean_up(by="test").closed_jobs, 0)

    def test_jobs_that_are_over_are_left_as_they_are(self) -> None:
        job = open_job()
        Job.objects.filter(pk=job.pk).update(status=Job.Status.DONE)
        self.assertEqual(clean_up(by="test").closed_jobs, 0)
        job.refresh_from_db()
        self.assertEqual(job.status, Job.Status.DONE)


class GuestTests(IngestTestCase):
    async def test_a_guest_learns_after_cleanup_that_the_picture_has_expired(self) -> None:
        link = (await self.post())["X-Result-Url"]
        over = timezone.now() - timedelta(seconds=1)
        await MediaObject.objects.aupdate(expires_at=over)
        await in_db(command)
        self.assertEqual(self.files(), [])
        self.assertEqual((await self.async_client.get(link)).status_code, 410)


KILLED_AFTER = 50  # files
DIES = f"""
import os, signal
from django.core.management import execute_from_command_line

removed, unlink = 0, os.remove

def remove(*args, **options):
    global removed
    if removed == {KILLED_AFTER}:
        os.kill(os.getpid(), signal.SIGKILL)
    unlink(*args, **options)
    removed += 1

os.remove = remove
execute_from_command_line(["manage.py", "cleanup_media"])
"""


@live_server
class LiveCleanupTests(SimpleTestCase):
    """The command in processes of its own, on a database of their own."""

    ROWS = 400

    def setUp(self) -> None:
        self.site = self.enterContext(live.site(chosen_database()))

    def fill(self, rows: int) -> None:
        """Pictures that are over, and as many files that no row knows."""
        for _ in expired_results(self.site, rows):
            pass
        for _ in range(rows):
            stray_file(self.site)

    def start(self, **env: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "manage.py", "cleanup_media", "--json"],
            cwd=BASE_DIR,
            env=self.site.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def count_leftovers(self) -> tuple[int, int]:
        """Files, and rows of pictures that are over but not marked."""
        files = sum(path.is_file() for path in self.site.media_root.rglob("*"))
        sql = "select count(*) from media_object where cleaned_at is null"
        return files, self.site.rows(sql)[0][0]

    def test_two_runs_at_once_count_each_file_once_and_both_log_to_syslog(self) -> None:
        self.fill(self.ROWS)
        path = str(self.site.root / "syslog")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
            syslog.bind(path)
            syslog.settimeout(90)
            runs = [self.start(SYSLOG_ADDRESS=path) for _ in range(2)]
            ends = [run.communicate(timeout=300) for run in runs]
            heard = [syslog.recv(65536).decode() for _ in range(2)]
        self.assertEqual([run.returncode for run in runs], [0, 0], ends)
        reports = [CleanupReport.model_validate_json(out) for out, _ in ends]
        for kind in ("result", "orphan"):
            self.assertEqual(sum(r.removed[kind] for r in reports), self.ROWS, kind)
        self.assertEqual(self.count_leftovers(), (0, 0))
        for line in heard:
            record = json.loads(line.partition("photochanger: ")[2])
            self.assertEqual(record["event"], "media.cleanup.finished")

    def test_the_next_run_finishes_what_a_killed_run_left(self) -> None:
        self.fill(KILLED_AFTER)
        run = subprocess.run([sys.executable, "-c", DIES], cwd=BASE_DIR, env=self.site.env)
        self.assertEqual(run.returncode, -signal.SIGKILL)
        files, _rows = self.count_leftovers()
        self.assertTrue(0 < files < 2 * KILLED_AFTER, files)
        report = CleanupReport.model_validate_json(self.site.manage("cleanup_media", "--json"))
        self.assertEqual((report.failures, self.count_leftovers()), (0, (0, 0)))
