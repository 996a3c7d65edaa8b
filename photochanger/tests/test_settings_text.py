"""Every variable of .env.example in every spelling: as written, or a clear stop; never a value."""

import base64
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import SimpleTestCase, override_settings

from photochanger.checks.environment import BOUNDS, check_environment
from photochanger.database_url import build_database
from photochanger.env_file import decode_file, read_lines
from photochanger.testing.marks import live_server
from photochanger.tests.test_env_example import parse_example

NEEDLE = "n33dle"  # in every wrong value: no message may hold it
BOM = b"\xef\xbb\xbf"
# Whose setting has another name, or is not one.
SETTING = {
    "FIELD_ENCRYPTION_KEY": "FIELD_ENCRYPTION_KEYS",
    "DATABASE_URL": "DATABASES",
    "COOKIES_OVER_HTTPS_ONLY": "SESSION_COOKIE_SECURE",
}
NEARLY_OURS = ("GEMINI_KEY", "TIMEZONE", "debug", "SITE_ADDRESS", "POSTGRES_PASSWORD")
SAMPLES = {
    "SECRET_KEY": "s" * 20 + "$HOME\\n\\!%&()*" + "x" * 20,
    "JWT_SIGNING_KEY": "j" * 50,
    "FIELD_ENCRYPTION_KEY": base64.urlsafe_b64encode(b"k" * 32).decode(),
    "INGEST_PASSWORD": "$ummer-#77'\"пароль",
    "DATABASE_URL": "postgres://u:p@$$#w/?@db.example.com:5432/photos?sslmode=require",
    "PUBLIC_BASE_URL": "https://photos.example.com",
    "S3_ENDPOINT_URL": "https://s3.example.com",
    "PUBLIC_MEDIA_BASE_URL": "https://photos.example.com/x",
    "PROVIDER_PROXY_URL": "http://user:p$w#rd@proxy.example.com:3128",
    "CSRF_TRUSTED_ORIGINS": "https://a.example.com,https://b.example.com",
    "TRUSTED_PROXIES": "10.0.0.1,172.16.0.0/12",
    "SENDFILE_PREFIX": "/protected-media/",
    "S3_SECRET_ACCESS_KEY": "abc/+=$x#y",
    "METRICS_TOKEN": "token$with#signs=and-more",
    "LOG_FORMAT": "console",
    "LOG_LEVEL": "WARNING",
    "DEBUG": "true",
}
WRONG_PATHS = [f"~/{NEEDLE}", f"~{NEEDLE}", f"$HOME/{NEEDLE}", f"/srv/${{USER}}/{NEEDLE}"]
WRONG = {
    "get_flag": ["perhaps " + NEEDLE, "2", "-1", "tru"],
    "get_number": ["4x" + NEEDLE, "1.5", "48s", "٤٨", "1e3", "9" * 50, "--1", "0x10"],
    "get_choice": [NEEDLE, "json,console", "ruu"],
    "get_database": [
        f"mysql://u:{NEEDLE}@h/n",
        NEEDLE,
        f"postgres://u:{NEEDLE}@h:99999/n",
        "postgres://h",
        f"sqlite:///~/{NEEDLE}",
    ],
    "get_key": [f"two words {NEEDLE}", f"ключ-{NEEDLE}", NEEDLE * 100, f"a\x01{NEEDLE}"],
    "check=checks.check_host": [f"https://{NEEDLE}", f"a b {NEEDLE}", f"a:80,{NEEDLE}:80", "a;b"],
    "check=checks.check_origin": [
        *(f"https://{NEEDLE}/console", f"['https://{NEEDLE}']", f"https://https://{NEEDLE}"),
        *(NEEDLE, f"https://booth:{NEEDLE}@a.example", f"https://*{NEEDLE}.example", "https://"),
    ],
    "check=checks.check_zone": [
        *("*", ".ru", "a.ru,*", f"*.{NEEDLE}", f"https://{NEEDLE}", ".", ".."),
    ],
    "check=checks.check_network": [NEEDLE, "10.0.0.0/99", "10.0.0.1;10.0.0.2"],
    "check=checks.check_bind": [
        *(NEEDLE, "0.0.0.0", "0.0.0.0:99999", "http://0.0.0.0:8000"),
        f"unix:~/{NEEDLE}",
    ],
    "get_path": WRONG_PATHS,
    "check=checks.check_path": WRONG_PATHS,
    "check=checks.check_time_zone": ["Moskau/" + NEEDLE, "../../etc/passwd", "/etc/" + NEEDLE],
    "check=checks.check_word": [f"v1 {NEEDLE}", f"v1/{NEEDLE}?"],
    "check=checks.check_prefix": [NEEDLE, f"/{NEEDLE}", f"{NEEDLE}/"],
}
NONSENSE = [f"'{NEEDLE}", f'"{NEEDLE}', f'"{NEEDLE}" {NEEDLE}', f"{NEEDLE}\0", f"{NEEDLE}\x07"]


