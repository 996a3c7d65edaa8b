"""Values that no row can hold are the caller's mistake, and no sign of a sick database."""

from django.contrib.auth.models import User
from django.db import transaction

from ingest.tests.support import IngestTestCase
from photochanger.testing.client import Client
from photochanger.testing.marks import both_databases
from photochanger.web.tokens import AdminToken
from slots.models import Slot

FAR_EAST = "2027-01-01T00:00:00%2B16:00"  # nobody lives there, and PostgreSQL refuses it


@both_databases
class BadValueTests(IngestTestCase):
    def setUp(self) -> None:
        super().setUp()
        admin = User.objects.create_superuser("boss", password="x")
        self.console, self.api = (
            Client(),
            Client(HTTP_AUTHORIZATION=f"Bearer {AdminToken.for_user(admin)}"),
        )
        self.console.force_login(admin)

    def test_a_zero_in_an_address_is_a_page_that_is_not_there(self) -> None:
        for page in ("change/", "history/", "pictures/", "results.zip", "reserve/", "copy/"):
            with self.subTest(page=page):
                savepoint = transaction.savepoint()
                found = self.console.get(f"/admin/slots/slot/%00/{page}")
                self.assertIn(found.status_code, (302, 404, 405))
                transaction.savepoint_rollback(savepoint)

    def test_a_moment_in_any_zone_is_taken(self) -> None:
        found = self.api.get(f"/api/slots/slot-001/results.zip?since={FAR_EAST}")
        self.assertEqual(found.status_code, 200)
        until = FAR_EAST.replace("%2B", "+")
        changed = self.api.put(
            "/api/slots/slot-003", {"gallery_until": until}, content_type="application/json"
        )
        self.assertEqual(changed.status_code, 200, changed.content[:300])
        stored = Slot.objects.get(pk="slot-003").gallery_until
        assert stored is not None
        self.assertEqual(stored.isoformat(), "2026-12-31T08:00:00+00:00")
