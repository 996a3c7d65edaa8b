"""What is drawn where on a print, of unusual frames, words and pictures."""

import io

from django.test import SimpleTestCase
from PIL import Image, ImageDraw, ImageFilter

from photochanger.bench.prints import WINE, make_frame_picture
from photochanger.pictures.cropping import Box, choose_crop
from photochanger.pictures.lettering import LINE_SHARE, Lettering, draw_text
from photochanger.pictures.printing import PrintPlan, make_print, read_frame

SIZE, HOLE = (400, 600), (20, 20, 381, 501)


def find_window(frame: Image.Image) -> tuple[int, int, int, int] | None:
    found = read_frame(frame)
    return found.window if found else None


class WindowTests(SimpleTestCase):
    def test_stray_pixels_are_no_part_of_the_window(self) -> None:
        frame = make_frame_picture(SIZE)
        self.assertEqual(find_window(frame), HOLE)
        for place in ((0, 0), (399, 599), (2, 550)):
            frame.putpixel(place, (0, 0, 0, 0))
        frame.paste((*WINE[:3], 240), (0, 598, 400, 600))  # an edge that a program left soft
        self.assertEqual(find_window(frame), HOLE)

    def test_soft_edges_and_all_holes_are_in_the_window(self) -> None:
        frame = make_frame_picture(SIZE)
        frame.putalpha(frame.getchannel("A").filter(ImageFilter.BoxBlur(6)))
        self.assertEqual(find_window(frame), (14, 14, 387, 507))
        strip = Image.new("RGBA", SIZE, WINE)
        for top in (20, 220, 420):
            ImageDraw.Draw(strip).rectangle((20, top, 379, top + 150), fill=(0, 0, 0, 0))
        self.assertEqual(find_window(strip), (20, 20, 380, 571))

    def test_a_tiny_hole_is_no_window(self) -> None:
        for hole in ((10, 10, 60, 590), (10, 10, 390, 100)):
            frame = Image.new("RGBA", SIZE, WINE)
            ImageDraw.Draw(frame).rectangle(hole, fill=(0, 0, 0, 0))
            self.assertIsNone(read_frame(frame), hole)


class OddPrintTests(SimpleTestCase):
    def test_words_with_no_room_for_their_height_get_smaller(self) -> None:
        page = Image.new("RGB", (2000, 300))
        words = Lettering(text="А\nБ\nВ", place="bottom", size_px=300, color="#ffffff")
        draw_text(page, words, Box(0, 100, 2000, 280))
        box = page.getbbox()
        assert box is not None
        self.assertGreaterEqual(box[1], 95)
        self.assertLess(box[3], 290)
        self.assertGreater(box[3] - box[1], 180 * 0.7 / LINE_SHARE)

    def test_a_very_long_picture_is_printed_too(self) -> None:
        """With heads at both ends it would be less than a pixel high."""
        heads = [Box(0, 0, 4, 4), Box(15_996, 0, 16_000, 4)]
        crop = choose_crop((16_000, 4), (600, 1800), heads)
        self.assertEqual(crop.place[3] - crop.place[1], 1)
        plan = PrintPlan(size_px=(600, 1800), find_heads=lambda image: heads)
        self.assertEqual(make_print(Image.new("RGB", (16_000, 4)), plan).size, (600, 1800))
        out = io.BytesIO()
        make_print(Image.new("L", (16_000, 4)), plan).save(out, "JPEG")
