"""Pictures say that an AI made them, and a job says what the service's file told of its origin."""

import io
from typing import Any
from unittest import mock

from django.test import SimpleTestCase
from PIL import Image

from ingest.models import Job
from ingest.pipeline.result_check import check_result
from ingest.tests.support import IngestTestCase, jpeg
from ingest.tests.test_job_pages import JobPagesTestCase
from media.guests import share_pictures
from media.previews import make_preview
from photochanger.db import in_db
from photochanger.pictures import Picture, sniff
from photochanger.testing.marks import both_databases
from providers.base import DriverSettings
from slots.models import Slot
from stats.tests.support import job

AI_MADE = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def draw(file_format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((320, 200), 60).convert("RGB").save(out, file_format, **options)
    return out.getvalue()


def read_source_type(body: bytes) -> list[str]:
    """By Pillow, whose reader of XMP knows nothing of ours."""
    image = Image.open(io.BytesIO(body))
    image.load()
    found = image.getxmp()["xmpmeta"]["RDF"]["Description"]
    return [value for name, value in found.items() if name == "DigitalSourceType"]


class MarkTests(SimpleTestCase):
    def test_every_result_says_it_in_its_xmp(self) -> None:
        for came in ("JPEG", "PNG", "WEBP"):
            body = draw(came)
            for wanted in ("jpeg", "png"):
                with self.subTest(came=came, wanted=wanted):
                    given = Picture(body=body, mime=sniff(body) or "")
                    result = check_result(given, DriverSettings(output_format=wanted))
                    self.assertEqual(read_source_type(result.body), [AI_MADE.decode()])
                    self.assertEqual(result.body.count(AI_MADE), 1)

    def test_kept_pixels_are_not_encoded_again(self) -> None:
        for came in ("JPEG", "PNG"):
            body = draw(came)
            given = Picture(body=body, mime=sniff(body) or "")
            with mock.patch("ingest.pipeline.result_check.encode", side_effect=AssertionError):
                result = check_result(given, DriverSettings(output_format=came.lower()))
            self.assertLess(len(result.body) - len(body), 700)
            with Image.open(io.BytesIO(body)) as before, Image.open(io.BytesIO(result.body)) as now:
                self.assertEqual(before.tobytes(), now.tobytes())

    def test_it_stands_where_programs_look_for_it(self) -> None:
        made = {
            came: check_result(
                Picture(body=draw(came), mime=""), DriverSettings(output_format=came.lower())
            ).body
            for came in ("JPEG", "PNG")
        }
        self.assertEqual(made["JPEG"][2:4], b"\xff\xe0")  # JFIF wants to be the first
        self.assertEqual(made["JPEG"][20:22], b"\xff\xe1")
        self.assertEqual(made["PNG"][37:41], b"iTXt")

    def test_a_jpeg_without_jfif_has_it_first(self) -> None:
        body = draw("JPEG")
        bare = body[:2] + body[2 + 2 + int.from_bytes(body[4:6]) :]
        result = check_result(Picture(body=bare, mime=""), DriverSettings())
        self.assertEqual(
            (result.body[:4], read_source_type(result.body)[0]),
            (b"\xff\xd8\xff\xe1", AI_MADE.decode()),
        )

    def test_small_pictures_say_it_too(self) -> None:
        image = Image.effect_noise((900, 600), 60).convert("RGB")
        for body in (make_preview(image), share_pictures._encode(image)):
            self.assertEqual(read_source_type(body), [AI_MADE.decode()])


@both_databases
class JobTests(IngestTestCase):
    async def test_the_booth_gets_it_and_the_job_keeps_what_the_file_said(self) -> None:
        for scenario in ("ok-credentials", "ok-credentials-png", "ok-credentials-webp"):
            with self.subTest(scenario):
                await in_db(self.scenario, scenario)
                answer = await self.post()
                self.assertEqual(answer.status_code, 200)
                self.assertEqual(answer.content.count(AI_MADE), 1)
                self.assertNotIn(b"c2pa", answer.content)
                row = await Job.objects.aget()
                self.assertEqual(
                    row.credentials,
                    {
                        "is_signed": True,
                        "generator": "Simulated Image Service 2.1",
                        "signer": "Simulator Media Signing, Simulator LLC",
                        "issuer": "Simulator Media Signing, Simulator LLC",
                        "source_type": "trainedAlgorithmicMedia",
                        "credit": "Made by the simulator",
                    },
                )
                await Job.objects.all().adelete()

    async def test_a_file_that_says_nothing_is_known_to_say_nothing(self) -> None:
        await self.post()
        self.assertEqual((await Job.objects.aget()).credentials, {})

    async def test_a_photo_that_stands_in_says_nothing_of_an_ai(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(
            on_failure="original", settings={"prompt": "x [sim:img-safety]"}
        )
        photo = jpeg()
        answer = await self.post(photo)
        self.assertEqual(answer["X-PhotoChanger-Fallback"], "original")
        self.assertEqual(answer.content, photo)
        self.assertIsNone((await Job.objects.aget()).credentials)


class JobPageTests(JobPagesTestCase):
    def show(self, credentials: dict[str, Any] | None, language: str = "en") -> str:
        photo = job(credentials=credentials)
        self.store(photo)
        return str(self.open_job_page(photo, accept_language=language).content.decode())

    def test_the_page_names_who_signed_as_the_files_own_word(self) -> None:
        page = self.show(
            {
                "is_signed": True,
                "generator": "<b>Any</b> 1",
                "signer": "Somebody",
                "issuer": "Anybody",
                "source_type": "compositeWithTrainedAlgorithmicMedia",
            }
        )
        self.assertInHTML("<bdi>&lt;b&gt;Any&lt;/b&gt; 1</bdi>", page)
        self.assertInHTML("<dt>Signed, as it says, by</dt>", page)
        self.assertIn("<bdi>Somebody</bdi>", page)
        self.assertIn("edited with generative AI", page)
        self.assertIn("neither signature nor certificate was verified", page)

    def test_it_says_when_there_were_none_and_nothing_where_nobody_looked(self) -> None:
        self.assertIn("It carried neither content credentials", self.show({}))
        self.assertIn("В нём не было ни удостоверения", self.show({}, "ru"))
        self.assertNotIn("content credentials", self.show(None))

    def test_words_of_another_release_break_no_page(self) -> None:
        page = self.show({"is_signed": True, "source_type": "newWord", "later": "x"})
        self.assertIn("newWord", page)
        self.assertIn("there, but they cannot be read", page)
