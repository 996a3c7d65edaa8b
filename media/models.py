import uuid
from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from media.downloads.models import DownloadCount as DownloadCount
from media.view_ids import make_view_id
from photochanger.db import clock


class MediaObject(models.Model):
    """One stored file. ``job_id``, ``slot_id`` and ``event_id`` are plain values: media knows no
    model of theirs."""

    class Kind(models.TextChoices):
        RESULT = "result", _("result")
        PREVIEW = "preview", _("preview")
        PROVIDER_INPUT = "provider_input", _("picture for a provider")
        TEMPLATE = "template", _("template")
        TEST_PHOTO = "test_photo", _("test photo")
        SAMPLE = "sample", _("sample picture")
        LOGO = "logo", _("logo")

    class Review(models.TextChoices):
        """What somebody has decided on a result, before the public sees it."""

        NEW = "new", _("not looked at")
        SAFE = "safe", _("looks safe")  # says the sorter; nobody has looked at it
        APPROVED = "approved", _("approved")
        HIDDEN = "hidden", _("hidden")
        REMOVED = "removed", _("deleted by who approves")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job_id = models.UUIDField(_("photo"), null=True, blank=True, db_index=True)
    slot_id = models.CharField(_("slot"), max_length=16)
    event_id = models.BigIntegerField(_("event"), null=True, blank=True)  # of results
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    path = models.CharField(_("path under MEDIA_ROOT"), max_length=200, unique=True)
    mime = models.CharField(_("type"), max_length=50)
    size_bytes = models.PositiveBigIntegerField(_("size, bytes"))
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(_("stored"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("kept until"), null=True, blank=True)  # null: kept
    cleaned_at = models.DateTimeField(_("deleted"), null=True, blank=True)
    is_listed = models.BooleanField(_("shown in public lists"), default=True)
    review = models.CharField(
        _("approval"),
        max_length=10,
        choices=Review.choices,
        default=Review.NEW,
        db_default=Review.NEW,  # for rows of processes of the version before
    )
    fetches = models.PositiveIntegerField(_("fetched by a provider"), default=0)

    class Meta:
        db_table = "media_object"
        verbose_name = _("file")
        verbose_name_plural = _("files")
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="media_to_clean",
                condition=models.Q(cleaned_at__isnull=True),
            ),
            models.Index(
                fields=["slot_id", "kind", "-created_at"],
                name="media_newest_of_slot",
                condition=models.Q(cleaned_at__isnull=True),
            ),
            models.Index(
                fields=["event_id", "-created_at"],
                name="media_newest_of_event",
                condition=models.Q(event_id__isnull=False, cleaned_at__isnull=True),
            ),
            models.Index(  # what is on the disk, summed without a look at the rows
                fields=["kind"],
                include=["size_bytes"],
                name="media_kept_by_kind",
                condition=models.Q(cleaned_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def view_id(self) -> uuid.UUID | None:
        """The id to publish: it shows the picture and cannot delete it."""
        return make_view_id(self.job_id) if self.job_id else None

    def is_over(self, now: datetime | None = None) -> bool:
        """Nobody may have it any more, whether its file is gone yet or not."""
        is_late = self.expires_at is not None and self.expires_at <= (now or clock.now())
        return is_late or self.cleaned_at is not None
