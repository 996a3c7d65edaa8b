"""A photo through Turbotext, with a real server whose links the simulator really fetches."""

import io
import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import httpx
from django.test import SimpleTestCase, override_settings
from PIL import Image

from ingest.pipeline.input_links import find_public_base
from ingest.tests.live_support import LiveTestCase, RawClient
from ingest.tests.support import jpeg
from photochanger.errors import ProviderConfig
from photochanger.testing import server_process

OPERATIONS = {
    "slot-001": ("style_transfer", {}, "style"),
    "slot-002": ("identity_transfer", {}, "base"),
    "slot-003": ("identity_transfer", {"guest_is": "scene"}, "face"),
    "slot-004": ("image_edit", {"prompt": "Astronauts on the moon"}, ""),
}
FAILING = {
    "slot-005": "forbidden",
    "slot-006": "401",
    "slot-007": "reconnect-forever",
    "slot-008": "500-create",
    "slot-009": "slow-create",
    "slot-010": "reconnect-forever",
}
PASSING = {"slot-011": "429-then-ok", "slot-012": "busy-then-ok", "slot-013": "429-one-poll=0.3"}
TEMPLATE = """
from media.models import MediaObject
from slots.models import SlotTemplateMedia
media = MediaObject.objects.create(
    slot_id={slot!r}, kind="template", path={path!r}, mime="image/webp", size_bytes={size}
)
SlotTemplateMedia.objects.create(slot_id={slot!r}, media_kind={kind!r}, media_object=media)
"""


def webp() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(out, "WEBP")
    return out.getvalue()


class TurbotextTests(LiveTestCase):
    server: ClassVar[server_process.Server]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        slots: dict[str, dict[str, Any]] = {
            slot: {"operation": operation, "settings": settings}
            for slot, (operation, settings, _) in OPERATIONS.items()
        }
        for slot, scenario in (FAILING | PASSING).items():
            prompt = {"prompt": f"[sim:{scenario}]"}
            slots[slot] = {"operation": "image_edit", "settings": prompt}
        for slot in ("slot-007", "slot-009"):
            slots[slot]["sync_response_seconds"] = 6
        cls.site.configure_all({k: {"provider": "turbotext", **v} for k, v in slots.items()})
        for slot, (_, _, kind) in OPERATIONS.items():
            if kind:
                cls.add_template(slot, kind)
        port = server_process.free_port()
        cls.env = {
            "TURBOTEXT_API_KEY": "sim-key",
            "TURBOTEXT_BASE_URL": f"{cls.provider.url}/api_ai",
            "PUBLIC_MEDIA_BASE_URL": f"http://127.0.0.1:{port}",
        }
        cls.server = cls.enterClassContext(cls.site.server(port=port, env=cls.env))

    @classmethod
    def add_template(cls, slot: str, kind: str) -> None:
        path, body = f"templates/{slot}.webp", webp()
        file = cls.site.media_root / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(body)
        code = TEMPLATE.format(slot=slot, path=path, size=len(body), kind=kind)
        cls.site.manage("shell", "--verbosity", "0", "-c", code)

    def fetches(self) -> int:
        return self.server.log_text().count('"media.provider_input.fetched"')

    def inputs(self) -> list[Path]:
        return list((self.site.media_root / "provider-inputs").glob("*"))

    def job(self, slot: str) -> tuple[str, str, str, int | None]:
        sql = (
            "select status, failure_reason, failure_detail, provider_fetches from job_history "
            f"where slot_id = '{slot}' order by started_at desc limit 1"
        )
        status, reason, detail, fetches = self.site.rows(sql)[0]
        return status, reason, detail, fetches

    def links_of(self, slot: str) -> list[str]:
        rows = self.site.rows(
            "select m.id from media_object m join job_history j on m.job_id = j.job_id "
            f"where m.kind = 'provider_input' and j.slot_id = '{slot}'"
        )
        return [f"{self.server.url}/public/provider-media/{uuid.UUID(str(i))}.jpg" for (i,) in rows]

    def test_a_photo_through_each_operation(self) -> None:
        photos = {slot: jpeg(400, 300) for slot in OPERATIONS}
        with ThreadPoolExecutor(len(photos)) as pool:
            answers = dict(
                zip(
                    photos,
                    pool.map(lambda s: self.post(self.server, photos[s], slot=s), photos),
                    strict=True,
                )
            )
        for slot, answer in answers.items():
            with self.subTest(slot):
                self.assertEqual(answer.status_code, 200, answer.text[:200])
                self.assertEqual(answer.headers["Content-Type"], "image/jpeg")
                Image.open(io.BytesIO(answer.content)).load()
                pictures = 2 if OPERATIONS[slot][2] else 1
                self.assertEqual(self.job(slot), ("done", "", "", pictures))
                links = self.links_of(slot)
                self.assertEqual(len(links), pictures)
                for link in links:
                    gone = httpx.get(link)
                    self.assertEqual(gone.status_code, 410)
                    self.assertEqual(gone.json()["failure_reason"], "result_expired")
                    self.assertEqual(httpx.head(link).status_code, 410)
        self.assertEqual(self.inputs(), [])

    def test_what_a_limit_refused_is_put_in_again_and_a_paid_order_is_kept(self) -> None:
        for slot, scenario in PASSING.items():
            answer = self.post(self.server, jpeg(400, 300), slot=slot)
            with self.subTest(scenario):
                self.assertEqual(answer.status_code, 200, answer.text[:200])
                self.assertEqual(self.job(slot), ("done", "", "", 1))
                sql = (
                    "select a.failure_reason from job_attempt a join job_history j "
                    f"on a.job_id = j.job_id where j.slot_id = '{slot}' order by a.number"
                )
                reasons = [reason for (reason,) in self.site.rows(sql)]
                self.assertEqual(reasons, [""] if "poll" in scenario else ["quota", ""])
        self.assertEqual(self.inputs(), [])

    def test_failures_have_their_words_and_leave_nothing(self) -> None:
        expected = {
            "slot-005": (502, "content_blocked", "failed", 1),
            "slot-006": (503, "provider_auth", "failed", 0),
            "slot-007": (504, "timeout", "timeout", 1),
            "slot-008": (503, "provider_5xx", "failed", 0),
            "slot-009": (504, "timeout", "timeout", 0),
        }
        with ThreadPoolExecutor(len(expected)) as pool:
            answers = list(pool.map(lambda slot: self.post(self.server, slot=slot), expected))
        for slot, answer in zip(expected, answers, strict=True):
            status, reason, outcome, fetches = expected[slot]
            with self.subTest(slot):
                self.assertEqual(answer.status_code, status)
                self.assertEqual(answer.json()["failure_reason"], reason)
                job = self.job(slot)
                self.assertEqual((job[0], job[1], job[3]), (outcome, reason, fetches))
                never = "the provider never fetched the photo" in job[2]
                self.assertEqual(never, fetches == 0)
                gone = {httpx.get(link).status_code for link in self.links_of(slot)}
                self.assertEqual(gone, {410})
        self.assertEqual(self.inputs(), [])
        attempts = self.site.rows(
            "select count(*) from job_attempt a join job_history j on a.job_id = j.job_id "
            "where j.slot_id = 'slot-008'"
        )
        self.assertEqual(attempts[0][0], 1)  # an order that may be paid is not put in again

    def test_a_booth_that_hangs_up_takes_the_links_with_it(self) -> None:
        form, fetches = self.form(), self.fetches()
        with RawClient(self.server) as booth:
            length = f"Content-Length: {len(form)}"
            booth.send_head("/ingest/slot-010", length, boundary=form.boundary)
            booth.send(b"".join(form.iter_chunks()))
            self.eventually(lambda: self.fetches() > fetches)  # the provider has come for it
        self.eventually(lambda: self.job("slot-010")[1] == "client_gone")
        self.assertEqual(self.job("slot-010")[3], 1)
        self.eventually(lambda: not self.inputs())

    def test_every_fetch_is_in_the_log_and_no_key(self) -> None:
        self.post(self.server, slot="slot-004")
        log = self.server.log_text()
        lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        fetched = [line for line in lines if line["event"] == "media.provider_input.fetched"]
        self.assertTrue(fetched)
        self.assertFalse(re.search(r"sim-key|Bearer", log))

    def test_without_a_public_address_no_call_is_made(self) -> None:
        env = {**self.env, "PUBLIC_MEDIA_BASE_URL": ""}
        with self.site.server(env=env) as server:
            answer = self.post(server, slot="slot-004")
        self.assertEqual(answer.status_code, 503)
        self.assertEqual(answer.json()["failure_reason"], "provider_config")
        self.assertEqual(self.provider.state()["calls"], 0)
        self.assertIsNone(self.job("slot-004")[3])


