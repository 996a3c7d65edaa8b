"""What leaves for a service and what comes back to the booth: no byte that nobody needs."""

import io
import tempfile
from pathlib import Path
from typing import Any

from django.test import SimpleTestCase
from PIL import Image, ImageChops, ImageStat

from ingest.models import Job
from ingest.pipeline.result_check import check_result
from ingest.tests.support import IngestTestCase
from photochanger.bench.links import photos
from photochanger.pictures import JPEG, PNG, Photo, Picture, prepare_photo
from providers.base import DriverSettings
from providers.gemini.settings import GeminiSettings
from providers.turbotext.public_photo import prepare_public_photo
from slots.models import Slot

MODEL_SIDE_PX = 1024  # what the models work in, and give back


def draw_scene(width: int, height: int) -> Image.Image:
    """Fine lines, flat colours, text-like edges and a little noise: what a loss would show in."""
    base = Image.merge(
        "RGB",
        [
            Image.linear_gradient("L").resize((width, height)),
            Image.radial_gradient("L").resize((width, height)),
            Image.linear_gradient("L").rotate(90).resize((width, height)),
        ],
    )
    tiles = Image.effect_noise((width // 24, height // 24), 90).resize(
        (width, height), Image.Resampling.NEAREST
    )
    noise = Image.effect_noise((width, height), 12)
    scene = Image.blend(base, Image.merge("RGB", [tiles] * 3), 0.3)
    return ImageChops.add(scene, Image.merge("RGB", [noise] * 3), scale=1.0, offset=-128)


def encode(image: Image.Image, file_format: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format, **({"quality": 95} | options))
    return out.getvalue()


def bring_to_model(body: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(body)).convert("RGB")
    image.thumbnail((MODEL_SIDE_PX, MODEL_SIDE_PX), Image.Resampling.LANCZOS, reducing_gap=None)
    return image


def measure_likeness(one: Image.Image, other: Image.Image) -> float:
    """SSIM of the brightness in blocks of 8 pixels: 1 is the same picture."""
    first, second = one.convert("L"), other.convert("L")
    size = (first.width // 8, first.height // 8)

    def average(image: Image.Image) -> list[float]:
        values = image.convert("F").resize(size, Image.Resampling.BOX).tobytes()
        return list(memoryview(values).cast("f"))

    def multiply(a: Image.Image, b: Image.Image) -> list[float]:
        product = [x * y for x, y in zip(a.tobytes(), b.tobytes(), strict=True)]
        image = Image.new("F", a.size)
        image.putdata(product)
        return average(image)

    means = list(zip(average(first), average(second), strict=True))
    squares = zip(multiply(first, first), multiply(second, second), strict=True)
    parts = []
    for (a, b), (aa, bb), ab in zip(means, squares, multiply(first, second), strict=True):
        light = (2 * a * b + 6.5) / (a * a + b * b + 6.5)
        detail = (2 * (ab - a * b) + 58.5) / (aa - a * a + bb - b * b + 58.5)
        parts.append(light * detail)
    return sum(parts) / len(parts)


class SentTests(IngestTestCase):
    async def send(self, photo: bytes, **settings: Any) -> Image.Image:
        self.slot.settings = {"prompt": "As an oil painting", **settings}
        await Slot.objects.filter(pk="slot-001").aupdate(settings=self.slot.settings)
        answer = await self.post(photo)
        self.assertEqual(answer.status_code, 200, answer.content)
        sent = self.provider.last_photo
        assert sent is not None
        return Image.open(io.BytesIO(sent))

    async def test_a_large_photo_is_sent_as_small_as_the_answer_allows(self) -> None:
        photo = encode(draw_scene(4000, 3000))
        for settings, side in (
            ({}, 2000),  # half of it, near enough to 2048
            ({"image_size": "1K"}, 2000),
            ({"image_size": "2K"}, 3000),  # three quarters; 3072 at most
            ({"image_size": "4K"}, 3000),
            ({"send_max_side_px": 1900}, 1900),  # nothing that the decoder comes out at is near
            ({"send_max_side_px": 1500}, 1500),
            ({"send_max_side_px": 0}, 4000),
            ({"send_max_side_px": 8000}, 4000),
        ):
            with self.subTest(settings=settings):
                # Another photo each time: an equal one would get its earlier picture.
                sent = await self.send(photo + repr(settings).encode(), **settings)
                self.assertEqual((max(sent.size), sent.format), (side, "JPEG"))
                self.assertEqual(sent.width * 3, sent.height * 4)

    async def test_the_job_remembers_the_photo_as_it_came(self) -> None:
        photo = encode(draw_scene(3000, 2000))
        sent = await self.send(photo)
        job = await Job.objects.aget()
        self.assertEqual((job.photo_bytes, max(sent.size)), (len(photo), 1875))

    async def test_a_photo_on_its_side_arrives_upright(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        sent = await self.send(encode(draw_scene(3000, 2000), exif=exif))
        self.assertEqual(sent.size, (1250, 1875))
        self.assertFalse(sent.getexif())

    async def test_what_a_model_sees_of_it_is_the_same(self) -> None:
        """The photo sent and the photo as it came, both brought to the model's size."""
        for width, height in ((6000, 4000), (4800, 3200)):  # resized; as the decoder made it
            photo = encode(draw_scene(width, height))
            await self.send(photo)
            sent = self.provider.last_photo
            assert sent is not None and len(sent) < len(photo) / 4
            seen, original = bring_to_model(sent), bring_to_model(photo)
            assert seen.size == original.size
            difference = ImageStat.Stat(ImageChops.difference(seen, original))
            assert max(difference.mean) < 2, difference.mean
            likeness = measure_likeness(seen, original)
            assert likeness > 0.98, likeness

    async def test_an_answer_is_a_jpeg_and_a_png_where_the_slot_asks_for_one(self) -> None:
        for settings, mime in (({}, JPEG), ({"output_format": "png"}, PNG)):
            await self.send(encode(draw_scene(640, 480)), **settings)
            job = await Job.objects.order_by("-started_at").afirst()
            assert job is not None
            self.assertEqual(job.result_mime, mime)
            guest = await self.async_client.get(f"/public/results/{job.pk}")
            self.assertEqual(guest["Content-Type"], mime)


class SavingTests(SimpleTestCase):
    def prepare(self, body: bytes, max_side_px: int | None) -> tuple[Photo, Photo]:
        photo = Photo.open(io.BytesIO(body), max_megapixels=80)
        prepared = prepare_photo(photo, max_side_px=max_side_px)
        if prepared is not photo:
            self.addCleanup(prepared.file.close)
        return photo, prepared

    def test_a_photo_stays_where_nothing_would_be_saved(self) -> None:
        flat = encode(Image.new("RGB", (3000, 2000), (20, 90, 160)), "PNG")
        photo, prepared = self.prepare(flat, 2048)
        assert prepared is photo
        small = encode(draw_scene(1200, 800))
        photo, prepared = self.prepare(small, 2048)
        assert prepared is photo

    def test_a_heavy_photo_of_the_right_size_leaves_as_a_light_jpeg(self) -> None:
        scene = draw_scene(2000, 2000)
        for body in (encode(scene, "PNG"), encode(scene, quality=100, subsampling=0)):
            photo, prepared = self.prepare(body, 2048)
            prepared.file.seek(0)
            sent = prepared.file.read()
            self.assertEqual((prepared.mime, prepared.header.width), (JPEG, 2000))
            self.assertLess(len(sent), 0.5 * len(body))
            self.assertEqual(prepared.sha256, photo.sha256)
            assert measure_likeness(bring_to_model(sent), bring_to_model(body)) > 0.98
            photo, prepared = self.prepare(body, None)  # as it came
            assert prepared is photo

    def test_what_is_heavy_and_would_not_get_lighter_stays(self) -> None:
        noise = Image.merge("RGB", [Image.effect_noise((1600, 1600), 200) for _ in range(3)])
        photo, prepared = self.prepare(encode(noise, quality=94, subsampling=0), 2048)
        assert photo.size_bytes > 1.2 * 1600 * 1600 and prepared is photo

    def test_the_photos_own_file_is_not_touched(self) -> None:
        body = encode(draw_scene(3000, 2000))
        photo, prepared = self.prepare(body, 2048)
        assert prepared is not photo and prepared.sha256 == photo.sha256
        photo.file.seek(0)
        assert photo.file.read() == body

    def test_a_camera_photo_of_14_megabytes_leaves_with_less_than_1_5(self) -> None:
        noise = Image.effect_noise((6000, 4000), 70)
        shade = Image.linear_gradient("L").resize((6000, 4000))
        image = Image.merge("RGB", [Image.blend(shade, noise, 0.5)] * 3)
        quality = next(q for q in (90, 92, 94, 96) if len(encode(image, quality=q)) > 11_000_000)
        _, prepared = self.prepare(
            encode(image, quality=quality), GeminiSettings(prompt="x").choose_send_side_px()
        )
        assert (prepared.size_bytes + 2) // 3 * 4 <= 1_500_000, prepared.size_bytes

    def test_a_photo_hardly_larger_than_what_is_sent_leaves_with_half_its_bytes(self) -> None:
        """Noise of a sensor and all; and what a model sees of it is the same."""
        with tempfile.TemporaryDirectory() as folder:
            body = photos.make("1mb", Path(folder)).read_bytes()
        photo, prepared = self.prepare(body, 2048)
        prepared.file.seek(0)
        sent = prepared.file.read()
        assert len(sent) < len(body) / 2, (len(sent), len(body))
        assert measure_likeness(bring_to_model(sent), bring_to_model(body)) > 0.98

    def test_a_service_that_fetches_gets_it_small_too(self) -> None:
        _, prepared = self.prepare(encode(draw_scene(4000, 3000)), 1024)
        slices = prepare_public_photo(prepared)
        fetched = Image.open(io.BytesIO(b"".join(slices.read_chunks(65536))))
        slices.close()
        assert (max(fetched.size), fetched.format) == (1000, "JPEG")

    def test_the_setting_is_nothing_or_a_reasonable_side(self) -> None:
        for value in (-1, 1, 255, 9000):
            with self.subTest(value), self.assertRaises(ValueError):
                DriverSettings(send_max_side_px=value)


class AnswerTests(SimpleTestCase):
    def test_the_resolution_for_print_stays(self) -> None:
        image = draw_scene(320, 240)
        for file_format in ("PNG", "JPEG", "WEBP"):
            for wanted in (None, "jpeg", "png"):
                body = encode(image, file_format, dpi=(300, 300))
                mime = {"PNG": PNG, "JPEG": JPEG, "WEBP": "image/webp"}[file_format]
                rules = DriverSettings(output_format=wanted)
                result = check_result(Picture(body=body, mime=mime), rules)
                found = Image.open(io.BytesIO(result.body))
                with self.subTest(file_format, wanted=wanted):
                    assert found.format == (wanted or "jpeg").upper()
                    if file_format != "WEBP":  # which has no place for it
                        assert round(found.info["dpi"][0]) == 300

    def test_a_jpeg_is_a_fraction_of_the_png_that_came(self) -> None:
        png = encode(draw_scene(1024, 768), "PNG")
        result = check_result(Picture(body=png, mime=PNG), DriverSettings())
        assert result.mime == JPEG and len(result.body) < len(png) / 3
        seen = Image.open(io.BytesIO(result.body)).convert("RGB")
        difference = ImageStat.Stat(ImageChops.difference(seen, Image.open(io.BytesIO(png))))
        assert max(difference.mean) < 4, difference.mean
