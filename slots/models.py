from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError as RecipeError

from media.models import MediaObject
from photochanger.db import clock
from providers.base import DriverSettings, ProviderDriver
from providers.registry import DRIVERS
from slots.approval.models import ApprovalLink, ApprovalTry  # noqa: F401  found by Django
from slots.events.models import Event as Event
from slots.events.models import EventPurge, EventSlot, EventTemplate  # noqa: F401
from slots.gallery.rules import GalleryRules
from slots.letters.models import GuestLetter, MailServer  # noqa: F401  found by Django
from slots.library.models import Preset, PresetSample  # noqa: F401  found by Django
from slots.prints.rules import PrintRules
from slots.prompts.checking import check_print_text, find_prompt_mistakes
from slots.prompts.language import read_prompt
from slots.prompts.variables import PromptVariable, dump_variables, load_variables
from slots.secrets import CiphertextField
from slots.validation_messages import list_inner_errors, list_recipe_errors

SLOT_IDS = tuple(f"slot-{number:03}" for number in range(1, 16))  # as migrations made them
# What a slot is born with: the first of what there is.
DEFAULT_PROVIDER = next(iter(DRIVERS))
DEFAULT_OPERATION = next(iter(DRIVERS[DEFAULT_PROVIDER].operations))
PEOPLE_UNSEEN = _(
    "The prompt asks how many people there are. Let faces be compared, or take {people} out of it."
)


class Slot(GalleryRules, PrintRules, models.Model):
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
    # Which texts of a booth may stand in the prompt: ``slots.prompts.variables``.
    variables = models.JSONField(_("words from the booth"), default=list, blank=True)
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
    ingest_password_sealed = CiphertextField(blank=True, default="", editable=False)
    on_failure = models.CharField(
        _("when it fails, answer"),
        max_length=10,
        choices=OnFailure.choices,
        default=OnFailure.ERROR,
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
    # With the database's own default: a server of the release before still writes its rows.
    reserve_may_cost_twice = models.BooleanField(
        _("a second service may be paid for one photo"),
        default=False,
        db_default=False,
        help_text=_(
            "When a service may have been paid and no picture came in time, the reserve is asked "
            "all the same. Otherwise only after failures that cost nothing."
        ),
    )
    # Set by hand: since then only the reserves are asked. Null: they follow the main service.
    on_reserve_since = models.DateTimeField(null=True, blank=True, editable=False)
    # That it works for now. Each photo takes it along, and stays with it.
    event = models.ForeignKey(
        Event, models.SET_NULL, null=True, blank=True, editable=False, related_name="slots"
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
    def on_reserve(self) -> bool:
        """An operator has set it to its reserve: its own service is not asked."""
        return self.on_reserve_since is not None

    @on_reserve.setter
    def on_reserve(self, is_on: bool) -> None:
        since: datetime | None = self.on_reserve_since or clock.now()
        self.on_reserve_since = since if is_on else None

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

    def list_variables(self) -> list[PromptVariable]:
        """Raises pydantic's ValidationError."""
        return load_variables(self.variables)

    def list_used_variables(self) -> list[PromptVariable]:
        """Those that its own prompt names, or the words on its prints."""
        used = {name for text in self._list_texts() for name in read_prompt(text).iter_names()}
        return [one for one in self.list_variables() if one.key in used]

    @property
    def asks_for_people(self) -> bool:
        """Whether a prompt, or a print, tells how many people are in the photo."""
        return any(read_prompt(text).asks_for_people for text in self._list_texts() if "{" in text)

    def _list_texts(self) -> list[str]:
        return [*self.list_prompts(), self.frame_text]

    def list_prompts(self) -> list[str]:
        """As they are written, whatever else is right or wrong with the recipe."""
        fields = self.driver.Settings.PROMPT_FIELDS if self.provider in DRIVERS else ()
        texts = (self.settings.get(name) for name in fields)
        return [text for text in texts if isinstance(text, str)]

    def clean(self) -> None:
        """The driver's schema is the only judge of a slot's settings."""
        if self.provider not in DRIVERS:
            raise ValidationError({"provider": _("There is no such provider.")})
        if self.operation not in self.driver.operations:
            raise ValidationError({"operation": _("The provider has no such operation.")})
        try:
            variables = self.list_variables()
        except RecipeError as exc:
            raise ValidationError({"variables": list_recipe_errors(exc)}) from exc
        self.variables = dump_variables(variables)
        check_print_text(self.frame_text, variables)
        if not self.is_active and not self.settings:
            return  # not configured yet, and nobody can send to it
        try:
            recipe = self.recipe()
        except RecipeError as exc:
            raise ValidationError({"settings": list_recipe_errors(exc)}) from exc
        if mistakes := find_prompt_mistakes(recipe, variables):
            raise ValidationError({"settings": list_inner_errors(mistakes)})
        self.settings = recipe.model_dump(mode="json", exclude_unset=True)  # "92" is 92 from now on
        if self.faces == self.Faces.OFF and self.asks_for_people:
            raise ValidationError({"faces": PEOPLE_UNSEEN})


class SlotTemplateMedia(models.Model):
    """A template picture of a slot and the part it plays."""

    class MediaKind(models.TextChoices):
        STYLE = "style", _("style")
        BACKGROUND = "background", _("background")
        BASE = "base", _("base")
        OVERLAY = "overlay", _("overlay")
        FACE = "face", _("face")
        FRAME = "frame", _("frame of the print")

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


class ReserveSource(models.Model):
    """Another way to make a slot's picture, asked when those before it fail.

    Its recipe is whole by itself, but for the prompt: without one it has the slot's. A service at
    another address gets this row's own key and never that of the settings page.
    """

    slot = models.ForeignKey(Slot, models.CASCADE, related_name="reserves")
    position = models.PositiveSmallIntegerField()  # 1 is asked first; 0 is the slot itself
    is_enabled = models.BooleanField(default=True)
    provider = models.CharField(_("provider"), max_length=30)
    operation = models.CharField(_("operation"), max_length=50)
    settings = models.JSONField(_("recipe"), default=dict, blank=True)
    base_url = models.CharField(_("address"), max_length=200, blank=True)
    api_key = CiphertextField(blank=True)

    class Meta:
        db_table = "slot_reserve"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["slot", "position"], name="reserve_position")
        ]

    def __str__(self) -> str:
        return f"{self.slot_id}: reserve {self.position}"


class SourceCircuit(models.Model):
    """How a source of a slot with reserves has done lately; ``slots.reserve.circuits`` keeps it.

    All its times are of the database's clock. ``opened_at`` null: closed, photos are sent there.
    """

    slot = models.ForeignKey(Slot, models.CASCADE, related_name="circuits")
    position = models.PositiveSmallIntegerField()  # 0: the slot's own service
    failures = models.PositiveSmallIntegerField(default=0)
    window_from = models.DateTimeField()  # of the failures that are counted
    reason = models.CharField(max_length=30)  # of the last one
    opened_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)  # then it may be tried again
    tries = models.PositiveSmallIntegerField(default=0)  # that failed since it was opened
    is_checked = models.BooleanField(default=False)  # a free call went well: one photo may try

    class Meta:
        db_table = "slot_source_circuit"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["slot", "position"], name="circuit_of_source")
        ]

    def __str__(self) -> str:
        return f"{self.slot_id}: source {self.position}"


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
