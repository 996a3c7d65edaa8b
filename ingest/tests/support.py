"""Shared by the tests of the photo's path: a slot, a simulated provider, a booth's form."""

import io
import random
from typing import Any, cast
from unittest import mock

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import TestCase, override_settings
from PIL import Image

from ingest.pipeline.password import wrong_tries
from providers import simulator
from slots.models import Slot
from slots.passwords import set_ingest_password

PASSWORD = "booth-secret-123"


def jpeg(width: int = 320, height: int = 240, *, seed: int | None = None, **options: Any) -> bytes:
    """A small photo that no other test sends."""
    noise = random.Random(seed)
    image = Image.effect_noise((width, height), noise.uniform(10, 60)).convert("RGB")
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


class IngestTestCase(TestCase):
    """``slot-001`` is open, on Gemini; the simulator answers at once unless the prompt says so."""

    slot: Slot

    @classmethod
    def setUpTestData(cls) -> None:
        Slot.objects.filter(pk="slot-001").update(
            is_active=True, settings={"prompt": "As an oil painting"}
        )
        set_ingest_password(PASSWORD, by="test")

    def setUp(self) -> None:
        # The jitter between calls of a provider: random in life, next to nothing here.
        self.enterContext(mock.patch("random.uniform", return_value=0.01))
        self.provider = self.enterContext(simulator.running(latency=0.0))
        self.enterContext(
            override_settings(GEMINI_BASE_URL=self.provider.url, GEMINI_API_KEY="sim-key")
        )
        self.slot = Slot.objects.get(pk="slot-001")
        self.addCleanup(wrong_tries.clear)

    def scenario(self, name: str) -> None:
        Slot.objects.filter(pk="slot-001").update(
            settings={"prompt": f"As an oil painting [sim:{name}]"}
        )

    async def post(
        self,
        photo: bytes | None = None,
        *,
        path: str = "/ingest/slot-001",
        field: str = "fileToUpload",
        headers: dict[str, str] | None = None,
        **fields: Any,
    ) -> HttpResponse:
        form: dict[str, Any] = {"password": PASSWORD, **fields}
        form = {name: value for name, value in form.items() if value is not None}
        if photo != b"":
            form[field] = SimpleUploadedFile("IMG_0003.JPG", photo or jpeg(), "image/jpeg")
        answer = await self.async_client.post(path, form, headers=headers)
        if not answer.streaming:
            return cast(HttpResponse, answer)
        body = b"".join([chunk async for chunk in answer.streaming_content])
        return HttpResponse(body, status=answer.status_code, headers=dict(answer.headers))

    def files(self) -> list[str]:
        root = settings.MEDIA_ROOT
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
