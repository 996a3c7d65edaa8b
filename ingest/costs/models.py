from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from slots.models import Slot


class Payment(models.TextChoices):
    FREE = "free", _("not paid")
    PAID = "paid", _("paid")
    PROBABLE = "probable", _("probably paid")


class JobCost(models.Model):
    """Of a photo in micro-dollars, over all its calls; what was probably paid stands apart.

    With the database's own defaults: a server of the release before still writes its rows.
    """

    cost_micros = models.BigIntegerField(null=True, editable=False)  # null: nobody calculated it
    probable_micros = models.BigIntegerField(default=0, db_default=0, editable=False)
    # Paid or probably paid, and nobody knows their price.
    unpriced_calls = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        abstract = True


class AttemptCost(models.Model):
    """Of one call, in micro-dollars; null where its price is not known."""

    payment = models.CharField(  # empty: nobody judged it
        max_length=10, choices=Payment.choices, blank=True, default="", db_default=""
    )
    cost_micros = models.BigIntegerField(null=True, editable=False)

    class Meta:
        abstract = True


class Price(models.Model):
    """What operators entered of a service's prices. Rows are only added: each is history, and of
    two for one model and day the later entry counts.

    Money is in micro-dollars: of a million tokens, or of one picture. Null: not known, or the
    service does not charge so; a row of nothing but nulls says that the price is not known.
    """

    provider = models.CharField(_("AI service"), max_length=30)
    model = models.CharField(_("model"), max_length=100, blank=True)  # empty: any of the service's
    valid_from = models.DateField(_("valid from"))
    text_in = models.BigIntegerField(null=True, blank=True)
    picture_in = models.BigIntegerField(null=True, blank=True)
    text_out = models.BigIntegerField(null=True, blank=True)
    picture_out = models.BigIntegerField(null=True, blank=True)
    thoughts = models.BigIntegerField(null=True, blank=True)
    per_picture = models.BigIntegerField(null=True, blank=True)
    source = models.CharField(_("source"), max_length=300)
    entered_at = models.DateTimeField()
    entered_by = models.CharField(max_length=150, blank=True)

    class Meta:
        db_table = "price"
        ordering = ["pk"]
        verbose_name = _("price")
        verbose_name_plural = _("prices")

    def __str__(self) -> str:
        return f"{self.provider} {self.model or '*'} from {self.valid_from}"


class Spending(models.Model):
    """What the photos of one slot, day and event have cost: each job is counted as it closes.

    Written in the transaction that closes a job, so that it always agrees with the rows. The day
    is that of the photo's first byte by the server's calendar; money is in micro-dollars.
    """

    day = models.DateField(_("day"))
    slot = models.ForeignKey(Slot, models.PROTECT, related_name="+", verbose_name=_("slot"))
    event_number = models.BigIntegerField(default=0)  # 0: of no event; what is spent outlives it
    photos = models.IntegerField(default=0)  # of booths
    pictures = models.IntegerField(default=0)  # of them those that were made
    tests = models.IntegerField(default=0)
    known_micros = models.BigIntegerField(default=0)
    probable_micros = models.BigIntegerField(default=0)
    unpriced_calls = models.IntegerField(default=0)

    class Meta:
        db_table = "spending"
        ordering = ["day", "slot"]
        verbose_name = _("spending")
        verbose_name_plural = _("spendings")
        constraints = [
            models.UniqueConstraint(fields=["day", "slot", "event_number"], name="spending_place")
        ]
        indexes = [
            models.Index(
                fields=["event_number"], name="spending_of_event", condition=~Q(event_number=0)
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.slot_id}"
