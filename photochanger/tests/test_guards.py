"""The guards of `make audit` must bark: they are tried on what they are to find."""

import json
import os
import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from unittest import mock

import bcrypt
from cryptography.fernet import Fernet
from django.contrib.auth.hashers import make_password
from django.test import SimpleTestCase

from photochanger.testing.advisories import audit, verdict
from photochanger.testing.leaks import leaks

GOOGLE_KEY = "AIza" + "Sy" + secrets.token_urlsafe(40)[:33]


class LeakTests(SimpleTestCase):
    def found(self, text: str, name: str = "slots/notes.py") -> list[str]:
        root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(text)
        found = list(leaks([name], root=root))
        self.assertTrue(all(secret.value not in str(secret) for secret in found))
        return [f"{secret.file}:{secret.line}" for secret in found]

    def test_a_planted_secret_is_found_in_code_and_in_tests(self) -> None:
        hashed = make_password("serg", hasher="pbkdf2_sha256")
        planted = {
            "a Gemini key": f'KEY = "{GOOGLE_KEY}"',
            "one in an environment file": f"GEMINI_API_KEY={GOOGLE_KEY}",
            "a Fernet key": f"FIELD_ENCRYPTION_KEY={Fernet.generate_key().decode()}",
            "an administrator's hash": f'{{"password": "{hashed}"}}',
            "a booth's hash": f"hash = '{bcrypt.hashpw(b'1', bcrypt.gensalt(4)).decode()}'",
            "a private key": "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEow",
            "a random word": f'SIGNING = "{secrets.token_hex(32)}"',
        }
        for what, text in planted.items():
            for name in ("slots/notes.py", "slots/tests/test_notes.py", "deploy/notes.yaml"):
                with self.subTest(what, name=name):
                    self.assertIn(f"{name}:2", self.found(f"# notes\n{text}\n", name))

    def test_passwords_are_found_outside_tests_only(self) -> None:
        address = "postgres://photos:S3cr3t-and-long@db.example.com/photos"
        for text in (f'URL = "{address}"', 'booth_password = "verysecret42"'):
            self.assertEqual(self.found(text), ["slots/notes.py:1"], text)
            self.assertEqual(self.found(text, "slots/tests/test_notes.py"), [], text)

    def test_what_is_no_secret_is_left_alone(self) -> None:
        self.assertEqual(self.found('url = "postgres://user:password@host/db"\nkey = name()\n'), [])


@contextmanager
def advisories_of(weak: str) -> Iterator[str]:
    """A service of advisories that knows one, for one package."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = {"id": "PYSEC-2026-1", "details": "", "affected": []}
            answer = {"vulns": [known]} if asked["package"]["name"] == weak else {}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class AuditTests(SimpleTestCase):
    def setUp(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.requirements = Path(folder) / "requirements.txt"
        self.requirements.write_text("pillow==13.0.0\nsix==1.17.0\n")
        self.enterContext(mock.patch.dict(os.environ))
        os.environ.pop("AUDIT", None)

    def ask(self, url: str) -> tuple[str, bool]:
        return audit("-s", "osv", "--osv-url", url, requirements=self.requirements)

    def test_a_package_with_an_advisory_fails_the_audit_and_is_named(self) -> None:
        with advisories_of("pillow") as url:
            told, is_good = self.ask(url)
        self.assertFalse(is_good, told)
        self.assertIn("pillow 13.0.0: PYSEC-2026-1", told)

    def test_without_a_service_nothing_is_checked_and_that_is_said_loudly(self) -> None:
        told, is_good = self.ask("http://127.0.0.1:1/v1/query")
        self.assertTrue(is_good)
        self.assertIn("VULNERABILITIES NOT CHECKED", told)
        os.environ["AUDIT"] = "required"
        self.assertFalse(verdict([{"name": "six", "skip_reason": "not found"}])[1])

    def test_an_index_without_advisories_is_not_taken_for_a_clean_bill(self) -> None:
        skipped = {"name": "six", "skip_reason": "not found"}
        checked = {"name": "pillow", "version": "13.0.0", "vulns": []}
        self.assertIn("NOT CHECKED", verdict([skipped])[0])
        told, is_good = verdict([skipped, checked])
        self.assertEqual(told, "pip-audit: no advisory for 1 pinned packages. Not checked: six.")
        self.assertTrue(is_good)
