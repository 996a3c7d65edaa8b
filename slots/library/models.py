"""What an installation keeps of its own beside the recipes that come with the product."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from media.models import MediaObject


class Preset(models.Model):
    """A recipe under a name, to be put into any slot."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    provider = models.CharField(_("provider"), max_length=30)
    operation = models.CharField(_("operation"), max_length=50)
    settings = models.JSONField(_("recipe"), default=dict)
    variables = models.JSONField(_("words from the booth"), default=list, blank=True)
    is_drawn = models.BooleanField(default=False)  # faces may be hard to find in its pictures
    # It was made of a slot with template pictures: those of the slot it is put into are kept.
    uses_templates = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150, blank=True)

    class Meta:
        db_table = "recipe_preset"
        ordering = ["name"]
        verbose_name = _("preset")
        verbose_name_plural = _("presets")

    def __str__(self) -> str:
        return self.name


class PresetSample(models.Model):
    """A picture that a preset has made, kept to show what it does; of built-in ones too."""

    key = models.CharField(primary_key=True, max_length=60)  # as in ``LibraryPreset``
    media_object = models.ForeignKey(MediaObject, models.CASCADE, verbose_name=_("file"))
    made_at = models.DateTimeField()

    class Meta:
        db_table = "recipe_sample"
        verbose_name = _("sample picture")

    def __str__(self) -> str:
        return self.key
