"""README, CONTRIBUTING, spec/ and deploy/: what they name must exist."""

import ast
import re
from pathlib import Path

from django.core.management import get_commands
from django.test import SimpleTestCase

from photochanger.errors import ERROR_BY_REASON
from photochanger.testing import runbooks
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.figures.imports import FLOOR
from providers.simulator.gemini.scenarios import SCENARIOS

ROOT_PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "providers/ADDING_A_PROVIDER.md")
MAX_README_LINES = 150
PATH = r"`((?:[\w.-]+/)+[\w.-]*)`"
CODE_SUFFIXES = (".py", ".md", ".yaml", ".yml", ".json", ".sh", ".conf", ".toml", ".html", ".js")
APPS = ("photochanger", "providers", "media", "slots", "ingest", "stats")
EVENT_AREAS = ("auth", "http", "ingest", "media", "provider", "server", "slots", "stats")
MADE_LATER = {
    "secrets/runtime_credentials.json",
    "deploy/.env",
    "deploy/secrets",
    "deploy/secrets/app.env",
    "deploy/alertmanager/smtp_password",
}


def list_pages() -> list[Path]:
    pages = [BASE_DIR / name for name in ROOT_PAGES]
    return pages + [page for room in ("spec", "deploy") for page in (BASE_DIR / room).rglob("*.md")]


def read_all() -> str:
    return "\n".join(page.read_text() for page in list_pages())


def find_paths(page: Path) -> set[str]:
    """Paths of the repository that a page names; not addresses, media types or files of a run."""
    rooms = {room.name for room in BASE_DIR.iterdir() if room.is_dir()} - {"var", "secrets"}
    named = set(re.findall(PATH, page.read_text())) - MADE_LATER
    return {p for p in named if p.split("/")[0] in rooms or p.endswith(CODE_SUFFIXES)}


class DocumentTests(SimpleTestCase):
    def test_the_readme_is_short(self) -> None:
        lines = (BASE_DIR / "README.md").read_text().splitlines()
        self.assertLessEqual(len(lines), MAX_README_LINES)

    def test_the_table_of_failures_is_what_the_code_answers(self) -> None:
        page = (BASE_DIR / "spec/api.md").read_text()
        documented = re.findall(r"^\| `(\w+)` \| (\d{3}) \| (.+) \|$", page, re.MULTILINE)
        answered = [
            (e.reason, str(e.status), str(e().to_json("en")["details"]))
            for e in ERROR_BY_REASON.values()
        ]
        self.assertEqual(documented, answered)

    def test_the_import_map_names_the_floor(self) -> None:
        drawn = re.search(
            r"→  photochanger: (.+)$", (BASE_DIR / "README.md").read_text(), re.MULTILINE
        )
        assert drawn
        self.assertEqual({f"photochanger.{name}" for name in drawn[1].split(", ")}, FLOOR)

    def test_every_package_says_what_it_is_and_is_in_the_readme(self) -> None:
        readme = (BASE_DIR / "README.md").read_text()
        rooms = readme[readme.index("| room |") : readme.index("## Glossary")]
        for door in (door for app in APPS for door in (BASE_DIR / app).rglob("__init__.py")):
            room = door.parent
            if {"tests", "management", "migrations", "__pycache__"} & set(room.parts):
                continue
            with self.subTest(str(room.relative_to(BASE_DIR))):
                self.assertTrue(door.read_text().startswith('"""'))
                self.assertTrue(room.parent.name not in APPS or f"`{room.name}`" in rooms)

    def test_every_path_named_exists(self) -> None:
        found = 0
        for page in list_pages():
            for name in find_paths(page):
                with self.subTest(f"{page.relative_to(BASE_DIR)}: {name}"):
                    self.assertTrue((BASE_DIR / name).exists() or (page.parent / name).exists())
                found += 1
        self.assertGreater(found, 60)

    def test_every_link_leads_somewhere(self) -> None:
        for page in list_pages():
            for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
                if link.startswith("http"):
                    continue
                file, _, anchor = link.partition("#")
                target = (page.parent / file).resolve() if file else page
                with self.subTest(f"{page.relative_to(BASE_DIR)}: {link}"):
                    self.assertTrue(target.exists())
                    if anchor:
                        self.assertIn(anchor, runbooks.anchors(target))

    def test_every_command_named_exists(self) -> None:
        text = read_all()
        ours = {name for name, app in get_commands().items() if not str(app).startswith("django.")}
        named = set(re.findall(r"manage\.py (\w+)", text)) - {"makemessages", "check"}
        self.assertLessEqual(named, ours)
        targets = set(re.findall(r"^(\w+):", (BASE_DIR / "Makefile").read_text(), re.MULTILINE))
        self.assertLessEqual(set(re.findall(r"`make (\w+)", text)), targets)

    def test_every_option_of_a_command_is_explained(self) -> None:
        found = 0
        for path in (path for app in APPS for path in (BASE_DIR / app).rglob("*.py")):
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".add_argument"):
                    found += 1
                    with self.subTest(f"{path.relative_to(BASE_DIR)}: {ast.unparse(call)}"):
                        self.assertIn("help", [keyword.arg for keyword in call.keywords])
        self.assertGreater(found, 60)

    def test_every_scenario_named_exists(self) -> None:
        named = set(re.findall(r"\[sim:([\w-]+)", (BASE_DIR / "CONTRIBUTING.md").read_text()))
        self.assertGreater(len(named), 5)
        self.assertLessEqual(named, set(SCENARIOS))

    def test_every_log_event_named_exists(self) -> None:
        text = read_all() + (BASE_DIR / "deploy/prometheus/rules.yml").read_text()
        logged: set[str] = set()
        for path in (path for app in APPS for path in (BASE_DIR / app).rglob("*.py")):
            logged.update(re.findall(r'"(\w+\.[\w.]+)"', path.read_text()))
        areas = "|".join(EVENT_AREAS)
        events = set(re.findall(rf"[`(]((?:{areas})\.[a-z_]{{4,}}(?:\.[a-z_]+)?)[`)]", text))
        self.assertGreater(len(events), 4)
        for event in events:
            with self.subTest(event):
                self.assertTrue(event in logged)

    def test_every_adr_is_in_the_index(self) -> None:
        index = (BASE_DIR / "spec/adr/README.md").read_text()
        for record in (BASE_DIR / "spec/adr").glob("0*.md"):
            self.assertIn(f"({record.name})", index)
