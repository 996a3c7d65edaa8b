"""Static files, as a real server answers them after ``collectstatic``."""

import gzip
import json
import re
import tempfile
import unittest
from pathlib import Path

import httpx
from django.conf import settings
from django.test import SimpleTestCase, override_settings

from photochanger.server.static_files import collect_missing_files
from photochanger.testing import live, server_process
from photochanger.testing.databases import chosen_database
from photochanger.testing.marks import live_server


@live_server
class StaticFilesTests(unittest.TestCase):
    server: server_process.Server
    css: str  # a file's address with the hash of its content in it

    @classmethod
    def setUpClass(cls) -> None:
        site = cls.enterClassContext(live.site(chosen_database()))
        site.manage("collectstatic", "--noinput", "--verbosity", "0")
        cls.server = cls.enterClassContext(site.server())
        page = httpx.get(f"{cls.server.url}/admin/login/", follow_redirects=True).text
        found = re.search(r'href="(/static/admin/css/base\.[0-9a-f]{12}\.css)"', page)
        assert found, page
        cls.css = found[1]

    def ask(self, path: str, *, method: str = "GET", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        packed = {"Accept-Encoding": "identity", **named}
        return httpx.request(method, f"{self.server.url}{path}", headers=packed)

    def test_a_hashed_file_is_cached_for_ever(self) -> None:
        answer = self.ask(self.css)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.headers["content-type"], 'text/css; charset="utf-8"')
        self.assertIn("immutable", answer.headers["cache-control"])
        self.assertIn("max-age=315360000", answer.headers["cache-control"])
        self.assertEqual(int(answer.headers["content-length"]), len(answer.content))

    def test_a_file_under_its_plain_name_is_cached_briefly(self) -> None:
        answer = self.ask("/static/admin/css/base.css")
        self.assertEqual(answer.status_code, 200)
        self.assertNotIn("immutable", answer.headers["cache-control"])

    def test_a_cached_file_is_answered_with_304(self) -> None:
        first = self.ask(self.css)
        for header, value in (
            ("If_None_Match", first.headers["etag"]),
            ("If_Modified_Since", first.headers["last-modified"]),
        ):
            with self.subTest(header=header):
                again = self.ask(self.css, **{header: value})
                self.assertEqual((again.status_code, again.content), (304, b""))

    def test_head_has_the_length_and_no_body(self) -> None:
        whole, head = self.ask(self.css), self.ask(self.css, method="HEAD")
        self.assertEqual((head.status_code, head.content), (200, b""))
        self.assertEqual(head.headers["content-length"], whole.headers["content-length"])

    def test_a_range_of_a_file(self) -> None:
        part = self.ask(self.css, Range="bytes=0-9")
        self.assertEqual((part.status_code, part.content), (206, self.ask(self.css).content[:10]))

    def test_a_file_is_sent_compressed_where_accepted(self) -> None:
        plain = self.ask(self.css)
        with httpx.stream(
            "GET", f"{self.server.url}{self.css}", headers={"Accept-Encoding": "gzip"}
        ) as packed:
            raw = b"".join(packed.iter_raw())
        self.assertEqual(packed.headers["content-encoding"], "gzip")
        self.assertEqual(int(packed.headers["content-length"]), len(raw))
        self.assertEqual(gzip.decompress(raw), plain.content)
        self.assertNotIn("content-encoding", plain.headers)
        for answer in (packed, plain):
            self.assertIn("accept-encoding", answer.headers["vary"].lower())

    def test_a_missing_file_is_404(self) -> None:
        for path in (
            "/static/nothing.css",
            "/static/",
            "/static/admin",
            "/static/../manage.py",
            "/static/%2e%2e/manage.py",
            "/static/..%2f..%2fmanage.py",
            "/static/admin/css/base.css/",
        ):
            with self.subTest(path=path):
                self.assertEqual(self.ask(path).status_code, 404)

    def test_only_get_and_head_are_allowed(self) -> None:
        for method in ("POST", "PUT", "DELETE"):
            with self.subTest(method=method):
                answer = self.ask(self.css, method=method)
                self.assertIn(answer.status_code, (403, 404, 405))
        self.assertEqual(self.ask(self.css).status_code, 200)

    def test_every_file_of_the_login_page_is_there(self) -> None:
        page = self.ask("/admin/login/").text
        links = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
        self.assertGreater(len(links), 3)
        for link in links:
            with self.subTest(link=link):
                self.assertEqual(self.ask(link).status_code, 200)


class CollectTests(SimpleTestCase):
    """What a server does at its start: pages need a manifest of their files."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def collect(self, folder: Path) -> None:
        backend = "whitenoise.storage.CompressedManifestStaticFilesStorage"
        storages = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
        with override_settings(STATIC_ROOT=folder, STORAGES=storages):
            collect_missing_files()

    def test_a_folder_that_cannot_be_read_ends_the_process_with_a_sentence(self) -> None:
        (self.folder / "staticfiles.json").mkdir()
        with self.assertRaisesRegex(SystemExit, f"in {self.folder} cannot be read: Is a dir"):
            self.collect(self.folder)

    def test_missing_files_are_collected_and_those_that_are_there_left_alone(self) -> None:
        root = self.folder / "static"
        self.collect(root)
        manifest = root / "staticfiles.json"
        self.assertIn("admin/css/base.css", manifest.read_text())
        before = manifest.stat().st_mtime_ns
        self.collect(root)
        self.assertEqual(manifest.stat().st_mtime_ns, before)
        files = json.loads(manifest.read_text())
        del files["paths"]["admin/css/base.css"]  # as a file that came with an update
        manifest.write_text(json.dumps(files))
        self.collect(root)
        self.assertIn("admin/css/base.css", manifest.read_text())

    def test_a_folder_that_cannot_be_written_to_is_told_in_a_sentence(self) -> None:
        with self.assertRaises(SystemExit) as stopped:
            self.collect(Path("/proc/static"))  # where not even root may make a folder
        self.assertIn("deploy/start.sh prepare", str(stopped.exception))
