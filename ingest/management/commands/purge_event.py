import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ingest.events.purge import purge_event
from photochanger.logs import mute_terminal
from slots.events.models import Event


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

    def handle(self, *, event_id: int, yes: bool, with_recipes: bool, **options: Any) -> None:
        mute_terminal()
        event = Event.objects.filter(pk=event_id).first()
        if event is None:
            raise CommandError(f"there is no event {event_id}")
        if not yes:
            raise CommandError(f"all pictures of “{event}” would be deleted: say --yes")
        purge = purge_event(event_id, by="manage.py purge_event", with_recipes=with_recipes)
        if purge is None:
            raise CommandError("close the event first, and wait until its last photo is over")
        self.stdout.write(json.dumps(purge.counts, sort_keys=True))
        if purge.finished_at is None:
            raise CommandError("some files could not be deleted; the log names them. Run it again")
