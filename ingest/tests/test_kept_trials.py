"""The last tests of a slot: kept, bounded, gone with their time, and taken back into the form."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.utils import timezone

from ingest.cleanup import clean_up
from ingest.models import Job, TrialRecord
from ingest.tests.support import IngestTestCase
from ingest.trials.records import KEPT_PER_SLOT
from media.models import MediaObject
from photochanger.db import in_db
from slots.library.models import PresetSample
from slots.library.presets import find_preset, list_presets
from slots.models import Slot

SLOT = "/admin/slot/slot-001"
HTMX = {"HX-Request": "true"}


class KeptTrialTests(IngestTestCase):
    serg: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.serg = User.objects.create_superuser("serg", password="x")

    def setUp(self) -> None:
        super().setUp()
        self.async_client.force_login(self.serg)

    async def run_trial(self, prompt: str, **fields: Any) -> Any:
        form = {"provider": "gemini", "operation": "image_edit", "recipe-gemini-prompt": prompt}
        return await self.async_client.post(f"{SLOT}/try/", form | fields, headers=HTMX)

    async def list_prompts(self) -> list[str]:
        strip = await self.async_client.get(f"{SLOT}/tests/")
        return [row.prompt for row in strip.context["rows"]]

    async def test_tests_stand_beside_each_other_with_what_made_them(self) -> None:
        await self.run_trial("A nebula")
        await self.run_trial("Rain", **{"recipe-gemini-model": "gemini-3.1-flash-lite-image"})
        await self.run_trial("x [sim:400-key]")
        strip = await self.async_client.get(f"{SLOT}/tests/")
        rows = strip.context["rows"]
        self.assertEqual([row.prompt for row in rows], ["x [sim:400-key]", "Rain", "A nebula"])
        self.assertEqual([row.kept.has_picture for row in rows], [False, True, True])
        self.assertEqual(rows[1].model, "Nano Banana 2 Lite")
        self.assertIn("Токены", rows[1].usage)
        self.assertGreater(rows[1].took_s, 0)
        for words in ("не принял наш ключ", "Взять в форму", "Nano Banana 2 Lite"):
            self.assertContains(strip, words)

    async def test_six_are_kept_of_each_slot_and_none_of_them_is_public(self) -> None:
        for number in range(KEPT_PER_SLOT + 2):
            await self.run_trial(f"Prompt {number}")
        kept = [f"Prompt {number}" for number in range(KEPT_PER_SLOT + 1, 1, -1)]
        self.assertEqual(await self.list_prompts(), kept)
        self.assertEqual(await TrialRecord.objects.acount(), KEPT_PER_SLOT)
        gallery = await self.async_client.get("/public/slots/slot-001?format=json")
        self.assertEqual(gallery.json()["results"], [])

    async def test_a_test_goes_with_its_time_and_its_picture_with_a_deletion(self) -> None:
        await self.run_trial("A nebula")
        record = await TrialRecord.objects.aget()
        media = await MediaObject.objects.aget(kind="result")
        assert media.expires_at is not None
        self.assertLess(abs(record.expires_at - media.expires_at), timedelta(minutes=1))
        await MediaObject.objects.aupdate(expires_at=timezone.now())
        strip = await self.async_client.get(f"{SLOT}/tests/")
        self.assertContains(strip, "уже не хранится")
        await TrialRecord.objects.aupdate(expires_at=timezone.now())
        self.assertEqual(await self.list_prompts(), [])
        await in_db(clean_up, by="test")
        self.assertEqual(await TrialRecord.objects.acount(), 0)
        self.assertEqual(await Job.objects.acount(), 1)

    async def test_a_recipe_is_taken_into_the_form_and_the_rest_stays_as_typed(self) -> None:
        await self.run_trial("A nebula", **{"recipe-gemini-safety": "strict"})
        job = await Job.objects.aget()
        typed = {
            "provider": "turbotext",
            "operation": "image_edit",
            "recipe-turbotext-prompt": "Typed since",
            "recipe-gemini-aspect_ratio": "1:1",
        }
        take = f"{SLOT}/tests/{job.pk}/take/"
        drawn = await self.async_client.post(take, typed, headers=HTMX)
        self.assertContains(drawn, "A nebula</textarea>")
        self.assertContains(drawn, '<option value="strict" selected>')
        self.assertNotContains(drawn, '<option value="1:1" selected>')
        self.assertContains(drawn, 'name="recipe-turbotext-prompt" value="Typed since"')
        self.assertEqual((await Slot.objects.aget(pk="slot-001")).settings, self.slot.settings)
        for address in (take.replace("slot-001", "slot-002"), take.replace(str(job.pk), "0" * 8)):
            answer = await self.async_client.post(address, typed, headers=HTMX)
            self.assertEqual(answer.status_code, 404)

    async def try_comic(self, **fields: str) -> Job:
        """The library's recipe, tried as it is."""
        preset = await in_db(find_preset, "comic")
        assert preset
        await self.run_trial(preset.prompt, **fields)
        return await Job.objects.order_by("started_at").alast()  # type: ignore[return-value]

    async def test_a_picture_of_a_library_recipe_is_kept_as_its_sample_once(self) -> None:
        job = await self.try_comic(**{"recipe-gemini-image_size": "2K"})
        strip = await self.async_client.get(f"{SLOT}/tests/")
        self.assertContains(strip, "Сделать картинкой «Комикс»")
        keep = f"{SLOT}/tests/{job.pk}/sample/"
        kept = await self.async_client.post(keep, headers=HTMX)
        self.assertContains(kept, "Рецепт «Комикс»")
        self.assertNotContains(kept, "Сделать картинкой")
        await self.async_client.post(keep, headers=HTMX)
        sample = await MediaObject.objects.aget(kind="sample")
        self.assertEqual((sample.mime, sample.expires_at), ("image/webp", None))
        await MediaObject.objects.filter(kind="result").aupdate(expires_at=timezone.now())
        picture = await self.async_client.get(f"/admin/library/picture/{sample.pk.hex}/")
        self.assertEqual(picture.content[:4], b"RIFF", "it stays when the test is gone")

    async def test_a_picture_that_is_gone_cannot_become_a_sample(self) -> None:
        job = await self.try_comic()
        await MediaObject.objects.filter(kind="result").aupdate(expires_at=timezone.now())
        kept = await self.async_client.post(f"{SLOT}/tests/{job.pk}/sample/", headers=HTMX)
        self.assertContains(kept, 'role="alert"')
        self.assertEqual(await PresetSample.objects.acount(), 0)

    async def test_what_is_no_recipe_of_the_library_has_no_sample_to_be(self) -> None:
        await self.run_trial("A nebula")
        job = await Job.objects.aget()
        answer = await self.async_client.post(f"{SLOT}/tests/{job.pk}/sample/", headers=HTMX)
        self.assertEqual(answer.status_code, 404)

    async def test_a_test_becomes_a_preset_with_its_picture(self) -> None:
        await self.run_trial("A nebula", **{"recipe-gemini-safety": "strict"})
        job = await Job.objects.aget()
        address = f"{SLOT}/tests/{job.pk}/preset/"
        self.assertContains(await self.async_client.get(address), f"{job.pk}")
        refused = await self.async_client.post(address, {"name": ""})
        self.assertEqual(refused.status_code, 400)
        await self.async_client.post(address, {"name": "Вечер"})
        preset = (await in_db(list_presets))[0]
        self.assertEqual(preset.settings, {"prompt": "A nebula", "safety": "strict"})
        self.assertIsNotNone(preset.sample_id)

    async def test_two_tests_are_compared_with_where_their_recipes_differ(self) -> None:
        for prompt in ("A nebula in blue", "A nebula in red", "A nebula in red"):
            await self.run_trial(prompt)
        jobs = [job.pk async for job in Job.objects.order_by("started_at")]
        page = await self.async_client.get(f"{SLOT}/tests/{jobs[1]}/compare/")
        self.assertEqual(page.context["left"].job.pk, jobs[0], "the one before it")
        self.assertContains(page, "<del>A nebula in blue</del>")
        self.assertContains(page, "<ins>A nebula in red</ins>")
        asked = f"{SLOT}/tests/{jobs[1]}/compare/?with={jobs[2]}"
        self.assertContains(await self.async_client.get(asked), "один и тот же рецепт")
        for other in ("slot-002", "slot-001"):
            gone = f"/admin/slot/{other}/tests/{uuid4()}/compare/"
            self.assertEqual((await self.async_client.get(gone)).status_code, 404)
