"""What a target is: who makes its cases up, who reads them, and what that may cost."""

import random
from collections.abc import Callable
from dataclasses import dataclass

MB = 1024 * 1024


class Wrong(AssertionError):
    """A case that was read without an error, to a result that cannot be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """``try_case`` returns a word for what became of the case: ``ok``, or its refusal's class.

    It raises whatever the product must not raise.
    """

    name: str
    make_case: Callable[[random.Random], bytes]
    try_case: Callable[[bytes], str]
    most_cpu_s: float  # of one case
    most_bytes: int  # beyond what the process had before

    def make(self, seed: int, number: int) -> bytes:
        return self.make_case(random.Random(f"{seed}/{self.name}/{number}"))


def derive_random(case: bytes) -> random.Random:
    """For choices in reading a case: they are the case's own, however it came to be."""
    return random.Random(case[:1024] + len(case).to_bytes(8))
