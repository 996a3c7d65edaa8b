"""The event's page says which pictures wait for approval, and whether somebody can give it; and the
card for the helper says how."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from ingest.events.purge import purge_event
from ingest.tests.test_event import EVENT, ConsoleTestCase
from media.models import MediaObject
from photochanger.testing.marks import both_databases
from slots.approval.links import make_link
from slots.approval.models import ApprovalLink, ApprovalTry
from slots.approval.pin import take_turn
from slots.approval.scope import Scope
from slots.events.running import close_event, start_event
from slots.models import Slot
from slots.tests.test_events import PROMPT, make_event
from stats.tests.support import job

ENGLISH = {"Accept-Language": "en"}


@both_databases
class ApprovalTests(ConsoleTestCase):
    def make_results(self, count: int, review: str) -> None:
        for _ in range(count):
            photo = job()
            photo.save()
            MediaObject.objects.create(
                job_id=photo.pk,
                slot_id="slot-001",
                kind=MediaObject.Kind.RESULT,
                path=f"results/slot-001/{photo.pk}/payload.jpg",
                mime="image/jpeg",
                size_bytes=1,
                sha256="x",
                review=review,
                expires_at=timezone.now() + timedelta(hours=1),
            )

    def test_nothing_is_said_where_pictures_appear_at_once(self) -> None:
        self.make_results(2, MediaObject.Review.NEW)
        self.assertNotContains(self.client.get(EVENT, headers=ENGLISH), 'id="approvals"')

    def test_what_looks_safe_waits_only_where_everything_does(self) -> None:
        self.make_results(2, MediaObject.Review.NEW)
        self.make_results(1, MediaObject.Review.SAFE)
        for publishing, waiting in (("sorted", 2), ("after_approval", 3)):
            self.on(publishing=publishing)
            self.assertContains(self.client.get(EVENT, headers=ENGLISH), f"{waiting} pictures wait")

    def test_it_counts_what_waits_and_leads_to_link_and_pin(self) -> None:
        self.on(publishing=Slot.Publishing.AFTER_APPROVAL)
        self.make_results(3, MediaObject.Review.NEW)
        self.make_results(1, MediaObject.Review.APPROVED)
        page = self.client.get(EVENT, headers=ENGLISH)
        self.assertContains(page, "3 pictures wait")
        self.assertContains(page, "Nobody can approve: there is no link yet.")
        self.assertContains(page, f'href="{reverse("admin:slot_approval", args=["slot-001"])}"')
        make_link(Scope(slot_id="slot-001"), hours=6, by="serg")
        page = self.client.get(EVENT, headers={"Accept-Language": "ru"})
        self.assertContains(page, "ждут 3 картинки")
        self.assertNotContains(page, "Одобрить некому")

    def test_the_link_of_its_event_serves_a_slot_as_well(self) -> None:
        self.on(publishing=Slot.Publishing.AFTER_APPROVAL, settings=PROMPT)
        event = start_event(make_event("slot-001").pk, by="serg")
        address = reverse("admin:events_approval", args=[event.pk])
        page = self.client.get(EVENT, headers=ENGLISH)
        self.assertContains(page, "Nobody can approve")
        self.assertContains(page, f'href="{address}"')
        make_link(Scope(event_id=event.pk), hours=None, by="serg")
        self.assertNotContains(self.client.get(EVENT, headers=ENGLISH), "Nobody can approve")


@both_databases
@override_settings(PUBLIC_BASE_URL="https://photos.example.com")
class HelperCardTests(TestCase):
    OWN = "correct-horse-battery"

    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("serg", password=self.OWN))
        Slot.objects.filter(pk="slot-001").update(settings=PROMPT)
        self.event = make_event("slot-001")
        self.scope = Scope(event_id=self.event.pk)

    def print_pack(self) -> Any:
        return self.client.get(f"/admin/events/{self.event.pk}/print/", headers=ENGLISH)

    def print_with_passwords(self, own: str = OWN) -> Any:
        address = f"{reverse('admin:booth_passwords')}?event={self.event.pk}"
        return self.client.post(address, {"own_password": own}, headers=ENGLISH)

    def test_it_has_link_and_code_and_the_pin_for_who_confirms_to_be_there(self) -> None:
        self.assertNotContains(self.print_pack(), 'id="helper-address"')
        link, pin = make_link(self.scope, hours=None, by="serg")
        shown, address = f"{pin[:4]} {pin[4:]}", f"/public/approval/{link.token}"
        pack = self.print_pack()
        self.assertContains(pack, f"https://photos.example.com{address}</code>")
        self.assertContains(pack, reverse("admin:events_approval_qr", args=[self.event.pk]))
        self.assertNotContains(pack, shown)
        wrong = self.print_with_passwords("wrong")
        for secret in (shown, address):
            self.assertNotContains(wrong, secret)
            self.assertContains(self.print_with_passwords(), secret)

    def test_a_pin_that_cannot_be_read_is_made_anew(self) -> None:
        make_link(self.scope, hours=None, by="serg")
        ApprovalLink.objects.update(pin_sealed="")
        self.assertContains(self.print_with_passwords(), "it cannot be read: make a new one")

    def test_the_sheet_of_no_event_has_no_card(self) -> None:
        make_link(self.scope, hours=None, by="serg")
        page = self.client.post(reverse("admin:booth_passwords"), {"own_password": self.OWN})
        self.assertContains(page, 'id="booth-title"')
        self.assertNotContains(page, 'id="card-title"')

    def test_nothing_of_the_link_is_left_when_the_event_is_purged(self) -> None:
        link, _pin = make_link(self.scope, hours=None, by="serg")
        take_turn(link.pk, "192.0.2.1", is_known=False)
        start_event(self.event.pk, by="serg")
        close_event(self.event.pk, by="serg", switches_off=False)
        purge_event(self.event.pk, by="serg")
        self.assertFalse(ApprovalLink.objects.exists() or ApprovalTry.objects.exists())
        self.assertNotContains(self.print_pack(), "/public/approval/")
