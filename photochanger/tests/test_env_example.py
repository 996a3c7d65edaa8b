import ast
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase

# Defaults that depend on the machine or on another variable; their comments tell how.
COMPUTED = {"ADMIN_CREDENTIALS_PATH", "DATABASE_URL", "MEDIA_ROOT", "STATIC_ROOT", "LOG_FORMAT"}
BEFORE_THE_FILE = {"ENV_FILE"}


def calls(path: Path) -> dict[str, ast.expr | None]:
    """Variables that a file reads, each with its default: env.str("NAME", default=...) etc."""
    found: dict[str, ast.expr | None] = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        reads = re.fullmatch(r"env\.\w+|_secret|os\.environ\.get", ast.unparse(node.func))
        name = node.args[0]
        if reads and isinstance(name, ast.Constant):
            keywords = [keyword.value for keyword in node.keywords if keyword.arg == "default"]
            found[str(name.value)] = (keywords + node.args[1:] + [None])[0]
    return found


def read_by_the_code() -> dict[str, ast.expr | None]:
    root = settings.BASE_DIR
    return calls(root / "photochanger/settings.py") | calls(root / "gunicorn.conf.py")


def told() -> dict[str, str]:
    text = (settings.BASE_DIR / ".env.example").read_text()
    return dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=(.*)$", text, re.MULTILINE))


class EnvExampleTests(SimpleTestCase):
    def test_every_variable_is_told_and_no_other(self) -> None:
        self.assertEqual(set(told()), set(read_by_the_code()))

    def test_every_variable_has_a_comment(self) -> None:
        lines = (settings.BASE_DIR / ".env.example").read_text().splitlines()
        for before, line in zip(lines, lines[1:], strict=False):
            if re.match(r"(# )?[A-Z_]+=", line):
                self.assertRegex(before, r"^# .*\.$", line)

    def test_the_defaults_told_are_the_defaults(self) -> None:
        for name, default in read_by_the_code().items():
            if default is None or name in COMPUTED | BEFORE_THE_FILE:
                continue
            value = ast.literal_eval(default)
            text = ",".join(value) if isinstance(value, list) else str(value)
            expected = text.lower() if isinstance(value, bool) else text
            self.assertEqual(told()[name], expected, name)

    def test_only_the_secrets_stand_without_a_value_to_be_filled_in(self) -> None:
        text = (settings.BASE_DIR / ".env.example").read_text()
        needed = re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)
        self.assertEqual(needed, ["SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEY"])

    def test_a_variable_may_come_from_a_file_and_its_last_newline_does_not_count(self) -> None:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("key-of-a-file\n")
            file.flush()
            said = subprocess.run(
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
        self.assertEqual(said.stdout.strip(), "'key-of-a-file'")
