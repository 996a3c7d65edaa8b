"""Requests that were recorded on order, to see what a booth sends."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from photochanger.db import clock
from slots.models import Slot


class Capture(models.Model):
    """An order to record the next requests of a slot, or of all (null); ``left`` counts down for
    all processes."""

    slot = models.ForeignKey(Slot, models.CASCADE, null=True, verbose_name=_("slot"))
    wanted = models.PositiveSmallIntegerField()
    left = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    started_by = models.CharField(max_length=150)

    class Meta:
        db_table = "capture"
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.slot_id or 'all slots'}: {self.wanted - self.left} of {self.wanted}"

    @property
    def is_running(self) -> bool:
        return self.left > 0 and clock.now() < self.until


class CapturedRequest(models.Model):
    """What one request looked like: a ``RequestSnapshot`` of ``ingest.capture`` as JSON."""

    capture = models.ForeignKey(Capture, models.CASCADE, related_name="requests")
    at = models.DateTimeField(auto_now_add=True)
    job_id = models.UUIDField(null=True)
    seen = models.JSONField()

    class Meta:
        db_table = "captured_request"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.capture_id} #{self.pk}"
