"""Paths of the environment: the same place wherever a command is started from."""

from typing import Any

from django.conf import settings
from django.test import SimpleTestCase

from photochanger.testing.marks import live_server
from photochanger.tests.test_settings_text import case, find_readers, run_cases


def get_setting(name: str, answer: dict[str, Any]) -> str:
    return str(answer["values"][name])


@live_server
class PathTests(SimpleTestCase):
    def test_a_relative_path_is_below_our_own_folder(self) -> None:
        readers = find_readers().items()
        names = sorted(name for name, how in readers if "_path" in how)
        self.assertGreaterEqual(len(names), 6)
        for name, answer in zip(
            names, run_cases([case(f"{name}=a/b") for name in names]), strict=True
        ):
            self.assertIn(str(settings.BASE_DIR / "a/b"), get_setting(name, answer))
        sqlite, memory, socket, file = run_cases(
            [
                case("DATABASE_URL=sqlite:///a/b.sqlite3"),
                case("DATABASE_URL=sqlite://:memory:"),
                case("BIND=unix:run/photos.sock"),
                case(None, SECRET_KEY_FILE="pytest.ini"),
            ]
        )
        self.assertIn(str(settings.BASE_DIR / "a/b.sqlite3"), get_setting("DATABASES", sqlite))
        self.assertIn("':memory:'", get_setting("DATABASES", memory))
        place = settings.BASE_DIR / "run/photos.sock"
        self.assertEqual(get_setting("BIND", socket), repr(f"unix:{place}"))
        self.assertIn("SECRET_KEY_FILE: the file must hold", file["stop"])  # it is found
