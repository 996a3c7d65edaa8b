from django.db import models
from django.utils.translation import gettext_lazy as _

from slots.models import Event, Slot


class Reservation(models.Model):
    """Of a photo in work, in micro-dollars: at most what it may cost, also where no budget asks:
    one may be set before it is closed. Null: nobody knows. It counts while the job's row is open,
    and never after."""

    reserved_micros = models.BigIntegerField(null=True, editable=False)

    class Meta:
        abstract = True


class Budget(models.Model):
    """How much may be spent: by all slots or one, by one event, on each day or in all.

    Money is in micro-dollars; pictures are those of guests. What was spent stands in
    ``ingest.costs.models.Spending``, what is in work in the open jobs: a budget has no counter.
    """

    class AtLimit(models.TextChoices):
        ORIGINAL = "original", _("its own photo")
        REFUSE = "refuse", _("a refusal; the booth prints what it likes")
        ALARM = "alarm", _("pictures as before: only tell")

    slot = models.ForeignKey(
        Slot, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("slot")
    )
    event = models.ForeignKey(
        Event, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("event")
    )
    is_daily = models.BooleanField(_("each day"), default=True)
    counts_from = models.DateField(_("counted from"))  # of one that is not for each day
    hard_micros = models.BigIntegerField(_("money"), null=True, blank=True)
    hard_pictures = models.PositiveIntegerField(_("pictures"), null=True, blank=True)
    soft_percent = models.PositiveSmallIntegerField(_("warn from, %"), default=80)
    at_limit = models.CharField(
        _("at the limit, the booth gets"),
        max_length=10,
        choices=AtLimit.choices,
        default=AtLimit.ORIGINAL,
    )
    is_active = models.BooleanField(_("switched on"), default=True)
    updated_at = models.DateTimeField()
    updated_by = models.CharField(max_length=150, blank=True)

    class Meta:
        db_table = "budget"
        ordering = ["pk"]
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")

    def __str__(self) -> str:
        scope = self.slot or self.event or _("all slots")
        return f"{scope}, {_('each day') if self.is_daily else _('in all')}"
