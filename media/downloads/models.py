"""How often a picture was downloaded: a number for each, that stays when all else is gone."""

from django.db import models


class DownloadCount(models.Model):
    """Nothing of who downloaded, or when. Plain values, as in ``MediaObject``."""

    job_id = models.UUIDField(primary_key=True)
    event_id = models.BigIntegerField(null=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "download_count"
        indexes = [
            models.Index(
                fields=["event_id"],
                include=["count"],
                name="downloads_of_event",
                condition=models.Q(event_id__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.count}"
