"""Frames, words and codes on prints: on results, on the photo that stands in, on test runs."""

import io
import uuid
from functools import partial
from typing import Any
from unittest import mock

import zxingcpp
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import SimpleTestCase, override_settings
from PIL import Image

from ingest.models import Attempt, Job
from ingest.pipeline import process
from ingest.pipeline.admission import find_equal_job
from ingest.pipeline.order import Order
from ingest.pipeline.template_pictures import NO_FRAME
from ingest.tests.support import IngestTestCase, jpeg
from media import storage
from media.guests.refusals import ViewOnly
from media.models import MediaObject
from media.view_ids import make_view_id
from photochanger.bench.prints import make_frame_picture
from photochanger.db import in_db
from photochanger.pictures.cropping import Box
from photochanger.pictures.lettering import Code, Lettering, draw_text, leave_room
from photochanger.pictures.paper import PAPERS_PX
from photochanger.pictures.printing import PrintPlan, make_print, read_frame
from photochanger.testing.faces import FOLDER, need_engine
from photochanger.web.tokens import AdminToken
from providers.simulator.people import make_group
from slots.editing import change_slot
from slots.models import Slot
from slots.prints.frames import FRAME, choose_template_side_px
from slots.schemas import SlotIn
from slots.uploads import register_template

BASE = "https://photos.example.com"
ADDRESS = f"{BASE}/public/results/6f1d7f9e-7c1b-4f7e-9d0b-0f6f3a1b2c3d/page"
SEA, GOLD = (0, 90, 120), "#ffe9b0"


def read_codes(image: Image.Image) -> list[str]:
    """As a phone reads them."""
    return [found.text for found in zxingcpp.read_barcodes(image)]


