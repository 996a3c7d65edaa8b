"""Fields of a booth's form with more, or in another dress, than they should have."""

import gzip
from base64 import b64encode, encodebytes
from typing import cast

from django.http import HttpResponse

from ingest.models import Job
from ingest.tests.support import PASSWORD, IngestTestCase, jpeg
from ingest.tests.test_form import FILE, KIND, make_body, make_form, make_part, parse
from photochanger.errors import InvalidFields, PayloadTooLarge
from slots.passwords import check_new_password

SECRET = b"form-data; name=password"
AROUND = (b"\r\n", b"\n", b" ", b"\t", b"\0", b"\0" * 9, b"\xef\xbb\xbf", "\u00a0".encode())


class OddFieldTests(IngestTestCase):
    async def send(self, *parts: bytes, password: bytes = PASSWORD.encode()) -> HttpResponse:
        body = make_body(make_part(SECRET, password), *parts)
        answer = await self.async_client.post("/ingest/slot-001", body, content_type=KIND)
        return cast(HttpResponse, answer)

    async def test_what_nobody_sees_around_a_password_does_not_count(self) -> None:
        for extra in AROUND:
            for password in (PASSWORD.encode() + extra, extra + PASSWORD.encode() + extra):
                answer = await self.send(make_part(FILE, jpeg()), password=password)
                self.assertEqual(answer.status_code, 200, password)
        wrong = f"{PASSWORD[:3]} {PASSWORD[3:]}".encode()
        answer = await self.send(make_part(FILE, jpeg()), password=wrong)
        self.assertEqual(answer.status_code, 401)

    async def test_a_photo_that_came_as_text_is_one(self) -> None:
        photo = jpeg()
        bare, lines = b64encode(photo), encodebytes(photo).replace(b"\n", b"\r\n")
        for text in (
            bare,
            lines,
            bare.rstrip(b"="),
            b"data:image/jpeg;base64," + bare,
            b"\r\nData:image/jpeg; charset=x ;Base64,\r\n" + lines,
            photo,
        ):
            for name in (b"fileToUpload", b"image"):
                await Job.objects.all().adelete()
                answer = await self.send(make_part(b"form-data; name=" + name, text))
                self.assertEqual(answer.status_code, 200, (name, text[:40]))
                self.assertEqual((await Job.objects.aget()).photo_bytes, len(photo))

    async def test_text_that_is_no_photo_is_told_what_it_is(self) -> None:
        gif = b64encode(b"GIF89a" + bytes(200))
        for text, status, words in (
            (b"data:image/gif;base64," + gif, 415, "JPEG"),
            (b"data:image/jpeg;base64,%%%" + gif, 400, "Форма"),
            (b"IMG_0001.JPG", 400, "нет фото"),
            (b"data:,", 400, "нет фото"),
            (gif, 400, "нет фото"),
            (b"", 400, "нет фото"),
        ):
            answer = await self.send(make_part(b"form-data; name=file", text))
            self.assertEqual(answer.status_code, status, text[:40])
            self.assertIn(words, answer.json()["details"], text[:40])

    def test_text_arrives_in_any_pieces_and_within_the_cap(self) -> None:
        photo = jpeg()
        body = make_form(make_part(b"form-data; name=file", b"data:;base64," + b64encode(photo)))
        for step in (1, 7, 130, 4096):
            form = parse(body, step=step)
            assert form.file is not None
            form.file.seek(0)
            self.assertEqual(form.file.read(), photo, step)
        with self.assertRaises(PayloadTooLarge):
            parse(body, cap=len(photo) - 1)

    async def test_a_compressed_form_is_refused_in_words_before_it_is_read(self) -> None:
        form = make_body(make_part(SECRET, PASSWORD.encode()), make_part(FILE, jpeg()))
        for coding, status in (
            *(("gzip", 415), ("br, gzip", 415), ("X-GZip", 415)),
            *(("Identity", 200), ("utf-8", 200), ("binary", 200), ("", 200)),
        ):
            headers = {"Content-Encoding": coding}
            body = gzip.compress(form) if status == 415 else form
            answer = await self.async_client.post(
                "/ingest/slot-001", body, content_type=KIND, headers=headers
            )
            self.assertEqual(answer.status_code, status, coding)
            if status == 415:
                self.assertEqual(answer.json()["failure_reason"], "unsupported_media_type")
                self.assertIn("сжат (Content-Encoding)", answer.json()["details"])

    def test_no_password_can_be_set_with_it(self) -> None:
        for extra in AROUND:
            with self.assertRaises(InvalidFields):
                check_new_password("kiwi-2-booth" + extra.decode())
