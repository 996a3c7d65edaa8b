"""Who a refused request came from, read from as much of its form as there is."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ingest.pipeline.upload import FormParser
from photochanger.errors import AppError

CLOCK_FIELDS = ("time", "date", "created")
OLDEST_CLOCK, NEWEST_CLOCK = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
LOCAL_TIMES = ("%d.%m.%Y %H:%M:%S", "%Y:%m:%d %H:%M:%S", "%m/%d/%Y %H:%M:%S")


def peek_fields(head: bytes | bytearray, content_type: str) -> dict[str, str]:
    """The text fields at the beginning of a form that nobody read; empty when it is none."""
    if not head:
        return {}
    try:
        parser = FormParser(content_type, max_file_bytes=0, file_fields=())
    except AppError:
        return {}
    try:
        parser.feed(bytes(head))
    except AppError:
        pass  # cut off, as it must be; what stands before the cut is good
    finally:
        parser.form.close()
    return parser.form.fields


def read_clock(fields: Mapping[str, str]) -> datetime | None:
    """What the booth's clock showed as it sent the photo, if it says so."""
    given = {name.lower(): value.strip() for name, value in fields.items()}
    found = (parse_clock(given[name][:40]) for name in CLOCK_FIELDS if name in given)
    return next((clock for clock in found if clock), None)


def parse_clock(text: str) -> datetime | None:
    """A moment in one of the ways in which booths write it; a local one is in our time zone."""
    if re.fullmatch(r"\d{9,10}|\d{13}", text, re.ASCII):
        clock = datetime.fromtimestamp(int(text[:10]), UTC)
    else:
        local = _parse_local(text)
        if local is None:
            return None
        clock = timezone.make_aware(local) if timezone.is_naive(local) else local
    return clock if OLDEST_CLOCK < clock < NEWEST_CLOCK else None


def _parse_local(text: str) -> datetime | None:
    try:
        if parsed := parse_datetime(text):
            return parsed
    except ValueError:  # it looks like one and cannot be one
        return None
    for layout in LOCAL_TIMES:
        try:
            return datetime.strptime(text, layout)  # noqa: DTZ007  made aware by the caller
        except ValueError:
            continue
    return None