def case(text: str | bytes | None = None, **env: str) -> dict[str, Any]:
    data = text.encode() if isinstance(text, str) else text
    return {"file": None if data is None else base64.b64encode(data).decode(), "env": env}


def run_cases(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "photochanger.testing.settings_starts"],
        cwd=settings.BASE_DIR,
        input="\n".join(map(json.dumps, cases)),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def find_readers() -> dict[str, str]:
    """How settings.py reads each variable: the call's text."""
    text = (settings.BASE_DIR / "photochanger/settings.py").read_text()
    calls = re.findall(r"(?:env\.|_read_)(\w+)\(\s*\"([A-Z0-9_]+)\"(.*)", text)
    return {name: f"{how} {rest}" for how, name, rest in calls}


def quote(text: str) -> str:
    return "'" + text + "'" if "'" not in text else '"' + re.sub(r'(["\\$`])', r"\\\1", text) + '"'


@live_server
class EveryVariableTests(SimpleTestCase):
    def setUp(self) -> None:
        example = parse_example()
        self.samples = {
            name: SAMPLES.get(name) or value
            for name, value in example.items()
            if name != "ENV_FILE" and (SAMPLES.get(name) or value)
        }
        missing = set(example) - set(self.samples) - {"ENV_FILE"}
        self.samples |= dict.fromkeys(missing, "some-text")
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.samples["LOG_DIR"] = self.samples["FACES_DIR"] = str(self.folder)
        self.samples["SYSLOG_ADDRESS"] = "127.0.0.1:514"

    def setting(self, name: str, answer: dict[str, Any]) -> str:
        self.assertIn("values", answer, (name, answer))
        return str(answer["values"][SETTING.get(name, name)])

    def spell(self, name: str, value: str) -> list[dict[str, Any]]:
        """The same value in different spellings; the first is the plainest."""
        file = self.folder / name
        file.write_bytes(BOM + value.encode() + b"\r\n")
        quoted = quote(value)
        return [
            case(f"{name}={quoted}\n"),
            case(f"\ufeff{name}={quoted}\r\n# a comment\r\n"),
            case(f"  export {name} = {quoted}  # a comment\n"),
            case(f"{name}={quoted}\n{name}={quoted}".encode("utf-16")),
            case(f"{name}={quoted}".encode("utf-16-le")),
            case(f"; a comment\r\r{name}={quoted}\r"),
            case(f"# при\n{name}={quoted}".encode("cp1251", "replace")),
            case(None, **{name: value}),
            case(None, **{name: f" {value}\n"}),
            case(None, **{f"{name}_FILE": str(file)}),
            case(f"{name}=other\n", **{name: value}),
        ] + [case(f"{name}={value}"), case(f"{name} =\t{value} \t\n")] * (value[0] not in "'\"")

    def test_each_is_read_as_it_is_written(self) -> None:
        cases = [
            (name, spelt)
            for name, value in self.samples.items()
            for spelt in self.spell(name, value)
        ]
        answers = run_cases([spelt for _, spelt in cases])
        first: dict[str, str] = {}
        for (name, spelt), answer in zip(cases, answers, strict=True):
            with self.subTest(name=name, case=spelt):
                value = self.setting(name, answer)
                self.assertEqual(value, first.setdefault(name, value))
        for name in ("SECRET_KEY", "INGEST_PASSWORD", "METRICS_TOKEN", "S3_SECRET_ACCESS_KEY"):
            self.assertEqual(first[name], repr(SAMPLES[name]))
        self.assertIn(repr("p@$$#w/?"), first["DATABASE_URL"])

    def test_origins_are_read_as_browsers_write_them(self) -> None:
        written = "https://Foto.Example.com/, HTTPS://*.example.com:443,http://10.0.0.1:8000"
        (answer,) = run_cases([case(f"CSRF_TRUSTED_ORIGINS={written},https://фото.рф")])
        meant = ["https://foto.example.com", "https://*.example.com", "http://10.0.0.1:8000"]
        meant.append("https://xn--n1aalg.xn--p1ai")
        self.assertEqual(self.setting("CSRF_TRUSTED_ORIGINS", answer), repr(meant))

    def test_empty_means_the_default(self) -> None:
        lists = {name for name, how in find_readers().items() if how.startswith("get_list")}
        names = sorted(set(self.samples) - lists - {"SECRET_KEY", "JWT_SIGNING_KEY"})
        default, *answers = run_cases([case(), *(case(f'{name}=""') for name in names)])
        for name, answer in zip(names, answers, strict=True):
            self.assertEqual(self.setting(name, answer), self.setting(name, default), name)

    def test_nonsense_is_a_stop_with_the_name_and_without_the_value(self) -> None:
        readers = find_readers()
        self.assertEqual(set(readers), set(self.samples))
        cases: list[tuple[str, dict[str, Any]]] = []
        for name, how in readers.items():
            texts = [text for kind, texts in WRONG.items() if kind in how for text in texts]
            cases += [(name, case(f"# first\n{name}={text}")) for text in [*texts, *NONSENSE]]
            cases += [(name, case(None, **{f"{name}_FILE": f"/no/{NEEDLE}"}))]
            cases += [(name, case(f"{name}={NEEDLE}1\n{name}={NEEDLE}2"))]
            cases += [(name, case(None, **{name: text})) for text in texts]
        for (name, spelt), answer in zip(cases, run_cases([c for _, c in cases]), strict=True):
            with self.subTest(name=name, case=spelt):
                self.assertIn("stop", answer)
                self.assertIn(name, answer["stop"])
                self.assertNotIn(NEEDLE, answer["stop"])
                self.assertNotIn("Traceback", answer["stop"])

    def test_lines_that_are_none_and_files_that_cannot_be_read(self) -> None:
        cases = [
            case(f"SECRET {NEEDLE}"),
            case(f"={NEEDLE}"),
            case(f"1X={NEEDLE}"),
            case(f"GEMINI_API_KEY={NEEDLE} # key"),
            case(f"Environment=INGEST_PASSWORD={NEEDLE}"),
            case(f'[Service]\nenvironment="INGEST_PASSWORD={NEEDLE}"'),
            case(None, ENV_FILE="/no/such/file"),
            case(None, ENV_FILE=str(self.folder)),
            case(None, GEMINI_API_KEY_FILE=str(self.folder)),
            case(None, ENV_FILE=f"~/{NEEDLE}.env"),
            case(None, GEMINI_API_KEY_FILE=f"~/{NEEDLE}"),
            case(None, GEMINI_API_KEY_FILE=f"{NEEDLE}\udcff"),
        ]
        for spelt, answer in zip(cases, run_cases(cases), strict=True):
            self.assertIn("stop", answer, spelt)
            self.assertNotIn(NEEDLE, answer["stop"])

    def test_a_name_like_ours_is_pointed_out(self) -> None:
        (answer,) = run_cases(
            [
                case(
                    "\n".join(f"{name}=1" for name in NEARLY_OURS),
                    ALLOWED_HOST="a",
                )
            ]
        )
        words = answer["values"]["MISSPELLED_VARIABLES"]
        for near in ("GEMINI_API_KEY", "TIME_ZONE", "DEBUG", "ALLOWED_HOSTS"):
            self.assertIn(f"Is {near} meant?", words)
        for foreign in ("SITE_ADDRESS", "POSTGRES_PASSWORD"):
            self.assertNotIn(foreign, words)


