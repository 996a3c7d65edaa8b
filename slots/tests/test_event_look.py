"""An event's colours, logo and title on guests' pages."""

import itertools
import re
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase
from django.utils import timezone

from media.models import MediaObject
from media.tests.support import ResultsTestCase
from slots.events.logos import store_logo
from slots.look.colours import (
    DARK,
    LIGHT,
    NONE,
    compute_contrast,
    parse_colour,
    write_stylesheet,
)
from slots.models import Event, Slot
from slots.tests.support import picture, upload

COLOURS = ("000000", "ffffff", "808080", "ff0000", "ffff00", "0000ff", "0f866c", "c8a2c8", "777777")


def read_tokens(sheet: str) -> list[dict[str, str]]:
    rules = re.findall(r":root:root:root\{([^}]*)\}", sheet)
    return [dict(re.findall(r"--([\w-]+):([^;]+);", rule)) for rule in rules]


class ColourTests(SimpleTestCase):
    def test_whatever_is_chosen_can_be_read(self) -> None:
        for accent, background in itertools.product((*COLOURS, NONE), COLOURS):
            (tokens,) = read_tokens(write_stylesheet(accent, background))
            pairs = [("on-accent", "accent"), ("on-accent", "pressed"), ("link", "card")]
            pairs += [(name, "ground") for name in ("text", "muted", "danger", "link")]
            for one, other in pairs:
                contrast = compute_contrast(parse_colour(tokens[one]), parse_colour(tokens[other]))
                self.assertGreaterEqual(contrast, 4.5, (accent, background, one, other))

    def test_without_a_background_day_and_night_stay(self) -> None:
        for accent in COLOURS:
            day, night = read_tokens(write_stylesheet(accent, NONE))
            for tokens, ground in ((day, "#f4fbf8"), (night, "#10281f")):
                contrast = compute_contrast(parse_colour(tokens["link"]), parse_colour(ground))
                self.assertGreaterEqual(contrast, 4.5)

    def test_its_own_colours_are_those_of_the_pages(self) -> None:
        tokens = (Path(settings.BASE_DIR) / "static/tokens.css").read_text()
        for name, value in (*LIGHT.items(), *DARK.items()):
            self.assertIn(f"--{name}: {value};", tokens)


class PageTests(ResultsTestCase):
    def setUp(self) -> None:
        now = timezone.now()
        self.event = Event.objects.create(
            **{"name": "Wedding", "public_title": "Свадьба Анны", "started_at": now},
            **{"starts_at": now, "ends_at": now + timedelta(hours=6)},
            **{"accent_colour": "#FF0000", "background_colour": "#102030"},
            logo=store_logo(upload(picture("PNG"), "logo.png"), by="serg"),
        )
        self.media = self.store_result()
        MediaObject.objects.filter(pk=self.media.pk).update(event_id=self.event.pk)
        Slot.objects.filter(pk="slot-001").update(
            is_active=True, settings={"prompt": "x"}, event=self.event, public_title="Слот"
        )

    def test_every_page_of_guests_has_title_colours_and_logo(self) -> None:
        for path in (
            f"/public/results/{self.media.job_id}/page",
            "/public/slots/slot-001",
            "/public/slots/slot-001/slideshow",
        ):
            page = self.request(path, Accept="text/html").body.decode()
            self.assertIn("Свадьба Анны", page, path)
            self.assertIn("/public/look/ff0000-102030.css", page, path)
            self.assertIn(f"/public/logos/{self.event.logo_id}", page, path)

    def test_a_picture_of_before_keeps_the_look_of_its_slot(self) -> None:
        page = self.get(self.store_result(), "/page").body.decode()
        self.assertNotIn("/public/look/", page)
        self.assertIn("Слот", page)

    def test_colours_and_logo_are_served_and_nothing_else_is(self) -> None:
        sheet = self.request("/public/look/ff0000-none.css")
        self.assertEqual(sheet["Content-Type"], "text/css; charset=utf-8")
        self.assertIn(b"--accent:#ff0000", sheet.body)
        for bad in ("red-none", "ff0000;}-none", "FF0000-none", "ff00-none"):
            self.assertEqual(self.request(f"/public/look/{bad}.css").status_code, 404, bad)
        logo = self.request(f"/public/logos/{self.event.logo_id}")
        self.assertEqual((logo.status_code, logo["Content-Type"][:6]), (200, "image/"))
        self.assertEqual(self.request(f"/public/logos/{self.media.pk}").status_code, 404)
