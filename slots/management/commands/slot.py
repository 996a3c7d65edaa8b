import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from photochanger.errors import InvalidFields
from photochanger.logs import mute_terminal
from providers.registry import DRIVERS
from slots.console.schema_fields import list_operation_fields
from slots.gallery.addresses import build_gallery_path, replace_gallery_address
from slots.gallery.modes import find_gallery_mode
from slots.library.editing import apply_preset
from slots.library.presets import find_preset_by_name, list_presets
from slots.models import SLOT_IDS, Slot
from slots.platform_settings import load_platform_settings
from slots.prompts.wording import describe_variable
from slots.services import is_complete, save_slot


class Command(BaseCommand):
    help = (
        "Without a slot: all fifteen. Show a slot, or change it: "
        "manage.py slot slot-001 --set prompt='As an oil painting'"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slot_id", nargs="?", help=f"{SLOT_IDS[0]} to {SLOT_IDS[-1]}")
        parser.add_argument("--name", help="what operators call it")
        parser.add_argument(
            "--public-title", help="what guests see above their pictures; empty: the name"
        )
        parser.add_argument(
            "--provider",
            choices=list(DRIVERS),
            help="the AI service that makes the pictures",
        )
        parser.add_argument("--operation", help=_list_operations())
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="a field of the recipe; VALUE is JSON or plain text",
        )
        parser.add_argument(
            "--faces",
            choices=Slot.Faces.values,
            help="whether people of photo and picture are compared; retry may cost a second call",
        )
        parser.add_argument(
            "--variables",
            type=json.loads,
            metavar="JSON",
            help="""the booth's texts that may stand in the prompt, all of them: '[{"name": "guest",
            "label": "the guest's name", "default": "our guest"}]'""",
        )
        _add_more_arguments(parser)

    def handle(self, *args: Any, slot_id: str | None, **options: Any) -> None:
        changes = _read_columns(options)
        if slot_id is None:
            asked = ("set", "preset", "new_gallery_address")
            if changes or any(options[name] for name in asked):
                raise CommandError(f"Which slot? {SLOT_IDS[0]} to {SLOT_IDS[-1]}.")
            self._list_slots()
            return
        slot = Slot.objects.filter(pk=slot_id).first()
        if slot is None:
            there_are = f"{SLOT_IDS[0]} to {SLOT_IDS[-1]}"
            raise CommandError(f"There is no slot {slot_id}; they are {there_are}.")
        if options["preset"]:
            slot = _apply_preset(slot, options["preset"])
        if options["set"]:
            changes["settings"] = slot.settings | dict(map(_parse_pair, options["set"]))
        if changes:
            _change(slot, changes)
        if options["new_gallery_address"]:
            slot = replace_gallery_address(slot.pk, by="manage.py slot")
        self._show(slot)

    def _show(self, slot: Slot) -> None:
        state = "on" if slot.is_active else "off"
        self.stdout.write(f"{slot.pk} «{slot}» {slot.provider}/{slot.operation}, {state}")
        if slot.public_title:
            self.stdout.write(f"Title for guests: {slot.public_title}")
        self.stdout.write(_describe_gallery(slot))
        self.stdout.write(json.dumps(slot.settings, ensure_ascii=False, indent=2))
        for variable in slot.list_variables():
            self.stdout.write(describe_variable(variable))

    def _list_slots(self) -> None:
        rows = [("SLOT", "STATE", "SERVICE", "PICTURES", "NAME")]
        for slot in Slot.objects.prefetch_related("template_media"):
            state = "on" if slot.is_active else "off"
            state += "" if is_complete(slot) else ", not set up"
            pictures = str(len(slot.template_media.all()) or "-")
            service = f"{slot.provider}/{slot.operation}"
            rows.append((slot.pk, state, service, pictures, slot.display_name))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def _add_more_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--gallery", choices=Slot.GalleryMode.values, help="who sees the gallery")
    parser.add_argument(
        "--publish", choices=Slot.Publishing.values, help="when pictures appear in it"
    )
    parser.add_argument(
        "--new-gallery-address",
        action="store_true",
        help="make a new secret address; the one before leads nowhere from then on",
    )
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help="a recipe of the library, by its name in either language or its key; what the "
        "slot had is replaced, as on the library's page",
    )
    switch = parser.add_mutually_exclusive_group()
    switch.add_argument(
        "--on", dest="is_active", action="store_true", default=None, help="photos may be sent"
    )
    switch.add_argument(
        "--off", dest="is_active", action="store_false", default=None, help="photos are refused"
    )


def _read_columns(options: dict[str, Any]) -> dict[str, Any]:
    columns = {
        "display_name": options["name"],
        "public_title": options["public_title"],
        "provider": options["provider"],
        "operation": options["operation"],
        "is_active": options["is_active"],
        "variables": options["variables"],
        "gallery_mode": options["gallery"],
        "publishing": options["publish"],
        "faces": options["faces"],
    }
    return {name: value for name, value in columns.items() if value is not None}


def _apply_preset(slot: Slot, name: str) -> Slot:
    """Raises CommandError with sentences; then nothing is changed."""
    preset = find_preset_by_name(name)
    if preset is None:
        names = ", ".join(one.key for one in list_presets())
        raise CommandError(f"There is no recipe {name!r}. There are: {names}.")
    try:
        with mute_terminal():
            return apply_preset(preset, slot.pk, version=slot.version, by="manage.py slot")
    except InvalidFields as exc:
        with translation.override("en"):
            lines = [f"{place}: {words}" for place, words in exc.fields.items()]
        raise CommandError("\n".join(["Nothing was changed.", *lines])) from exc


def _describe_gallery(slot: Slot) -> str:
    platform = load_platform_settings()
    mode = find_gallery_mode(slot, platform)
    path = "" if mode == Slot.GalleryMode.CLOSED else f" at {build_gallery_path(slot, platform)}"
    return f"Gallery: {mode}{path}"


def _change(slot: Slot, changes: dict[str, Any]) -> None:
    """Raises CommandError with sentences; then nothing is changed."""
    for name, value in changes.items():
        setattr(slot, name, value)
    try:
        with mute_terminal():  # the log's line of it is for machines; the slot is shown below
            save_slot(slot, by="manage.py slot")
    except ValidationError as exc:
        raise CommandError(_list_messages(slot, exc)) from exc


def _list_messages(slot: Slot, exc: ValidationError) -> str:
    """A line for each field, all in English as every other word of a command."""
    with translation.override("en"):
        found = {name: [str(word) for word in words] for name, words in exc.message_dict.items()}
    lines = [f"{name}: {' '.join(words)}" for name, words in found.items()]
    if "operation" in found:
        lines.append(f"Operations: {_list_operations()}.")
    if "settings" in found and slot.provider in DRIVERS and "operation" not in found:
        fields = list_operation_fields(slot.driver, slot.operation)
        lines.append(f"Fields of {slot.provider}/{slot.operation}:")
        lines.append(f"  {', '.join(field.name for field in fields)}")
    return "\n".join(["Nothing was changed.", *lines])


def _list_operations() -> str:
    return "; ".join(f"{name}: {', '.join(one.operations)}" for name, one in DRIVERS.items())


def _parse_pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"{text!r} is not FIELD=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
