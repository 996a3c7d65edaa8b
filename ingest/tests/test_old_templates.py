"""Template pictures that were stored before they were made smaller at their upload."""

import asyncio
import hashlib
import io
import uuid
from unittest import mock

from PIL import Image

from ingest.pipeline.old_templates import shrink_old_templates
from ingest.pipeline.order import Deadline
from ingest.pipeline.retry_policy import FLOOR_S
from ingest.tests.support import IngestTestCase
from ingest.tests.test_smaller_photos import draw_scene, encode
from media import storage
from media.models import MediaObject
from photochanger.db import in_db
from photochanger.errors import StorageError
from photochanger.pictures import Photo
from photochanger.testing.marks import both_databases
from providers.base import Reference
from slots.models import SlotTemplateMedia

pytestmark = both_databases


class OldTemplateTests(IngestTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.media = self.store(encode(draw_scene(3000, 2000)))

    def store(self, body: bytes) -> MediaObject:
        """As it was done once: as it came."""
        media_id = uuid.uuid4()
        path = f"templates/{media_id}/picture.jpg"
        storage.write(path, body)
        media = MediaObject.objects.create(
            id=media_id,
            slot_id="slot-001",
            kind=MediaObject.Kind.TEMPLATE,
            path=path,
            mime="image/jpeg",
            size_bytes=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
        )
        SlotTemplateMedia.objects.create(slot_id="slot-001", media_kind="style", media_object=media)
        return media

    async def test_the_first_photo_makes_it_small_and_the_next_ones_find_it_so(self) -> None:
        self.assertEqual((await self.post()).status_code, 200)
        now = await MediaObject.objects.aget(pk=self.media.pk)
        self.assertNotEqual(now.path, self.media.path)
        body = storage.read(now.path)
        self.assertEqual(max(Image.open(io.BytesIO(body)).size), 2048)
        self.assertEqual(
            (now.size_bytes, now.sha256), (len(body), hashlib.sha256(body).hexdigest())
        )
        self.assertLess(now.size_bytes, self.media.size_bytes)
        with mock.patch("ingest.pipeline.old_templates.make_small", side_effect=AssertionError):
            self.assertEqual((await self.post()).status_code, 200)

    async def test_one_that_gets_heavier_is_made_small_too_and_only_once(self) -> None:
        """Pixels cost time for each photo, and bytes next to nothing."""
        await SlotTemplateMedia.objects.all().adelete()
        flat = await in_db(self.store, encode(Image.new("RGB", (3000, 2000), "navy"), "PNG"))
        await self.post()
        now = await MediaObject.objects.aget(pk=flat.pk)
        self.assertEqual(max(Image.open(io.BytesIO(storage.read(now.path))).size), 2048)
        self.assertGreater(now.size_bytes, flat.size_bytes)
        with mock.patch("ingest.pipeline.old_templates.make_small", side_effect=AssertionError):
            self.assertEqual((await self.post()).status_code, 200)

    async def test_a_photo_waits_for_it_no_longer_than_it_has_time(self) -> None:
        async def hang(*_step: object) -> None:
            await asyncio.Event().wait()

        photo = Photo.open(io.BytesIO(storage.read(self.media.path)), max_megapixels=10)
        rows = tuple([row async for row in SlotTemplateMedia.objects.select_related()])
        references = (Reference("style", photo),)
        deadline = Deadline.from_now(FLOOR_S + 0.05)
        with mock.patch("ingest.pipeline.old_templates.run_in_worker", hang):
            run = mock.Mock()
            found = await shrink_old_templates(run, rows, references, deadline)
        self.assertEqual(found, references)

    async def test_a_photo_in_work_keeps_the_file_that_it_has_open(self) -> None:
        await self.post()
        self.assertTrue(storage.read(self.media.path))  # cleanup takes it later

    async def test_whatever_fails_costs_no_photo(self) -> None:
        for step in ("make_small", "write_small", "point_to"):
            where = f"ingest.pipeline.old_templates.{step}"
            with self.subTest(step), mock.patch(where, side_effect=StorageError("full")):
                self.assertEqual((await self.post()).status_code, 200)
        now = await MediaObject.objects.aget(pk=self.media.pk)
        self.assertEqual(now.path, self.media.path)
