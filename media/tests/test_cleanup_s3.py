import uuid
from datetime import timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

from media import storage
from media.cleanup import FOLDERS
from media.models import MediaObject
from media.tests.test_cleanup import sweep
from media.tests.test_s3 import NOWHERE, BucketTestCase, stored_at

HOUR = timedelta(hours=1)


class CleanupInBucketTests(BucketTestCase):
    def result(self, *, expires_in: timedelta, is_stored: bool = True) -> MediaObject:
        job_id = uuid.uuid4()
        path = f"results/slot-001/{job_id}/payload.jpg"
        if is_stored:
            storage.write(path, b"picture")
        return MediaObject.objects.create(
            job_id=job_id,
            slot_id="slot-001",
            kind=MediaObject.Kind.RESULT,
            path=path,
            mime="image/jpeg",
            size_bytes=7,
            created_at=timezone.now() + expires_in - 72 * HOUR,
            expires_at=timezone.now() + expires_in,
        )

    def test_expired_orphaned_and_lost_files_are_cleaned_up_in_a_bucket(self) -> None:
        over, kept = self.result(expires_in=-HOUR), self.result(expires_in=9 * HOUR)
        lost = self.result(expires_in=9 * HOUR, is_stored=False)
        storage.write("results/slot-001/x/payload.jpg", b"orphan")
        run = sweep(now=timezone.now() + 2 * HOUR)  # the orphan is old by then
        self.assertEqual((run.removed["result"], run.removed["orphan"]), (1, 1))
        self.assertEqual((run.lost_files, run.failures, run.freed_bytes), (1, 0, 13))
        self.assertEqual(self.server.stored(), [f"live/{kept.path}"])
        for media in (over, lost):
            media.refresh_from_db()
            self.assertIsNotNone(media.cleaned_at)

    def test_a_bucket_is_asked_for_its_list_and_not_for_each_picture(self) -> None:
        for _ in range(12):
            self.result(expires_in=9 * HOUR)
        lost = self.result(expires_in=9 * HOUR, is_stored=False)
        asked: list[str] = []
        events = default_storage._client.meta.events  # type: ignore[attr-defined]
        events.register("before-call.s3", lambda model, **_: asked.append(model.name))
        run = sweep()
        self.assertEqual(run.lost_files, 1)
        # Each folder once, and once more for the one that is missing.
        self.assertEqual(asked, ["ListObjectsV2"] * (len(FOLDERS) + 1))
        lost.refresh_from_db()
        self.assertIsNotNone(lost.cleaned_at)

    def test_an_unavailable_bucket_is_a_failure_and_marks_no_row(self) -> None:
        for _ in range(4):
            self.result(expires_in=-HOUR, is_stored=False)
        self.result(expires_in=9 * HOUR)
        with stored_at(NOWHERE), self.assertLogs("media.cleanup", "ERROR") as logged:
            run = sweep(give_up_after=2)
        self.assertIn("media.cleanup.aborted", str(logged.output))
        self.assertEqual(run.failures, 2 + 1 + 4)  # files, what is lost, folders of orphans
        self.assertEqual((run.removed.total(), run.lost_files), (0, 0))
        self.assertFalse(MediaObject.objects.filter(cleaned_at__isnull=False).exists())
