"""The starter set: portraits in the public domain that come with the project, as a booth meets
them."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageEnhance

from photochanger.pictures import JPEG
from providers.simulator.people import load_person, make_group

PORTRAIT = Path(__file__).parents[1] / "sample/portrait.jpg"
DIM = 0.22  # of the light: as in a hall without a flash


@dataclass(frozen=True, slots=True)
class Sample:
    """A photo of the starter set; ``title`` says what it is good for."""

    title: Any  # translated where a run takes it
    draw: Callable[[], Image.Image]


def _load_portrait() -> Image.Image:
    return Image.open(PORTRAIT).convert("RGB")


def _dim(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(DIM)


SAMPLES = (
    Sample(_("Portrait"), _load_portrait),
    Sample(_("Dark skin"), lambda: load_person("obama")),
    Sample(_("Fair skin, grey hair"), lambda: load_person("biden")),
    Sample(_("Glasses and a cap"), lambda: load_person("hopper")),
    Sample(_("Two people"), lambda: make_group(("collins", "obama"))),
    Sample(_("Group of four"), lambda: make_group(("biden", "collins", "hopper", "obama"))),
    Sample(_("Portrait in low light"), lambda: _dim(load_person("obama"))),
    Sample(_("Group in low light"), lambda: _dim(make_group(("biden", "hopper", "collins")))),
)


def make_sample(sample: Sample) -> SimpleUploadedFile:
    out = io.BytesIO()
    sample.draw().save(out, "JPEG", quality=92)
    return SimpleUploadedFile("sample.jpg", out.getvalue(), JPEG)
