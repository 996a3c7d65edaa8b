"""Imports go down only: stats, ingest, slots, then media and providers, then the floor."""

import ast

from django.test import SimpleTestCase

from photochanger.testing.figures.imports import (
    FLOOR,
    MAY_IMPORT,
    find_arrows_up,
    find_cycles,
    find_imports_of_tests,
    group_by_app,
    read_imports,
)
from photochanger.testing.figures.measure import House
from providers.registry import DRIVERS

# Their addresses are settings, the API's examples are of one, and the demo shows each.
NAME_PROVIDERS = {"photochanger/settings.py", "photochanger/management/commands/demo.py"}
READ_THE_ENVIRONMENT = {"photochanger/settings.py", "photochanger/asgi.py"}


class LayerTests(SimpleTestCase):
    house: House

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.house = House.read()

    def test_every_layer_of_the_map_is_there(self) -> None:
        self.assertLessEqual(set(MAY_IMPORT), set(group_by_app(self.house.imports)))
        self.assertLessEqual(FLOOR, set(self.house.imports))

    def test_no_import_goes_up(self) -> None:
        self.assertEqual(find_arrows_up(self.house.imports), [])

    def test_no_files_import_each_other_in_a_circle(self) -> None:
        self.assertEqual(find_cycles(self.house.imports), [])
        self.assertEqual(find_cycles(group_by_app(self.house.imports)), [])

    def test_the_product_imports_nothing_from_tests_or_the_testing_tools(self) -> None:
        self.assertEqual(find_imports_of_tests(self.house.trees), [])

    def test_no_import_is_relative(self) -> None:
        for file, tree in self.house.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom):
                    self.assertEqual(node.level, 0, f"{file}:{node.lineno}")

    def test_only_the_drivers_know_a_provider_by_name(self) -> None:
        for file, source in self.house.sources.items():
            is_allowed = file in NAME_PROVIDERS or file.endswith("/openapi.py")
            if not is_allowed and not file.startswith("providers/"):
                for name in DRIVERS:
                    self.assertFalse(name in source, f"{file} names {name}")

    def test_only_the_settings_read_the_environment(self) -> None:
        for file, source in self.house.sources.items():
            if "/commands/" not in file and file not in READ_THE_ENVIRONMENT:
                self.assertNotIn("os.environ", source, file)


class ImportMapTests(SimpleTestCase):
    """The measuring itself: an arrow up and a circle are found where there is one."""

    def test_an_import_from_the_floor_of_an_app_goes_up(self) -> None:
        imports = read_map(
            {
                "photochanger/db.py": "from media import storage",
                "media/storage/__init__.py": "from photochanger.db import in_db",
            }
        )
        self.assertEqual(find_arrows_up(imports), [("photochanger.db", "media.storage")])
        self.assertEqual(find_cycles(imports), [["media.storage", "photochanger.db"]])

    def test_edge_and_apps_may_not_import_the_roof_or_each_other(self) -> None:
        imports = read_map(
            {
                "photochanger/edge/body.py": "import ingest.api",
                "photochanger/web/tokens.py": "import photochanger.edge.body",
                "ingest/api.py": "from photochanger.web.tokens import admin",
                "media/api.py": "import providers.http",
                "providers/http.py": "",
            }
        )
        up = [
            ("ingest.api", "photochanger.web.tokens"),
            ("media.api", "providers.http"),
            ("photochanger.edge.body", "ingest.api"),
        ]
        self.assertEqual(find_arrows_up(imports), up)

    def test_an_import_inside_a_function_counts(self) -> None:
        imports = read_map(
            {"slots/models.py": "def f():\n    from stats.api import g", "stats/api.py": ""}
        )
        self.assertEqual(find_arrows_up(imports), [("slots.models", "stats.api")])

    def test_an_import_of_tests_is_found(self) -> None:
        tree = ast.parse("from photochanger.testing import live\nfrom media.tests.support import x")
        found = find_imports_of_tests({"media/api.py": tree})
        self.assertEqual(len(found), 2)


def read_map(sources: dict[str, str]) -> dict[str, set[str]]:
    return read_imports({file: ast.parse(source) for file, source in sources.items()})
