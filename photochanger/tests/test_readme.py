import re

from django.conf import settings
from django.core.management import get_commands
from django.test import SimpleTestCase

from photochanger.errors import ERRORS
from providers.simulator.gemini.scenarios import SCENARIOS


def readme() -> str:
    return (settings.BASE_DIR / "README.md").read_text()


class ReadmeTests(SimpleTestCase):
    def test_the_table_of_failures_is_what_the_code_answers(self) -> None:
        told = re.findall(r"^\| `(\w+)` \| (\d{3}) \| (.+) \|$", readme(), re.MULTILINE)
        answered = [(e.reason, str(e.status), str(e().answer("en")["details"])) for e in ERRORS]
        self.assertEqual(told, answered)

    def test_the_files_named_are_there(self) -> None:
        named = set(re.findall(r"`((?:[\w.]+/)+[\w.]+\.(?:py|yaml|json|md))`", readme()))
        made_later = {"secrets/runtime_credentials.json"}
        self.assertGreater(len(named), 10)
        for name in named - made_later:
            self.assertTrue((settings.BASE_DIR / name).exists(), name)

    def test_the_commands_named_are_there(self) -> None:
        ours = {name for name, app in get_commands().items() if not str(app).startswith("django.")}
        named = set(re.findall(r"manage\.py (\w+)", readme())) - {"makemessages"}
        self.assertLessEqual(named, ours)
        targets = set(re.findall(r"^(\w+):", (settings.BASE_DIR / "Makefile").read_text(), re.M))
        self.assertLessEqual(set(re.findall(r"`make (\w+)", readme())), targets)

    def test_the_scenarios_named_are_there(self) -> None:
        named = set(re.findall(r"\[sim:([\w-]+)", readme()))
        self.assertGreater(len(named), 5)
        self.assertLessEqual(named, set(SCENARIOS))
