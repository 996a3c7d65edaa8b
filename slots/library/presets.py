"""The library: every preset there is, built-in or an installation's own, in one shape."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from photochanger.errors import Text
from providers.base import ProviderDriver
from providers.registry import DRIVERS
from slots.library.built_in import BuiltInRecipe, find_built_in, load_built_in
from slots.library.models import Preset, PresetSample
from slots.models import DEFAULT_OPERATION, DEFAULT_PROVIDER, Slot

OWN = "own"  # the group of an installation's own presets
GROUPS: dict[str, Text] = {
    OWN: _("Your own"),
    "drawn": _("Painted and drawn"),
    "places": _("Other places"),
    "stories": _("Other times and stories"),
    "photo": _("Studio"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryPreset:
    """A recipe ready to be put into a slot. ``key`` tells it from all others and never changes.

    ``name`` and ``description`` are in the reader's language. ``sample_id``: of the picture that
    is kept of it, if there is one. ``own_id``: of its row; None: it comes with the product.
    """

    key: str
    name: str
    description: str
    group: str
    provider: str
    operation: str
    settings: dict[str, Any]
    variables: list[dict[str, Any]]
    is_drawn: bool = False
    uses_templates: bool = False
    own_id: int | None = None
    sample_id: UUID | None = None

    @property
    def is_own(self) -> bool:
        return self.own_id is not None

    @property
    def driver(self) -> ProviderDriver[Any] | None:
        """None of a service that was removed from the code."""
        return DRIVERS.get(self.provider)

    @property
    def is_usable(self) -> bool:
        return self.driver is not None and self.operation in self.driver.operations

    @property
    def face_style(self) -> str:
        return Slot.FaceStyle.DRAWN if self.is_drawn else Slot.FaceStyle.PHOTO

    @property
    def prompt(self) -> str:
        """What is written in it first of all; "" where its service takes none."""
        fields = self.driver.Settings.PROMPT_FIELDS if self.driver else ()
        return next((str(self.settings[name]) for name in fields if self.settings.get(name)), "")

    def merge(self, settings: dict[str, Any]) -> dict[str, Any]:
        """What becomes of a slot's settings for the same service and operation.

        One's own preset has them all; a built-in one is a prompt, and leaves model, size and
        whatever else a slot has.
        """
        return dict(self.settings) if self.is_own else settings | self.settings

    def to_slot(self) -> Slot:
        """A slot with this recipe that belongs to nobody, to be judged or tried; never saved."""
        return Slot(
            provider=self.provider,
            operation=self.operation,
            settings=self.settings,
            variables=self.variables,
            face_style=self.face_style,
        )


def list_presets() -> list[LibraryPreset]:
    """One's own by their names, then those of the product. Two queries."""
    samples = _read_samples()
    own = [_from_row(row, samples) for row in Preset.objects.all()]
    return [*own, *(_from_built_in(one, samples) for one in load_built_in())]


def find_preset(key: str) -> LibraryPreset | None:
    """By its key; None: there is no such one. Two queries at most."""
    if not key or len(key) > MAX_KEY or not key.isprintable():
        return None
    samples = _read_samples([key])
    if built_in := find_built_in(key):
        return _from_built_in(built_in, samples)
    own_id = find_own_id(key)
    row = Preset.objects.filter(pk=own_id).first() if own_id is not None else None
    return _from_row(row, samples) if row is not None and make_key(row) == key else None


def find_own_id(key: str) -> int | None:
    """Of the row of one's own preset, be it there or not; None for any other key."""
    number = key.removeprefix(f"{OWN}-")
    is_own = key.startswith(f"{OWN}-") and number.isdecimal() and len(number) <= MAX_DIGITS
    return int(number) if is_own else None


def find_preset_by_name(name: str) -> LibraryPreset | None:
    """By its key, or its name in any language: first one's own. Two queries."""
    folded = name.strip().casefold()
    names = {one.key: (*one.names.values(), one.key) for one in load_built_in()}
    for one in list_presets():
        if folded in (known.casefold() for known in names.get(one.key, (one.name, one.key))):
            return one
    return None


def find_same_recipe(
    presets: Sequence[LibraryPreset], *, provider: str, operation: str, settings: dict[str, Any]
) -> LibraryPreset | None:
    """The preset that this recipe was made of, word for word: see ``LibraryPreset.merge``."""
    service = (provider, operation)
    same = (one for one in presets if (one.provider, one.operation) == service)
    return next((one for one in same if one.merge(settings) == settings), None)


MAX_KEY, MAX_DIGITS = 60, 15


def make_key(row: Preset) -> str:
    return f"{OWN}-{row.pk}"


def _read_samples(keys: Iterable[str] | None = None) -> dict[str, UUID]:
    samples = PresetSample.objects.filter(media_object__cleaned_at__isnull=True)
    if keys is not None:
        samples = samples.filter(key__in=keys)
    return dict(samples.values_list("key", "media_object_id"))


def _from_row(row: Preset, samples: dict[str, UUID]) -> LibraryPreset:
    return LibraryPreset(
        key=make_key(row),
        name=row.name,
        description=row.description,
        group=OWN,
        provider=row.provider,
        operation=row.operation,
        settings=row.settings,
        variables=row.variables,
        is_drawn=row.is_drawn,
        uses_templates=row.uses_templates,
        own_id=row.pk,
        sample_id=samples.get(make_key(row)),
    )


def _from_built_in(recipe: BuiltInRecipe, samples: dict[str, UUID]) -> LibraryPreset:
    """For the service that slots are born with, and its own default model."""
    return LibraryPreset(
        key=recipe.key,
        name=recipe.name,
        description=recipe.description,
        group=recipe.group,
        provider=DEFAULT_PROVIDER,
        operation=DEFAULT_OPERATION,
        settings={"prompt": recipe.prompt},
        variables=[],
        is_drawn=recipe.is_drawn,
        sample_id=samples.get(recipe.key),
    )
