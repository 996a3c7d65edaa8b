"""A key that a service repeats is in no row, page, metric, capture or log line."""

import itertools
import re
from typing import Any

from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth.models import User
from django.test import override_settings

from ingest.capture.recorder import start_capture
from ingest.models import Attempt, CapturedRequest, Job
from ingest.tests.support import IngestTestCase
from photochanger.testing.console_pages import PAGES
from photochanger.web.tokens import AdminToken
from providers.base import ProviderDriver
from providers.registry import DRIVERS
from providers.tests.repeating import ERRORS, FORMS, KEY, STATUSES, find_key, read_log, repeating
from slots.models import Slot

OTHERS = ("/metrics", "/healthz", "/api/slots", "/api/settings", "/api/stats/overview")


class RepeatedKeyTests(IngestTestCase):
    async def asyncSetUp(self) -> None:
        self.serg = await sync_to_async(User.objects.create_superuser)("serg", password="x" * 12)
        await self.async_client.aforce_login(self.serg)
        token = await sync_to_async(AdminToken.for_user)(self.serg)
        self.token = {"Authorization": f"Bearer {token}"}

    def use(self, driver: ProviderDriver[Any]) -> None:
        operation = "image_edit" if "image_edit" in driver.operations else [*driver.operations][0]
        Slot.objects.filter(pk="slot-001").update(
            provider=driver.name, operation=operation, settings={"prompt": "A moon"}
        )
        start_capture(Slot.objects.get(pk="slot-001"), 50, by="serg")

    async def test_it_is_seen_nowhere(self) -> None:
        await self.asyncSetUp()
        for name, driver in DRIVERS.items():
            with self.subTest(name), repeating(self.provider.url) as repeater, read_log() as log:
                there = {
                    f"{name.upper()}_BASE_URL": repeater.url,
                    f"{name.upper()}_API_KEY": KEY,
                    "PUBLIC_MEDIA_BASE_URL": "http://127.0.0.1:9",
                }
                with override_settings(**there):
                    await sync_to_async(self.use)(driver)
                    await self.send_photos(repeater)
                    await self.try_slot_and_key(name)
                    await self.look_everywhere()
                self.assertIn("ingest.job.closed", log.getvalue())
                self.assertEqual(find_key(log.getvalue()), "")

    async def send_photos(self, repeater: Any) -> None:
        """One for each form, with every status and every body of an error."""
        for number, repeater.form in enumerate(FORMS.values()):
            repeater.status = STATUSES[number % len(STATUSES)]
            repeater.error = ERRORS[number % len(ERRORS)]
            answer = await self.post()
            self.assertEqual(find_key(f"{answer.headers} {answer.content!r}"), "")
        repeater.form = next(iter(FORMS.values()))

    async def try_slot_and_key(self, name: str) -> None:
        for method, path in (
            ("post", f"/admin/settings/key/{name}/check/"),
            ("post", "/admin/event/try/slot-001/"),
            ("post", "/admin/event/check/services/"),
        ):
            answer = await getattr(self.async_client, method)(path)
            self.assertEqual(find_key(answer.content.decode()), "", path)

    async def look_everywhere(self) -> None:
        self.assertGreater(await Attempt.objects.acount(), len(FORMS) - 1)
        self.assertTrue(await CapturedRequest.objects.aexists())
        self.assertTrue(await Attempt.objects.filter(detail__contains="***").aexists())
        for model in apps.get_models():
            rows = [row async for row in model._default_manager.values()]
            self.assertEqual(find_key(repr(rows)), "", model)
        job = await Job.objects.filter(failure_detail__contains="***").afirst()
        assert job
        of_photos = [
            path
            for path in PAGES.values()
            if not {"{event}", "{over}"} & set(re.findall(r"{\w+}", path))
        ]
        paths = (path.format(job=job.pk) for path in of_photos)
        for path in itertools.chain(paths, OTHERS, [f"/api/jobs/{job.pk}"]):
            answer = await self.async_client.get(path, headers=self.token)
            self.assertLess(answer.status_code, 400, path)
            if not answer.streaming:
                self.assertEqual(find_key(answer.content.decode()), "", path)
