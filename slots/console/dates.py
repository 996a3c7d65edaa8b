"""Days and moments that people type: only those that every time zone and database can express."""

from argparse import ArgumentTypeError
from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

OUT_OF_REACH = _("This time is out of reach.")


def is_near(day: date) -> bool:
    """Also of a moment. Beyond it a time zone's hours may lead out of the calendar."""
    return 2000 <= day.year <= 2999


def check_near(day: date) -> None:
    """For fields of forms. Raises ValidationError."""
    if not is_near(day):
        raise ValidationError(OUT_OF_REACH, code="out_of_reach")


class DayField(forms.DateField):
    default_validators = [check_near]  # noqa: RUF012  as Django has it


class MomentField(forms.DateTimeField):
    default_validators = [check_near]  # noqa: RUF012  as Django has it


def parse_day(text: str) -> date:
    """For an argument of a command. Raises ArgumentTypeError."""
    try:
        day = date.fromisoformat(text)
    except ValueError as exc:
        raise ArgumentTypeError(f"{text!r} is no day such as 2026-11-27") from exc
    if not is_near(day):
        raise ArgumentTypeError(f"{text} is out of reach: the year must be 2000 to 2999")
    return day
