"""What the public sees only after somebody has approved it, and the page to do it on."""

import itertools
from datetime import timedelta
from typing import Any
from unittest import mock

from django.test import override_settings
from django.utils import timezone

from media.models import MediaObject
from media.services import let_on_show, select_listed_results
from photochanger.testing.marks import both_databases
from slots.approval import pin as pin_module
from slots.approval.decisions import decide, list_deleted
from slots.approval.links import end_link, make_link, renew_pin
from slots.approval.models import ApprovalLink, ApprovalTry
from slots.approval.pin import TRIES, forget_tries, take_turn
from slots.approval.scope import Scope
from slots.models import Slot
from slots.platform_settings import change_settings
from slots.tests.support import AdminTestCase, ConsoleTestCase
from slots.tests.test_gallery import BROWSER, SLOT, GalleryTestCase

pytestmark = both_databases
SCOPE = Scope(slot_id="slot-001")


class ApprovalTestCase(GalleryTestCase):
    def setUp(self) -> None:
        super().setUp()
        Slot.objects.filter(pk="slot-001").update(publishing="after_approval")
        self.link, self.pin = make_link(SCOPE, hours=12, by="serg")
        self.page = f"/public/approval/{self.link.token}"
        # The line moves on by the clock; tests do not wait for it.
        self.enterContext(mock.patch.object(pin_module, "PACE", timedelta(0)))

    def enter(self, pin: str | None = None, **extra: Any) -> Any:
        return self.client.post(self.page, {"pin": pin or self.pin}, **extra)

    def decide(self, media: MediaObject, what: str, *, seen: str = "new", tab: str = "new") -> Any:
        address = f"{self.page}/pictures/{media.pk}"
        form = {"do": what, "seen": seen, "tab": tab}
        return self.client.post(address, form, follow=True, headers={"Accept-Language": "en"})

    def waiting(self, tab: str = "new") -> list[str]:
        page = self.client.get(f"{self.page}?tab={tab}").content.decode()
        return self.tiles(page)


class PublishingTests(ApprovalTestCase):
    def test_the_public_sees_what_was_approved_and_nothing_else(self) -> None:
        approved, waiting, hidden = self.add(1), self.add(), self.add(2)
        decide(SCOPE, approved.pk, "approve", seen="new")
        decide(SCOPE, hidden.pk, "hide", seen="new")
        self.assertEqual(self.listed(), self.ids(approved))
        for tail in ("", "?format=fragment"):
            page = self.request(SLOT + tail, Accept=BROWSER).body.decode()
            self.assertIn(str(approved.view_id), page)
            for other in (waiting, hidden):
                self.assertNotIn(str(other.view_id), page)

    def test_at_once_shows_all_but_what_is_hidden(self) -> None:
        Slot.objects.update(publishing="at_once")
        first, hidden = self.add(1), self.add()
        self.assertEqual(self.listed(), self.ids(hidden, first))
        decide(SCOPE, hidden.pk, "hide", seen="new")
        self.assertEqual(self.listed(), self.ids(first))

    def test_what_looks_safe_is_on_show_and_the_rest_waits(self) -> None:
        Slot.objects.update(publishing="sorted")
        safe, approved, waiting = self.add(1), self.add(2), self.add()
        let_on_show(safe.job_id)
        decide(SCOPE, approved.pk, "approve", seen="new")
        self.assertEqual(self.listed(), self.ids(safe, approved))
        self.enter()
        self.assertEqual(self.waiting(), [str(waiting.pk)])
        self.assertEqual(self.waiting("approved"), [str(safe.pk), str(approved.pk)])
        self.decide(safe, "hide", seen="safe", tab="approved")
        self.assertEqual(self.listed(), self.ids(approved))

    def test_what_only_looked_safe_waits_where_somebody_must_approve(self) -> None:
        safe = self.add()
        let_on_show(safe.job_id)
        self.assertEqual(self.listed(), [])
        self.enter()
        self.assertEqual(self.waiting(), [str(safe.pk)])
        self.decide(safe, "approve", seen="safe")
        self.assertEqual(self.listed(), self.ids(safe))

    def test_a_slot_that_waits_from_now_on_shows_nothing_of_before(self) -> None:
        Slot.objects.update(publishing="at_once")
        self.add()
        self.assertEqual(len(self.listed()), 1)
        Slot.objects.update(publishing="after_approval")
        self.assertEqual(self.listed(), [])

    def test_never_is_a_closed_gallery(self) -> None:
        media = self.add()
        decide(SCOPE, media.pk, "approve", seen="new")
        Slot.objects.update(publishing="never")
        self.assertEqual(self.request(SLOT).status_code, 404)

    def test_a_guests_own_link_works_whatever_is_decided(self) -> None:
        media = self.add()
        for decision in ("hide", "approve"):
            self.assertEqual(self.get(media, "/page").status_code, 200)
            decide(SCOPE, media.pk, decision, seen="hidden")  # type: ignore[arg-type]
        self.assertEqual(self.get(media, "/page").status_code, 200)

    def test_who_administers_downloads_all_of_it(self) -> None:
        media = self.add()
        decide(SCOPE, media.pk, "hide", seen="new")
        self.assertEqual(select_listed_results("slot-001").count(), 1)


