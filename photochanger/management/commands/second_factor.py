from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from photochanger.second_factor.checking import find_factor
from photochanger.second_factor.lifecycle import remove_factor
from slots.history.records import COMMAND


class Command(BaseCommand):
    help = (
        "Tell which administrators have a second factor, or remove that of one whose phone and "
        "recovery codes are lost."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--remove", metavar="NAME", help="whose second factor is removed")

    def handle(self, *args: Any, remove: str | None, **options: Any) -> None:
        if remove is None:
            self._list()
            return
        user = User.objects.filter(username=remove).first()
        if user is None:
            raise CommandError(f"There is no administrator {remove}.")
        if not remove_factor(user, by=COMMAND):
            raise CommandError(f"{remove} has no second factor.")
        self.stdout.write(
            f"The second factor of {remove} is removed, and all sessions and tokens that it opened "
            f"are closed. Set up a new one at once: /admin/second-factor/."
        )

    def _list(self) -> None:
        users = User.objects.filter(is_active=True, is_superuser=True)
        for user in users.select_related("second_factor").order_by("username"):
            factor = find_factor(user)
            left = (
                f"set up, {len(factor.recovery_hashes)} recovery codes left" if factor else "none"
            )
            self.stdout.write(f"{user.username}: {left}")