class PublicBaseTests(SimpleTestCase):
    """Whether a provider could reach this server, judged by the address alone."""

    def base(self, address: str, *, service: str, **more: Any) -> str:
        with override_settings(
            PUBLIC_MEDIA_BASE_URL=address, TURBOTEXT_BASE_URL=service, **{"DEBUG": False, **more}
        ):
            return find_public_base("turbotext")

    def test_a_public_address_is_good(self) -> None:
        for address in ("https://photos.example", "http://photos.example:8080", "https://8.8.8.8"):
            self.assertEqual(self.base(address, service="https://www.turbotext.ru/api_ai"), address)

    def test_a_private_one_is_good_for_a_private_service_only(self) -> None:
        private = (
            "http://127.0.0.1:8000",
            "http://localhost",
            "http://[::1]:8000",
            "http://studio",
        )
        for address in (*private, "https://192.168.1.5", "https://10.0.0.1", "https://pc.local"):
            with self.subTest(address):
                with self.assertRaises(ProviderConfig):
                    self.base(address, service="https://www.turbotext.ru/api_ai")
                for service in ("http://127.0.0.1:9912/api_ai", "http://simulator:9912/api_ai"):
                    self.assertEqual(self.base(address, service=service), address)
                self.base(address, service="https://www.turbotext.ru/api_ai", DEBUG=True)

    def test_none_at_all_is_never_good(self) -> None:
        for address in ("", "photos.example", "ftp://photos.example", "https://", "https:photos"):
            with self.subTest(address), self.assertRaises(ProviderConfig):
                self.base(address, service="http://127.0.0.1:1/api_ai", PUBLIC_BASE_URL="")

    def test_the_guests_address_serves_when_there_is_no_other(self) -> None:
        found = self.base("", service="https://x.example", PUBLIC_BASE_URL="https://photos.example")
        self.assertEqual(found, "https://photos.example")
