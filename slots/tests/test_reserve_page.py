"""The page of a slot's reserves, by HTTP: what is typed is kept, judged and saved."""

from typing import Any

from django.contrib.auth.models import User
from django.test import TestCase

from photochanger.testing.marks import both_databases
from providers.registry import DRIVERS
from slots.models import ReserveSource, Slot
from slots.secrets import decrypt, encrypt

pytestmark = both_databases

OWN, OTHER = DRIVERS
PAGE = "/admin/slots/slot/slot-001/reserve/"


class ReservePageTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.serg = User.objects.create_superuser("serg", password="x")
        settings = {"prompt": "Oil", "aspect_ratio": "3:4", "output_max_side_px": 1800}
        Slot.objects.filter(pk="slot-001").update(is_active=True, settings=settings)

    def setUp(self) -> None:
        self.client.force_login(self.serg)

    def post(self, headers: dict[str, str] | None = None, **fields: str) -> Any:
        version = Slot.objects.get(pk="slot-001").version
        typed = {name.replace("__", "-"): text for name, text in fields.items()}
        body = {"version": str(version), **typed}
        return self.client.post(PAGE, body, headers={"Accept-Language": "en", **(headers or {})})

    def test_an_empty_page_offers_every_service(self) -> None:
        page = self.client.get(PAGE).content.decode()
        for driver in DRIVERS.values():
            for operation in driver.operations:
                self.assertIn(f'value="{driver.name}:{operation}"', page)
        self.assertIn('name="reserve-3-service"', page)

    def test_a_service_that_is_chosen_begins_like_the_slot(self) -> None:
        service = {"reserve-1-service": f"{OWN}:image_edit", "redraw": "1"}
        answer = self.post({"HX-Request": "true"}, **service)
        self.assertContains(answer, 'value="3:4"')
        self.assertNotContains(answer, "Oil</textarea>")  # the prompt follows by itself
        self.assertNotContains(answer, "<html")
        answer = self.post(**{"reserve-1-service": f"{OTHER}:image_edit", "redraw": "1"})
        self.assertContains(answer, 'value="1800"')
        self.assertContains(answer, "<html")
        self.assertEqual(ReserveSource.objects.count(), 0)

    def test_what_is_typed_is_saved_and_shown_again(self) -> None:
        answer = self.post(
            **{
                "reserve-1-service": f"{OTHER}:image_edit",
                f"reserve-1-recipe-{OTHER}-strength": "30",
                f"reserve-1-recipe-{OTHER}-prompt": "Night",
                "reserve-3-service": f"{OWN}:image_edit",
                "reserve-3-is_enabled": "false",
                "reserve-3-base_url": "https://relay.example.com",
                "reserve-3-api_key": "key-of-the-relay",
                "reserve_may_cost_twice": "true",
            }
        )
        self.assertRedirects(answer, PAGE)
        first, second = ReserveSource.objects.order_by("position")
        self.assertEqual(first.settings, {"strength": 30, "prompt": "Night"})
        self.assertEqual((first.is_enabled, second.position, second.is_enabled), (True, 2, False))
        self.assertEqual(decrypt(second.api_key), "key-of-the-relay")
        self.assertTrue(Slot.objects.get(pk="slot-001").reserve_may_cost_twice)
        page = self.client.get(PAGE).content.decode()
        self.assertIn("Night</textarea>", page)
        self.assertIn("https://relay.example.com", page)
        self.assertNotIn("key-of-the-relay", page)

    def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(self) -> None:
        answer = self.post(
            **{
                "reserve-2-service": f"{OTHER}:style_transfer",
                f"reserve-2-recipe-{OTHER}-output_quality": "high",
                "reserve-2-base_url": "nowhere",
            }
        )
        self.assertContains(answer, "Nothing was saved.")
        self.assertContains(answer, "A whole number is needed.")
        self.assertContains(answer, 'value="high"')
        answer = self.post(
            **{
                "reserve-2-service": f"{OTHER}:style_transfer",
                "reserve-2-is_enabled": "true",
                "reserve-2-base_url": "nowhere",
            }
        )
        self.assertContains(answer, "This is not an address such as")
        self.assertContains(answer, "needs a template picture")
        self.assertEqual(ReserveSource.objects.count(), 0)

    def test_a_key_stays_until_it_is_removed(self) -> None:
        ReserveSource.objects.create(
            slot_id="slot-001",
            position=1,
            provider=OWN,
            operation="image_edit",
            api_key=encrypt("k1"),
        )
        service = {"reserve-1-service": f"{OWN}:image_edit"}
        self.post(**service)
        self.assertEqual(decrypt(ReserveSource.objects.get().api_key), "k1")
        self.post(**service, **{"reserve-1-key_removed": "true"})
        self.assertEqual(ReserveSource.objects.get().api_key, "")
        self.post(**{"reserve-1-service": ""})
        self.assertEqual(ReserveSource.objects.count(), 0)

    def test_the_second_of_two_is_told_and_loses_nothing(self) -> None:
        typed = {
            "reserve-1-service": f"{OWN}:image_edit",
            f"reserve-1-recipe-{OWN}-prompt": "Night",
        }
        answer = self.post(**typed, version="999")
        self.assertEqual(answer.status_code, 409)
        self.assertIn("Night", answer.content.decode())

    def test_only_administrators_see_it(self) -> None:
        User.objects.create_user("guest", password="x", is_staff=True)
        self.client.force_login(User.objects.get(username="guest"))
        self.assertEqual(self.client.get(PAGE).status_code, 302)
        self.assertEqual(self.post().status_code, 302)
