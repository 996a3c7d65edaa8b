"""The limit of a service counts the photos that reserves have sent there, too."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.test import TestCase
from django.utils import timezone

from ingest.models import Attempt, Job
from ingest.readiness.result import list_used_providers
from ingest.tests.support import IngestTestCase
from photochanger.db import in_db
from photochanger.testing.marks import both_databases
from slots.checked_keys.listed_models import remember_models
from slots.model_retirement import find_retiring_slots
from slots.models import ReserveSource, Slot
from slots.platform_settings import load_platform_settings
from slots.tests.test_slot_page import DUE_MODEL
from stats.health import load_keys_in_use
from stats.tests.support import open_job

pytestmark = both_databases


class PlaceTests(IngestTestCase):
    """``slot-001`` is Turbotext's, which has no key; its reserve is Gemini."""

    def setUp(self) -> None:
        super().setUp()
        Slot.objects.filter(pk="slot-001").update(
            provider="turbotext", operation="image_edit", settings={"prompt": "Oil"}
        )
        self.reserve = ReserveSource.objects.create(
            slot_id="slot-001",
            position=1,
            provider="gemini",
            operation="image_edit",
            settings={"prompt": "Oil"},
        )

    def fill_service(self, provider: str, **columns: Any) -> None:
        limit = load_platform_settings().max_jobs_per_provider
        rows = [open_job("slot-002", ago_s=1, provider=provider, **columns) for _ in range(limit)]
        for row in rows:
            row.deadline = timezone.now() + timedelta(seconds=60)
        Job.objects.bulk_create(rows)

    async def test_a_photo_takes_its_place_at_the_service_that_is_asked(self) -> None:
        answer = await self.post()
        self.assertEqual(answer.status_code, 200, answer.content)
        job = await Job.objects.aget()
        self.assertEqual((job.provider, job.reserve), ("gemini", 1))

    async def test_a_full_service_is_not_asked_by_reserves_either(self) -> None:
        await in_db(self.fill_service, "gemini")
        answer = await self.post()
        self.assertEqual(json.loads(answer.content)["failure_reason"], "provider_config")
        self.assertEqual(self.provider.calls, [])
        await Slot.objects.filter(pk="slot-001").aupdate(on_reserve_since=timezone.now())
        answer = await self.post()
        self.assertEqual(answer.status_code, 429)
        self.assertEqual(answer["Retry-After"], "3")
        self.assertEqual(self.provider.calls, [])

    async def test_pictures_of_the_lab_take_no_place_from_a_photo_on_its_way_to_a_reserve(
        self,
    ) -> None:
        await in_db(partial(self.fill_service, "gemini", source=Job.Source.LAB))
        answer = await self.post()
        self.assertEqual(answer.status_code, 200, answer.content)
        job = await Job.objects.aget(slot="slot-001")
        self.assertEqual((job.provider, job.reserve), ("gemini", 1))

    async def test_the_next_reserve_takes_over_from_a_full_one(self) -> None:
        await ReserveSource.objects.acreate(
            slot_id="slot-001",
            position=2,
            provider="turbotext",
            operation="image_edit",
            settings={"prompt": "Oil"},
        )
        await in_db(self.fill_service, "gemini")
        answer = await self.post()
        self.assertEqual(json.loads(answer.content)["failure_reason"], "provider_config")
        calls = [
            (one.reserve, one.provider)
            async for one in Attempt.objects.filter(job__slot="slot-001")
        ]
        self.assertNotIn((1, "gemini"), calls)

    async def test_a_photo_makes_room_at_the_service_that_it_has_left(self) -> None:
        """Two lives, one after the other: the place at the dead service is free at once."""
        await in_db(self.fill_service, "turbotext")
        oldest = await Job.objects.filter(provider="turbotext").afirst()
        assert oldest is not None
        await oldest.adelete()
        self.assertEqual((await self.post()).status_code, 200)
        self.assertEqual((await self.post()).status_code, 200)


class InUseTests(TestCase):
    """What looks at the services of slots looks at those of their reserves."""

    def setUp(self) -> None:
        Slot.objects.filter(pk="slot-001").update(is_active=True, settings={"prompt": "Oil"})

    def add(self, **columns: Any) -> ReserveSource:
        values = {"provider": "turbotext", "operation": "image_edit", "settings": {"prompt": "Oil"}}
        return ReserveSource.objects.create(slot_id="slot-001", position=1, **values | columns)

    def test_the_health_of_a_reserves_service_is_told(self) -> None:
        self.assertEqual(list(load_keys_in_use()), ["gemini"])
        row = self.add()
        self.assertEqual(list(load_keys_in_use()), ["gemini", "turbotext"])
        self.assertEqual(list_used_providers(), ["gemini", "turbotext"])
        for columns in ({"is_enabled": False}, {"is_enabled": True, "api_key": "x"}):
            ReserveSource.objects.filter(pk=row.pk).update(**columns)
            self.assertEqual(list(load_keys_in_use()), ["gemini"])

    def test_the_end_of_a_reserves_model_is_told_with_the_way_to_it(self) -> None:
        self.add(provider="gemini", operation="image_edit", settings={"model": DUE_MODEL})
        (one,) = find_retiring_slots()
        self.assertEqual((one.slot.pk, one.model_id, one.reserve), ("slot-001", DUE_MODEL, 1))
        self.client.force_login(User.objects.create_superuser("serg"))
        page = self.client.get("/admin/slots/slot/slot-001/change/")
        self.assertContains(page, "Выберите другую модель для резерва 1")
        self.assertContains(page, "у резервов своя проверка")
        Slot.objects.update(settings={"prompt": "Oil", "model": DUE_MODEL})
        (one,) = find_retiring_slots()
        self.assertEqual(one.reserve, 0)  # told once, where most photos go

    def test_the_keys_list_says_nothing_of_a_reserve_with_a_key_of_its_own(self) -> None:
        remember_models("gemini", getattr(settings, "GEMINI_API_KEY", ""), ["another"])
        own = {"base_url": "https://relay.example.com", "api_key": "x"}
        self.add(provider="gemini", operation="image_edit", settings={"model": DUE_MODEL}, **own)
        (one,) = find_retiring_slots()
        self.assertFalse(one.is_gone)
