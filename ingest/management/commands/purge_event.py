import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ingest.events.purge import purge_event
from photochanger.logs import mute_terminal
from slots.events.models import Event

MOST_LETTERS = 100  # as the event's name has


class Command(BaseCommand):
    help = (
        "Delete what is personal of an event that is closed, for good, and print what was deleted. "
        "May be stopped and run again. manage.py purge_event 12 --yes"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event_id", type=int, help="the number in the event's address")
        parser.add_argument("--yes", action="store_true", help="it is meant: nothing comes back")
        parser.add_argument(
            "--with-recipes",
            action="store_true",
            help="with the logo and the template pictures that nothing else uses",
        )
        parser.add_argument(
            "--name",
            default="",
            help="what it is called from now on: names of people in it are personal data too",
        )

    def handle(
        self, *, event_id: int, yes: bool, with_recipes: bool, name: str, **options: Any
    ) -> None:
        mute_terminal()
        event = Event.objects.filter(pk=event_id).first()
        if event is None:
            raise CommandError(f"there is no event {event_id}")
        if len(name) > MOST_LETTERS:
            raise CommandError(f"--name has more than {MOST_LETTERS} letters")
        if not yes:
            raise CommandError(
                f"all pictures of “{event}” would be deleted, and it would be called "
                f"“{name.strip() or event}”: say --yes, and --name to call it otherwise, as names "
                "of people are personal data too"
            )
        purge = purge_event(
            event_id, by="manage.py purge_event", name=name.strip(), with_recipes=with_recipes
        )
        if purge is None:
            raise CommandError("close the event first, and wait until its last photo is over")
        self.stdout.write(json.dumps(purge.counts, sort_keys=True))
        if purge.finished_at is None:
            raise CommandError("some files could not be deleted; the log names them. Run it again")
