"""`manage.py booth --scenario`: every way a provider can fail, tried against the simulator."""

import re
import subprocess
import sys

from django.conf import settings

from ingest.tests.live_support import LiveTestCase

PHOTO = settings.BASE_DIR / "ingest/sample/portrait.jpg"


class DrillTests(LiveTestCase):
    def drill(self, url: str, *names: str, **env: str) -> subprocess.CompletedProcess[str]:
        return self.run_booth(url, "--scenario", *names, **env)

    def run_booth(self, url: str, *more: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", "booth", str(PHOTO), "--url", url, *more],
            cwd=settings.BASE_DIR,
            env={**self.site.env, "BOOTH_PASSWORD": self.site.password, **env},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def test_a_drill_reports_what_the_booth_got_and_restores_the_slots(self) -> None:
        self.site.configure()
        before = self.site.rows("select id, is_active, settings, version from slot order by id")
        with self.site.server() as server:
            done = self.drill(server.url, "ok", "img-safety", "404-retired")
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in (("ok", "200", "image/jpeg"), ("img-safety", "502", "content_blocked")):
            row = next(line for line in done.stdout.splitlines() if f" {words[0]} " in line)
            self.assertTrue(all(word in row for word in words), row)
        self.assertIn("provider_config", done.stdout)
        after = self.site.rows("select id, is_active, settings, version from slot order by id")
        self.assertEqual(after, before)
        sources = self.site.rows("select distinct source from job_history")
        self.assertEqual(sources, [("ui_test",)])
        listed = self.site.rows(
            "select count(*) from media_object where kind = 'result' and is_listed"
        )
        self.assertEqual(listed, [(0,)])

    def test_a_real_service_is_never_drilled(self) -> None:
        self.site.configure()
        done = self.drill("http://127.0.0.1:1", "all", GEMINI_BASE_URL="http://127.0.0.1:1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is no simulator", done.stderr)

    def test_a_misspelt_scenario_is_named(self) -> None:
        self.site.configure()
        done = self.drill("http://127.0.0.1:1", "no-such-thing")
        self.assertIn("No such scenario: no-such-thing", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_an_outage_loses_no_photo_where_there_is_a_reserve(self) -> None:
        self.site.configure()
        with self.site.server() as server:
            done = self.run_booth(server.url, "--outage")
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("the service works", "it is down"):
            row = next(line for line in done.stdout.splitlines() if name in line)
            self.assertEqual(re.findall(r"\d+", row)[:3], ["40", "40", "0"], row)
        self.assertIn("made the pictures", done.stdout)
        self.assertEqual(self.site.rows("select count(*) from slot_reserve"), [(0,)])
        self.assertEqual(self.site.rows("select count(*) from slot_source_circuit"), [(0,)])
