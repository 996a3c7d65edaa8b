"""How long a run's photos and pictures are kept, and their end."""

from collections.abc import Collection
from uuid import UUID

import structlog
from django.db import transaction

from ingest.models import LabCell, LabPhoto, LabRun
from media.deletion import expire_result, expire_uploads
from media.models import MediaObject
from photochanger.db import clock

log = structlog.get_logger()

Kind = MediaObject.Kind


def keep_pictures(job_ids: Collection[UUID], photo_ids: Collection[UUID]) -> None:
    """Until somebody deletes them: results of these jobs, and photos."""
    live = MediaObject.objects.filter(cleaned_at__isnull=True)
    live.filter(job_id__in=job_ids, kind__in=(Kind.RESULT, Kind.PREVIEW)).update(expires_at=None)
    live.filter(pk__in=photo_ids, kind=Kind.TEST_PHOTO).update(expires_at=None)


def keep_run(run: LabRun) -> None:
    """Inside a transaction: it stays with the version of the slot that came of it."""
    LabRun.objects.filter(pk=run.pk).update(expires_at=None)
    jobs = run.cells.filter(job_id__isnull=False).values_list("job_id", flat=True)
    keep_pictures([key for key in jobs if key], list(run.photos.values_list("media_id", flat=True)))


def delete_run(run: LabRun, *, by: str) -> None:
    """Rows first: a picture that is being made finds no cell, and goes too. Files that a faulty
    disk refuses to delete are removed by cleanup."""
    with transaction.atomic():
        photos = list(LabPhoto.objects.filter(run=run).values_list("media_id", flat=True))
        cells = LabCell.objects.filter(run=run, job_id__isnull=False)
        jobs = list(cells.values_list("job_id", flat=True))
        LabRun.objects.filter(pk=run.pk).delete()
    expire_uploads(photos)
    for job_id in filter(None, jobs):
        expire_result(job_id)
    log.info("lab.run.deleted", run=run.pk, photos=len(photos), pictures=len(jobs), by=by)


def delete_old_runs() -> int:
    """Those whose time is over; returns how many. Their files end by themselves."""
    return LabRun.objects.filter(expires_at__lte=clock.now()).delete()[1].get("ingest.LabRun", 0)
