"""Guests' pages in an event's colours, by day and by night."""

from playwright.sync_api import expect

from photochanger.testing.browser import (
    LOOKS,
    BrowserTestCase,
    assert_accessible,
    assert_nothing_is_cut_off,
)
from photochanger.testing.sample_photos import sight

EVENT = (
    "INSERT INTO event (id, name, public_title, starts_at, ends_at, started_at, accent_colour,"
    " background_colour, gallery_mode, note) VALUES (1, 'Wedding', 'Свадьба Анны',"
    " datetime('now', '-1 hours'), datetime('now'), datetime('now', '-1 hours'),"
    " '{accent}', '{background}', '', '')"
)


class EventLookTests(BrowserTestCase):
    def test_pages_are_accessible_in_whatever_colours(self) -> None:
        job = self.add_result(sight(1))
        self.site.execute("UPDATE media_object SET event_id = 1")
        self.site.execute("UPDATE slot SET event_id = 1, is_active = 1 WHERE id = 'slot-001'")
        self.addCleanup(self.site.execute, "UPDATE slot SET event_id = NULL")
        self.addCleanup(self.site.execute, "UPDATE media_object SET event_id = NULL")
        self.addCleanup(self.site.execute, "DELETE FROM event")
        for accent, background in (("#ffcc00", "#808080"), ("#aa0044", ""), ("#ffffff", "#301030")):
            self.site.execute("PRAGMA foreign_keys = OFF")
            self.site.execute("DELETE FROM event")
            self.site.execute(EVENT.format(accent=accent, background=background))
            for path in (f"/public/results/{job}/page", "/public/slots/slot-001"):
                for look in LOOKS:
                    page = self.open(path, look)
                    expect(page.get_by_role("heading", level=1)).to_contain_text("Свадьба Анны")
                    self.screenshot(page, f"event-look-{accent[1:]}-{len(path)}", look)
                    assert_accessible(page)
                    assert_nothing_is_cut_off(page)