class TextTests(SimpleTestCase):
    def test_comments_of_values_that_are_no_secrets_are_left_out(self) -> None:
        values = {
            line.name: (line.value, bool(line.problem))
            for line in read_lines(
                'A=1 # one\nB=a#b\nC=#\nD=\'a # b\' # c\nE="a \\" \\$ \\n \\\\ b"\nF=\n'
                "G='it''s'\nH=$A${B}`c`\nTOKEN=a#b\nPASSWORD=#x\nI=\u2028"
            )
        }
        expected = {
            **{"A": ("1", False), "B": ("a#b", False), "C": ("", False), "D": ("a # b", False)},
            **{"E": ('a " $ \\n \\ b', False), "F": ("", False), "G": ("", True)},
            **{"H": ("$A${B}`c`", False), "TOKEN": ("a#b", False), "PASSWORD": ("", True)},
            "I": ("\u2028", False),
        }
        self.assertEqual(values, expected)

    def test_every_packing_of_a_file(self) -> None:
        for codec in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251"):
            text = decode_file("A=пароль # ещё\nB=b\n".encode(codec))
            self.assertEqual([line.value for line in read_lines(text)], ["пароль", "b"], codec)

    def test_a_databases_password_is_taken_as_written(self) -> None:
        for written, meant in (
            ("p%40w", "p@w"),
            ("p@w", "p@w"),
            ("100%", "100%"),
            ("a:b/c#d?e", "a:b/c#d?e"),
        ):
            database = build_database(f"postgres://user:{written}@db:5432/name?sslmode=require")
            self.assertEqual(
                (database["PASSWORD"], database["HOST"], database["NAME"]), (meant, "db", "name")
            )
            self.assertEqual(
                (database["PORT"], database["OPTIONS"]), (5432, {"sslmode": "require"})
            )
        self.assertEqual(build_database("sqlite:////a/b.sqlite3")["NAME"], "/a/b.sqlite3")

    def test_a_booth_password_of_the_environment_is_as_strict_as_the_consoles(self) -> None:
        for password in ("tiny7", "smile-😀-pass", "kiwi-2-" * 12):
            with override_settings(INGEST_PASSWORD=password):
                found = [
                    message for message in check_environment() if message.id == "photochanger.E013"
                ]
            self.assertEqual(len(found), 1)
            self.assertNotIn(password, found[0].msg)

    def test_one_that_is_soon_guessed_is_warned_of(self) -> None:
        for password, warned in (("123456", True), ("77777777", True), ("kiwi-2-booth", False)):
            with override_settings(INGEST_PASSWORD=password):
                found = [message.id for message in check_environment()]
            self.assertEqual("photochanger.W009" in found, warned)
            self.assertNotIn("photochanger.E013", found)


class BoundsTests(SimpleTestCase):
    def test_every_number_has_bounds_and_what_is_outside_is_told(self) -> None:
        numbers = {name for name, how in find_readers().items() if how.startswith("get_number")}
        self.assertEqual(set(BOUNDS), numbers)
        for name, (low, high) in BOUNDS.items():
            for value in (low - 1, high + 1, -5, 10**11):
                with self.subTest(name, value=value), override_settings(**{name: value}):
                    told = [message.msg for message in check_environment()]
                    self.assertIn(f"{name} is {value}, allowed is {low}-{high}.", told)
