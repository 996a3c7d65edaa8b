"""Imports go down only: stats, ingest, slots, then media and providers, then the floor."""

import ast
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase

MAY_IMPORT = {
    "stats": {"ingest", "slots", "media", "providers"},
    "ingest": {"slots", "media", "providers"},
    "slots": {"media", "providers"},
    "media": set[str](),
    "providers": set[str](),
}
FLOOR = {
    f"photochanger.{name}"
    for name in ("errors", "openapi", "db", "logs", "metrics", "request_scope")
}


def imports_of(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            module = node.module or ""
            names.add(module)
            if module == "photochanger":
                names |= {f"photochanger.{alias.name}" for alias in node.names}
    return names - {"photochanger"}


class LayerTests(SimpleTestCase):
    def test_imports_go_down_only(self) -> None:
        apps = set(MAY_IMPORT)
        for app, allowed in MAY_IMPORT.items():
            files = [p for p in (settings.BASE_DIR / app).rglob("*.py") if "tests" not in p.parts]
            self.assertGreater(len(files), 2)
            for path in files:
                for name in imports_of(path):
                    room = name.partition(".")[0]
                    with self.subTest(path=path.name, imports=name):
                        if room in apps - {app}:
                            self.assertIn(room, allowed)
                        if room == "photochanger":
                            self.assertIn(name, FLOOR)

    def test_the_floor_imports_no_room(self) -> None:
        for name in FLOOR:
            module = settings.BASE_DIR / name.replace(".", "/")
            paths = [*module.glob("*.py")] if module.is_dir() else [module.with_suffix(".py")]
            for path in paths:
                above = imports_of(path) - FLOOR
                rooms = {imported.partition(".")[0] for imported in above}
                self.assertFalse(rooms & {*MAY_IMPORT, "photochanger"}, path)

    def test_only_the_settings_read_the_environment(self) -> None:
        for app in (*MAY_IMPORT, "photochanger"):
            for path in (settings.BASE_DIR / app).rglob("*.py"):
                reads = "os.environ" in path.read_text()
                is_allowed = path.name in {"settings.py", "asgi.py"} or {
                    "tests",
                    "testing",
                    "bench",
                    "commands",
                } & set(path.parts)
                self.assertTrue(is_allowed or not reads, path)
