"""The console's settings page, and the page of a slot's pictures."""

import io
import uuid
import zipfile
from datetime import timedelta

from django.contrib.auth.models import User
from django.test import TestCase
from django.utils import timezone

from media import storage
from media.models import MediaObject
from photochanger.db import in_db
from slots.models import Setting, Slot
from slots.platform_settings import load_platform_settings
from slots.settings_editing import read_settings

SETTINGS = "/admin/slots/setting/"
PICTURES = "/admin/slots/slot/slot-001/pictures/"


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


class SettingsPageTests(ConsoleTestCase):
    def form(self, **changes: object) -> dict[str, object]:
        now = read_settings().model_dump()
        names = [
            *("sync_response_seconds", "result_ttl_hours", "gallery_size", "hash_check"),
            *("max_jobs_per_slot", "max_jobs_per_provider"),
        ]
        ticks = ("galleries_open", "replay_by_hash")
        on = {name: "on" for name in ticks if now[name]}
        seen = {f"initial-{name}": now[name] for name in (*names, *ticks)}
        return {name: now[name] for name in names} | on | seen | changes

    def test_a_shorter_time_applies_to_what_is_there_and_the_page_says_so(self) -> None:
        media = self.result()
        page = self.client.get(SETTINGS, headers={"Accept-Language": "ru"})
        self.assertContains(page, "Также и тех, что уже есть")
        answer = self.client.post(SETTINGS, self.form(result_ttl_hours=2), follow=True)
        self.assertEqual(answer.redirect_chain, [(SETTINGS, 302)])
        media.refresh_from_db()
        self.assertEqual(media.expires_at, media.created_at + timedelta(hours=2))
        self.assertEqual(Setting.objects.get(pk="result_ttl_hours").updated_by, "serg")

    def test_a_wrong_value_is_told_beside_its_field_and_nothing_is_saved(self) -> None:
        form = self.form(sync_response_seconds=61, gallery_size=12)
        answer = self.client.post(SETTINGS, form)
        self.assertEqual(list(answer.context["form"].errors), ["sync_response_seconds"])
        self.assertEqual(load_platform_settings().gallery_size, 10)

    def test_all_galleries_close_at_once_and_secrets_are_never_shown(self) -> None:
        secrets = {"ingest_password": "hall-secret-1", "key_of_gemini": "AIza-hall-key"}
        form = self.form(**secrets)
        del form["galleries_open"]
        answer = self.client.post(SETTINGS, form, follow=True)
        self.assertFalse(load_platform_settings().galleries_open)
        self.assertEqual(read_settings().provider_keys["gemini"].source, "console")
        for secret in secrets.values():
            self.assertNotContains(answer, secret)

    def test_a_secret_left_empty_stays(self) -> None:
        self.client.post(SETTINGS, self.form(ingest_password="hall-secret-1"))
        before = load_platform_settings().ingest_password_hash
        self.client.post(SETTINGS, self.form(gallery_size=12))
        self.assertEqual(load_platform_settings().ingest_password_hash, before)
        self.assertEqual(load_platform_settings().gallery_size, 12)

    def test_what_somebody_else_has_changed_meanwhile_stays(self) -> None:
        mine = self.form(gallery_size=12)
        self.client.post(SETTINGS, self.form(result_ttl_hours=24))
        self.client.post(SETTINGS, mine)
        now = load_platform_settings()
        self.assertEqual((now.gallery_size, now.result_ttl_hours), (12, 24))

    def test_a_key_is_removed_after_a_yes_and_the_rest_stays(self) -> None:
        self.client.post(SETTINGS, self.form(key_of_gemini="AIza-hall-key"))
        remove = "/admin/settings/key/gemini/remove/"
        self.assertContains(self.client.post(remove), "confirmed")
        self.assertEqual(read_settings().provider_keys["gemini"].source, "console")
        part = self.client.post(remove, {"confirmed": "1"}, headers={"HX-Request": "true"})
        self.assertContains(part, 'id="new-toasts"')
        self.assertNotEqual(read_settings().provider_keys["gemini"].source, "console")
        self.assertEqual(self.client.post(f"{remove}x").status_code, 404)

    def test_wrong_secrets_are_told_beside_their_fields(self) -> None:
        form = self.form(ingest_password="short", key_of_gemini="two words")
        answer = self.client.post(SETTINGS, form)
        wrong = {"ingest_password", "key_of_gemini"}
        self.assertLessEqual(set(answer.context["form"].errors), wrong)
        self.assertNotContains(answer, "two words")

    def test_it_asks_little_of_the_database(self) -> None:
        with self.assertNumQueries(3):
            self.client.get(SETTINGS)


class PicturesPageTests(ConsoleTestCase):
    async def test_it_offers_a_zip_of_a_time_range(self) -> None:
        old, new = await in_db(self.two_results)
        await self.async_client.aforce_login(self.serg)
        self.assertContains(await self.async_client.get(PICTURES), "results.zip")
        since = timezone.localtime() - timedelta(hours=1)
        answer = await self.async_client.get(
            "/admin/slots/slot/slot-001/results.zip", {"since": f"{since:%Y-%m-%dT%H:%M}"}
        )
        body = b"".join([piece async for piece in answer.streaming_content])
        self.assertEqual(len(body), int(answer["Content-Length"]))
        (name,) = zipfile.ZipFile(io.BytesIO(body)).namelist()
        self.assertIn(str(new.job_id)[:8], name)

    def two_results(self) -> tuple[MediaObject, MediaObject]:
        """One of five hours ago, one of now."""
        old, new = self.result(), self.result()
        MediaObject.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=5))
        return old, new

    def test_nothing_is_deleted_before_the_word_is_typed(self) -> None:
        mine, others = self.result(), self.result("slot-002")
        answer = self.client.post(PICTURES, {"confirm": "yes"}, follow=True)
        self.assertEqual([m.level_tag for m in answer.context["messages"]], ["error"])
        self.assertTrue(storage.read(mine.path))
        self.client.post(PICTURES, {"confirm": "slot-001"})
        mine.refresh_from_db()
        others.refresh_from_db()
        self.assertIsNotNone(mine.cleaned_at)
        self.assertIsNone(others.cleaned_at)

    def test_all_slots_can_be_emptied(self) -> None:
        found = [self.result(slot.pk) for slot in Slot.objects.all()[:3]]
        self.client.post("/admin/slots/slot/pictures/", {"confirm": "everything"})
        live = MediaObject.objects.filter(pk__in=[m.pk for m in found], cleaned_at__isnull=True)
        self.assertFalse(live.exists())

    def test_a_slot_links_to_it_and_an_unknown_one_has_none(self) -> None:
        self.assertContains(self.client.get("/admin/slots/slot/slot-001/change/"), PICTURES)
        self.assertEqual(self.client.get("/admin/slots/slot/slot-099/pictures/").status_code, 404)
