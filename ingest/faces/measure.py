"""Compare a result with its photo, once the booth has its answer, and write down the figures."""

import asyncio
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from PIL import Image

from ingest.faces.detector import Detection, detector
from ingest.faces.search import FaceSearch
from ingest.models import Attempt, Job
from media.faces.decoding import shrink_for_detection
from media.faces.face import Face
from media.faces.verdict import Report, compare_faces
from photochanger import metrics
from photochanger.db import in_db

log = structlog.get_logger()


async def measure_now(job: Job, search: FaceSearch, image: Image.Image) -> None:
    """Judge a result and write the figures to its rows. Never raises."""
    try:
        report = await compare_pictures(search, image)
        if report is None:
            metrics.count_faces_skipped()
            return
        await in_db(record_report, job.pk, report)
        metrics.count_faces(slot=job.slot_id, verdict=report.verdict)
    except Exception as exc:  # the booth has its picture: only a figure is lost
        log.warning("faces.measure.failed", job=str(job.pk), detail=type(exc).__name__)


async def compare_pictures(search: FaceSearch, image: Image.Image) -> Report | None:
    """None where one of the two was not searched. Raises what a picture's decoder raises."""
    before = await wait_for_faces(search.detection)
    if before is None:
        return None
    small = await asyncio.to_thread(shrink_for_detection, image)
    detection = detector.start(partial(_get, small), describe=search.describe)
    after = await wait_for_faces(detection) if detection else None
    if after is None:
        return None
    # 40 faces against 40 others take 50 ms.
    return await asyncio.to_thread(compare_faces, before, after, search.rules)


def _get(image: Image.Image) -> Image.Image:
    return image


async def wait_for_faces(detection: Detection) -> list[Face] | None:
    """None for a detection that was given up before its turn came."""
    await asyncio.wait([asyncio.wrap_future(detection)])
    return None if detection.cancelled() else detection.result()


def make_figures(report: Report) -> dict[str, Any]:
    """The columns of a job, and of a call."""
    return {
        "people_in": report.people_in,
        "people_out": report.people_out,
        "faces": report.verdict.value,
        "likeness": report.likeness,
    }


def record_report(job_id: UUID, report: Report) -> None:
    """Write the four figures to the job, and to the call that brought its picture."""
    figures = make_figures(report)
    with transaction.atomic():
        Job.objects.filter(pk=job_id).update(**figures)
        Attempt.objects.filter(job=job_id, failure_reason="").update(**figures)
