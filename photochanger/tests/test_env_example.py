import ast
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase

from photochanger.testing.marks import live_server

# Defaults that depend on the machine or on another variable; their comments say how.
COMPUTED = {
    "ADMIN_CREDENTIALS_PATH",
    "DATABASE_URL",
    "BACKUP_DIR",
    "MEDIA_ROOT",
    "STATIC_ROOT",
    "FACES_DIR",
    "LOG_FORMAT",
}
BEFORE_THE_FILE = {"ENV_FILE"}


def find_reads(path: Path) -> dict[str, ast.expr | None]:
    """Variables that a file reads, each with its default: env.str("NAME", default=...) etc."""
    found: dict[str, ast.expr | None] = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        reads = re.fullmatch(r"env\.\w+|_read_secret|os\.environ\.get", ast.unparse(node.func))
        name = node.args[0]
        if reads and isinstance(name, ast.Constant):
            keywords = [keyword.value for keyword in node.keywords if keyword.arg == "default"]
            found[str(name.value)] = (keywords + node.args[1:] + [None])[0]
    return found


def find_variables() -> dict[str, ast.expr | None]:
    root = settings.BASE_DIR
    return find_reads(root / "photochanger/settings.py") | find_reads(root / "gunicorn.conf.py")


def parse_example() -> dict[str, str]:
    text = (settings.BASE_DIR / ".env.example").read_text()
    return dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=(.*)$", text, re.MULTILINE))


@live_server
class EnvExampleTests(SimpleTestCase):
    def test_every_variable_is_documented_and_no_other(self) -> None:
        self.assertEqual(set(parse_example()), set(find_variables()))

    def test_every_variable_has_a_comment(self) -> None:
        lines = (settings.BASE_DIR / ".env.example").read_text().splitlines()
        for before, line in zip(lines, lines[1:], strict=False):
            if re.match(r"(# )?[A-Z_]+=", line):
                self.assertRegex(before, r"^# .*\.$", line)

    def test_the_documented_defaults_are_the_defaults(self) -> None:
        for name, default in find_variables().items():
            if default is None or name in COMPUTED | BEFORE_THE_FILE:
                continue
            value = ast.literal_eval(default)
            text = ",".join(value) if isinstance(value, list) else str(value)
            expected = text.lower() if isinstance(value, bool) else text
            self.assertEqual(parse_example()[name], expected, name)

    def test_only_the_secrets_must_be_filled_in(self) -> None:
        text = (settings.BASE_DIR / ".env.example").read_text()
        needed = re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)
        self.assertEqual(needed, ["SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEY"])

    def test_a_variable_may_come_from_a_file_whose_last_newline_is_ignored(self) -> None:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("key-of-a-file\n")
            file.flush()
            done = subprocess.run(
                [
                    *(sys.executable, "-c"),
                    "from photochanger import settings; print(repr(settings.GEMINI_API_KEY))",
                ],
                cwd=settings.BASE_DIR,
                env=os.environ | {"GEMINI_API_KEY": "other", "GEMINI_API_KEY_FILE": file.name},
                capture_output=True,
                text=True,
                check=True,
            )
        self.assertEqual(done.stdout.strip(), "'key-of-a-file'")
