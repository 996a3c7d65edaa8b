import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import translation

from photochanger.errors import InvalidFields
from slots.history.records import CHANGED, PASSWORD, SHOWN, write_settings
from slots.passwords import (
    check_new_password,
    generate_password,
    read_ingest_password,
    set_ingest_password,
)
from slots.platform_settings import load_platform_settings

BY = "manage.py booth_password"


class Command(BaseCommand):
    help = "Set the password that every booth must send, or show it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--generate", action="store_true", help="random, shown once")
        parser.add_argument("--if-unset", action="store_true", help="leave an existing one alone")

        parser.add_argument("--show", action="store_true", help="print it; nothing is changed")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["show"]:
            self._show()
        else:
            self._set(generate=options["generate"], if_unset=options["if_unset"])

    def _show(self) -> None:
        password = read_ingest_password(load_platform_settings())
        if not password:
            raise CommandError(
                "No booth password can be shown: none is set, or it was set before passwords were "
                "kept readable, or without FIELD_ENCRYPTION_KEY. Set a new one to read it later."
            )
        write_settings({}, {PASSWORD: SHOWN}, by=BY)
        self.stdout.write(password)

    def _set(self, *, generate: bool, if_unset: bool) -> None:
        if if_unset and load_platform_settings().ingest_password_hash:
            self.stdout.write("The booth password is set already.")
            return
        password = generate_password() if generate else self._ask()
        with transaction.atomic():
            set_ingest_password(password, by=BY)
            write_settings({}, {PASSWORD: CHANGED}, by=BY)
        if generate:
            self.stdout.write(f"Booth password: {password}")
        else:
            self.stdout.write("The booth password is changed. Type it into every booth.")

    def _ask(self) -> str:
        password = getpass.getpass("New booth password: ")
        try:
            check_new_password(password)
        except InvalidFields as exc:
            with translation.override("en"):
                raise CommandError(str(exc.fields["ingest_password"])) from exc
        if password != getpass.getpass("Once more: "):
            raise CommandError("The two are not the same; nothing changed.")
        return password
