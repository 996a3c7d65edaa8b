"""Prints: exactly the paper's pixels and dpi, and nobody's head is cut off."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from unittest import mock

from django.http import HttpResponse
from django.test import SimpleTestCase, override_settings
from PIL import Image

from ingest.faces.heads import find_heads, outline_head
from ingest.models import Job
from ingest.pipeline.result_check import check_result
from ingest.tests.support import IngestTestCase, jpeg
from ingest.tests.test_result_check import picture
from media.faces.verdict import PHOTO, find_people
from photochanger.bench.face_pictures import list_groups, make_crowds
from photochanger.pictures.cropping import Box, Crop, choose_crop
from photochanger.pictures.paper import PAPERS_PX
from photochanger.pictures.printing import EDGE_PX, PrintPlan, make_print
from photochanger.testing.faces import FOLDER, need_engine
from providers.base import DriverSettings
from providers.gemini.settings import GeminiSettings
from providers.simulator.people import make_group
from providers.turbotext.operations import TurbotextSettings
from slots.models import Slot

if TYPE_CHECKING:
    from media.faces.engine import Engine


def know_nobody(image: Image.Image) -> Sequence[Box]:
    return ()


def plan(paper: str) -> PrintPlan:
    return PrintPlan(size_px=PAPERS_PX[paper], find_heads=know_nobody)


def is_whole(box: Box, crop: Crop) -> bool:
    part, hair = crop.box, 0.01
    return (
        part.left <= box.left + hair
        and part.top <= box.top + hair
        and part.right >= box.right - hair
        and part.bottom >= box.bottom - hair
    )


class PaperTests(SimpleTestCase):
    def test_the_papers_have_the_pixels_of_300_dpi(self) -> None:
        self.assertEqual(
            PAPERS_PX,
            {
                "4x6": (1200, 1800),
                "6x4": (1800, 1200),
                "5x7": (1500, 2100),
                "6x8": (1800, 2400),
                "2x6": (600, 1800),
                "square": (1800, 1800),
            },
        )

    def test_every_picture_gets_exactly_the_pixels_and_dpi_of_its_paper(self) -> None:
        for paper, size in PAPERS_PX.items():
            for given in ((64, 64), (848, 1264), (1264, 848), (1201, 1799), size, (300, 3000)):
                for kind in ("jpeg", "png"):
                    with self.subTest(paper, given=given, kind=kind):
                        rules = DriverSettings(output_format=kind, output_max_side_px=500)
                        result = check_result(picture(given), rules, plan(paper))
                        made = Image.open(io.BytesIO(result.body))
                        self.assertEqual((made.size, result.image.size), (size, size))
                        dpi = [round(float(one)) for one in made.info["dpi"]]
                        self.assertEqual((dpi, made.format), ([300, 300], kind.upper()))

    def test_a_print_is_in_srgb_whatever_came(self) -> None:
        given = picture((300, 300), mode="CMYK")
        made = Image.open(io.BytesIO(check_result(given, DriverSettings(), plan("4x6")).body))
        self.assertEqual((made.mode, made.info.get("icc_profile")), ("RGB", None))

    def test_a_picture_of_the_right_size_is_neither_scaled_nor_sharpened(self) -> None:
        image = Image.effect_noise(PAPERS_PX["2x6"], 60).convert("RGB")
        self.assertEqual(make_print(image, plan("2x6")).tobytes(), image.tobytes())

    def test_scaling_is_made_up_for_mildly(self) -> None:
        edge = Image.new("L", (400, 600), 80)
        edge.paste(160, (200, 0, 400, 600))
        row = make_print(edge, plan("4x6")).crop((0, 900, 1200, 901)).tobytes()
        self.assertEqual((row[100], row[1100]), (80, 160))
        self.assertLess(min(row), 80)
        self.assertGreater(min(row), 60)


class CropTests(SimpleTestCase):
    def test_without_known_heads_the_middle_is_kept_and_its_third_never_cut(self) -> None:
        self.assertEqual(choose_crop((1200, 900), (100, 100), ()).box, (150, 0, 1050, 900))
        for size in ((3000, 500), (500, 3000), (1000, 1000)):
            for shown in PAPERS_PX.values():
                third = Box(size[0] / 3, size[1] / 3, size[0] * 2 / 3, size[1] * 2 / 3)
                self.assertTrue(is_whole(third, choose_crop(size, shown, ())), (size, shown))

    def test_a_head_at_the_edge_draws_the_crop_to_it(self) -> None:
        crop = choose_crop((1200, 900), (90, 90), [Box(0, 100, 200, 300)])
        self.assertEqual((crop.box, crop.place), ((0, 0, 900, 900), (0, 0, 90, 90)))
        crop = choose_crop((900, 1200), (90, 90), [Box(300, 20, 400, 150)], margin_px=1)
        self.assertEqual(crop.box, (0, 10, 900, 910))

    def test_heads_too_far_apart_for_the_paper_leave_some_of_it_empty(self) -> None:
        heads = [Box(0, 100, 100, 200), Box(1100, 100, 1200, 200)]
        crop = choose_crop((1200, 400), (600, 1800), heads, margin_px=EDGE_PX)
        self.assertEqual((crop.box, crop.place), ((0, 0, 1200, 400), (0, 800, 600, 1000)))

    def test_the_empty_part_has_the_colours_of_the_picture_and_not_its_people(self) -> None:
        group = make_group(("biden", "obama", "collins"))
        heads = [Box(20, 50, 900, 300)]
        made = make_print(group, PrintPlan(size_px=(600, 1800), find_heads=lambda image: heads))
        top = made.crop((0, 0, 600, 600))
        self.assertNotEqual(top.getextrema(), ((0, 0), (0, 0), (0, 0)))
        engine = need_engine()
        found = engine.find_faces(made, least_score=PHOTO.sure_score, describe=False)
        self.assertEqual(len(find_people(found, PHOTO)), 3)

    def test_what_is_cut_by_a_hair_only_needs_no_look_at_heads(self) -> None:
        asked: list[Image.Image] = []

        def note(image: Image.Image) -> Sequence[Box]:
            asked.append(image)
            return ()

        for size in ((1696, 2528), (1200, 1800), (848, 1264)):
            make_print(Image.new("RGB", size), PrintPlan(size_px=(1200, 1800), find_heads=note))
        self.assertEqual(asked, [])
        make_print(Image.new("RGB", (900, 1200)), PrintPlan(size_px=(1200, 1800), find_heads=note))
        self.assertEqual(len(asked), 1)


@override_settings(FACES_DIR=FOLDER)
class HeadTests(SimpleTestCase):
    engine: "Engine"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.engine = need_engine()

    def count_people(self, image: Image.Image) -> int:
        found = self.engine.find_faces(image, least_score=PHOTO.sure_score, describe=False)
        return len(find_people(found, PHOTO))

    def test_no_head_of_any_group_is_cut_on_any_paper(self) -> None:
        for count, crowd in make_crowds():
            heads = find_heads(crowd, wait_s=60)
            self.assertEqual(len(heads), self.count_people(crowd))
            for paper, size in PAPERS_PX.items():
                crop = choose_crop(crowd.size, size, heads, margin_px=EDGE_PX)
                cut = [head for head in heads if not is_whole(head, crop)]
                self.assertEqual(cut, [], (count, paper))

    def test_everybody_of_a_group_is_found_on_the_print(self) -> None:
        for group in list_groups():
            photo = make_group(group)
            for paper, size in PAPERS_PX.items():
                heads = find_heads(photo, wait_s=60)
                made = make_print(photo, PrintPlan(size_px=size, find_heads=lambda _: heads))  # noqa: B023
                self.assertEqual(self.count_people(made), len(group), (group, paper))

    def test_a_head_is_more_than_its_face(self) -> None:
        photo = make_group(("collins",))
        [face] = self.engine.find_faces(photo, least_score=PHOTO.sure_score, describe=False)
        head = outline_head(face, photo.size)
        self.assertGreater(head.height, face.height * max(photo.size) * 1.3)
        self.assertLessEqual(head.bottom, photo.height)

    def test_no_engine_and_no_time_mean_no_heads(self) -> None:
        photo = make_group(("collins",))
        self.assertEqual(find_heads(photo, wait_s=0), [])
        with override_settings(FACES_DIR="none"):
            self.assertEqual(find_heads(photo, wait_s=60), [])
        with mock.patch("ingest.faces.heads.detector.start", return_value=None):
            self.assertEqual(find_heads(photo, wait_s=60), [])


class RecipeForPaperTests(SimpleTestCase):
    def fit(self, paper: str, **settings: Any) -> tuple[str | None, str | None]:
        fitted = GeminiSettings(prompt="x", **settings).fit_print(*PAPERS_PX[paper])
        return fitted.aspect_ratio, fitted.image_size

    def test_the_model_is_asked_for_the_shape_and_the_pixels_of_the_paper(self) -> None:
        self.assertEqual(
            {paper: self.fit(paper) for paper in PAPERS_PX},
            {
                "4x6": ("2:3", "2K"),
                "6x4": ("3:2", "2K"),
                "5x7": ("3:4", "2K"),
                "6x8": ("3:4", "2K"),
                "2x6": ("1:4", "1K"),
                "square": ("1:1", "2K"),
            },
        )

    def test_what_a_slot_says_itself_stays(self) -> None:
        self.assertEqual(self.fit("4x6", aspect_ratio="16:9", image_size="1K"), ("16:9", "1K"))

    def test_what_one_of_the_models_does_not_take_is_not_asked_for(self) -> None:
        lite = "gemini-3.1-flash-lite-image"
        self.assertEqual(self.fit("4x6", model=lite), ("2:3", "1K"))
        self.assertEqual(self.fit("2x6", model="gemini-3-pro-image"), ("9:16", "1K"))
        self.assertEqual(self.fit("4x6", fallback_model="gemini-2.5-flash-image"), ("2:3", None))
        self.assertEqual(self.fit("4x6", model="gemini-of-tomorrow"), ("2:3", None))

    def test_a_service_without_such_settings_keeps_its_recipe(self) -> None:
        recipe = TurbotextSettings(prompt="x")
        self.assertIs(recipe.fit_print(1200, 1800), recipe)


class PrintedAnswerTests(IngestTestCase):
    def open_answer(self, answer: HttpResponse) -> Image.Image:
        image = Image.open(io.BytesIO(answer.content))
        image.load()
        return image

    async def test_a_booth_gets_exactly_what_it_prints(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(paper="6x4")
        answer = await self.post()
        image = self.open_answer(answer)
        self.assertEqual((answer.status_code, image.size), (200, (1800, 1200)))
        self.assertEqual((image.info["dpi"], image.format), ((300, 300), "JPEG"))
        call = self.provider.calls[-1]
        self.assertEqual((call.aspect_ratio, call.image_size), ("3:2", "2K"))
        job = await Job.objects.aget()
        self.assertEqual((job.result_width, job.result_height), (1800, 1200))

    async def test_without_a_paper_the_service_is_asked_for_no_shape(self) -> None:
        await self.post()
        call = self.provider.calls[-1]
        self.assertEqual((call.aspect_ratio, call.image_size), ("", ""))

    async def test_the_photo_that_stands_in_is_printed_alike(self) -> None:
        columns: dict[str, Any] = {"paper": "2x6", "on_failure": "original"}
        columns["settings"] = {"prompt": "As an oil painting [sim:img-safety]"}
        await Slot.objects.filter(pk="slot-001").aupdate(**columns)
        for photo in (jpeg(640, 480), jpeg(4000, 600)):
            answer = await self.post(photo)
            self.assertEqual(answer["X-PhotoChanger-Fallback"], "original")
            image = self.open_answer(answer)
            self.assertEqual((image.size, image.info["dpi"]), ((600, 1800), (300, 300)))