class DecisionTests(ApprovalTestCase):
    def test_an_older_page_never_shows_what_somebody_has_hidden_meanwhile(self) -> None:
        media = self.add()
        self.assertTrue(decide(SCOPE, media.pk, "hide", seen="new"))
        self.assertFalse(decide(SCOPE, media.pk, "approve", seen="new"))
        self.assertEqual(self.listed(), [])
        self.assertTrue(decide(SCOPE, media.pk, "approve", seen="hidden"))
        self.assertEqual(self.listed(), self.ids(media))

    def test_hiding_wins_in_either_order(self) -> None:
        for order in itertools.permutations(("approve", "hide")):
            media = self.add()
            for decision in order:
                decide(SCOPE, media.pk, decision, seen="new")  # type: ignore[arg-type]
            self.assertEqual(self.listed(), [], order)

    def test_a_deleted_picture_can_come_back_for_an_hour_and_is_not_on_show_then(
        self,
    ) -> None:
        media = self.add()
        decide(SCOPE, media.pk, "approve", seen="new")
        decide(SCOPE, media.pk, "delete", seen="approved")
        self.assertEqual((self.listed(), self.get(media).status_code), ([], 410))
        self.assertEqual([one.pk for one in list_deleted(SCOPE)], [media.pk])
        decide(SCOPE, media.pk, "restore", seen="removed")
        self.assertEqual((self.listed(), self.get(media).status_code), ([], 200))

    def test_what_a_guest_has_deleted_is_not_theirs_to_bring_back(self) -> None:
        self.enter()
        media = self.add()
        self.request(f"/public/results/{media.job_id}", "delete")
        self.assertEqual(list_deleted(SCOPE), [])
        answer = self.decide(media, "restore")
        self.assertContains(answer, "It is gone")
        self.assertEqual(self.get(media).status_code, 410)

    def test_a_picture_of_another_slot_is_not_there(self) -> None:
        self.enter()
        other, trial = self.add(slot_id="slot-002"), self.add(is_listed=False)
        for media in (other, trial):
            self.decide(media, "delete")
            self.assertEqual(self.get(media).status_code, 200)
            address = f"{self.page}/pictures/{media.pk}"
            self.assertEqual(self.client.get(address).status_code, 404)


