"""All targets by their names."""

from photochanger.testing.fuzz.forms import FORMS
from photochanger.testing.fuzz.gemini import GEMINI
from photochanger.testing.fuzz.pictures import PHOTOS, RESULTS
from photochanger.testing.fuzz.target import Target
from photochanger.testing.fuzz.turbotext import TURBOTEXT

TARGETS: dict[str, Target] = {
    target.name: target for target in (FORMS, PHOTOS, RESULTS, GEMINI, TURBOTEXT)
}
