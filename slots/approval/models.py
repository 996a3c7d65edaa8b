"""The link that lets somebody approve a slot's pictures on a phone."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from slots.secrets import make_link_token


class ApprovalLink(models.Model):
    """One for a slot at most. Whoever has it and knows the PIN decides what the public sees."""

    slot = models.OneToOneField(
        "slots.Slot", models.CASCADE, primary_key=True, related_name="approval_link"
    )
    token = models.CharField(max_length=40, default=make_link_token)
    pin_hash = models.CharField(max_length=100)
    session_key = models.CharField(max_length=40, default=make_link_token)  # a new one ends all
    expires_at = models.DateTimeField()
    next_try_at = models.DateTimeField(default=timezone.now)  # the end of the line of those who try
    made_by = models.CharField(max_length=150)

    class Meta:
        db_table = "approval_link"
        verbose_name = _("link for approving")

    def __str__(self) -> str:
        return str(self.slot_id)


class ApprovalTry(models.Model):
    """A wrong PIN, for as long as it counts against whoever typed it."""

    link = models.ForeignKey(ApprovalLink, models.CASCADE)
    source = models.CharField(max_length=64)  # an address, or a browser that has been let in once
    failed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "approval_try"
        indexes = [
            models.Index(fields=["link", "source", "failed_at"], name="approval_try_counted")
        ]
        verbose_name = _("wrong PIN")

    def __str__(self) -> str:
        return str(self.link_id)
