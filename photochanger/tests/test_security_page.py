"""spec/security.md: its table adds up, and the tests that it names exist."""

import ast
import re
from functools import cache

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import SimpleTestCase, TestCase

from photochanger.testing.databases import BASE_DIR

REQUIREMENTS = 253  # of ASVS 5.0, levels 1 and 2
ROW = re.compile(
    r"^\| (V[\d.]+) [^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|$", re.MULTILINE
)


@cache
def list_tests(file: str) -> set[str]:
    """The names of a file's tests; nothing when there is no such file."""
    path = BASE_DIR / file
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    found = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {node.name for node in found if node.name.startswith("test_")}


def count(cell: str) -> int:
    return int(cell.strip() or 0)


class SecurityPageTests(SimpleTestCase):
    def setUp(self) -> None:
        self.rows = ROW.findall((BASE_DIR / "spec/security.md").read_text())

    def test_every_requirement_is_counted(self) -> None:
        self.assertEqual(len({row[0] for row in self.rows}), len(self.rows))
        counted = sum(count(cell) for row in self.rows for cell in row[1:4])
        self.assertEqual(counted, REQUIREMENTS)

    def test_what_holds_names_tests_that_exist(self) -> None:
        for group, holds, _, _, tests, _ in self.rows:
            named = re.findall(r"`([^`]+)`", tests)
            if count(holds):
                self.assertTrue(named, group)
            for name in named:
                file, _, test = name.partition("::")
                with self.subTest(group, test=name):
                    found = list_tests(file)
                    self.assertTrue(test in found if test else found)

    def test_what_does_not_hold_has_its_reason(self) -> None:
        for group, _, with_reason, _, _, reason in self.rows:
            self.assertEqual(bool(count(with_reason)), bool(reason.strip()), group)
            named = re.findall(r"\b\d+\.\d+\.\d+\b", reason)
            self.assertTrue(
                all(f"V{name}".startswith(f"{group}.") or "see" in reason for name in named)
            )


class PasswordTests(SimpleTestCase):
    def test_common_and_own_passwords_are_refused(self) -> None:
        serg = User(username="sergey-petrov")
        for password in ("password123", "qwertyuiop", "sergey-petrov", "short"):
            with self.subTest(password), self.assertRaises(ValidationError):
                validate_password(password, serg)
        validate_password("wet-lamp-nine-doors", serg)


class LogoutTests(TestCase):
    def test_logging_out_tells_the_browser_to_forget(self) -> None:
        self.client.force_login(User.objects.create_superuser("serg", password="a-long-one"))
        answer = self.client.post("/admin/logout/")
        self.assertEqual(answer["Clear-Site-Data"], '"storage"')
        self.assertEqual(self.client.get("/admin/").status_code, 302)
