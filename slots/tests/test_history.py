"""Who changed what of a slot or of the settings, whichever way it was changed."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import TestCase
from django.utils import timezone

from media.models import MediaObject
from photochanger.errors import InvalidFields, VersionConflict
from photochanger.testing.marks import both_databases
from slots.editing import change_slot, delete_template
from slots.history.records import (
    COMMAND,
    Change,
    Record,
    get_author_name,
    read_record,
    read_removed_files,
)
from slots.models import Slot
from slots.schemas import SettingsIn, SlotIn
from slots.services import find_slot, purge_pictures, save_slot
from slots.settings_editing import save_settings

pytestmark = both_databases


def records() -> list[Record]:
    """Newest first."""
    found = [read_record(entry) for entry in LogEntry.objects.order_by("-pk")]
    assert all(found)
    return [one for one in found if one]


class HistoryTestCase(TestCase):
    serg: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.serg = User.objects.create_superuser("serg", password="x")
        recipe = {"prompt": "As an oil painting"}
        Slot.objects.filter(pk="slot-001").update(is_active=True, settings=recipe)

    def change(self, **values: Any) -> Slot:
        return change_slot("slot-001", SlotIn(**values), by="serg")

    def picture(self) -> dict[str, str]:
        media = MediaObject.objects.create(
            slot_id="slot-001",
            kind=MediaObject.Kind.TEMPLATE,
            path=f"template/{MediaObject.objects.count()}.jpg",
            mime="image/jpeg",
            size_bytes=1,
            expires_at=timezone.now() + timedelta(hours=1),
        )
        return {"media_kind": "style", "media_object_id": media.pk.hex}


class WrittenTests(HistoryTestCase):
    def test_a_change_is_told_field_by_field_with_its_author(self) -> None:
        self.change(display_name="Nebula", settings={"prompt": "A nebula", "model": "m"})
        (record,) = records()
        self.assertEqual(
            record.changes,
            [
                Change("display_name", "Слот 1", "Nebula"),
                Change("settings.prompt", "As an oil painting", "A nebula"),
                Change("settings.model", None, "m"),
            ],
        )
        entry = LogEntry.objects.get()
        self.assertEqual((entry.user, entry.object_id, record.by), (self.serg, "slot-001", "serg"))
        self.assertEqual(record.version, 2)
        self.assertIn("Промпт", entry.get_change_message())

    def test_a_command_is_told_by_a_user_who_cannot_log_in(self) -> None:
        call_command("slot", "slot-001", "--name", "Nebula", stdout=StringIO())
        entry = LogEntry.objects.get()
        self.assertEqual((entry.user.username, entry.user.is_active), (COMMAND, False))
        self.assertFalse(entry.user.has_usable_password())
        self.assertEqual(records()[0].by, "manage.py slot")

    def test_a_password_is_told_as_changed_and_never_shown(self) -> None:
        self.change(ingest_password="booth-secret-1")
        self.change(ingest_password="booth-secret-2")
        self.change(ingest_password="")
        told = [[(one.place, one.was, one.now) for one in record.changes] for record in records()]
        self.assertEqual(
            told,
            [
                [("ingest_password", None, "removed")],
                [("ingest_password", None, "changed")],
                [("ingest_password", None, "changed")],
            ],
        )
        for entry in LogEntry.objects.all():
            self.assertNotIn("booth-secret", entry.change_message)
            self.assertNotIn("$2b$", entry.change_message)

    def test_template_pictures_are_part_of_it(self) -> None:
        first = self.picture()
        self.change(template_media=[first])
        delete_template(first["media_object_id"], by="serg")
        self.assertEqual(
            [record.changes for record in records()],
            [[Change("template_media", [first], [])], [Change("template_media", [], [first])]],
        )

    def test_what_changes_nothing_or_fails_is_no_change(self) -> None:
        self.change(display_name="Слот 1")
        with self.assertRaises(InvalidFields):
            self.change(size_limit_mb=20, settings={"prompt": ""})
        with self.assertRaises(VersionConflict):
            self.change(display_name="late", version=1)
        stale = find_slot("slot-001")
        self.change(display_name="first")
        stale.display_name = "second"
        with self.assertRaises(VersionConflict):
            save_slot(stale, by="serg")
        self.assertEqual(LogEntry.objects.count(), 1)

    def test_the_settings_are_told_too_without_keys_and_passwords(self) -> None:
        save_settings(
            SettingsIn(
                sync_response_seconds=30,
                ingest_password="booth-secret",
                provider_keys={"gemini": "secret-key", "turbotext": None},
            ),
            by="serg",
        )
        entry = LogEntry.objects.get()
        places = {one.place: (one.was, one.now) for one in records()[0].changes}
        self.assertEqual(
            places,
            {
                "sync_response_seconds": (48, 30),
                "ingest_password": (None, "changed"),
                "provider_keys.gemini": (None, "changed"),
                "provider_keys.turbotext": (None, "removed"),
            },
        )
        for secret in ("booth-secret", "secret-key", "$2b$", "gAAAA"):
            self.assertNotIn(secret, entry.change_message)
        self.assertEqual(json.loads(entry.change_message)[0]["changed"]["by"], "serg")

    def test_the_deletion_of_all_pictures_is_told(self) -> None:
        for slot_id, key in (("slot-001", "slot-001"), (None, "")):
            purge_pictures(slot_id, by="serg")
            entry = LogEntry.objects.latest("pk")
            self.assertEqual(
                (entry.object_id, get_author_name(entry), read_removed_files(entry)),
                (key, "serg", 0),
            )
            self.assertIsNone(read_record(entry))
