import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from slots.gallery.addresses import build_gallery_path, replace_gallery_address
from slots.gallery.modes import find_gallery_mode
from slots.models import SLOT_IDS, Slot
from slots.platform_settings import load_platform_settings
from slots.prompts.wording import describe_variable
from slots.services import save_slot


class Command(BaseCommand):
    help = "Show a slot, or change it: manage.py slot slot-001 --set prompt='As an oil painting'"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slot_id")
        parser.add_argument("--name")
        parser.add_argument("--provider")
        parser.add_argument("--operation")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="a field of the recipe; VALUE is JSON or plain text",
        )
        parser.add_argument("--faces", choices=Slot.Faces.values)
        parser.add_argument(
            "--variables",
            type=json.loads,
            metavar="JSON",
            help="""the booth's texts that may stand in the prompt, all of them: '[{"name": "guest",
            "label": "the guest's name", "default": "our guest"}]'""",
        )
        parser.add_argument(
            "--gallery", choices=Slot.GalleryMode.values, help="who sees the gallery"
        )
        parser.add_argument(
            "--new-gallery-address",
            action="store_true",
            help="make a new secret address; the one before leads nowhere from then on",
        )
        switch = parser.add_mutually_exclusive_group()
        switch.add_argument("--on", dest="is_active", action="store_true", default=None)
        switch.add_argument("--off", dest="is_active", action="store_false", default=None)

    def handle(self, *args: Any, slot_id: str, **options: Any) -> None:
        slot = Slot.objects.filter(pk=slot_id).first()
        if slot is None:
            there_are = f"{SLOT_IDS[0]} to {SLOT_IDS[-1]}"
            raise CommandError(f"There is no slot {slot_id}; they are {there_are}.")
        columns = {
            "display_name": options["name"],
            "provider": options["provider"],
            "operation": options["operation"],
            "is_active": options["is_active"],
            "variables": options["variables"],
            "gallery_mode": options["gallery"],
            "faces": options["faces"],
        }
        changes = {name: value for name, value in columns.items() if value is not None}
        if options["set"]:
            changes["settings"] = slot.settings | dict(map(_parse_pair, options["set"]))
        if changes:
            for name, value in changes.items():
                setattr(slot, name, value)
            try:
                save_slot(slot, by="manage.py slot")
            except ValidationError as exc:
                raise CommandError(_list_messages(exc)) from exc
        if options["new_gallery_address"]:
            slot = replace_gallery_address(slot.pk, by="manage.py slot")
        state = "on" if slot.is_active else "off"
        self.stdout.write(f"{slot.pk} «{slot}» {slot.provider}/{slot.operation}, {state}")
        self.stdout.write(_describe_gallery(slot))
        self.stdout.write(json.dumps(slot.settings, ensure_ascii=False, indent=2))
        for variable in slot.list_variables():
            self.stdout.write(describe_variable(variable))


def _describe_gallery(slot: Slot) -> str:
    platform = load_platform_settings()
    mode = find_gallery_mode(slot, platform)
    path = "" if mode == Slot.GalleryMode.CLOSED else f" at {build_gallery_path(slot, platform)}"
    return f"Gallery: {mode}{path}"


def _list_messages(exc: ValidationError) -> str:
    """A line for each field, its sentences as the console shows them."""
    lines = [f"{name}: {' '.join(words)}" for name, words in exc.message_dict.items()]
    return "\n".join(["Nothing was changed.", *lines])


def _parse_pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"{text!r} is not FIELD=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
