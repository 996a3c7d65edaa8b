"""One link and PIN for all slots of an event: what it reaches, when it ends, who makes it."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import TestCase, override_settings
from django.utils import timezone

from media.models import MediaObject
from media.services import let_on_show
from photochanger.errors import InvalidFields, ResultNotFound
from photochanger.testing.marks import both_databases
from slots.approval.decisions import decide, list_deleted, select_for_review
from slots.approval.links import (
    end_link,
    find_link,
    load_link,
    make_link,
    read_pin,
    renew_pin,
    select_good_links,
)
from slots.approval.models import ApprovalLink, ApprovalTry
from slots.approval.pin import TRIES, check_pin, forget_tries, take_turn
from slots.approval.scope import Scope
from slots.events.editing import delete_planned_event, save_event
from slots.events.running import close_event, start_event
from slots.models import Event, Slot
from slots.provider_keys import move_to_newest_key
from slots.tests.support import ConsoleTestCase
from slots.tests.test_approval import ApprovalTestCase
from slots.tests.test_events import PROMPT, make_event

pytestmark = both_databases
SLOTS = ("slot-001", "slot-002", "slot-003")
ENGLISH = {"Accept-Language": "en"}


class EventApprovalTestCase(ApprovalTestCase):
    """A wedding with two slots runs, and beside it a brand with the third."""

    def setUp(self) -> None:
        super().setUp()
        Slot.objects.filter(pk__in=SLOTS).update(settings=PROMPT, publishing="after_approval")
        self.before = self.add(9)
        self.wedding = self.start("slot-001", "slot-002", name="Wedding")
        self.brand = self.start("slot-003", name="Brand")
        self.scope = Scope(event_id=self.wedding.pk)
        self.link, self.pin = make_link(self.scope, hours=None, by="serg")
        self.page = f"/public/approval/{self.link.token}"

    def start(self, *slot_ids: str, **columns: Any) -> Event:
        return start_event(make_event(*slot_ids, **columns).pk, by="serg")

    def shoot(self, slot_id: str = "slot-001", minutes_ago: int = 0) -> MediaObject:
        """A picture as the slot makes it now: of the event that it works for."""
        media = self.add(minutes_ago, slot_id=slot_id)
        event_id = Slot.objects.get(pk=slot_id).event_id
        MediaObject.objects.filter(job_id=media.job_id).update(event_id=event_id)
        media.refresh_from_db()
        return media

    def assert_out_of_reach(self, *others: MediaObject) -> None:
        """Neither seen nor changed, by whatever address is typed."""
        for tab in ("new", "approved", "hidden", "deleted"):
            self.assertFalse({str(one.pk) for one in others} & set(self.waiting(tab)), tab)
        for media in others:
            address = f"{self.page}/pictures/{media.pk}"
            self.assertEqual(self.client.get(address).status_code, 404)
            for what in ("approve", "hide", "delete", "restore"):
                self.assertContains(self.decide(media, what, seen=media.review), "It is gone")
            left = MediaObject.objects.get(pk=media.pk)
            self.assertEqual(
                (left.review, left.cleaned_at, left.expires_at),
                (media.review, media.cleaned_at, media.expires_at),
            )


class ReachTests(EventApprovalTestCase):
    def test_all_slots_of_the_event_are_on_one_page_and_pictures_of_no_other(self) -> None:
        first, second = self.shoot("slot-001", 2), self.shoot("slot-002", 1)
        others = [self.before, self.shoot("slot-003"), self.add(slot_id="slot-004")]
        self.enter()
        page = self.client.get(self.page, headers=ENGLISH)
        self.assertContains(page, "Wedding")
        self.assertEqual(self.waiting(), [str(first.pk), str(second.pk)])
        self.assert_out_of_reach(*others)

    def test_a_trial_of_the_event_is_no_picture_of_a_guest(self) -> None:
        trial = self.add(is_listed=False)
        MediaObject.objects.filter(pk=trial.pk).update(event_id=self.wedding.pk)
        self.enter()
        self.assert_out_of_reach(trial)

    def test_it_approves_hides_deletes_and_brings_back(self) -> None:
        first, second, third = (self.shoot("slot-002", n) for n in (3, 2, 1))
        self.enter()
        self.assertContains(self.decide(first, "approve"), "Approved")
        self.assertContains(self.decide(second, "hide"), "Hidden:")
        self.assertContains(self.decide(third, "delete"), "Deleted.")
        picture = self.request(f"{self.page}/pictures/{first.pk}")
        self.assertEqual((picture.status_code, picture["Content-Type"]), (200, "image/webp"))
        self.assertEqual(self.waiting("approved"), [str(first.pk)])
        self.assertEqual(self.waiting("hidden"), [str(second.pk)])
        self.assertEqual(self.waiting("deleted"), [str(third.pk)])
        self.assertContains(self.decide(third, "restore", tab="deleted"), "It is back.")

    def test_what_another_event_has_deleted_is_not_its_to_bring_back(self) -> None:
        deleted = self.shoot("slot-003")
        decide(Scope(event_id=self.brand.pk), deleted.pk, "delete", seen="new")
        deleted.refresh_from_db()
        self.enter()
        self.assertEqual(list_deleted(self.scope), [])
        self.assert_out_of_reach(deleted)

    def test_a_slot_that_goes_on_to_the_next_event_takes_no_picture_with_it(self) -> None:
        of_wedding = self.shoot()
        close_event(self.wedding.pk, by="serg", switches_off=False)
        between = self.shoot()
        birthday = self.start("slot-001", name="Birthday")
        of_birthday = self.shoot()
        link, self.pin = make_link(Scope(event_id=birthday.pk), hours=None, by="serg")
        self.page = f"/public/approval/{link.token}"
        self.enter()
        self.assertEqual(self.waiting(), [str(of_birthday.pk)])
        self.assert_out_of_reach(of_wedding, between, self.before)

    def test_of_a_slot_that_was_taken_out_it_keeps_what_came_until_then(self) -> None:
        sooner = self.shoot("slot-002", 1)
        save_event(self.wedding, ["slot-001"], by="serg")
        later = self.shoot("slot-002")
        self.enter()
        self.assertEqual(self.waiting(), [str(sooner.pk)])
        self.assert_out_of_reach(later)

    def test_a_slots_own_link_reaches_while_it_works_for_an_event_that_ones_alone(self) -> None:
        scope, ours = Scope(slot_id="slot-001"), self.shoot()
        self.assertEqual(list(select_for_review(scope, "new")), [ours])
        with self.assertRaises(ResultNotFound):
            decide(scope, self.before.pk, "delete", seen="new")
        close_event(self.wedding.pk, by="serg", switches_off=False)
        self.assertEqual(list(select_for_review(scope, "new")), [self.before, ours])

    def test_what_looks_safe_waits_or_is_on_show_as_each_slot_has_it(self) -> None:
        Slot.objects.filter(pk="slot-002").update(publishing="sorted")
        strict, eased = self.shoot("slot-001"), self.shoot("slot-002")
        for media in (strict, eased):
            assert media.job_id
            let_on_show(media.job_id)
        self.assertEqual(list(select_for_review(self.scope, "new")), [strict])
        self.assertEqual(list(select_for_review(self.scope, "approved")), [eased])

    def test_before_the_event_there_is_nothing_to_see(self) -> None:
        planned = make_event("slot-001", name="Sunday")
        link, self.pin = make_link(Scope(event_id=planned.pk), hours=None, by="serg")
        self.shoot()
        self.page = f"/public/approval/{link.token}"
        self.assertRedirects(self.enter(), self.page)
        self.assertEqual(self.waiting(), [])


class EndTests(EventApprovalTestCase):
    def assert_over(self) -> None:
        self.assertEqual(self.client.get(self.page).status_code, 404)
        self.assertEqual(self.enter().status_code, 404)
        self.assertIsNone(load_link(self.scope))

    def test_it_ends_with_its_event_for_who_is_in_as_well(self) -> None:
        media = self.shoot()
        self.enter()
        self.assertEqual(self.waiting(), [str(media.pk)])
        close_event(self.wedding.pk, by="serg", switches_off=False)
        self.assert_over()
        self.assertEqual(self.decide(media, "delete").status_code, 404)
        self.assertEqual(self.client.get(f"{self.page}/pictures/{media.pk}").status_code, 404)
        self.assertFalse(ApprovalLink.objects.filter(event=self.wedding).exists())
        with self.assertRaises(InvalidFields):
            make_link(self.scope, hours=None, by="serg")

    def test_it_ends_also_when_a_server_of_the_release_before_closes_the_event(self) -> None:
        self.enter()
        Event.objects.filter(pk=self.wedding.pk).update(closed_at=timezone.now())
        self.assert_over()
        self.assertIsNone(renew_pin(self.scope, by="serg"))
        forget_tries()
        self.assertFalse(ApprovalLink.objects.filter(event=self.wedding).exists())

    def test_it_lasts_for_as_long_as_the_event_does(self) -> None:
        self.assertIsNone(self.link.expires_at)
        later = timezone.now() + timedelta(days=30)
        Event.objects.filter(pk=self.wedding.pk).update(ends_at=later)
        forget_tries()
        self.assertIsNotNone(find_link(self.link.token))
        cookie = self.enter().cookies["approval"]
        self.assertEqual((cookie["max-age"], cookie["path"]), (72 * 3600, self.page))

    def test_a_plan_that_is_dropped_takes_its_link_along(self) -> None:
        planned = make_event("slot-001", name="Sunday")
        link, _pin = make_link(Scope(event_id=planned.pk), hours=None, by="serg")
        self.assertTrue(delete_planned_event(planned, by="serg"))
        self.assertIsNone(find_link(link.token))

    def test_a_new_link_a_new_pin_and_the_end_put_everybody_out(self) -> None:
        media = self.shoot()
        self.enter()
        renewed = renew_pin(self.scope, by="serg")
        assert renewed is not None
        self.assertEqual(self.decide(media, "approve").status_code, 403)
        self.assertEqual(self.enter().status_code, 403)
        self.assertEqual(self.enter(renewed.pin).status_code, 302)
        replaced, pin = make_link(self.scope, hours=None, by="serg")
        self.assert_over_at(self.page)
        self.page = f"/public/approval/{replaced.token}"
        self.assertEqual(self.enter(renewed.pin).status_code, 403)
        self.assertEqual(self.enter(pin).status_code, 302)
        end_link(self.scope, by="serg")
        self.assert_over()
        self.assertTrue(select_good_links().filter(pk="slot-001").exists())

    def assert_over_at(self, page: str) -> None:
        self.assertEqual(self.client.get(page).status_code, 404)


class PinTests(EventApprovalTestCase):
    def test_a_guesser_is_stopped_and_the_slots_own_link_does_not_notice(self) -> None:
        own, pin = make_link(Scope(slot_id="slot-001"), hours=6, by="serg")
        wrong = [self.enter("00000000").status_code for _ in range(TRIES + 1)]
        self.assertEqual(wrong, [403] * TRIES + [429])
        self.assertEqual(self.enter().status_code, 429)
        self.page = f"/public/approval/{own.token}"
        self.assertEqual(self.enter(pin).status_code, 302)

    def test_a_pin_that_is_typed_while_the_link_ends_is_not_right(self) -> None:
        end_link(self.scope, by="serg")
        turn = take_turn(self.scope.key, "192.0.2.1", is_known=False)
        self.assertEqual((turn.wait_s, turn.retry_after_s), (0, 0))
        self.assertFalse(check_pin(self.scope.key, self.pin, "192.0.2.1"))

    def test_who_is_let_in_to_one_link_is_not_to_another(self) -> None:
        other, _pin = make_link(Scope(event_id=self.brand.pk), hours=None, by="serg")
        cookie = self.enter().cookies["approval"].value
        self.page = f"/public/approval/{other.token}"
        self.client.cookies["approval"] = cookie
        self.assertContains(self.client.get(self.page), 'name="pin"')
        self.assertEqual(self.enter().status_code, 403)  # nor does the other's PIN

    def test_its_pin_can_be_read_again_and_moves_to_a_new_key(self) -> None:
        self.assertEqual(read_pin(self.link), self.pin)
        self.assertNotIn(self.pin, self.link.pin_sealed + self.link.pin_hash)
        self.assertIn(self.scope.key, move_to_newest_key().current)

    def test_one_that_does_not_count_any_more_is_never_shown(self) -> None:
        sealed = self.link.pin_sealed
        renewed = renew_pin(self.scope, by="serg")
        assert renewed is not None
        renewed.link.pin_sealed = sealed  # as a half restore leaves it
        self.assertEqual(read_pin(renewed.link), "")
        with override_settings(FIELD_ENCRYPTION_KEYS=[]):
            self.assertEqual(read_pin(self.link), "")

    def test_a_slots_pin_is_kept_nowhere(self) -> None:
        own, _pin = make_link(Scope(slot_id="slot-001"), hours=6, by="serg")
        self.assertEqual((own.pin_sealed, read_pin(own)), ("", ""))

    def test_without_a_key_the_link_works_and_the_pin_is_told_once(self) -> None:
        with override_settings(FIELD_ENCRYPTION_KEYS=[]):
            self.link, self.pin = make_link(self.scope, hours=None, by="serg")
        self.page = f"/public/approval/{self.link.token}"
        self.assertEqual((self.link.pin_sealed, self.enter().status_code), ("", 302))


class ReleaseBeforeTests(TestCase):
    def test_a_server_of_the_release_before_makes_links_and_counts_wrong_pins(self) -> None:
        now = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO approval_link (slot_id, token, pin_hash, session_key, expires_at,"
                " next_try_at, made_by) VALUES ('slot-002', 'abc', 'x', 'y', %s, %s, 'serg')",
                [now + timedelta(hours=1), now],
            )
            cursor.execute(
                "INSERT INTO approval_try (link_id, source, failed_at)"
                " VALUES ('slot-002', '192.0.2.1', %s)",
                [now],
            )
        link = find_link("abc")
        assert link is not None
        self.assertEqual((link.key, link.event_id, link.pin_sealed), ("slot-002", None, ""))
        self.assertEqual(ApprovalTry.objects.get().link, link)


class ConsoleTests(ConsoleTestCase):
    def setUp(self) -> None:
        super().setUp()
        Slot.objects.filter(pk__in=SLOTS).update(settings=PROMPT)
        self.event = make_event("slot-001", "slot-002")
        self.page = f"/admin/events/{self.event.pk}/approval/"

    def press(self, act: str, **more: str) -> Any:
        return self.client.post(self.page, {"do": act, **more}, headers=ENGLISH)

    def test_each_act_is_asked_about_first(self) -> None:
        self.assertContains(self.press("link"), 'name="confirmed"')
        self.assertFalse(ApprovalLink.objects.exists())
        made = self.press("link", confirmed="1")
        link = ApprovalLink.objects.get()
        for act in ("link", "pin", "end"):
            self.assertContains(self.press(act), 'name="confirmed"')
            self.assertEqual(ApprovalLink.objects.get().session_key, link.session_key)
        self.assertContains(made, f"/public/approval/{link.token}")
        self.assertRegex(made.context["pin"], r"^\d{4} \d{4}$")
        self.assertIn("no-store", made["Cache-Control"])
        again = self.client.get(self.page)
        self.assertNotContains(again, made.context["pin"])
        self.assertEqual(self.client.get(f"{self.page}qr.svg").status_code, 200)
        self.press("pin", confirmed="1")
        self.assertNotEqual(ApprovalLink.objects.get().session_key, link.session_key)
        self.press("end", confirmed="1")
        self.assertFalse(ApprovalLink.objects.exists())
        self.assertEqual(self.client.get(f"{self.page}qr.svg").status_code, 404)

    def test_only_administrators_make_and_see_links(self) -> None:
        make_link(Scope(event_id=self.event.pk), hours=None, by="serg")
        self.client.force_login(User.objects.create(username="guest", is_staff=True))
        for path in (self.page, f"{self.page}qr.svg"):
            self.assertEqual(self.client.get(path).status_code, 302)
        self.assertEqual(self.press("end", confirmed="1").status_code, 302)
        self.assertTrue(ApprovalLink.objects.exists())

    def test_the_events_page_leads_there_until_the_event_is_over(self) -> None:
        page = f"/admin/events/{self.event.pk}/"
        self.assertContains(self.client.get(page), 'id="helper"')
        start_event(self.event.pk, by="serg")
        self.press("link", confirmed="1")
        self.assertContains(self.client.get(page, headers=ENGLISH), "There is a link, made by serg")
        close_event(self.event.pk, by="serg", switches_off=False)
        self.assertNotContains(self.client.get(page), 'id="helper"')
        self.assertRedirects(self.press("link", confirmed="1"), page)
        self.assertFalse(ApprovalLink.objects.exists())

    def test_it_says_which_pictures_wait_for_nobody(self) -> None:
        Slot.objects.filter(pk="slot-002").update(publishing="after_approval")
        told = self.client.get(self.page).content.decode()
        told = told[told.index('id="at-once"') :].partition("</p>")[0]
        self.assertEqual(("slot-001" in told, "slot-002" in told), (True, False))
