"""Who changed what: an entry of Django's own history for each change, with every field's values.

The message is Django's (``changed``: names of fields), with more beside them: the whole state
before (``was``) and what is different after (``now``). Of a secret it only says that it changed.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_noop

from media.models import MediaObject
from slots.history.field_names import get_msgid, rename_fields
from slots.models import SLOT_IDS, Setting, Slot
from slots.reserve.editing import read_reserves

if TYPE_CHECKING:
    from django.contrib.auth.models import User

COLUMNS = (
    *("display_name", "public_title", "provider", "operation", "is_active", "size_limit_mb"),
    *("sync_response_seconds", "settings", "on_failure", "gallery_mode"),
    *("publishing", "gallery_until", "faces", "face_style", "variables"),
    *("reserve_may_cost_twice", "on_reserve", "paper", "frame_text", "frame_text_place"),
    *("frame_text_color", "frame_text_mm", "frame_qr"),
)
PASSWORD, TEMPLATES, RESERVES = "ingest_password", "template_media", "reserves"
RESERVE_KEYS, GALLERY_ADDRESS = "reserve_keys", "gallery_address"
SECOND_FACTOR = "second_factor"  # of an administrator
SECRETS = (PASSWORD, RESERVE_KEYS, GALLERY_ADDRESS, SECOND_FACTOR, "provider_keys.")
SETTINGS_ID = "settings"  # all of them are one object of the history
CHANGED, REMOVED, SHOWN = "changed", "removed", "shown"  # all that is told of a secret
SET_UP, RECOVERED = "set_up", "recovered"  # and of a second factor
FILES, REMOVED_FILES = gettext_noop("pictures"), "removed_files"
ALL_SLOTS = f"{SLOT_IDS[0]} – {SLOT_IDS[-1]}"
COMMAND = "manage.py"  # who, when nobody was logged in

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One field by its place (``settings.prompt``), before and after."""

    place: str
    was: Any
    now: Any

    @property
    def is_secret(self) -> bool:
        return self.place.startswith(SECRETS)


@dataclass(frozen=True, slots=True)
class Record:
    """What an entry of ours tells; ``now`` is the whole state after."""

    was: State
    now: State
    version: int | None
    restores: int | None  # the version whose state was taken
    by: str
    lab_run: int | None = None  # whose recipe was taken

    @property
    def changes(self) -> list[Change]:
        return diff_states(self.was, self.now)


@contextmanager
def history_entry(
    slot_id: str, *, by: str, restores: int | None = None, lab_run: int | None = None
) -> Iterator[None]:
    """Inside a transaction that is about to change a slot: tells what has become of it."""
    before = _load_state(slot_id)
    yield
    after = _load_state(slot_id)
    was, now = before.state, after.state
    if before.password_hash != after.password_hash:
        now = now | {PASSWORD: CHANGED if after.password_hash else REMOVED}
    if before.reserve_keys != after.reserve_keys:
        now = now | {RESERVE_KEYS: CHANGED if any(after.reserve_keys) else REMOVED}
    if before.slot.gallery_token != after.slot.gallery_token:
        now = now | {GALLERY_ADDRESS: CHANGED}
    if diff_states(was, now):
        more = {"version": after.slot.version, "restores": restores, "lab_run": lab_run}
        write_entry(after.slot, after.slot.pk, str(after.slot), was, now, by=by, **more)


def write_entry(
    model: Model, key: str, name: str, was: State, now: State, *, by: str, **more: Any
) -> None:
    """One entry of the history. ``more`` goes into its message."""
    message = {
        "fields": [get_msgid(change.place, now) for change in diff_states(was, now)],
        "was": was,
        "now": {field: value for field, value in now.items() if was.get(field) != value},
        **{key: value for key, value in more.items() if value is not None},
    }
    _write_log_entry(model, key, name, message, by=by)


def write_removal(slot: Slot | None, files: int, *, by: str) -> None:
    """That all pictures of a slot, or of all slots, were deleted."""
    message = {"fields": [FILES], REMOVED_FILES: files}
    if slot is None:
        _write_log_entry(MediaObject(), "", ALL_SLOTS, message, by=by)
    else:
        _write_log_entry(slot, slot.pk, str(slot), message, by=by)


