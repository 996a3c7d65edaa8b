import os
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from photochanger.db.limits import limit_this_process
from stats.watch.watcher import EVERY_S, Watcher

ANSWER_S = 5.0  # a database that answers later is away: people are told within half a minute


class Command(BaseCommand):
    help = (
        "Watch over photos, services, disk and database, and tell people by Telegram, e-mail and "
        "others: the console's page “Alerts” says whom. Runs until SIGTERM; of several, on one "
        "machine or on many, one speaks and the others stand by."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--beside", type=int, metavar="PID", help="end when the process with this number ends"
        )

    def handle(self, *args: Any, beside: int | None, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        if beside:
            threading.Thread(target=_follow, args=[beside, stop], daemon=True).start()
        limit_this_process(wait_s=ANSWER_S)
        Watcher().run(stop)


def _follow(pid: int, stop: threading.Event) -> None:
    while not stop.wait(EVERY_S):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            stop.set()
        except PermissionError:
            continue  # it is there, and another user's