class PageTests(ApprovalTestCase):
    def test_without_the_pin_nothing_is_to_be_seen_and_nothing_decided(self) -> None:
        media = self.add()
        page = self.client.get(self.page)
        self.assertNotContains(page, "бал")
        self.assertNotContains(page, str(media.pk))
        self.assertEqual(self.decide(media, "approve").status_code, 403)
        self.assertEqual(self.client.get(f"{self.page}/pictures/{media.pk}").status_code, 404)
        self.assertEqual(self.listed(), [])

    def test_with_the_pin_pictures_are_approved_hidden_and_deleted_without_scripts(self) -> None:
        first, second, third = self.add(3), self.add(2), self.add(1)
        self.assertRedirects(self.enter(f" {self.pin[:4]} {self.pin[4:]}"), self.page)
        self.assertEqual(self.waiting(), [str(one.pk) for one in (first, second, third)])
        picture = self.request(f"{self.page}/pictures/{first.pk}")
        self.assertEqual((picture.status_code, picture["Content-Type"]), (200, "image/webp"))
        self.assertContains(self.decide(first, "approve"), "Approved")
        self.assertContains(self.decide(second, "hide"), "Hidden:")
        self.assertContains(self.decide(third, "delete"), "Deleted.")
        self.assertEqual(self.listed(), self.ids(first))
        tabs = {tab: self.waiting(tab) for tab in ("new", "approved", "hidden", "deleted")}
        expected = {"new": [], "approved": [first], "hidden": [second], "deleted": [third]}
        self.assertEqual(tabs, {tab: [str(m.pk) for m in rows] for tab, rows in expected.items()})
        self.assertContains(self.decide(third, "restore", tab="deleted"), "It is back.")
        self.assertEqual(self.waiting("hidden"), [str(second.pk), str(third.pk)][::-1])

    def test_no_id_on_the_page_opens_anything_without_the_pin(self) -> None:
        media = self.add()
        self.enter()
        page = self.client.get(self.page).content.decode()
        for secret in (media.job_id, media.view_id):
            self.assertNotIn(str(secret), page)
        self.client.cookies.clear()
        for path in (f"/public/results/{media.pk}", f"{self.page}/pictures/{media.pk}"):
            self.assertEqual(self.client.get(path).status_code, 404)

    def test_every_answer_has_strict_headers_and_the_cookie_is_for_this_link_alone(self) -> None:
        media = self.add()
        answers = [self.client.get(self.page), self.enter("1"), self.enter()]
        cookie = answers[-1].cookies["approval"]
        self.assertEqual((cookie["path"], cookie["samesite"]), (self.page, "Lax"))
        self.assertTrue(cookie["httponly"])
        answers += [self.client.get(self.page), self.client.get("/public/approval/nothing")]
        answers.append(self.request(f"{self.page}/pictures/{media.pk}"))
        for answer in answers:
            self.assertIn("no-store", answer["Cache-Control"])
            self.assertIn("noindex", answer["X-Robots-Tag"])
            self.assertEqual(answer["Referrer-Policy"], "no-referrer")
            self.assertNotIn(self.pin, answer.content.decode() if not answer.streaming else "")
        with override_settings(SESSION_COOKIE_SECURE=True):
            self.assertTrue(self.enter().cookies["approval"]["secure"])

    def test_a_link_ends_by_time_by_a_new_one_and_by_a_press(self) -> None:
        self.enter()
        self.assertEqual(self.client.get(self.page).status_code, 200)
        ApprovalLink.objects.update(expires_at=timezone.now())
        self.assertEqual(self.client.get(self.page).status_code, 404)
        make_link(SCOPE, hours=6, by="serg")
        self.assertEqual(self.client.get(self.page).status_code, 404)
        now = make_link(SCOPE, hours=6, by="serg")
        self.page, self.pin = f"/public/approval/{now.link.token}", now.pin
        self.enter()
        end_link(SCOPE, by="serg")
        self.assertEqual(self.client.get(self.page).status_code, 404)

    def test_a_new_pin_asks_everybody_again(self) -> None:
        media = self.add()
        self.enter()
        renewed = renew_pin(SCOPE, by="serg")
        assert renewed is not None
        self.assertEqual(self.waiting(), [])
        self.assertEqual(self.decide(media, "approve").status_code, 403)
        self.assertEqual(self.enter().status_code, 403)
        self.assertEqual(self.enter(renewed.pin).status_code, 302)
        self.assertEqual(self.waiting(), [str(media.pk)])

    def test_a_cookie_that_nobody_signed_lets_nobody_in(self) -> None:
        for value in ("", "x", "eyJkZXZpY2UiOiIxIn0:1t:x"):
            self.client.cookies["approval"] = value
            self.assertContains(self.client.get(self.page), 'name="pin"')


