"""The settings page over HTTP."""

from datetime import timedelta

from slots.models import Setting
from slots.platform_settings import load_platform_settings
from slots.settings_editing import read_settings
from slots.tests.support import ConsoleTestCase

SETTINGS = "/admin/slots/setting/"


class SettingsPageTests(ConsoleTestCase):
    def form(self, **changes: object) -> dict[str, object]:
        now = read_settings().model_dump()
        names = [
            *("sync_response_seconds", "result_ttl_hours", "gallery_size", "hash_check", "faces"),
            *("max_jobs_per_slot", "max_jobs_per_provider", "galleries"),
        ]
        ticks = ("replay_by_hash",)
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
        form = self.form(**secrets, galleries="closed")
        answer = self.client.post(SETTINGS, form, follow=True)
        self.assertEqual(load_platform_settings().galleries, "closed")
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