def _write_log_entry(
    model: Model, key: str, name: str, message: dict[str, Any], *, by: str
) -> None:
    entry = [{"changed": message | {"by": by}}]
    LogEntry.objects.create(
        user=find_author(by),
        content_type=ContentType.objects.get_for_model(model),
        object_id=key,
        object_repr=name[:200],
        action_flag=CHANGE,
        change_message=json.dumps(
            entry, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":")
        ),
    )


def write_settings(was: State, now: State, *, by: str) -> None:
    """The platform's settings; ``now`` holds a secret only if it is changed, as a word."""
    if diff_states(was, now):
        write_entry(Setting(), SETTINGS_ID, "", was, now, by=by)


def find_author(name: str) -> "User":
    """Whose entry it is. Commands that nobody has logged in for share a user who never can."""
    users = get_user_model().objects
    known = users.filter(username=name).first()
    if known is not None:
        return known
    nobody = {"is_active": False, "password": "!"}  # as Django marks a password that never fits
    user, _is_new = users.get_or_create(username=COMMAND, defaults=nobody)
    return user


@dataclass(frozen=True, slots=True)
class _SlotState:
    slot: Slot
    state: State
    password_hash: str
    reserve_keys: list[str]  # encrypted


def _load_state(slot_id: str) -> _SlotState:
    slot = Slot.objects.prefetch_related(RESERVES).get(pk=slot_id)
    keys = [row.api_key for row in slot.reserves.all()]
    return _SlotState(slot, get_state(slot), slot.ingest_password_hash, keys)


def get_state(slot: Slot) -> State:
    """All that can be changed of a slot, as JSON would have it, and as ``SlotIn`` takes it."""
    state: State = {name: getattr(slot, name) for name in COLUMNS}
    if slot.gallery_until is not None:
        state["gallery_until"] = slot.gallery_until.isoformat()
    pictures = slot.template_media.values_list("media_kind", "media_object_id")
    state[TEMPLATES] = [{"media_kind": kind, "media_object_id": key.hex} for kind, key in pictures]
    state[RESERVES] = read_reserves(slot)
    return state


def read_record(entry: LogEntry) -> Record | None:
    """The states an entry of ours tells of; None for another."""
    message = _read_message(entry)
    if "was" not in message:
        return None
    was = rename_fields(message["was"])
    return Record(
        was=was,
        now=was | rename_fields(message["now"]),
        version=message.get("version"),
        restores=message.get("restores"),
        by=str(message.get("by", "")),
        lab_run=message.get("lab_run"),
    )


def read_removed_files(entry: LogEntry) -> int | None:
    """How many files were deleted, if an entry tells of that."""
    files = _read_message(entry).get(REMOVED_FILES)
    return files if isinstance(files, int) else None


def get_author_name(entry: LogEntry) -> str:
    """Whoever did it: a command by its own name."""
    return _read_message(entry).get("by") or entry.user.get_username()


def _read_message(entry: LogEntry) -> dict[str, Any]:
    try:
        (part,) = json.loads(entry.change_message)
        return dict(part["changed"])
    except (ValueError, KeyError, TypeError):
        return {}


def find_entries(model: type[Model], key: str) -> QuerySet[LogEntry]:
    """Newest first."""
    entries = LogEntry.objects.select_related("user")
    kind = ContentType.objects.get_for_model(model)
    return entries.filter(content_type=kind, object_id=key).order_by("-pk")


def diff_states(was: State, now: State) -> list[Change]:
    """Field by field; a recipe's by its own fields."""
    before, after = _flatten(was), _flatten(now)
    places = list(dict.fromkeys([*before, *after]))
    return [
        Change(place, before.get(place), after.get(place))
        for place in places
        if before.get(place) != after.get(place)
    ]


def _flatten(state: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in state.items():
        if name == "settings" and isinstance(value, dict):
            flat |= {f"settings.{field}": one for field, one in value.items()}
        else:
            flat[name] = value
    return flat
