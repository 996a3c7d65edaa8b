import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ingest.budgets.models import Budget as Budget
from ingest.budgets.models import Reservation
from ingest.capture.models import Capture as Capture
from ingest.capture.models import CapturedRequest as CapturedRequest
from ingest.costs.models import AttemptCost, JobCost, Price, Spending  # noqa: F401  for Django
from ingest.faces.words import VERDICT_CHOICES
from ingest.lab.models import LabCell as LabCell
from ingest.lab.models import LabPhoto as LabPhoto
from ingest.lab.models import LabRecipe as LabRecipe
from ingest.lab.models import LabRun as LabRun
from ingest.trials.models import TrialRecord as TrialRecord
from photochanger.db import clock
from photochanger.errors import Interrupted
from slots.models import Event, Slot


class FacesMeasured(models.Model):
    """Figures on the people of a photo and its result; nothing of their faces is ever stored."""

    # Null and blank: not looked at, or skipped under load.
    people_in = models.PositiveSmallIntegerField(_("people in the photo"), null=True, blank=True)
    people_out = models.PositiveSmallIntegerField(_("people in the result"), null=True, blank=True)
    # With the database's own default: a server of the release before still writes its rows.
    faces = models.CharField(
        _("faces"), max_length=10, choices=VERDICT_CHOICES, blank=True, default="", db_default=""
    )
    # Of the least alike person, 0-100; 50 is the limit for photo-like styles.
    likeness = models.PositiveSmallIntegerField(_("likeness, %"), null=True, blank=True)

    class Meta:
        abstract = True


