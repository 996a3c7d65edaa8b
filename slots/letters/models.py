"""The mail server of this installation, and the letters by which guests get their pictures."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from slots.secrets import CiphertextField


class MailServer(models.Model):
    """One row: what every e-mail of this installation goes through. None: no e-mail leaves."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    access = CiphertextField()  # a ``MailAccess`` as JSON: the password is in it
    shown_as = models.CharField(max_length=120)  # what may be shown of it
    serves_guests = models.BooleanField(
        _("guests may have their picture sent by e-mail"), default=False
    )
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    updated_by = models.CharField(_("changed by"), max_length=150, blank=True)

    class Meta:
        db_table = "mail_server"
        verbose_name = _("mail server")

    def __str__(self) -> str:
        return "mail server"


class GuestLetter(models.Model):
    """One picture to one address. The row counts for good; what tells of a person is emptied."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waits")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not delivered")
        DROPPED = "dropped", _("dropped: the picture is gone")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job_id = models.UUIDField(db_index=True)  # a plain value, as in media
    slot_id = models.CharField(max_length=16)
    event_id = models.BigIntegerField(null=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    language = models.CharField(max_length=5)
    site = models.CharField(max_length=200, blank=True)  # where our links begin; empty: hall only
    # Emptied when the letter is sent or given up.
    address = CiphertextField(blank=True, default="")
    # Emptied with the picture: what it is counted by, and what an operator sees of it.
    address_hash = models.CharField(max_length=32, blank=True, default="")
    shown_as = models.CharField(max_length=120, blank=True, default="")
    source_hash = models.CharField(max_length=32, blank=True, default="")  # emptied after an hour
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        db_table = "guest_letter"
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="letter_waiting",
                condition=models.Q(status="waiting"),
            ),
            # What is counted or still to be forgotten: a few rows of many.
            models.Index(
                fields=["address_hash", "created_at"],
                name="letter_by_address",
                condition=~models.Q(address_hash=""),
            ),
            models.Index(
                fields=["source_hash", "created_at"],
                name="letter_by_source",
                condition=~models.Q(source_hash=""),
            ),
            models.Index(fields=["-created_at"], name="letter_by_time"),
            models.Index(  # counted for the report of an event
                fields=["event_id", "status"],
                name="letter_by_event",
                condition=models.Q(event_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"letter {self.pk}"
