"""The files that are measured: the six packages without tests, testing, bench and migrations."""

from collections.abc import Iterator
from pathlib import Path

from photochanger.testing.databases import BASE_DIR

PACKAGES = ("photochanger", "providers", "media", "slots", "ingest", "stats")
NOT_PRODUCT = {"tests", "testing", "bench", "migrations"}


def is_product(file: str) -> bool:
    """``file`` is a path from the project's folder."""
    first, *rest = Path(file).parts
    return first in PACKAGES and not NOT_PRODUCT & set(rest)


def product_files() -> Iterator[str]:
    for package in PACKAGES:
        for path in sorted((BASE_DIR / package).rglob("*.py")):
            file = str(path.relative_to(BASE_DIR))
            if is_product(file):
                yield file
