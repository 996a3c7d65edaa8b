"""Cleaning up, downloading and deleting a slot's results over HTTP; two administrators at once."""

import io
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
from django.conf import settings
from django.utils import timezone

from ingest.tests.live_support import LiveTestCase
from ingest.tests.support import jpeg
from media import storage
from media.models import MediaObject
from photochanger.testing import server_process
from photochanger.testing.marks import both_databases
from slots.tests.support import AdminTestCase

pytestmark = both_databases

SLOT = "/api/slots/slot-001"
NEW_TOKEN = """
from django.contrib.auth.models import User
from photochanger.web.tokens import AdminToken
serg = User.objects.create(username="serg", password="!", is_superuser=True)
print(AdminToken.for_user(serg))
"""


class AfterThePartyTests(AdminTestCase):
    def add_result(self, slot_id: str = "slot-001", *, hours_left: float = 1) -> MediaObject:
        media = MediaObject(slot_id=slot_id, kind="result", mime="image/jpeg", size_bytes=0)
        body, media.job_id = jpeg(), media.pk
        media.path, media.size_bytes = f"results/{slot_id}/{media.pk}/payload.jpg", len(body)
        media.expires_at = timezone.now() + timedelta(hours=hours_left)
        storage.write(media.path, body)
        self.addCleanup(storage.remove, media.path)
        media.save()
        return media

    def post(self, path: str, body: Any = None) -> Any:
        return self.client.post(path, body, content_type="application/json")

    def list_results(self) -> set[str]:
        root = settings.MEDIA_ROOT / "results"
        return {path.parent.name for path in root.rglob("payload.jpg")}

    def test_a_slots_cleanup_removes_what_is_over_and_nothing_else(self) -> None:
        over, fresh = self.add_result(hours_left=-1), self.add_result()
        other = self.add_result("slot-002", hours_left=-1)
        content = self.post(f"{SLOT}/cleanup").json()
        self.assertEqual(
            (content["by"], content["slot_id"], content["failures"]), ("serg", "slot-001", 0)
        )
        self.assertEqual(content["removed"].get("result"), 1)
        self.assertEqual(content["freed_bytes"], over.size_bytes)
        self.assertEqual(self.list_results(), {str(fresh.pk), str(other.pk)})
        self.assertEqual(self.post("/api/slots/slot-099/cleanup").status_code, 404)

    def download(self, query: str = "") -> list[bytes]:
        answer = self.client.get(f"{SLOT}/results.zip{query}")
        self.assertEqual((answer.status_code, answer["Content-Type"]), (200, "application/zip"))
        with warnings.catch_warnings(action="ignore"):  # this client is synchronous
            body = b"".join(answer)
        self.assertEqual(int(answer["Content-Length"]), len(body))
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return [archive.read(name) for name in archive.namelist()]

    def test_the_results_come_in_one_zip(self) -> None:
        first, _other = self.add_result(), self.add_result("slot-002")
        MediaObject.objects.filter(pk=first.pk).update(
            created_at=timezone.now() - timedelta(days=2)
        )
        second = self.add_result()
        self.assertEqual(self.download(), [storage.read(m.path) for m in (first, second)])
        yesterday = (timezone.localtime() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")
        self.assertEqual(self.download(f"?since={yesterday}"), [storage.read(second.path)])
        self.assertEqual(self.download(f"?until={yesterday}"), [storage.read(first.path)])

    def test_an_impossible_time_is_refused(self) -> None:
        for query in ("since=x", "until=0001-01-01T00:00:00", "until=9999-12-31T23:59:59Z"):
            answer = self.client.get(f"{SLOT}/results.zip?{query}")
            with self.subTest(query):
                self.assertEqual(answer.status_code, 400)
                self.assertEqual(list(answer.json()["fields"]), [query.partition("=")[0]])

    def test_everything_goes_only_when_it_is_confirmed(self) -> None:
        mine, other = self.add_result(), self.add_result("slot-002")
        for path, words in ((f"{SLOT}/purge", "everything"), ("/api/purge", "slot-001")):
            for body in ({"confirm": words}, {}, None):
                self.assertEqual(self.post(path, body).status_code, 400)
        self.assertEqual(len(self.list_results()), 2)
        content = self.post(f"{SLOT}/purge", {"confirm": "slot-001"}).json()
        self.assertEqual(content, {"files": 1, "bytes": mine.size_bytes, "failed": 0})
        self.assertEqual(self.list_results(), {str(other.pk)})
        self.assertEqual(self.post("/api/purge", {"confirm": "everything"}).json()["files"], 1)
        self.assertEqual(self.list_results(), set())


class TwoAdministratorsTests(LiveTestCase):
    """On a server of several processes, with its log watched for secrets."""

    SECRETS = ("new-booth-password", "AIza-console-key", "own-slot-password", "Elena-and-Boris")

    def send(
        self, server: server_process.Server, method: str, path: str, token: str, **options: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.request(
            method, f"{server.url}{path}", headers=headers, timeout=120, **options
        )
        content = answer.text.replace(
            '"prompt": "Elena-and-Boris"', ""
        )  # an administrator reads that
        for secret in self.SECRETS:
            self.assertNotIn(secret, content)
        return answer

    def test_of_two_saves_one_wins_and_no_secret_is_returned(self) -> None:
        token = self.site.manage("shell", "--verbosity", "0", "-c", NEW_TOKEN).strip()
        self.site.configure()
        with self.site.server(env={"LOG_LEVEL": "DEBUG"}, gunicorn=2) as server:
            for _ in range(3):
                version = self.send(server, "GET", SLOT, token).json()["version"]
                body = {"version": version, "settings": {"prompt": "Elena-and-Boris"}}

                def put(name: str, body: dict[str, Any] = body) -> int:
                    change = {**body, "display_name": name}
                    return self.send(server, "PUT", SLOT, token, json=change).status_code

                with ThreadPoolExecutor(4) as administrators:
                    codes = list(administrators.map(put, "abcd"))
                self.assertEqual(sorted(codes), [200, 409, 409, 409])
                content = self.send(server, "GET", SLOT, token).json()
                self.assertEqual(content["version"], version + 1)
            self.assertEqual(self.post(server).status_code, 200)
            change = {
                "ingest_password": self.SECRETS[0],
                "provider_keys": {"turbotext": self.SECRETS[1]},
            }
            for wrong in ({}, {"result_ttl_hours": 0}, {"no_such": self.SECRETS[0]}):
                self.send(server, "PUT", "/api/settings", token, json=change | wrong)
            self.assertEqual(self.post(server).status_code, 401)
            self.assertEqual(self.post(server, password=self.SECRETS[0]).status_code, 200)
            change = {"ingest_password": self.SECRETS[2]}
            self.send(server, "PUT", SLOT, token, json=change)
            self.assertEqual(self.post(server, password=self.SECRETS[0]).status_code, 401)
            self.assertEqual(self.post(server, password=self.SECRETS[2]).status_code, 200)
            form = {"slot_payload": '{"settings": {"prompt": "Elena-and-Boris"}}'}
            run = self.send(
                server,
                "POST",
                f"{SLOT}/test-run?as=json",
                token,
                data=form,
                files={"test_image": ("a.jpg", jpeg(), "image/jpeg")},
            )
            self.assertEqual(run.status_code, 200, run.text)
        for secret in (*self.SECRETS, token):
            self.assertNotIn(secret, server.log_text())
        for table in ("settings", "slot", "job_history", "job_attempt"):
            rows = repr(self.site.rows(f"select * from {table}")).replace(self.SECRETS[3], "")
            for secret in self.SECRETS:
                self.assertNotIn(secret, rows)