class Job(Reservation, JobCost, FacesMeasured):
    """One photo from the booth's POST to its outcome."""

    class Source(models.TextChoices):
        INGEST = "ingest", _("booth")
        UI_TEST = "ui_test", _("test run")
        LAB = "lab", _("lab")

    class Status(models.TextChoices):
        PROCESSING = "processing", _("in progress")
        DONE = "done", _("done")
        TIMEOUT = "timeout", _("too late")
        FAILED = "failed", _("failed")

    # Random: whoever knows it may see the picture, so it is the public secret of the result.
    job_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slot = models.ForeignKey(Slot, models.PROTECT, related_name="jobs", verbose_name=_("slot"))
    slot_version = models.PositiveIntegerField()
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    status = models.CharField(
        _("status"), max_length=12, choices=Status.choices, default=Status.PROCESSING
    )
    # That the slot worked for when it was let in. Without an index of its own: most have none.
    event = models.ForeignKey(
        Event,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="jobs",
        verbose_name=_("event"),
    )
    provider = models.CharField(_("provider"), max_length=30)
    operation = models.CharField(_("operation"), max_length=50)
    # The last one that was asked: 0 is the slot's own service, else the position of its reserve.
    # With the database's own default: a server of the release before still writes its rows.
    reserve = models.PositiveSmallIntegerField(_("reserve"), default=0, db_default=0)

    started_at = models.DateTimeField(_("first byte"))
    deadline = models.DateTimeField(_("deadline"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("took, ms"), null=True, blank=True)
    provider_ms = models.PositiveIntegerField(_("of it the provider, ms"), null=True, blank=True)
    # Milliseconds by the steps of ``ingest.pipeline.steps``, as far as the photo came. Null, so
    # that a server of the release before can still write its rows.
    steps_ms = models.JSONField(null=True, editable=False)
    failure_reason = models.CharField(_("reason"), max_length=30, blank=True)
    failure_detail = models.CharField(_("detail"), max_length=500, blank=True)
    # Null: nothing was published for it. 0: the provider never came for the photo.
    provider_fetches = models.PositiveIntegerField(
        _("pictures fetched by the provider"), null=True, blank=True
    )

    photo_sha256 = models.CharField(max_length=64)
    photo_bytes = models.PositiveIntegerField(_("photo, bytes"))
    hash_recipe = models.CharField(_("hash of the booth"), max_length=10, blank=True)
    idempotency_key = models.CharField(max_length=200, blank=True)
    # What a repeated photo would carry too. Unique, so that of two equal photos at once the
    # database lets only one in; freed when the job fails, so that a repeat is a new job.
    replay_key = models.CharField(max_length=300, null=True, unique=True, editable=False)
    # The booth's texts that its prompt names, cleaned, by their words; emptied with the result.
    # Null, so that a server of the release before can still write its rows.
    guest_texts = models.JSONField(null=True, editable=False)
    # How many people its prompt told of. 0: they were not known in time. Null: it told of none.
    people_told = models.PositiveSmallIntegerField(null=True, editable=False)
    booth_id = models.CharField(_("booth"), max_length=64, blank=True)
    booth_name = models.CharField(_("booth's computer"), max_length=64, blank=True)
    booth_version = models.CharField(_("booth's version"), max_length=64, blank=True)

    result_path = models.CharField(max_length=200, blank=True)
    result_mime = models.CharField(max_length=50, blank=True)
    result_bytes = models.PositiveIntegerField(null=True, blank=True)
    result_width = models.PositiveIntegerField(null=True, blank=True)
    result_height = models.PositiveIntegerField(null=True, blank=True)
    # What the service's file said of its origin, unverified: ``Credentials``. Empty: nothing. Null
    # before there was a picture, and so that the release before can still write its rows.
    credentials = models.JSONField(null=True, editable=False)
    # As promised when the job closed; whether the result still exists is in media's row.
    result_expires_at = models.DateTimeField(_("result kept until"), null=True, blank=True)
    fell_back = models.BooleanField(_("original sent instead"), default=False)

    class Meta:
        db_table = "job_history"
        ordering = ["-started_at"]
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        indexes = [
            # Admission counts photos in flight: a handful of rows in a table of a million.
            models.Index(
                fields=["slot", "deadline"],
                name="job_in_flight_by_slot",
                condition=Q(status="processing"),
            ),
            models.Index(
                fields=["provider", "deadline"],
                name="job_in_flight_by_provider",
                condition=Q(status="processing"),
            ),
            # Includes the columns that its readers filter by; without them a search for a slot
            # that has no photos would walk through all photos in the index below.
            models.Index(
                fields=["slot", "-started_at"],
                include=["source", "status"],
                name="job_by_slot_and_time",
            ),
            # Holds every column that the statistics of a time window read.
            models.Index(
                fields=["-started_at"],
                include=[
                    *("slot", "source", "status", "deadline"),
                    *("failure_reason", "duration_ms", "provider_ms"),
                    *("cost_micros", "probable_micros", "unpriced_calls"),
                ],
                name="job_figures_and_costs_by_time",
            ),
            models.Index(
                fields=["slot", "-started_at"],
                name="job_failed_by_slot_and_time",
                condition=Q(status__in=["timeout", "failed"]),
            ),
            # What is emptied when its picture is gone: a few rows of many.
            models.Index(
                fields=["started_at"],
                name="job_with_guest_texts",
                condition=Q(guest_texts__isnull=False),
            ),
            # Holds every column that the figures of an event read.
            models.Index(
                fields=["event", "-started_at"],
                include=[
                    *("slot", "source", "status", "deadline"),
                    *("failure_reason", "duration_ms", "provider_ms"),
                    *("cost_micros", "probable_micros", "unpriced_calls"),
                ],
                name="job_figures_of_event_by_time",
                condition=Q(event__isnull=False),
            ),
            # Holds every column that the figures of faces read.
            models.Index(
                fields=["-started_at"],
                include=["slot", "source", "faces", "people_in", "likeness"],
                name="job_faces_by_time",
                condition=~Q(faces=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.job_id)

    def is_overdue(self, now: datetime | None = None) -> bool:
        """A row past its deadline that nobody closed: the process that held it died."""
        return self.status == self.Status.PROCESSING and (now or clock.now()) > self.deadline

    @property
    def outcome(self) -> tuple[Status, str]:
        """Status and failure reason as every reader must see them, crash or no crash."""
        if self.is_overdue():
            return self.Status.FAILED, Interrupted.reason
        return self.Status(self.status), self.failure_reason


class Attempt(AttemptCost, FacesMeasured):
    """One call of a provider within a job."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField(_("call"))
    provider = models.CharField(_("provider"), max_length=30)
    reserve = models.PositiveSmallIntegerField(_("reserve"), default=0, db_default=0)  # as in Job
    model = models.CharField(_("model"), max_length=100, blank=True)
    started_at = models.DateTimeField(_("started"))
    duration_ms = models.PositiveIntegerField(_("took, ms"))
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    finish_reason = models.CharField(max_length=50, blank=True)
    provider_request_id = models.CharField(max_length=100, blank=True)
    failure_reason = models.CharField(_("reason"), max_length=30, blank=True)
    # What the provider said, cut and without secrets: for operators only.
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    usage = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "job_attempt"
        ordering = ["job", "number"]
        verbose_name = _("call of a provider")
        verbose_name_plural = _("calls of a provider")
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="attempt_number")]

    def __str__(self) -> str:
        return f"{self.job_id} #{self.number}"


class Refusal(models.Model):
    """Requests of booths that became no photo, alike and of one minute, counted.

    ``cause`` is a word of ``ingest.refusals.causes``. The minute's few places for one cause bound
    the rows that a flood writes, by all processes together; whoever found none is in a wide row
    without address, of a slot that exists or of all other links.
    """

    minute = models.DateTimeField()
    cause = models.CharField(_("cause"), max_length=30)
    place = models.PositiveSmallIntegerField()
    # As the link had it: it need not exist.
    slot_asked = models.CharField(_("slot in the link"), max_length=40, blank=True)
    address = models.CharField(_("address"), max_length=45, blank=True)
    booth_name = models.CharField(_("booth's computer"), max_length=64, blank=True)
    booth_version = models.CharField(_("booth's version"), max_length=64, blank=True)
    reason = models.CharField(_("reason"), max_length=30)  # as the booth was told
    status = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField(_("times"), default=0)
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))
    waited_ms = models.PositiveIntegerField(null=True)  # how long the last one waited that hung up
    over_at = models.DateTimeField(null=True)  # when the same booth sent a photo that was all right

    class Meta:
        db_table = "refusal"
        ordering = ["-last_at"]
        verbose_name = _("refusal")
        verbose_name_plural = _("refusals")
        constraints = [
            models.UniqueConstraint(fields=["minute", "cause", "place"], name="refusal_place")
        ]
        indexes = [
            models.Index(fields=["-last_at"], name="refusal_by_time"),
            models.Index(fields=["slot_asked", "-last_at"], name="refusal_by_slot_and_time"),
        ]

    def __str__(self) -> str:
        return f"{self.count} x {self.cause}: {self.slot_asked}"


class KnownBooth(models.Model):
    """A booth that has sent a photo with the right password, as it was seen last."""

    name = models.CharField(_("booth's computer"), max_length=64, blank=True)
    address = models.CharField(_("address"), max_length=45, blank=True)
    version = models.CharField(_("booth's version"), max_length=64, blank=True)
    slot_id = models.CharField(_("slot"), max_length=16)  # of its last photo
    first_at = models.DateTimeField(_("first seen"))
    last_at = models.DateTimeField(_("last seen"))
    photos = models.PositiveIntegerField(_("photos"), default=0)
    # Positive: its clock is ahead of ours. Null: it does not tell its time.
    clock_skew_s = models.FloatField(null=True)

    class Meta:
        db_table = "booth"
        ordering = ["-last_at"]
        verbose_name = _("booth")
        verbose_name_plural = _("booths")
        constraints = [models.UniqueConstraint(fields=["name", "address"], name="booth_known_by")]

    def __str__(self) -> str:
        return self.name or self.address
