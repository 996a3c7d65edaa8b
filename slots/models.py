from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError as RecipeError

from media.models import MediaObject
from providers.base import DriverSettings, ProviderDriver
from providers.registry import DRIVERS
from slots.validation_messages import list_recipe_errors

SLOT_IDS = tuple(f"slot-{number:03}" for number in range(1, 16))  # as migrations made them
# What a slot is born with: the first of what there is.
DEFAULT_PROVIDER = next(iter(DRIVERS))
DEFAULT_OPERATION = next(iter(DRIVERS[DEFAULT_PROVIDER].operations))


class Slot(models.Model):
    """One of the fifteen fixed links, and the recipe behind it."""

    class OnFailure(models.TextChoices):
        ERROR = "error", _("an error; the booth prints what it likes")
        ORIGINAL = "original", _("the booth's own photo")

    class Faces(models.TextChoices):
        OFF = "off", _("are not looked at")
        MEASURE = "measure", _("are compared after the answer")
        RETRY = "retry", _("are compared before it; a mistake is asked for once more")

    class FaceStyle(models.TextChoices):
        PHOTO = "photo", _("like a photo")
        DRAWN = "drawn", _("drawn: faces may be hard to find in it")

    id = models.CharField(primary_key=True, max_length=16, editable=False)
    display_name = models.CharField(_("name"), max_length=100, blank=True)
    provider = models.CharField(_("provider"), max_length=30, default=DEFAULT_PROVIDER)
    operation = models.CharField(_("operation"), max_length=50, default=DEFAULT_OPERATION)
    settings = models.JSONField(_("recipe"), default=dict, blank=True)
    is_active = models.BooleanField(_("active"), default=False)
    size_limit_mb = models.PositiveSmallIntegerField(
        _("size limit, MB"), default=15, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    sync_response_seconds = models.PositiveSmallIntegerField(
        _("waiting time, s"),
        null=True,
        blank=True,
        validators=[MinValueValidator(10), MaxValueValidator(60)],
        help_text=_("Empty: as in the settings."),
    )
    ingest_password_hash = models.CharField(max_length=100, blank=True, editable=False)
    on_failure = models.CharField(
        _("when it fails, answer"),
        max_length=10,
        choices=OnFailure.choices,
        default=OnFailure.ERROR,
    )
    gallery_enabled = models.BooleanField(
        _("public gallery"),
        default=True,
        help_text=_("While it is open, whoever guesses the slot's link sees its faces."),
    )
    gallery_until = models.DateTimeField(
        _("gallery open until"),
        null=True,
        blank=True,
        help_text=_("Empty: for as long as it is switched on."),
    )
    faces = models.CharField(
        _("people's faces"),
        max_length=10,
        choices=Faces.choices,
        default=Faces.MEASURE,
        help_text=_(
            "How much is computed is on the settings page. Compared after the answer they cost no "
            "photo any time; before it 0.2 s, and for a mistake one more picture of the AI service."
        ),
    )
    face_style = models.CharField(
        _("the result looks"),
        max_length=10,
        choices=FaceStyle.choices,
        default=FaceStyle.PHOTO,
        help_text=_("In drawn styles likeness says little; what counts is the number of people."),
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    updated_by = models.CharField(_("changed by"), max_length=150, blank=True, editable=False)

    class Meta:
        db_table = "slot"
        ordering = ["id"]
        verbose_name = _("slot")
        verbose_name_plural = _("slots")

    def __str__(self) -> str:
        return self.display_name or self.pk

    @property
    def driver(self) -> ProviderDriver[Any]:
        """Raises KeyError for a provider that was removed from the code."""
        return DRIVERS[self.provider]

    @property
    def service_url(self) -> str:
        """Where the AI service is; empty for a provider that was removed from the code."""
        return self.driver.base_url if self.provider in DRIVERS else ""

    @property
    def size_limit_bytes(self) -> int:
        return self.size_limit_mb * 1024 * 1024

    def wait_s(self, platform_wait_s: int) -> int:
        """Seconds that a booth waits: the slot's own, or else the platform's."""
        return self.sync_response_seconds or platform_wait_s

    def recipe(self) -> DriverSettings:
        """The settings as the driver's own type; raises pydantic's ValidationError."""
        recipe: DriverSettings = self.driver.Settings.model_validate(self.settings)
        return recipe

    def clean(self) -> None:
        """The driver's schema is the only judge of a slot's settings."""
        if self.provider not in DRIVERS:
            raise ValidationError({"provider": _("There is no such provider.")})
        if self.operation not in self.driver.operations:
            raise ValidationError({"operation": _("The provider has no such operation.")})
        if not self.is_active and not self.settings:
            return  # not configured yet, and nobody can send to it
        try:
            recipe = self.recipe()
        except RecipeError as exc:
            raise ValidationError({"settings": list_recipe_errors(exc)}) from exc
        self.settings = recipe.model_dump(mode="json", exclude_unset=True)  # "92" is 92 from now on


class SlotTemplateMedia(models.Model):
    """A template picture of a slot and the part it plays."""

    class MediaKind(models.TextChoices):
        STYLE = "style", _("style")
        BACKGROUND = "background", _("background")
        BASE = "base", _("base")
        OVERLAY = "overlay", _("overlay")
        FACE = "face", _("face")

    slot = models.ForeignKey(Slot, models.CASCADE, related_name="template_media")
    media_kind = models.CharField(_("part"), max_length=20, choices=MediaKind.choices)
    media_object = models.ForeignKey(MediaObject, models.PROTECT, verbose_name=_("file"))

    class Meta:
        db_table = "slot_template_media"
        ordering = ["id"]
        verbose_name = _("template picture")
        verbose_name_plural = _("template pictures")

    def __str__(self) -> str:
        return f"{self.slot_id}: {self.media_kind}"


class Setting(models.Model):
    """One run-time setting of the platform; read through ``slots.platform_settings``."""

    key = models.CharField(primary_key=True, max_length=60)
    value = models.JSONField(null=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    updated_by = models.CharField(_("changed by"), max_length=150, blank=True)

    class Meta:
        db_table = "settings"
        ordering = ["key"]
        verbose_name = _("setting")
        verbose_name_plural = _("settings")

    def __str__(self) -> str:
        return self.key
