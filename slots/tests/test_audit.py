"""The page of all changes."""

from datetime import timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.http import urlencode

from photochanger.testing.marks import both_databases
from slots.schemas import SettingsIn
from slots.services import purge_pictures
from slots.settings_editing import save_settings
from slots.tests.test_history_page import PagesTestCase

pytestmark = both_databases


class AuditPageTests(PagesTestCase):
    def audit(self, **filters: Any) -> Any:
        return self.client.get(f"/admin/audit/?{urlencode(filters)}")

    def test_it_tells_of_slots_settings_and_people(self) -> None:
        self.change(display_name="Nebula")
        save_settings(SettingsIn(sync_response_seconds=31), by="serg")
        LogEntry.objects.log_actions(self.serg.pk, [self.serg], 1, "", single_object=True)
        purge_pictures(None, by="serg")
        page = self.audit()
        for words in (
            "Файл: slot-001 – slot-015",
            "Удалено 0 файлов",
            "Слот slot-001: Nebula",
            "Настройки",
            "31",
            "Пользователь: serg",
            "Добавлено",
        ):
            self.assertIn(words, " ".join(page.content.decode().split()))

    def test_it_is_filtered_by_who_what_and_day(self) -> None:
        igor = User.objects.create_superuser("igor", password="x")
        self.change(display_name="Nebula")
        save_settings(SettingsIn(sync_response_seconds=31), by=igor.username)
        old = LogEntry.objects.get(user=self.serg)
        LogEntry.objects.filter(pk=old.pk).update(action_time=timezone.now() - timedelta(days=3))
        day = timezone.localdate()
        for filters, count in (
            ({"by": "serg"}, 1),
            ({"by": "nobody"}, 0),
            ({"what": "slot:slot-001"}, 1),
            ({"what": "slot:slot-002"}, 0),
            ({"what": "settings"}, 1),
            ({"what": "others"}, 0),
            ({"day": f"{day}"}, 1),
            ({"day": f"{day - timedelta(days=3)}", "by": "serg"}, 1),
            ({"day": "yesterday"}, 2),
            ({"page": "x"}, 2),
        ):
            with self.subTest(filters=filters):
                self.assertEqual(self.audit(**filters).content.count(b'class="entry-head"'), count)

    def test_many_changes_have_pages_and_few_queries(self) -> None:
        for number in range(35):
            self.change(display_name=f"Nebula {number}")
        with self.assertNumQueries(6):
            page = self.audit(what="slot:slot-001")
        self.assertContains(page, "?what=slot%3Aslot-001&amp;page=2")
