"""What a run is made of: its photos, and the recipes they are tried on."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from ingest.lab.offers import choose_recipes
from ingest.lab.problems import LabProblem
from ingest.lab.samples import SAMPLES, make_sample
from ingest.models import LabCell, LabPhoto, LabRecipe, LabRun
from media.deletion import expire_uploads
from photochanger.db import clock
from slots.platform_settings import load_platform_settings
from slots.uploads import Upload, store_lab_photo

log = structlog.get_logger()

MAX_PHOTOS, MAX_RECIPES, MAX_RUNS = 30, 8, 30
MAX_NAME = 60
TOO_MANY_PHOTOS = _("A run takes 30 photos at most.")


def make_run(*, by: str) -> LabRun:
    """An empty one. Its photos are kept as long as results are. Raises LabProblem."""
    if LabRun.objects.filter(expires_at__isnull=False).count() >= MAX_RUNS:
        raise LabProblem(_("There are too many runs: delete some first."))
    now = clock.now()
    ttl = timedelta(hours=load_platform_settings().result_ttl_hours)
    run = LabRun.objects.create(made_at=now, made_by=by[:150], expires_at=now + ttl)
    log.info("lab.run.made", run=run.pk, by=by)
    return run


def add_photo(run: LabRun, upload: Upload, name: str) -> LabPhoto:
    """File first, row second. Raises LabProblem, and as ``store_lab_photo``."""
    _check_open(run)
    stored = store_lab_photo(upload, expires_at=run.expires_at or clock.now())
    try:
        return _add_row(run, stored.media.pk, name)
    except LabProblem:
        expire_uploads([stored.media.pk])
        raise


@transaction.atomic
def _add_row(run: LabRun, media_id: UUID, name: str) -> LabPhoto:
    locked = LabRun.objects.select_for_update(no_key=True).filter(pk=run.pk).first()
    if locked is None:
        raise LabProblem(_("This run has been deleted."))
    _check_open(locked)
    last = locked.photos.aggregate(last=Max("number"))["last"]
    number = 0 if last is None else last + 1
    shown = "".join(filter(str.isprintable, name)).strip()[:MAX_NAME]
    return LabPhoto.objects.create(
        run=locked, number=number, name=shown or f"{number + 1}", media_id=media_id
    )


def _check_open(run: LabRun) -> None:
    if run.started_at is not None or run.is_over():
        raise LabProblem(_("This run has begun: its photos stay as they are."))
    if run.photos.count() >= MAX_PHOTOS:
        raise LabProblem(TOO_MANY_PHOTOS)


def add_samples(run: LabRun) -> int:
    """Those of the starter set that the run has not yet; returns how many. Raises LabProblem."""
    there = set(run.photos.values_list("name", flat=True))
    missing = [sample for sample in SAMPLES if str(sample.title) not in there]
    for sample in missing:
        add_photo(run, make_sample(sample), str(sample.title))
    return len(missing)


def remove_photo(run: LabRun, photo_id: int) -> None:
    """Raises LabProblem for a run that has begun."""
    if run.started_at is not None:
        raise LabProblem(_("This run has begun: its photos stay as they are."))
    photos = LabPhoto.objects.filter(pk=photo_id, run=run)
    ids = list(photos.values_list("media_id", flat=True))
    photos.delete()
    expire_uploads(ids)


@transaction.atomic
def start_run(run_id: int, values: Collection[str], slot_id: str = "") -> None:
    """``values``: of the offered choices; ``slot_id``: by whose rules the library's are tried.

    Raises LabProblem, SlotNotFound.
    """
    run = LabRun.objects.select_for_update(no_key=True).get(pk=run_id)
    if run.started_at is not None:
        return  # by a second click
    chosen = choose_recipes(values, slot_id)
    photos = list(run.photos.all())
    if not photos or not chosen:
        raise LabProblem(_("Choose photos and at least one recipe."))
    if len(chosen) > MAX_RECIPES:
        raise LabProblem(_("A run takes 8 recipes at most."))
    recipes = LabRecipe.objects.bulk_create(
        LabRecipe(
            run=run,
            number=number,
            slot=one.offer.slot,
            slot_version=one.offer.slot.version,
            title=one.title,
            provider=one.offer.provider,
            operation=one.offer.operation,
            settings=one.settings,
            **one.offer.frozen,
        )
        for number, one in enumerate(chosen)
    )
    now = clock.now()
    LabCell.objects.bulk_create(
        LabCell(run=run, photo=photo, recipe=recipe, changed_at=now)
        for photo in photos
        for recipe in recipes
    )
    LabRun.objects.filter(pk=run.pk).update(started_at=now, active_at=now)
    log.info("lab.run.started", run=run.pk, photos=len(photos), recipes=len(recipes))


def stop_run(run_id: int) -> None:
    """What was begun ends by itself; nothing new begins."""
    LabRun.objects.filter(pk=run_id, stopped_at__isnull=True).update(stopped_at=clock.now())
    log.info("lab.run.stopped", run=run_id)


def resume_run(run_id: int) -> None:
    LabRun.objects.filter(pk=run_id).update(stopped_at=None, active_at=clock.now())
