from django.db import models

from slots.models import Slot


class TrialRecord(models.Model):
    """A test run that is kept to be compared: the recipe as the unsaved form had it."""

    job = models.OneToOneField("ingest.Job", models.CASCADE, primary_key=True, related_name="trial")
    slot = models.ForeignKey(Slot, models.CASCADE, related_name="trials")
    provider = models.CharField(max_length=30)
    operation = models.CharField(max_length=50)
    settings = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()  # with the job's result

    class Meta:
        db_table = "trial_record"
        ordering = ["-made_at"]
        indexes = [models.Index(fields=["slot", "-made_at"], name="trial_by_slot_and_time")]

    def __str__(self) -> str:
        return f"{self.slot_id}: {self.job_id}"
