from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from slots.provider_keys import move_to_newest_key


class Command(BaseCommand):
    help = (
        "Encrypt the stored provider keys, booth passwords and addresses of alerts anew with the "
        "first key of FIELD_ENCRYPTION_KEY; "
        "after that the others may be taken away. It may run while photos are worked on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="change nothing; status 1 while an earlier key is still needed",
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        found = move_to_newest_key(dry_run=check)
        self.stdout.write(f"With the newest key already: {_join_names(found.current)}.")
        told = "To be moved to it" if check else "Moved to it now"
        self.stdout.write(f"{told}: {_join_names(found.moved)}.")
        if found.unreadable:
            raise CommandError(
                f"None of the keys in FIELD_ENCRYPTION_KEY opens what is stored for: "
                f"{_join_names(found.unreadable)}. Put the earlier key back behind the newest one, "
                "or enter the provider's key, the booth password or the recipient's address anew "
                "in the console."
            )
        if check and found.moved:
            raise CommandError("An earlier key is still needed. Run rotate_keys without --check.")
        if not check:
            self.stdout.write("Earlier keys in FIELD_ENCRYPTION_KEY are no longer needed.")


def _join_names(providers: tuple[str, ...]) -> str:
    return ", ".join(providers) or "none"