def save(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


class DrawingTests(SimpleTestCase):
    def plan(self, size: tuple[int, int] | None, **more: Any) -> PrintPlan:
        return PrintPlan(size_px=size, find_heads=lambda image: (), **more)

    def test_the_picture_shows_through_the_frame_and_nowhere_else(self) -> None:
        size = PAPERS_PX["4x6"]
        frame = read_frame(make_frame_picture(size))
        assert frame is not None
        made = make_print(Image.new("RGB", (800, 600), SEA), self.plan(size, frame=frame))
        left, top, right, bottom = frame.window
        self.assertEqual((made.size, made.mode), (size, "RGB"))
        self.assertEqual(made.getpixel(((left + right) // 2, (top + bottom) // 2)), SEA)
        self.assertEqual(made.getpixel((5, 5)), frame.image.getpixel((5, 5))[:3])  # type: ignore[index]

    def test_heads_stay_within_what_shows_through(self) -> None:
        frame = read_frame(make_frame_picture((1200, 1800)))
        assert frame is not None
        photo = Image.new("RGB", (1500, 500), SEA)
        photo.paste((255, 0, 0), (1300, 100, 1450, 250))
        plan = PrintPlan(
            size_px=(1200, 1800),
            frame=frame,
            find_heads=lambda image: [Box(1300, 100, 1450, 250)],
        )
        reds = make_print(photo, plan).crop(frame.window)
        box = reds.getchannel("R").point(lambda value: 255 * (value > 200)).getbbox()
        assert box is not None
        self.assertGreater(box[2] - box[0], 100)
        self.assertAlmostEqual((box[2] - box[0]) / (box[3] - box[1]), 1, delta=0.05)

    def test_without_a_paper_a_print_has_the_size_of_its_frame(self) -> None:
        frame = read_frame(make_frame_picture((500, 700)))
        made = make_print(Image.new("RGB", (800, 600)), self.plan(None, frame=frame))
        self.assertEqual(made.size, (500, 700))

    def test_what_nothing_shows_through_is_no_frame(self) -> None:
        self.assertIsNone(read_frame(Image.new("RGB", (50, 50))))
        self.assertIsNone(read_frame(Image.new("RGBA", (50, 50), (1, 2, 3, 255))))

    def test_the_code_is_read_back_in_every_corner_of_every_paper(self) -> None:
        noise = Image.effect_noise((300, 300), 90).convert("RGB")
        for paper, size in PAPERS_PX.items():
            for corner in Slot.QrCorner.values[1:]:
                code = Code(address=ADDRESS, corner=corner)
                made = make_print(noise, self.plan(size, code=code))
                out = io.BytesIO()
                made.save(out, "JPEG", quality=92)
                self.assertEqual(read_codes(Image.open(out)), [ADDRESS], (paper, corner))

    def test_words_in_cyrillic_are_drawn_and_no_letter_twice_alike(self) -> None:
        drawn = set()
        for letter in "ЖЯЩЁйфA":
            page = Image.new("RGB", (200, 200))
            words = Lettering(text=letter, place="top", size_px=80, color="#ffffff")
            draw_text(page, words, Box(0, 0, 200, 200))
            drawn.add(page.tobytes())
        self.assertEqual(len(drawn), 7)

    def test_a_long_line_stays_on_the_page_and_clear_of_the_code(self) -> None:
        safe, code = Box(10, 10, 590, 1790), Box(365, 1565, 590, 1790)
        room = leave_room(safe, code, "bottom")
        self.assertLess(room.right, code.left)
        self.assertEqual(leave_room(safe, code, "top"), safe)
        page = Image.new("RGB", (600, 1800))
        words = Lettering(text="Очень длинная строка " * 3, place="bottom", size_px=90, color=GOLD)
        draw_text(page, words, room)
        box = page.getbbox()
        assert box is not None
        self.assertGreaterEqual(box[0], 0)
        self.assertLess(box[2], code.left + 6)


@override_settings(PUBLIC_BASE_URL=BASE)
class FramedTests(IngestTestCase):
    def set_slot(self, **values: Any) -> None:
        change_slot("slot-001", SlotIn.model_validate(values), by="serg")

    def upload_frame(self, image: Image.Image) -> dict[str, Any]:
        file = SimpleUploadedFile("frame.png", save(image))
        side_px = choose_template_side_px(FRAME)
        done = register_template("slot-001", file, by="serg", side_px=side_px)
        return {"media_kind": "frame", "media_object_id": done.media.pk.hex}

    def set_print(self, **more: Any) -> None:
        frame = self.upload_frame(make_frame_picture(PAPERS_PX["6x8"]))
        values = {"paper": "6x8", "template_media": [frame], "frame_qr": "bottom-right"}
        self.set_slot(**values, **more)

    def page(self, answer: HttpResponse) -> str:
        return f"{BASE}/public/results/{make_view_id(uuid.UUID(answer['X-Job-Id']))}/page"

    async def run_test(self) -> HttpResponse:
        serg = await User.objects.acreate(username="serg", password="!", is_superuser=True)
        token = await in_db(AdminToken.for_user, serg)
        return await self.post(
            path="/api/slots/slot-001/test-run",
            field="test_image",
            headers={"Authorization": f"Bearer {token}"},
            password=None,
        )

    async def test_a_result_has_frame_words_and_the_code_of_its_own_page(self) -> None:

        variables = [{"name": "guest", "source": "form", "example": "Анна"}]
        await in_db(self.set_print, frame_text="Для {guest}", variables=variables)
        answers = [await self.post(jpeg(seed=1), guest=name) for name in ("Ольга", "Пётр")]
        jobs = {str(job.pk) async for job in Job.objects.all()}
        self.assertEqual(len(jobs), 2)  # other words are another print
        for answer in answers:
            image = Image.open(io.BytesIO(answer.content))
            self.assertEqual((image.size, image.info["dpi"]), ((1800, 2400), (300, 300)))
            self.assertEqual(read_codes(image), [self.page(answer)])
        self.assertNotEqual(answers[0].content, answers[1].content)
        call = self.provider.calls[-1]
        self.assertEqual(len(call.pictures), 1)  # the frame is never sent
        self.assertEqual(call.aspect_ratio, "4:5")  # of what shows through it

    async def test_the_photo_that_stands_in_has_them_too_but_no_code(self) -> None:

        recipe = {"prompt": "As an oil painting [sim:img-safety]"}
        await in_db(self.set_print, on_failure="original", settings=recipe, frame_text="Привет")
        answer = await self.post()
        self.assertEqual(answer["X-PhotoChanger-Fallback"], "original")
        image = Image.open(io.BytesIO(answer.content))
        self.assertEqual((image.size, read_codes(image)), ((1800, 2400), []))
        red, green, blue = image.convert("RGB").getpixel((8, 8))  # type: ignore[misc]
        self.assertTrue(red > 80 > green and blue < 90, (red, green, blue))

    async def test_a_test_run_is_printed_alike(self) -> None:

        await in_db(self.set_print)
        answer = await self.run_test()
        image = Image.open(io.BytesIO(answer.content))
        self.assertEqual(image.size, (1800, 2400))
        self.assertEqual(read_codes(image), [self.page(answer)])

    async def test_who_scans_a_print_sees_the_picture_and_cannot_delete_it(self) -> None:
        """Prints hang on walls, and their pictures, with the code, in galleries."""
        await in_db(self.set_print)
        answer = await self.post()
        [code] = read_codes(Image.open(io.BytesIO(answer.content)))
        page = code.removeprefix(BASE)
        self.assertNotIn(answer["X-Job-Id"], page)
        self.assertEqual((await self.async_client.get(page)).status_code, 200)
        refused = await self.async_client.delete(page.removesuffix("/page"))
        self.assertEqual(
            (refused.status_code, refused.json()["failure_reason"]), (403, ViewOnly.reason)
        )
        owned = await self.async_client.delete(f"/public/results/{answer['X-Job-Id']}")
        self.assertEqual(owned.status_code, 204)

    async def test_faces_of_the_frame_are_nobody_in_the_picture(self) -> None:
        need_engine()
        frame = make_frame_picture(PAPERS_PX["6x8"])
        frame.paste(make_group(["obama"]).resize((400, 400)), (700, 1975))
        media = await in_db(self.upload_frame, frame)
        await in_db(partial(self.set_slot, paper="6x8", template_media=[media], faces="retry"))
        out = io.BytesIO()
        make_group(["biden"]).save(out, "JPEG", quality=92)
        with override_settings(FACES_DIR=FOLDER):
            answer = await self.post(out.getvalue())
        printed = Image.open(io.BytesIO(answer.content)).convert("RGB")
        engine = need_engine()
        self.assertEqual(len(engine.find_faces(printed, least_score=0.4, describe=False)), 2)
        job = await Job.objects.aget()
        self.assertEqual((job.people_in, job.people_out, job.faces), (1, 1, "kept"))
        self.assertEqual(len(self.provider.calls), 1)  # no second picture is paid for

    async def test_a_frame_that_cannot_be_read_costs_nobody_a_print(self) -> None:
        """And no service anything: neither a call nor its good name."""
        await in_db(partial(self.set_print, on_failure="original"))
        frame = await MediaObject.objects.aget(kind=MediaObject.Kind.TEMPLATE)
        await in_db(partial(storage.remove, frame.path))
        answer = await self.post(jpeg(seed=5))
        self.assertNotIn("X-PhotoChanger-Fallback", answer)
        self.assertEqual(Image.open(io.BytesIO(answer.content)).size, (1800, 2400))
        call = await Attempt.objects.aget()
        self.assertEqual((call.failure_reason, call.detail), ("", NO_FRAME))

    async def test_what_is_saved_while_a_photo_arrives_holds_for_its_print(self) -> None:
        prompts = iter(("Oil", "Oil [sim:img-safety]"))

        def save_meanwhile(order: Order) -> Job | None:
            recipe = {"prompt": next(prompts)}
            self.set_slot(paper="4x6", on_failure="original", settings=recipe)
            return find_equal_job(order)

        with mock.patch.object(process, "find_equal_job", save_meanwhile):
            for is_original in (False, True):
                answer = await self.post()
                self.assertEqual(Image.open(io.BytesIO(answer.content)).size, (1200, 1800))
                self.assertEqual("X-PhotoChanger-Fallback" in answer, is_original)
                await Slot.objects.aupdate(paper="", on_failure="error")

    async def test_the_photo_itself_stands_in_where_it_cannot_be_printed(self) -> None:
        recipe = {"prompt": "As an oil painting [sim:img-safety]"}
        await in_db(partial(self.set_print, on_failure="original", settings=recipe))
        where = "ingest.pipeline.photo_print.make_print"
        with mock.patch(where, side_effect=ValueError("height and width must be > 0")):
            answer = await self.post(jpeg(320, 240))
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer["X-PhotoChanger-Fallback"], "original")
        self.assertEqual(Image.open(io.BytesIO(answer.content)).size, (320, 240))

    async def test_where_no_phone_could_follow_there_is_no_code(self) -> None:

        await in_db(self.set_print)
        with override_settings(PUBLIC_BASE_URL="http://127.0.0.1:8000", ALLOWED_HOSTS=["x"]):
            answer = await self.post()
        self.assertEqual(read_codes(Image.open(io.BytesIO(answer.content))), [])
