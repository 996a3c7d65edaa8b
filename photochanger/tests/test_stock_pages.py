"""Django's own pages as they are here: files with pictures, administrators to look at."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import TestCase
from django.utils import timezone

from media.models import MediaObject
from photochanger.testing.marks import both_databases
from slots.history.records import COMMAND, find_author, write_settings
from slots.models import Slot

pytestmark = both_databases

FILES, PEOPLE = "/admin/media/mediaobject/", "/admin/auth/user/"


class StockPageTestCase(TestCase):
    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("serg"))


class FilesTests(StockPageTestCase):
    def add(
        self, kind: str, name: str, *, hours: int = 1, job_id: str | None = None
    ) -> MediaObject:
        return MediaObject.objects.create(
            **{"slot_id": "slot-001", "kind": kind, "path": name, "mime": "image/jpeg"},
            **{"size_bytes": 2_500_000, "job_id": job_id},
            expires_at=timezone.now() + timedelta(hours=hours),
        )

    def test_what_can_be_shown_is_shown_small_with_its_size_in_megabytes(self) -> None:
        job_id = "00000000-0000-4000-8000-000000000001"
        self.add("result", "results/one", job_id=job_id)
        template = self.add("template", "templates/one")
        page = self.client.get(FILES)
        self.assertContains(page, f'src="/public/results/{job_id}/preview"')
        self.assertContains(page, f"/admin/slots/slot/slot-001/templates/{template.pk.hex}/")
        self.assertContains(page, "2,4\xa0МБ", count=2)
        self.assertNotContains(page, "results/one")

    def test_what_guests_have_sent_and_what_is_over_is_not_shown(self) -> None:
        self.add("provider_input", "inputs/one")
        self.add("test_photo", "tests/one")
        self.add("result", "results/two", hours=-1, job_id="00000000-0000-4000-8000-000000000002")
        self.assertNotContains(self.client.get(FILES), "<img class")


class AdministratorsTests(StockPageTestCase):
    def test_they_are_listed_with_the_way_to_add_one_and_nothing_can_be_changed(self) -> None:
        igor = User.objects.create_superuser("igor", password="x")
        page = self.client.get(PEOPLE)
        self.assertContains(page, "igor")
        self.assertContains(page, "manage.py sync_admins")
        self.assertNotContains(page, "addlink")
        self.assertEqual(self.client.get(f"{PEOPLE}add/").status_code, 403)
        self.assertEqual(self.client.post(f"{PEOPLE}{igor.pk}/delete/").status_code, 403)
        answer = self.client.post(f"{PEOPLE}{igor.pk}/change/", {"username": "eve"})
        self.assertEqual(answer.status_code, 403)
        page = self.client.get(f"{PEOPLE}{igor.pk}/change/")
        self.assertNotContains(page, "pbkdf2")
        self.assertNotContains(page, 'name="_save"')

    def test_the_author_of_commands_is_no_administrator_and_is_told_in_words(self) -> None:
        write_settings({}, {"ingest_password": "changed"}, by="manage.py booth_password")
        self.assertEqual(find_author("manage.py booth_password").username, COMMAND)
        self.assertNotContains(self.client.get(PEOPLE), ">manage.py<")
        audit = self.client.get("/admin/audit/")
        self.assertContains(audit, "из командной строки")
        self.assertNotContains(audit, "· manage.py")

    def test_there_is_no_way_to_an_objects_page_on_a_site(self) -> None:
        for key in ("slot-001", "1"):
            self.assertEqual(self.client.get(f"/admin/r/1/{key}/").status_code, 404)
            slots = ContentType.objects.get_for_model(Slot).pk
            self.assertEqual(self.client.get(f"/admin/r/{slots}/{key}/").status_code, 404)
