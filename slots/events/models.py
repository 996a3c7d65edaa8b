"""An event: a wedding on Saturday, a brand on Tuesday, each with its own slots, look and end."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from media.models import MediaObject
from slots.gallery.rules import GalleryRules

COLOUR = RegexValidator(r"^#[0-9a-fA-F]{6}\Z", _("A colour is written like #0f866c."))


class Event(models.Model):
    """Planned, then running from ``started_at`` on, closed, and in the end purged.

    ``starts_at`` and ``ends_at`` are the plan, as somebody typed it; nothing starts by itself.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        RUNNING = "running", _("running")
        CLOSED = "closed", pgettext_lazy("event", "closed")
        PURGED = "purged", _("purged")

    name = models.CharField(_("name"), max_length=100)
    public_title = models.CharField(
        _("title for guests"),
        max_length=100,
        blank=True,
        help_text=_("On guests' pages, in the gallery and the slide show. Empty: the slot's."),
    )
    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    started_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    purged_at = models.DateTimeField(null=True, editable=False)
    logo = models.ForeignKey(
        MediaObject, models.SET_NULL, null=True, blank=True, editable=False, verbose_name=_("logo")
    )
    accent_colour = models.CharField(
        _("colour of buttons and links"), max_length=7, blank=True, validators=[COLOUR]
    )
    background_colour = models.CharField(
        _("colour of the background"), max_length=7, blank=True, validators=[COLOUR]
    )
    gallery_mode = models.CharField(
        _("who sees the galleries while it runs"),
        max_length=10,
        choices=GalleryRules.GalleryMode.choices,
        blank=True,
        help_text=_("Of all its slots, from its start on. Empty: as each slot has it."),
    )
    note = models.TextField(_("note"), max_length=2000, blank=True)

    class Meta:
        db_table = "event"
        ordering = ["-starts_at", "-pk"]
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="event_ends_later"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_links(self) -> "models.QuerySet[EventSlot]":
        """Its slots: without those that were taken out of it while it ran."""
        return self.event_slots.filter(removed_at__isnull=True)

    @property
    def state(self) -> State:
        if self.purged_at is not None:
            return self.State.PURGED
        if self.closed_at is not None:
            return self.State.CLOSED
        return self.State.RUNNING if self.started_at is not None else self.State.PLANNED


class EventSlot(models.Model):
    """A slot of an event, with what is put into the slot when the event starts.

    ``recipe`` null: the slot stays as it is then. Otherwise a state as the slot's history has it,
    but for what is no recipe (who sees it, its password).
    """

    event = models.ForeignKey(Event, models.CASCADE, related_name="event_slots")
    slot = models.ForeignKey("slots.Slot", models.CASCADE, related_name="event_slots")
    recipe = models.JSONField(null=True, blank=True)
    recipe_at = models.DateTimeField(null=True)  # when the slot was like that
    # From when to when the slot worked for it: null is the event's own start, or its end. A slot
    # that is taken out of a running event keeps its row: what came in that time is the event's.
    taken_at = models.DateTimeField(null=True, editable=False)
    removed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "event_slot"
        ordering = ["slot_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "slot"],
                condition=models.Q(removed_at__isnull=True),
                name="event_slot_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_id}: {self.slot_id}"


class EventTemplate(models.Model):
    """A template picture that a recipe of an event names: kept while it does."""

    event_slot = models.ForeignKey(EventSlot, models.CASCADE, related_name="templates")
    media_object = models.ForeignKey(MediaObject, models.PROTECT, related_name="event_templates")

    class Meta:
        db_table = "event_template"

    def __str__(self) -> str:
        return f"{self.event_slot_id}: {self.media_object_id}"


class EventPurge(models.Model):
    """The proof of what was deleted of an event: counts, by whom, when; never what it was.

    ``counts`` grows with each batch, in the transaction that marks the batch as gone, so that a
    purge that was killed and runs again counts each thing once.
    """

    event = models.ForeignKey(Event, models.CASCADE, related_name="purges")
    by = models.CharField(max_length=150)
    began_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    with_pictures_of_recipe = models.BooleanField(default=False)  # and the logo
    counts = models.JSONField(default=dict)

    class Meta:
        db_table = "event_purge"
        ordering = ["-began_at"]

    def __str__(self) -> str:
        return f"purge of event {self.event_id}"
