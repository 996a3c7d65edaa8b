from django.contrib.auth.models import User
from django.test import TestCase

from slots.models import Slot
from slots.passwords import set_ingest_password
from slots.provider_keys import set_provider_key


class PlainAdminTests(TestCase):
    def setUp(self) -> None:
        serg = User.objects.create_superuser("serg", password="x")
        self.client.force_login(serg)

    def test_every_model_has_its_pages(self) -> None:
        for page in (
            "slots/slot/",
            "slots/slot/slot-001/change/",
            "slots/setting/",
            "ingest/job/",
            "media/mediaobject/",
        ):
            with self.subTest(page=page):
                self.assertEqual(self.client.get(f"/admin/{page}").status_code, 200)

    def test_no_page_shows_a_hash_or_a_key(self) -> None:
        set_ingest_password("123456", by="serg")
        set_provider_key("gemini", "secret-key", by="serg")
        for page in (
            "slots/setting/",
            "slots/setting/ingest_password_hash/change/",
            "slots/setting/provider.gemini/change/",
            "slots/slot/slot-001/change/",
        ):
            body = self.client.get(f"/admin/{page}").content.decode()
            with self.subTest(page=page):
                self.assertNotIn("$2b$", body)
                self.assertNotIn("gAAAA", body)

    def test_a_saved_slot_is_a_new_version_by_its_author(self) -> None:
        form = {
            "display_name": "Nebula",
            "provider": "gemini",
            "operation": "image_edit",
            "recipe-gemini-prompt": "A nebula",
            "is_active": "true",
            "size_limit_mb": "15",
            "on_failure": "error",
        }
        answer = self.client.post("/admin/slots/slot/slot-001/change/", form)
        self.assertEqual(answer.status_code, 302)
        slot = Slot.objects.get(pk="slot-001")
        self.assertEqual((slot.version, slot.updated_by), (2, "serg"))
        wrong = self.client.post(
            "/admin/slots/slot/slot-001/change/", form | {"recipe-gemini-prompt": ""}
        )
        self.assertContains(wrong, "errornote")
        self.assertEqual(Slot.objects.get(pk="slot-001").version, 2)

    def test_slots_are_neither_added_nor_deleted(self) -> None:
        self.assertEqual(self.client.get("/admin/slots/slot/add/").status_code, 403)
        self.assertEqual(self.client.get("/admin/slots/slot/slot-001/delete/").status_code, 403)

    def test_a_guest_sees_the_login_only(self) -> None:
        self.client.logout()
        self.assertRedirects(self.client.get("/"), "/admin/", fetch_redirect_response=False)
        self.assertRedirects(
            self.client.get("/admin/"), "/admin/login/?next=/admin/", fetch_redirect_response=False
        )

    def test_a_login_that_was_sent_to_another_site_ends_in_the_console(self) -> None:
        User.objects.create_superuser("olga", password="correct-horse-battery")
        form = {"username": "olga", "password": "correct-horse-battery"}
        for elsewhere in ("//evil.example", "https://evil.example/", "\\\\evil.example", ""):
            self.client.logout()
            page = f"/admin/login/?next={elsewhere}"
            self.assertEqual(self.client.get(page).status_code, 200)
            with self.subTest(elsewhere):
                answer = self.client.post(page, form | {"next": elsewhere})
                self.assertRedirects(answer, "/admin/")
