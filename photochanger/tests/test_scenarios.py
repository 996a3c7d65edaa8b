"""spec/docs: each step names the tests that keep it true; all of these tests must exist."""

import ast
import re

from django.test import SimpleTestCase

from photochanger.testing.databases import BASE_DIR

FOLDER = BASE_DIR / "spec/docs"
TEST_ID = r"^- `([\w/]+\.py)::(\w+)::(\w+)`$"


def list_tests(name: str) -> set[tuple[str, str]]:
    """The tests of a file, each with its class."""
    classes = [
        n for n in ast.parse((BASE_DIR / name).read_text()).body if isinstance(n, ast.ClassDef)
    ]
    return {
        (one.name, step.name)
        for one in classes
        for step in one.body
        if isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef)
    }


class ScenarioTests(SimpleTestCase):
    def test_every_test_named_exists(self) -> None:
        for page in sorted(FOLDER.glob("*.md")):
            for name, group, test in re.findall(TEST_ID, page.read_text(), re.MULTILINE):
                with self.subTest(f"{page.name}: {name}::{group}::{test}"):
                    self.assertIn((group, test), list_tests(name))

    def test_every_step_names_a_test(self) -> None:
        for page in sorted(FOLDER.glob("*.md")):
            for step in re.split(r"^## ", page.read_text(), flags=re.MULTILINE)[1:]:
                with self.subTest(f"{page.name}: {step.splitlines()[0]}"):
                    self.assertRegex(step, re.compile(TEST_ID, re.MULTILINE))

    def test_every_word_of_the_pages_is_shown_there(self) -> None:
        catalogue = (BASE_DIR / "photochanger/locale/ru/LC_MESSAGES/django.po").read_text()
        shown = catalogue.replace('"\n"', "").lower()
        for page in sorted(FOLDER.glob("*.md")):
            for quoted in re.findall(r"«([^»]+)»", page.read_text()):
                with self.subTest(f"{page.name}: {quoted}"):
                    self.assertIn(" ".join(quoted.lower().split()), shown)

    def test_every_page_is_in_the_table_of_contents(self) -> None:
        contents = (FOLDER / "README.md").read_text()
        for page in FOLDER.glob("*.md"):
            if page.name != "README.md":
                self.assertIn(f"({page.name})", contents)
