"""Who sees the pictures: the slot page's section, and the pages of a secret gallery."""

from playwright.sync_api import expect

from photochanger.testing.browser import LOOKS, OTHER_LOOKS, PHONE, Look, assert_accessible
from photochanger.testing.browser import assert_nothing_is_cut_off as assert_fits
from photochanger.testing.console import DESK, ConsoleTestCase


class GallerySectionTests(ConsoleTestCase):
    public_address = "https://photos.example"

    def setUp(self) -> None:
        super().setUp()
        self.tolerate("^: Applying inline style")  # by axe itself

    def token(self, slot_id: str) -> str:
        ((token,),) = self.site.rows(f"SELECT gallery_token FROM slot WHERE id = '{slot_id}'")
        return str(token)

    def test_a_gallery_is_put_behind_a_secret_address_that_is_replaced_after_a_yes(self) -> None:
        page = self.logged_in(DESK)
        page.goto("/admin/slots/slot/slot-002/change/")
        page.get_by_label("Кто видит галерею").select_option("secret")
        page.get_by_role("button", name="Сохранить", exact=True).click()
        address = page.get_by_label("Секретный адрес галереи")
        old = self.token("slot-002")
        expect(address).to_have_value(f"https://photos.example/public/slots/{old}")
        page.get_by_role("button", name="Сменить адрес").click()
        page.get_by_role("dialog").get_by_role("button", name="Сменить адрес").click()
        expect(page.locator("#toasts .success").last).to_contain_text("новый секретный адрес")
        new = self.token("slot-002")
        self.assertNotEqual(new, old)
        expect(address).to_have_value(f"https://photos.example/public/slots/{new}")
        self.tolerate("404")
        guest = self.open("/public/slots/slot-002", Look(PHONE))
        expect(guest.get_by_role("heading")).to_contain_text("Галерея закрыта")
        guest.goto(f"/public/slots/{old}")
        expect(guest.get_by_role("heading")).to_contain_text("Галерея закрыта")
        guest.goto(f"/public/slots/{new}")
        expect(guest.get_by_role("heading", level=1)).to_contain_text("Космическая вечеринка")

    def test_the_section_is_good_by_day_and_night_small_and_large(self) -> None:
        self.site.execute("UPDATE slot SET gallery_mode = 'secret' WHERE id = 'slot-003'")
        for look in (*LOOKS, *OTHER_LOOKS):
            page = self.logged_in(look)
            page.goto("/admin/slots/slot/slot-003/change/")
            page.locator("#gallery").scroll_into_view_if_needed()
            assert_accessible(page)
            assert_fits(page)
            self.screenshot(page, "slot-gallery", look)
            page.context.close()
