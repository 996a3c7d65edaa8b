"""What the booth in software is started with, read and refused in sentences."""

import math
from argparse import ArgumentTypeError
from pathlib import Path

from django.core.management.base import CommandError


def parse_positive_int(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ArgumentTypeError("must be 1 or more")
    return number


def parse_positive_float(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise ArgumentTypeError("must be above 0")
    return number


def parse_field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def check_photo(photo: Path) -> None:
    """Raises CommandError with a sentence in place of the system's own words."""
    try:
        photo.open("rb").close()
    except FileNotFoundError as exc:
        raise CommandError(f"There is no file {photo}.") from exc
    except IsADirectoryError as exc:
        raise CommandError(f"{photo} is a folder; a photo is needed.") from exc
    except PermissionError as exc:
        raise CommandError(f"{photo} may not be read by this user.") from exc
