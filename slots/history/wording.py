"""A change as people read it: names and values in words, long texts word by word."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from os.path import commonprefix
from typing import Any, Literal, NamedTuple

from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from providers.registry import DRIVERS
from slots.history.field_names import get_label
from slots.history.records import (
    COMMAND,
    RECOVERED,
    REMOVED,
    SET_UP,
    SHOWN,
    Change,
    Record,
    read_removed_files,
)
from slots.models import Slot, SlotTemplateMedia
from slots.prompts.variables import PromptVariable
from slots.prompts.wording import describe_variable

LONG_TEXT = 40
ALIKE = 0.6  # spaces and commas alone make half of it
MAX_COMPARED = 40_000  # pairs of words; more of them would take a page's whole time
NOTHING = "—"
EARLIER_COMMAND = "booth_password"  # as earlier versions signed it
CHOICES = {
    "on_failure": Slot.OnFailure,
    "gallery_mode": Slot.GalleryMode,
    "galleries": Slot.GalleryMode,
    "publishing": Slot.Publishing,
    "faces": Slot.Faces,
    "face_style": Slot.FaceStyle,
    "paper": Slot.Paper,
    "frame_text_place": Slot.TextPlace,
    "frame_qr": Slot.QrCorner,
}


class Piece(NamedTuple):
    kind: Literal["same", "gone", "new"]
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One field of a change. A long text has pieces, a secret only the word that it changed."""

    place: str
    label: str
    was: str
    now: str
    pieces: tuple[Piece, ...] = ()
    is_secret: bool = False


def describe_record(record: Record) -> list[Line]:
    return [describe_change(change, record.was, record.now) for change in record.changes]


def name_author(by: str) -> str:
    """Who changed something: a person, or whoever ran a command."""
    return _("from the command line") if by.startswith(COMMAND) or by == EARLIER_COMMAND else by


def describe_entry(entry: LogEntry) -> str:
    """An entry without fields, in a sentence."""
    files = read_removed_files(entry)
    if files is not None:
        return ngettext("%d file was deleted.", "%d files were deleted.", files) % files
    if entry.action_flag == ADDITION:
        return _("Added.")
    return _("Deleted.") if entry.action_flag == DELETION else entry.get_change_message()


def describe_change(change: Change, was: Mapping[str, Any], now: Mapping[str, Any]) -> Line:
    name = capfirst(get_label(change.place, now, was))
    if change.is_secret:
        told = {
            **{REMOVED: _("removed"), SHOWN: _("shown to an administrator"), SET_UP: _("set up")},
            RECOVERED: _("a recovery code was used to log in"),
        }
        words = told.get(change.now, _("changed"))
        return Line(change.place, name, "", words, is_secret=True)
    before, after = (
        format_value(change.place, change.was, was),
        format_value(change.place, change.now, now),
    )
    is_text = isinstance(change.was, str) and isinstance(change.now, str)
    is_long = max(len(before), len(after)) > LONG_TEXT
    pieces = tuple(diff_text(before, after)) if is_text and is_long else ()
    return Line(change.place, name, before, after, pieces)


def diff_text(was: str, now: str) -> list[Piece]:
    """What is the same, gone and new, by words; of quite another text nothing is the same."""
    before, after = (re.findall(r"\s+|\w+|[^\w\s]", text) for text in (was, now))
    first = len(commonprefix([before, after]))
    last = len(commonprefix([before[first:][::-1], after[first:][::-1]]))
    old, new = before[first : len(before) - last], after[first : len(after) - last]
    middle = _diff_middle(old, new)
    same = first + last + sum(size for tag, size, *_words in middle if tag == "equal")
    if 2 * same < ALIKE * (len(before) + len(after)):
        return [Piece("gone", was), Piece("new", now)]
    found = [Piece("same", "".join(before[:first]))]
    for _tag, _size, gone, came in middle:
        found += (
            [Piece("same", gone)] if gone == came else [Piece("gone", gone), Piece("new", came)]
        )
    found.append(Piece("same", "".join(before[len(before) - last :])))
    return [piece for piece in found if piece.text]


def _diff_middle(old: list[str], new: list[str]) -> list[tuple[str, int, str, str]]:
    """Between what is the same at both ends: tag, number of equal words, text before and after."""
    if len(old) * len(new) > MAX_COMPARED:
        return [("replace", 0, "".join(old), "".join(new))]
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        (tag, b - a, "".join(old[a:b]), "".join(new[c:d]))
        for tag, a, b, c, d in matcher.get_opcodes()
    ]


def format_value(place: str, value: Any, state: Mapping[str, Any]) -> str:
    """A stored value; whatever is not known any more is shown as it is."""
    if value is None or value == "" or value == []:
        return NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if place == "template_media":
        return _format_pictures(value)
    if place == "variables":
        return "; ".join(describe_variable(PromptVariable.model_construct(**one)) for one in value)
    if place == "reserves":
        return "; ".join(_format_reserve(one) for one in value)
    if place == "gallery_until":
        at = parse_datetime(str(value))
        return date_format(localtime(at), "SHORT_DATETIME_FORMAT") if at else str(value)
    return _format_choice(place, str(value), state)


def _format_choice(place: str, value: str, state: Mapping[str, Any]) -> str:
    driver = DRIVERS.get(str(state.get("provider")))
    if place == "provider" and driver:
        return str(driver.title)
    if place == "operation" and driver and value in driver.operations:
        return _(driver.operations[value])
    choices = CHOICES.get(place)
    return str(choices(value).label) if choices and value in choices.values else value


def _format_reserve(one: Mapping[str, Any]) -> str:
    """``Google Gemini, Edit by prompt (prompt: As an oil painting)``."""
    words = [_format_choice(name, str(one[name]), one) for name in ("provider", "operation")]
    if one["base_url"]:
        words.append(one["base_url"])
    if not one["is_enabled"]:
        words.append(_("switched off"))
    settings = ", ".join(f"{name}: {value}" for name, value in one["settings"].items())
    return ", ".join(words) + (f" ({settings})" if settings else "")


def _format_pictures(pictures: list[dict[str, str]]) -> str:
    kinds = dict(SlotTemplateMedia.MediaKind.choices)
    count = Counter(str(kinds.get(one["media_kind"], one["media_kind"])) for one in pictures)
    return ", ".join(f"{kind} × {many}" if many > 1 else kind for kind, many in count.items())
