"""An administrator at the API, and pictures to upload."""

import io
import random
import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.utils import timezone
from PIL import Image

from media import storage
from media.models import MediaObject
from photochanger.web.tokens import AdminToken


def picture(kind: str = "JPEG", size: tuple[int, int] = (320, 240), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, random.uniform(10, 60)).convert("RGB").save(out, kind, **options)
    return out.getvalue()


def upload(body: bytes, name: str = "picture.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, body, "image/jpeg")


class AdminTestCase(TestCase):
    serg: User

    @classmethod
    def setUpTestData(cls) -> None:
        # No password is checked here, and a real hash takes long to make.
        cls.serg = User.objects.create(
            username="serg", password="!", is_staff=True, is_superuser=True
        )

    def setUp(self) -> None:
        token = {"authorization": f"Bearer {AdminToken.for_user(self.serg)}"}
        self.client.defaults |= {"HTTP_AUTHORIZATION": token["authorization"]}

    def put(self, path: str, body: Any, **headers: str) -> Any:
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.put(path, body, content_type="application/json", headers=headers)

    def refused(self, path: str, body: Any) -> dict[str, str]:
        """The sentences of a refusal, by fields, in English."""
        answer = self.put(path, body, **{"Accept-Language": "en"})
        self.assertEqual(answer.status_code, 400, answer.content)
        self.assertEqual(answer.json()["failure_reason"], "invalid_request")
        fields: dict[str, str] = answer.json()["fields"]
        return fields

    def register(self, body: bytes | None = None, **form: Any) -> Any:
        form = {"slot_id": "slot-001", "media_kind": "background", **form}
        return self.client.post(
            "/api/template-media/register", form | {"file": upload(body or picture())}
        )

    def template(self, **form: Any) -> str:
        return str(self.register(**form).json()["media_object_id"])

    def files(self) -> list[str]:
        root = settings.MEDIA_ROOT
        found = [p for folder in ("templates", "test-photos") for p in (root / folder).rglob("*")]
        return sorted(str(p.relative_to(root)) for p in found if p.is_file())


class ConsoleTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.serg = User.objects.create_superuser("serg")

    def setUp(self) -> None:
        self.client.force_login(self.serg)

    def result(self, slot_id: str = "slot-001") -> MediaObject:
        job_id = uuid.uuid4()
        path = f"results/{slot_id}/{job_id}/payload.jpg"
        storage.write(path, b"picture " + job_id.bytes)
        self.addCleanup(storage.remove, path)
        return MediaObject.objects.create(
            job_id=job_id,
            slot_id=slot_id,
            kind=MediaObject.Kind.RESULT,
            path=path,
            mime="image/jpeg",
            size_bytes=24,
            expires_at=timezone.now() + timedelta(hours=72),
        )
