"""What a server does with the memory that photos have freed."""

import subprocess
import sys
from unittest import skipUnless

from django.test import SimpleTestCase

from photochanger.testing.databases import BASE_DIR

# Blocks as one photo takes and frees them: an answer, its base64, its pixels.
ROUNDS = """
import resource, sys
from photochanger.server.memory import keep_freed_memory

is_kept = "kept" in sys.argv and keep_freed_memory()

def count_faults(rounds):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        blocks = [bytes(4_000_000) for _ in range(4)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

count_faults(3)
print(count_faults(20))
"""


def count_page_faults(*arguments: str) -> int:
    """Of twenty rounds, after three that reached the most memory there is in use."""
    command = [sys.executable, "-c", ROUNDS, *arguments]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=True)
    return int(done.stdout)


@skipUnless(sys.platform == "linux", "of the C library of Linux")
class FreedMemoryTests(SimpleTestCase):
    def test_what_a_photo_frees_waits_for_the_next_one(self) -> None:
        control = count_page_faults()
        assert count_page_faults("kept") * 20 < control, control
