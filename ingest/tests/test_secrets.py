"""No secret leaks: log, rows and answers hold no password, key, prompt or file name."""

import io
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
from django.test import SimpleTestCase
from pydantic import ValidationError

from ingest.booth.form import BoothRequest
from ingest.tests.live_support import LiveTestCase
from ingest.tests.support import jpeg
from photochanger.pictures import JPEG, Photo
from photochanger.pictures.header import Header
from photochanger.testing import server_process
from photochanger.testing.marks import both_databases
from providers.base import ProviderRequest
from providers.gemini.driver import GeminiSettings
from slots.platform_settings import PlatformSettings

PROMPT = "Elena-and-Boris-at-the-Kremlin"
FILE_NAME = "WEDDING-OF-ELENA.JPG"
IDEMPOTENCY_KEY = "idem-71f0c2aa"
WRONG_PASSWORD = "nearly-the-booth-password"
PROVIDER_KEY = "AIza-live-secret-key"
KEY_THAT_NO_HEADER_TAKES = f"{PROVIDER_KEY}\nsecond-line"
# How the provider fails, a slot for each; then slots that break by themselves.
FAILURES = ("400-key", "400-unknown-field", "drop-connection", "html-502", "429-retry", "text-only")
BROKEN: tuple[dict[str, Any], ...] = (
    {"settings": {"prompt": PROMPT * 500}},  # too long
    {"settings": {"prompt": PROMPT, "image_size": PROMPT, "password": PROMPT}},
    {"settings": {"prompt": [PROMPT]}},
    {"settings": [PROMPT]},
    {"settings": {"prompt": PROMPT}, "provider": "nobody"},
    {"settings": {"prompt": PROMPT, "model": "x/../../y?key=1"}},
)


