"""Everything that the runbooks name must exist, and their marked blocks must work."""

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from django.conf import settings
from django.core.management import call_command
from django.test import SimpleTestCase, TestCase, override_settings
from django.urls import Resolver404, resolve

from photochanger.testing import runbooks
from photochanger.testing.databases import BASE_DIR
from photochanger.tests.test_commands import run
from photochanger.tests.test_rotation import in_force
from slots.models import Setting
from slots.provider_keys import read_provider_key, set_provider_key
from slots.secrets import is_of_newest_key

WORDS = r"`([^`\n]+)`"


class NamesTests(SimpleTestCase):
    def test_every_command_in_a_block_exists(self) -> None:
        found = 0
        for page in runbooks.pages():
            for line in runbooks.lines(page):
                for words in runbooks.calls(line.text):
                    with self.subTest(str(line)):
                        self.assertEqual(runbooks.complaint(words), "")
                    found += 1
        self.assertGreater(found, 60)

    def test_every_command_in_the_text_exists(self) -> None:
        for page in runbooks.pages():
            for text in re.findall(WORDS, page.read_text()):
                if re.match(r"(manage|renew_secret|make|deploy/\S+\.sh) \w", text):
                    with self.subTest(f"{page.name}: {text}"):
                        for words in runbooks.calls(text):
                            self.assertEqual(runbooks.complaint(words), "")

    def test_wrong_commands_are_found(self) -> None:
        for line in (
            "manage no_such_command",
            "manage cleanup_media --no-such-option",
            "sudo make nonsense",
            "echo 1 | deploy/nowhere.sh",
            "sudo -u postgres systemctl restart photochanger-nothing",
            "docker compose -f deploy/nowhere.yaml up",
            "docker compose -f deploy/compose.yaml stop nobody",
            "docker compose -f deploy/compose.yaml run --rm app no_such_command",
            "curl -fsS http://127.0.0.1:8000/nowhere/at/all",
            "summon_help > file.txt",
        ):
            with self.subTest(line):
                self.assertTrue(any(map(runbooks.complaint, runbooks.calls(line))))

    def test_native_and_docker_define_the_same_commands(self) -> None:
        native, docker = map(runbooks.functions, ("native.sh", "docker.sh"))
        public = {name for name in native if not name.startswith("_")}
        self.assertEqual(public, {name for name in docker if not name.startswith("_")})
        for bodies in (native, docker):
            for body in bodies.values():
                body = body.replace("_compose", "docker compose").replace("\\\n", " ")
                for words in runbooks.calls(body):
                    with self.subTest(" ".join(words)):
                        if words[0] == "docker" and words[2] != "-f":
                            self.assertEqual(runbooks.compose_complaint(words[1:]), "")
                        elif words[0] != "docker":
                            self.assertEqual(runbooks.complaint(words), "")
        contents = (runbooks.FOLDER / "README.md").read_text()
        for name in public:
            self.assertIn(f"`{name}", contents)

    def test_both_files_pass_shellcheck(self) -> None:
        files = [str(runbooks.FOLDER / file) for file in ("native.sh", "docker.sh")]
        shellcheck = Path(sys.executable).with_name("shellcheck")
        done = subprocess.run(
            [shellcheck, "--shell=sh", *files], capture_output=True, text=True, check=False
        )
        self.assertEqual(done.stdout + done.stderr, "")

    def test_every_variable_exists(self) -> None:
        known = set(re.findall(r"^(?:# )?([A-Z_0-9]+)=", self.read(".env.example"), re.MULTILINE))
        for page in runbooks.pages():
            for name in re.findall(
                r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`", page.read_text()
            ):
                with self.subTest(f"{page.name}: {name}"):
                    self.assertIn(name.removesuffix("_FILE"), known)

    def test_every_address_exists(self) -> None:
        for page in runbooks.pages():
            for path in re.findall(
                r"`(/(?:admin|api|public|healthz|livez|metrics)[^` ]*)`", page.read_text()
            ):
                with self.subTest(f"{page.name}: {path}"):
                    try:
                        resolve(path)
                    except Resolver404:
                        self.fail("no such address")

    def test_every_quoted_label_is_shown_in_the_console(self) -> None:
        catalogue = self.read("photochanger/locale/ru/LC_MESSAGES/django.po").replace('"\n"', "")
        shown = re.findall(r'^msgstr(?:\[\d\])? "(.*)"$', catalogue.lower(), re.MULTILINE)
        for page in runbooks.pages():
            for quoted in re.findall(r"«([^»]+)»", page.read_text()):
                words = " ".join(quoted.lower().rstrip(" …").split())
                with self.subTest(f"{page.name}: {quoted}"):
                    self.assertTrue(any(words in text for text in shown))

    def test_every_link_leads_somewhere(self) -> None:
        for page in runbooks.pages():
            for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
                if link.startswith("http"):
                    continue
                file, _, anchor = link.partition("#")
                target = (page.parent / file).resolve() if file else page
                with self.subTest(f"{page.name}: {link}"):
                    self.assertTrue(target.is_file())
                    if anchor:
                        self.assertIn(anchor, runbooks.anchors(target))

    def test_alerts_and_their_sections_match(self) -> None:
        rules = yaml.safe_load(self.read("deploy/prometheus/rules.yml"))
        alerts = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
        sections = re.findall(r"^## (\w+)$", self.read("deploy/runbooks/alerts.md"), re.MULTILINE)
        self.assertEqual(sorted(sections), sorted(rule["alert"] for rule in alerts))
        for rule in alerts:
            address = f"deploy/runbooks/alerts.md#{rule['alert'].lower()}"
            self.assertTrue(rule["annotations"]["runbook_url"].endswith(address), rule["alert"])

    def test_every_page_is_in_the_table_of_contents(self) -> None:
        contents = (runbooks.FOLDER / "README.md").read_text()
        for page in runbooks.pages():
            if page.name != "README.md":
                self.assertIn(f"({page.name})", contents)

    def read(self, name: str) -> str:
        return (BASE_DIR / name).read_text()


class RunTests(TestCase):
    """Runs the blocks that are marked so, page by page, on a scratch installation.

    Commands of manage.py run in this process, on this run's database; a restart of the server is
    that the secrets of the scratch .env are in force from then on.
    """

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "var/media/results").mkdir(parents=True)
        self.env = self.folder / ".env"
        run("make_env", "--path", str(self.env))
        self.enterContext(
            override_settings(
                MEDIA_ROOT=self.folder / "var/media",
                ADMIN_CREDENTIALS_PATH=self.folder / "secrets/runtime_credentials.json",
            )
        )
        self.restart_server()
        run("sync_admins", "--generate")
        set_provider_key("gemini", "gemini-key", by="test")

    def restart_server(self) -> None:
        self.enterContext(in_force(self.env))

    def run_line(self, text: str) -> None:
        command, _, target = text.partition(" > ")
        words = next(runbooks.calls(command))
        if words[0] == "restart_server":
            self.restart_server()
        elif words[0] == "renew_secret":
            with in_force(self.env):  # a command reads the file anew
                call_command(*words, "--path", str(self.env), stdout=io.StringIO())
        elif words[0] == "manage":
            out = io.StringIO()
            # A string among the arguments of call_command is taken as it was typed.
            call_command(*words[1:], stdout=out, stderr=out)
            if target:
                (self.folder / target).write_text(out.getvalue())
        else:
            subprocess.run(
                ["sh", "-ec", text.removeprefix("as_owner ")],
                cwd=self.folder,
                env=os.environ | {"GIT_DIR": str(BASE_DIR / ".git")},
                capture_output=True,
                check=True,
            )

    def run_page(self, name: str) -> int:
        count = 0
        for line in runbooks.lines(runbooks.FOLDER / name):
            if line.runs:
                with self.subTest(str(line)):
                    self.run_line(line.text)
                    count += 1
        return count

    def test_after_rotating_every_secret_stored_keys_are_readable(self) -> None:
        before = self.env.read_text()
        self.assertGreater(self.run_page("rotation.md"), 15)
        after = self.env.read_text()
        for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEY"):
            old, new = (
                re.search(rf"^{name}=(.*)$", text, re.MULTILINE) for text in (before, after)
            )
            assert old and new
            self.assertNotEqual(old[1], new[1])
            self.assertNotIn(old[1], after)
        stored = Setting.objects.get(key="provider.gemini").value
        assert stored is not None
        self.assertTrue(is_of_newest_key(stored["api_key"]))
        self.assertEqual(len(settings.FIELD_ENCRYPTION_KEYS), 1)
        self.assertEqual(read_provider_key("gemini", stored), "gemini-key")

    def test_the_other_pages_run(self) -> None:
        pages = {page.name for page in runbooks.pages()} - {"rotation.md"}
        counts = {name: self.run_page(name) for name in sorted(pages)}
        self.assertGreater(sum(counts.values()), 15, counts)
