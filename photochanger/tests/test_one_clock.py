"""What machines compare comes from one clock, ``photochanger.db.clock``: ADR 21."""

import ast
from pathlib import Path

from django.test import SimpleTestCase

from photochanger.testing.databases import BASE_DIR
from photochanger.testing.figures.sources import product_files

MACHINE_CLOCK = {"timezone.now", "datetime.now", "datetime.utcnow", "time.time"}
# Where this machine's own clock is meant, and why.
MEANT = {
    "photochanger/db/clock.py": "it stands in until the database has been asked, and is compared",
    "ingest/readiness/server.py": "the page shows what this machine's clock says",
    "stats/watch/wording.py": "a message shows when it was written",
    "media/archive.py": "the name of a file",
    "media/models.py": "when an upload came, for people; results are given theirs",
    "slots/approval/models.py": "who makes these rows gives them their times",
    "ingest/booth/form.py": "it plays a booth",
    "providers/checking.py": "it compares this machine's clock with a service's",
    "providers/retry_hints.py": "the service's clock was not told",
}


def find_uses(path: Path) -> list[str]:
    """Names of clocks of the machine that a file mentions."""
    nodes = ast.walk(ast.parse(path.read_text()))
    names = (ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute))
    return [name for name in names if name in MACHINE_CLOCK]


class OneClockTests(SimpleTestCase):
    def test_the_machines_own_clock_is_read_only_where_it_is_meant(self) -> None:
        readers = {
            name
            for name in product_files()
            if "/simulator/" not in name and find_uses(BASE_DIR / name)
        }
        self.assertEqual(readers, set(MEANT))