@both_databases
class NothingLeaksTests(LiveTestCase):
    """``slot-001`` works, each of the others fails in its own way."""

    slots: dict[str, dict[str, Any]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        prompts = [PROMPT, *(f"{PROMPT} [sim:{name}]" for name in FAILURES)]
        kinds = [*({"settings": {"prompt": prompt}} for prompt in prompts), *BROKEN]
        cls.slots = {f"slot-{number:03}": kind for number, kind in enumerate(kinds, start=1)}
        # Short, so that no failure is tried again for long.
        cls.site.configure_all(cls.slots, limits={"sync_response_seconds": 10})

    def setUp(self) -> None:
        super().setUp()
        self.answers: list[str] = []

    @contextmanager
    def watched_server(self, **env: str) -> Iterator[server_process.Server]:
        """A server whose log, rows and answers are searched when the block ends."""
        env = {"GEMINI_API_KEY": PROVIDER_KEY, **env}
        with self.site.server(env=env) as server:
            yield server
        self.assert_clean("log", server.log_text(), IDEMPOTENCY_KEY)
        for table in ("job_history", "job_attempt", "media_object"):
            self.assert_clean(table, repr(self.site.rows(f"select * from {table}")))
        for answer in self.answers:
            self.assert_clean("answer", answer, IDEMPOTENCY_KEY)

    def assert_clean(self, place: str, text: str, *more: str) -> None:
        secrets = (self.site.password, WRONG_PASSWORD, PROVIDER_KEY, PROMPT, FILE_NAME, *more)
        for line in text.splitlines():
            for secret in secrets:
                self.assertNotIn(secret, line, place)

    def new_key(self) -> str:
        return f"{IDEMPOTENCY_KEY}-{uuid.uuid4()}"

    def send(
        self,
        server: server_process.Server,
        path: str = "ingest/slot-001",
        *,
        password: str | None = None,
        key: str = "",
        **fields: str,
    ) -> httpx.Response:
        answer = httpx.post(
            f"{server.url}/{path}",
            data={"password": password or self.site.password, **fields},
            files={"fileToUpload": (FILE_NAME, jpeg(), "image/jpeg")},
            headers={"Idempotency-Key": key or self.new_key()},
            timeout=120,
        )
        self.answers.append(f"{answer.headers} {answer.text if not answer.is_success else ''}")
        return answer

    def send_strange_forms(self, server: server_process.Server) -> None:
        password, key = self.site.password, self.new_key()
        # Typed into other boxes of the booth's settings, and into the link.
        fields = dict.fromkeys(("id", "name", "version", "user_id", "profile", "x"), password)
        good = self.send(server, hash=password, key=key, **fields)
        other_photo = self.send(server, key=key)
        self.assertEqual((good.status_code, other_photo.status_code), (200, 409))
        self.assertEqual(self.send(server, password=WRONG_PASSWORD).status_code, 401)
        self.send(server, f"ingest/slot-001?password={password}", password=WRONG_PASSWORD)
        boundary = "b"
        for part in (
            f'name="{password}"\r\n\r\nx',
            f'name="password"\r\n\r\n{password}\r\n--b\r\nContent-Disposition: form-data; '
            f'name="file"; filename="{FILE_NAME}"\r\n\r\nno picture',
            f'name="password"\r\n\r\n{password * 1000}',
            f'name="file"; filename="{FILE_NAME}\xff"\r\n{password}\r\n\r\nbroken',
        ):
            body = f"--{boundary}\r\nContent-Disposition: form-data; {part}\r\n--{boundary}--\r\n"
            answer = httpx.post(
                f"{server.url}/ingest/slot-001",
                content=body.encode("latin-1"),
                headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
            )
            self.assertIn(answer.status_code, (400, 415))
            self.answers.append(answer.text)

    def send_to_every_slot(self, server: server_process.Server) -> None:
        with ThreadPoolExecutor() as booths:
            links = [f"ingest/{slot_id}" for slot_id in list(self.slots)[1:]]
            for answer in booths.map(partial(self.send, server), links):
                self.assertIn(answer.status_code, (502, 503), answer.text)

    def test_no_secret_leaks_into_any_log(self) -> None:
        with (
            self.watched_server(LOG_FORMAT="json") as terse,
            self.watched_server(LOG_FORMAT="console", LOG_LEVEL="DEBUG") as talkative,
            ThreadPoolExecutor() as pool,
        ):
            for sending in (self.send_strange_forms, self.send_to_every_slot):
                list(pool.map(sending, (terse, talkative)))
        for server in (terse, talkative):
            self.assertIn("ingest.job.closed", server.log_text())

    def test_a_key_that_no_header_takes_is_not_quoted(self) -> None:
        with (
            self.assertRaises(RuntimeError) as refused,
            self.site.server(env={"GEMINI_API_KEY": KEY_THAT_NO_HEADER_TAKES}),
        ):
            pass
        self.assertIn("GEMINI_API_KEY", str(refused.exception))
        self.assert_clean("start", str(refused.exception))

    def test_no_secret_leaks_when_the_server_itself_fails(self) -> None:
        with self.watched_server(LOG_FORMAT="json") as server:
            for status, broken, mended in (
                # Calls cannot be recorded, but the picture is there: the booth gets it. Settings of
                # a wrong kind; photos cannot be admitted.
                (
                    200,
                    "alter table job_attempt rename to gone",
                    "alter table gone rename to job_attempt",
                ),
                (
                    500,
                    "insert into settings (key, value, version, updated_at, updated_by) values"
                    f" ('gallery_size', '\"{PROMPT}\"', 1, '2026-01-01 00:00:00', '')",
                    "delete from settings where key = 'gallery_size'",
                ),
                (
                    500,
                    "alter table job_history rename column idempotency_key to gone",
                    "alter table job_history rename column gone to idempotency_key",
                ),
            ):
                with self.subTest(broken=broken):
                    self.site.execute(broken)
                    try:
                        self.assertEqual(self.send(server).status_code, status)
                    finally:
                        self.site.execute(mended)
        self.assertIn("Traceback", server.log_text())


class WordsOfErrorsTests(SimpleTestCase):
    def test_a_refused_recipe_or_setting_is_not_quoted(self) -> None:
        for refuse in (
            lambda: GeminiSettings.model_validate({"prompt": [PROMPT], "model": [PROMPT]}),
            lambda: PlatformSettings.model_validate({"ingest_password_hash": [PROMPT]}),
        ):
            with self.assertRaises(ValidationError) as caught:
                refuse()
            self.assertNotIn(PROMPT, str(caught.exception))

    def test_what_is_printed_of_a_request_holds_no_key(self) -> None:
        photo = Photo(
            file=io.BytesIO(),
            size_bytes=0,
            sha256="",
            mime=JPEG,
            header=Header(width=1, height=1),
        )
        request = ProviderRequest(
            operation="image_edit",
            photo=photo,
            settings=GeminiSettings(prompt="x"),
            api_key=PROVIDER_KEY,
            budget_s=1,
        )
        self.assertNotIn(PROVIDER_KEY, repr(request))
        booth = BoothRequest(url="", slot="", photo=b"", password=WRONG_PASSWORD)
        self.assertNotIn(WRONG_PASSWORD, repr(booth))
