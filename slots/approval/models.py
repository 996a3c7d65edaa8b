"""The link that lets somebody approve pictures of a slot, or of an event, on a phone."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from slots.secrets import CiphertextField, make_link_token


class ApprovalLink(models.Model):
    """One for a slot or an event at most. Whoever has it and knows the PIN decides what the public
    sees."""

    # ``Scope.key``. The column is called as it was when a slot was all there was: servers of the
    # release before go on with the links of slots, and do not see those of events.
    key = models.CharField(primary_key=True, max_length=30, db_column="slot_id")
    event = models.OneToOneField(
        "slots.Event", models.CASCADE, null=True, related_name="approval_link"
    )
    token = models.CharField(max_length=40, default=make_link_token)
    pin_hash = models.CharField(max_length=100)
    # Of an event's link alone: its PIN is printed on the card for the helper.
    pin_sealed = CiphertextField(blank=True, default="", db_default="")
    session_key = models.CharField(max_length=40, default=make_link_token)  # a new one ends all
    expires_at = models.DateTimeField(null=True)  # null: when its event is over
    next_try_at = models.DateTimeField(default=timezone.now)  # the end of the line of those who try
    made_by = models.CharField(max_length=150)

    class Meta:
        db_table = "approval_link"
        verbose_name = _("link for approving")

    def __str__(self) -> str:
        return self.key


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
