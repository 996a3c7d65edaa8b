"""Nothing outside a driver knows a provider by name."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase

from providers.registry import DRIVERS

APPS = ("photochanger", "slots", "ingest", "stats", "media", "providers")
# Examples for people, stand-ins of a service, measurements of one, and history.
EXEMPT = {"tests", "testing", "bench", "migrations", "simulator", "openapi.py", "demo.py"}


def list_product_files() -> Iterator[Path]:
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            parts = path.relative_to(settings.BASE_DIR).parts
            if not EXEMPT & set(parts) and not (parts[0] == "providers" and parts[1] in DRIVERS):
                yield path


def find_provider_names(source: str) -> set[str]:
    """Providers that a text literal is, or whose package is imported."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and node.value in DRIVERS:
            found.add(str(node.value))
        if isinstance(node, ast.ImportFrom):
            package, _dot, module = (node.module or "").partition(".")
            if package == "providers":
                found |= {module.split(".")[0]} & DRIVERS.keys()
    return found


class ProviderNameTests(SimpleTestCase):
    def test_product_code_names_no_provider(self) -> None:
        for path in list_product_files():
            if path != settings.BASE_DIR / "providers/registry.py":
                with self.subTest(path=path):
                    self.assertEqual(find_provider_names(path.read_text()), set())

    def test_a_name_in_a_comparison_or_an_import_is_found(self) -> None:
        self.assertEqual(find_provider_names('slot.provider == "gemini"'), {"gemini"})
        self.assertEqual(
            find_provider_names("from providers.turbotext.driver import X"), {"turbotext"}
        )
