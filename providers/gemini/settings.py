"""A slot's recipe for Gemini: what people set, and which words the service has for it."""

from typing import Any, Literal

from django.utils.translation import gettext_noop as _  # translated where a form is drawn
from pydantic import Field

from providers.base import DriverSettings
from providers.gemini.models import (
    COMMON_RATIOS,
    DEFAULT_GEMINI_MODEL,
    GEMINI_BY_ID,
    choose_nearest_ratio,
    choose_size,
    common_to,
)

CATEGORIES = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
# [C] the SDK's types. "standard" sends none: Google's default is off, and any threshold of ours
# would refuse more guests than sending nothing [D].
THRESHOLDS = {
    "strict": "BLOCK_LOW_AND_ABOVE",
    "relaxed": "BLOCK_ONLY_HIGH",
    "off": "OFF",
}


def normalize_model_id(model: str) -> str:
    """Documents write both ``gemini-x`` and ``models/gemini-x``."""
    return model.removeprefix("models/")


class GeminiSettings(DriverSettings):
    """A slot's recipe for Gemini."""

    MODEL_FIELDS = ("model", "fallback_model")
    PROMPT_FIELDS = ("prompt",)
    CHOICE_TITLES = {
        "standard": _("standard"),
        "strict": _("strict"),
        "relaxed": _("relaxed"),
        "off": _("off"),
        "MINIMAL": _("minimal"),
        "LOW": _("low"),
        "MEDIUM": _("medium"),
        "HIGH": _("high"),
    }
    OFFERED_TEXTS = {"aspect_ratio": COMMON_RATIOS}

    prompt: str = Field(
        min_length=1,
        max_length=4000,
        title=_("Prompt"),
        description=_("What to make of the photo: style, scene, light."),
    )
    model: str = Field(DEFAULT_GEMINI_MODEL, min_length=1, max_length=100, title=_("Model"))
    fallback_model: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        title=_("Second model"),
        description=_(
            "Takes over from the third try on, or at once while the first one is busy for long. "
            "Nano Banana 2 Lite is the fastest. Empty: none."
        ),
    )
    keep_identity: bool = Field(
        True,
        title=_("Keep faces"),
        description=_("Adds to the prompt that every face and person must stay as they are."),
    )
    aspect_ratio: str | None = Field(
        None,
        pattern=r"^\d{1,2}:\d{1,2}$",
        title=_("Aspect ratio"),
        description=_("Empty: as the paper, or as the photo."),
    )
    image_size: Literal["512", "1K", "2K", "4K"] | None = Field(
        None,
        title=_("Picture size"),
        description=_("Empty: as the paper needs, or the model's own, usually 1K."),
    )
    thinking_level: Literal["MINIMAL", "LOW", "MEDIUM", "HIGH"] | None = Field(
        None,
        title=_("Thinking"),
        description=_(
            "Empty: the fastest the model takes. Nano Banana 2 Lite and Nano Banana 2 know only "
            "minimal and high."
        ),
    )
    safety: Literal["standard", "strict", "relaxed", "off"] = Field(
        "standard",
        title=_("Safety filter"),
        description=_(
            "standard: nothing is sent, Google's own setting holds, which is off. strict: blocks "
            "what is even a little doubtful. relaxed: blocks only what is clearly bad. off: sends "
            "“off”. What Google never allows is blocked with each of them."
        ),
    )

    @property
    def default_send_side_px(self) -> int:
        """An input picture counts a flat 1,120 tokens, whatever its size [C]: more pixels than
        twice those of the answer are thrown away there."""
        return 3072 if self.image_size in ("2K", "4K") else self.DEFAULT_SEND_SIDE_PX

    def fit_print(self, width_px: int, height_px: int) -> "GeminiSettings":
        """What each model of the slot takes, since any of them may be asked."""
        models = [GEMINI_BY_ID[name] for name in self.models_used() if name in GEMINI_BY_ID]
        update: dict[str, Any] = {}
        if self.aspect_ratio is None:
            ratios = [one.ratios for one in models] or [COMMON_RATIOS]
            update["aspect_ratio"] = choose_nearest_ratio(width_px, height_px, common_to(ratios))
        if self.image_size is None and len(models) == len(self.models_used()):
            sizes = common_to([one.sizes for one in models])
            if size := choose_size(width_px * height_px, sizes):
                update["image_size"] = size
        return self.model_copy(update=update)

    def models_used(self) -> tuple[str, ...]:
        return tuple(map(normalize_model_id, super().models_used()))
