"""A run of the lab: photos x recipes, one cell each. Its rows are all there is of it."""

from datetime import datetime
from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from photochanger.db import clock
from slots.library.built_in import find_built_in
from slots.models import Slot

SmallNumber = partial(models.PositiveSmallIntegerField, default=0)


class LabRun(models.Model):
    """Photos x recipes in one go. Not started: its photos and recipes are still being chosen."""

    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    started_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)  # by hand; what was begun has ended or will
    active_at = models.DateTimeField(null=True)  # when a page asked for the next picture
    # Its photos and pictures too. Null: a recipe of it went into a slot, and they stay with that.
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "lab_run"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"lab {self.pk}"

    @property
    def is_going(self) -> bool:
        """Whether the next picture may be begun."""
        return self.started_at is not None and self.stopped_at is None and not self.is_over()

    def is_over(self, now: datetime | None = None) -> bool:
        return self.expires_at is not None and self.expires_at <= (now or clock.now())


class LabPhoto(models.Model):
    """``media_id`` is a plain value: the row outlives its file."""

    run = models.ForeignKey(LabRun, models.CASCADE, related_name="photos")
    number = SmallNumber()
    name = models.CharField(max_length=60)
    media_id = models.UUIDField()

    class Meta:
        db_table = "lab_photo"
        ordering = ["number", "pk"]

    def __str__(self) -> str:
        return self.name


class LabRecipe(models.Model):
    """A recipe as it is tried: by the rules of ``slot``, and with its template pictures.

    One of the library is whole here, as it was when the run began: nothing is read of its preset.
    """

    run = models.ForeignKey(LabRun, models.CASCADE, related_name="recipes")
    number = SmallNumber()
    slot = models.ForeignKey(Slot, models.CASCADE, related_name="+")
    slot_version = models.PositiveIntegerField()
    title = models.CharField(max_length=120)
    provider = models.CharField(max_length=30)
    operation = models.CharField(max_length=50)
    settings = models.JSONField(default=dict)
    # Of the library: its preset's key, and what else a preset has. Empty: the slot's own recipe.
    preset = models.CharField(max_length=60, blank=True, default="", db_default="")
    variables = models.JSONField(null=True)
    face_style = models.CharField(max_length=10, blank=True, default="", db_default="")
    uses_templates = models.BooleanField(default=True, db_default=True)
    # Where it went, if it has won.
    taken_slot = models.CharField(max_length=16, blank=True)
    taken_version = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = "lab_recipe"
        ordering = ["number", "pk"]

    def __str__(self) -> str:
        return self.title

    @property
    def letter(self) -> str:
        return chr(ord("A") + self.number)

    @property
    def local_title(self) -> str:
        """With the reader's name of a preset that comes with the product."""
        built_in = find_built_in(self.preset)
        known = filter(self.title.startswith, built_in.names.values() if built_in else ())
        name = next(known, "")
        return built_in.name + self.title.removeprefix(name) if built_in and name else self.title


class LabCell(models.Model):
    """One photo by one recipe. ``job_id`` is a plain value, known before its job is opened."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("in progress")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    run = models.ForeignKey(LabRun, models.CASCADE, related_name="cells")
    photo = models.ForeignKey(LabPhoto, models.CASCADE, related_name="cells")
    recipe = models.ForeignKey(LabRecipe, models.CASCADE, related_name="cells")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    job_id = models.UUIDField(null=True)
    # Until then its process works on it, or has died.
    claimed_until = models.DateTimeField(null=True)
    postponed_at = models.DateTimeField(null=True)  # no place was free; others come first
    changed_at = models.DateTimeField()
    tries = SmallNumber()
    failure_reason = models.CharField(max_length=30, blank=True)  # of one that got no job

    class Meta:
        db_table = "lab_cell"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["photo", "recipe"], name="lab_cell_once")]
        indexes = [models.Index(fields=["run", "state"], name="lab_cell_by_state")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.photo_id} x {self.recipe_id}"
