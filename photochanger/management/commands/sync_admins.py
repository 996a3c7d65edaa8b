import json
import secrets
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from django.conf import settings
from django.contrib.auth.hashers import identify_hasher, make_password
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Q
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from photochanger.env_file import decode_file

DEFAULT_ADMINS = ("serg", "igor")


class Admin(BaseModel, extra="forbid", str_strip_whitespace=True):
    """The name as the login page reads it: blanks around it could never be typed there."""

    username: Annotated[str, AfterValidator(User.normalize_username)] = Field(
        min_length=1, max_length=150
    )
    password: str  # a Django password hash


class Credentials(BaseModel, extra="forbid"):
    admins: list[Admin] = Field(min_length=1)


class Command(BaseCommand):
    help = (
        "Make the administrators of ADMIN_CREDENTIALS_PATH superusers with the passwords hashed "
        "there. Administrators who are not in the file lose access at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--generate",
            action="store_true",
            help="make the file first, with random passwords shown once, unless it is there",
        )
        parser.add_argument(
            "--usernames",
            nargs="+",
            default=DEFAULT_ADMINS,
            help=f"of a file that --generate makes; default {' '.join(DEFAULT_ADMINS)}",
        )

    def handle(self, *args: Any, generate: bool, usernames: list[str], **options: Any) -> None:
        path: Path = settings.ADMIN_CREDENTIALS_PATH
        if generate and not path.exists():
            self._generate(path, usernames)
        made, changed, closed = sync(_read(path))
        self.stdout.write(f"Administrators: {made} new, {changed} kept, {closed} closed.")

    def _generate(self, path: Path, usernames: list[str]) -> None:
        try:
            names = [Admin(username=name, password="").username for name in usernames]
        except ValidationError as exc:
            raise CommandError("A name has 1 to 150 letters.") from exc
        passwords = {name: secrets.token_urlsafe(12) for name in names}
        credentials = Credentials(
            admins=[
                Admin(username=name, password=make_password(password))
                for name, password in passwords.items()
            ]
        )
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(credentials.model_dump_json(indent=2))
        self.stdout.write("Administrators' passwords (shown only now):")
        for name, password in passwords.items():
            self.stdout.write(f"  {name}  {password}")


def _read(path: Path) -> Credentials:
    try:
        credentials = Credentials.model_validate(json.loads(decode_file(path.read_bytes())))
    except FileNotFoundError as exc:
        raise CommandError(f"{path} is not there. `sync_admins --generate` makes it.") from exc
    except OSError as exc:
        raise CommandError(f"{path} cannot be read: {exc.strerror}.") from exc
    except ValueError as exc:  # no text, no JSON, or not these fields
        # Not the error's own words: they would quote the file, hashes included.
        raise CommandError(
            f'{path} must be {{"admins": [{{"username": ..., "password": <Django hash>}}]}}.'
        ) from exc
    names = Counter(admin.username for admin in credentials.admins)
    if twice := [name for name, count in names.items() if count > 1]:
        raise CommandError(f"{path} names {', '.join(twice)} more than once.")
    for admin in credentials.admins:
        try:
            identify_hasher(admin.password)
        except ValueError as exc:
            raise CommandError(f"{admin.username}: the password is not a Django hash.") from exc
    return credentials


@transaction.atomic
def sync(credentials: Credentials) -> tuple[int, int, int]:
    """How many administrators were made, kept and closed."""
    made = 0
    for admin in credentials.admins:
        _, is_new = User.objects.update_or_create(
            username=admin.username,
            defaults={
                "password": admin.password,
                "is_staff": True,
                "is_superuser": True,
                "is_active": True,
            },
        )
        made += is_new
    names = [admin.username for admin in credentials.admins]
    may_enter = Q(is_staff=True) | Q(is_superuser=True)  # the console asks both, the API one
    closed = User.objects.filter(may_enter, is_active=True).exclude(username__in=names)
    return made, len(names) - made, closed.update(is_active=False)