class GuessingTests(ApprovalTestCase):
    def try_from(self, address: str, pin: str = "00000000") -> int:
        return int(self.enter(pin, REMOTE_ADDR=address).status_code)

    def test_a_guesser_is_stopped_and_keeps_nobody_out(self) -> None:
        statuses = [self.try_from("192.0.2.1") for _ in range(TRIES + 3)]
        self.assertEqual(statuses, [403] * TRIES + [429] * 3)
        self.assertEqual(self.try_from("192.0.2.1", self.pin), 429)
        self.assertEqual(self.try_from("192.0.2.2", self.pin), 302)

    def test_one_ipv6_network_is_one_guesser(self) -> None:
        statuses = [self.try_from(f"2001:db8::{n:x}") for n in range(1, TRIES + 2)]
        self.assertEqual(statuses[-1], 429)

    def test_parallel_tries_count_before_they_are_judged(self) -> None:
        turns = [take_turn("slot-001", "192.0.2.1", is_known=False) for _ in range(TRIES + 1)]
        self.assertEqual([bool(turn.retry_after_s) for turn in turns], [False] * TRIES + [True])

    def test_many_addresses_guess_no_faster_than_the_line_moves(self) -> None:
        at_once = mock.patch.object(pin_module.clock, "now", return_value=pin_module.clock.now())
        with at_once, mock.patch.object(pin_module, "PACE", timedelta(seconds=1)):
            turns = [take_turn("slot-001", f"a{n}", is_known=False) for n in range(30)]
        waits = [turn.wait_s for turn in turns if not turn.retry_after_s]
        self.assertEqual(waits, list(range(9)))

    def test_a_browser_that_was_let_in_once_does_not_stand_behind_strangers(self) -> None:
        self.enter()
        renewed = renew_pin(SCOPE, by="serg")
        assert renewed is not None
        with mock.patch.object(pin_module, "PACE", timedelta(seconds=1)):
            for number in range(30):
                take_turn("slot-001", f"a{number}", is_known=False)
            for _ in range(TRIES + 1):  # from its own address, too
                take_turn("slot-001", "127.0.0.1", is_known=False)
            self.assertEqual(self.enter(renewed.pin).status_code, 302)

    def test_addresses_are_forgotten_once_they_count_no_more(self) -> None:
        self.try_from("192.0.2.1")
        forget_tries()
        self.assertEqual(ApprovalTry.objects.count(), 1)
        ApprovalTry.objects.update(failed_at=timezone.now() - timedelta(minutes=11))
        ApprovalLink.objects.update(expires_at=timezone.now())
        forget_tries()
        self.assertFalse(ApprovalTry.objects.exists() or ApprovalLink.objects.exists())


class ConsoleTests(ConsoleTestCase):
    PAGE = "/admin/slots/slot/slot-001/approval/"

    def test_a_pin_is_shown_once_and_stored_nowhere(self) -> None:
        made = self.client.post(self.PAGE, {"do": "link", "hours": "6"})
        pin = made.context["pin"]
        self.assertRegex(pin, r"^\d{4} \d{4}$")
        self.assertContains(made, pin)
        link = ApprovalLink.objects.get()
        self.assertNotIn(pin.replace(" ", ""), link.pin_hash)
        again = self.client.get(self.PAGE)
        self.assertNotContains(again, pin)
        self.assertContains(again, f"/public/approval/{link.token}")
        asked = self.client.post(self.PAGE, {"do": "end"})
        self.assertContains(asked, 'name="confirmed"')
        self.assertTrue(ApprovalLink.objects.exists())
        self.client.post(self.PAGE, {"do": "end", "confirmed": "1"})
        self.assertFalse(ApprovalLink.objects.exists())

    def test_only_administrators_make_links(self) -> None:
        self.client.logout()
        self.client.post(self.PAGE, {"do": "link"})
        self.assertFalse(ApprovalLink.objects.exists())


class ApiTests(AdminTestCase):
    def test_the_api_says_and_sets_when_pictures_appear(self) -> None:
        url = "/api/slots/slot-001"
        self.assertEqual(self.client.get(url).json()["publishing"], "at_once")
        told = self.put(url, {"publishing": "after_approval"}).json()
        self.assertEqual(told["publishing"], "after_approval")
        self.assertEqual(list(self.refused(url, {"publishing": "x"})), ["publishing"])
        change_settings({"galleries": "open"}, by="serg")
