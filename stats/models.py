"""What the watch keeps: its lease, what is wrong now, who is told, and each message to somebody."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from slots.models import Event
from slots.secrets import CiphertextField


class Severity(models.TextChoices):
    CRITICAL = "critical", _("critical")
    WARNING = "warning", _("warning")


class WatchLease(models.Model):
    """One row: the process that watches. Its times are the database's, whatever our clocks say."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    holder = models.CharField(max_length=100)
    host = models.CharField(max_length=100)
    since = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "watch_lease"

    def __str__(self) -> str:
        return self.holder


class AlertRecipient(models.Model):
    """Who is told, how, of what, and when not."""

    class Channel(models.TextChoices):
        TELEGRAM = "telegram", _("Telegram")
        EMAIL = "email", _("e-mail")
        LINK = "link", _("another service")

    name = models.CharField(_("name"), max_length=80)
    channel = models.CharField(_("by"), max_length=10, choices=Channel.choices)
    # JSON of the channel's fields, encrypted as a whole: tokens and passwords are among them.
    address = CiphertextField()
    shown_as = models.CharField(max_length=120)  # what may be shown of the address
    language = models.CharField(_("language"), max_length=5, default="ru")
    least_severity = models.CharField(
        _("told of"), max_length=10, choices=Severity.choices, default=Severity.WARNING
    )
    muted_rules = models.JSONField(_("not told of"), default=list, blank=True)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    wakes_for_critical = models.BooleanField(_("critical ones come all the same"), default=True)
    is_active = models.BooleanField(_("switched on"), default=True)
    # While one of these runs, it is told of that event; without any that is still to come or runs,
    # always and of everything.
    events = models.ManyToManyField(
        Event, blank=True, related_name="recipients", db_table="event_recipient"
    )
    told_from = models.DateTimeField()  # what was over before does not concern them

    class Meta:
        db_table = "alert_recipient"
        ordering = ["pk"]
        verbose_name = _("recipient of alerts")
        verbose_name_plural = _("recipients of alerts")

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """Something that is, or was, wrong. One row from its beginning to its end."""

    rule = models.CharField(max_length=30)
    subject = models.CharField(max_length=100, blank=True)  # what it is about: a slot, a provider
    severity = models.CharField(max_length=10, choices=Severity.choices)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    opened_at = models.DateTimeField()
    raised_at = models.DateTimeField()  # opened, or made graver: from then on it has to be told
    seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "alert"
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject"],
                condition=Q(closed_at__isnull=True),
                name="alert_open_once",
            )
        ]
        indexes = [models.Index(fields=["-opened_at"], name="alert_by_time")]

    def __str__(self) -> str:
        return f"{self.rule} {self.subject}"


class AlertMessage(models.Model):
    """One message to one recipient, kept until it is delivered."""

    class Kind(models.TextChoices):
        TROUBLE = "trouble", _("something is wrong")
        OVER = "over", _("it is over")
        TEST = "test", _("test")

    recipient = models.ForeignKey(AlertRecipient, models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    alerts = models.ManyToManyField(Alert, related_name="messages", db_table="alert_message_alert")
    # Of trouble: the message that tells of its end.
    ended_by = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="ends"
    )
    title = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)  # by a person; or a test that failed
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "alert_message"
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["recipient", "id"],
                name="alert_message_waiting",
                condition=Q(sent_at__isnull=True, dropped_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient_id}"
