"""Code that tests and benchmarks keep as text, and run in another process, must not grow stale."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase

APPS = ("photochanger", "providers", "media", "slots", "ingest", "stats")
IMPORT = re.compile(rf"^from ((?:{'|'.join(APPS)})[\w.]*) import ([\w, ]+)$", re.MULTILINE)


def iter_imports(path: Path) -> Iterator[tuple[str, str]]:
    """Module and name of each import in the file's texts of several lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" in node.value:
            for module, names in IMPORT.findall(node.value):
                yield from ((module, name.split(" as ")[0].strip()) for name in names.split(","))


class TextCodeTests(SimpleTestCase):
    def test_every_name_that_it_imports_exists(self) -> None:
        checked = 0
        for path in sorted(p for app in APPS for p in (settings.BASE_DIR / app).rglob("*.py")):
            if path.name == "test_layers.py":  # its texts are made up
                continue
            for module, name in iter_imports(path):
                checked += 1
                with self.subTest(file=str(path), module=module, name=name):
                    found = importlib.import_module(module)
                    if not hasattr(found, name):
                        importlib.import_module(f"{module}.{name}")
        self.assertGreater(checked, 5)
