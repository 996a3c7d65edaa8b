import os
import re
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from photochanger.env_file import decode_file, read_lines
from slots.provider_keys import move_to_newest_key

ENCRYPTION = "FIELD_ENCRYPTION_KEY"
# Where the earlier values of each are kept; encryption keys are one list, newest first.
EARLIER = {
    "SECRET_KEY": "SECRET_KEY_FALLBACKS",
    "JWT_SIGNING_KEY": "JWT_SIGNING_KEY_FALLBACKS",
    ENCRYPTION: ENCRYPTION,
}


class Command(BaseCommand):
    help = (
        "Write a fresh random secret into .env. The one before it stays accepted until "
        "`--forget`, so that nobody is logged out and nothing becomes unreadable. "
        "Restart the server afterwards. No secret is shown."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=EARLIER, help="which secret is made anew")
        parser.add_argument(
            "--path",
            type=Path,
            default=settings.BASE_DIR / ".env",
            help="the file with the settings; default .env in this folder",
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--leaked", action="store_true", help="do not accept the one before it any longer"
        )
        how.add_argument(
            "--forget", action="store_true", help="make no new one; forget the earlier ones"
        )

    def handle(
        self, *args: Any, name: str, path: Path, leaked: bool, forget: bool, **options: Any
    ) -> None:
        if leaked and name == ENCRYPTION:
            raise CommandError(
                "What is stored would become unreadable. Renew it, run rotate_keys, then --forget; "
                "and give the providers' keys up for lost: make new ones at the providers."
            )
        try:
            text = decode_file(path.read_bytes())
        except OSError as exc:
            raise CommandError(f"{path} cannot be read: {exc.strerror}.") from exc
        known = _read_values(text, name)
        if known != _get_current_values(name):
            raise CommandError(
                f"{name} in {path} is not the one in force: the environment or {name}_FILE sets "
                "another. Renew it there; nothing changed."
            )
        if forget and name == ENCRYPTION:
            self._check_no_earlier_key_is_needed()
        kept = known[:1] if forget else [_generate_secret(name), *([] if leaked else known)]
        _replace_file(path, _replace_values(text, name, kept))
        self.stdout.write(
            f"{name} in {path}: {'no new one' if forget else 'a new one'}, "
            f"{len(kept) - 1} earlier still accepted. Restart the server."
        )

    def _check_no_earlier_key_is_needed(self) -> None:
        found = move_to_newest_key(dry_run=True)
        if found.moved or found.unreadable:
            raise CommandError("An earlier key is still needed. Run rotate_keys first.")


def _read_values(text: str, name: str) -> list[str]:
    """The values of the file, newest first."""
    values = _find_value(text, name).split(",") if name == ENCRYPTION else [_find_value(text, name)]
    if not values[0]:
        raise CommandError(f"{name} is not in that file; renew it where it comes from.")
    if name != ENCRYPTION:
        if "," in values[0]:
            raise CommandError(f"{name} has a comma, which a list of secrets cannot hold.")
        values += _find_value(text, EARLIER[name]).split(",")
    return [value.strip() for value in values if value.strip()]


def _get_current_values(name: str) -> list[str]:
    if name == ENCRYPTION:
        return list(settings.FIELD_ENCRYPTION_KEYS)
    return [getattr(settings, name), *getattr(settings, EARLIER[name])]


def _find_value(text: str, name: str) -> str:
    return next((line.value for line in read_lines(text) if line.name == name), "")


def _generate_secret(name: str) -> str:
    return Fernet.generate_key().decode() if name == ENCRYPTION else secrets.token_urlsafe(48)


def _replace_values(text: str, name: str, values: list[str]) -> str:
    if name == ENCRYPTION:
        return _set_line(text, name, ",".join(values))
    text = _set_line(text, EARLIER[name], ",".join(values[1:]))
    return _set_line(text, name, values[0])


def _set_line(text: str, name: str, value: str) -> str:
    line = f"{name}={value}"
    pattern = rf"^[ \t]*(?:export[ \t]+)?{name}[ \t]*=.*$"
    if re.search(pattern, text, re.MULTILINE):
        return re.sub(pattern, lambda _: line, text, flags=re.MULTILINE)
    return f"{text.rstrip()}\n{line}\n" if value else text


def _replace_file(path: Path, text: str) -> None:
    """Atomically: a crash in between must not lose the other secrets."""
    new = path.with_name(f"{path.name}.new")
    new.touch(mode=0o600)
    new.write_text(text)
    new.chmod(path.stat().st_mode)  # a container's user must be able to read its own
    os.replace(new, path)
