"""The recipes that come with the product: a data file, read once."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import get_language

FILE = Path(__file__).with_name("recipes.toml")


@dataclass(frozen=True, slots=True)
class BuiltInRecipe:
    """``names`` and ``descriptions``: by the language's code."""

    key: str
    group: str
    names: Mapping[str, str]
    descriptions: Mapping[str, str]
    prompt: str
    is_drawn: bool = False

    @property
    def name(self) -> str:
        return choose_language(self.names)

    @property
    def description(self) -> str:
        return choose_language(self.descriptions)


@cache
def load_built_in() -> tuple[BuiltInRecipe, ...]:
    """In the order of the file."""
    found: list[dict[str, Any]] = tomllib.loads(FILE.read_text("utf-8"))["recipe"]
    return tuple(
        BuiltInRecipe(
            key=one["key"],
            group=one["group"],
            names=one["name"],
            descriptions=one["description"],
            prompt=one["prompt"].strip(),
            is_drawn=one.get("drawn", False),
        )
        for one in found
    )


def find_built_in(key: str) -> BuiltInRecipe | None:
    return next((one for one in load_built_in() if one.key == key), None)


def choose_language(texts: Mapping[str, str]) -> str:
    """In the reader's language, or else the installation's."""
    language = (get_language() or settings.LANGUAGE_CODE).partition("-")[0]
    return texts.get(language) or texts["en"]
