"""The event's page says which pictures wait for approval, and whether somebody can give it."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from ingest.tests.test_event import EVENT, ConsoleTestCase
from media.models import MediaObject
from photochanger.testing.marks import both_databases
from slots.approval.links import make_link
from slots.models import Slot
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
        make_link("slot-001", hours=6, by="serg")
        page = self.client.get(EVENT, headers={"Accept-Language": "ru"})
        self.assertContains(page, "ждут 3 картинки")
        self.assertNotContains(page, "Одобрить некому")
