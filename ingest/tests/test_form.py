"""A booth's form in every spelling that clients use: which part is the photo, what is text."""

import base64
import quopri
from collections.abc import Iterable
from typing import Any, cast

from django.http import HttpResponse
from django.test import SimpleTestCase

from ingest.models import Job
from ingest.pipeline.upload import FormParser
from ingest.pipeline.uploaded_form import UploadedForm
from ingest.tests.support import PASSWORD, IngestTestCase, jpeg
from photochanger import request_errors
from photochanger.db import in_db
from photochanger.errors import InvalidFields, InvalidRequest, PayloadTooLarge
from photochanger.parsing import decode_text
from photochanger.request_errors import (
    BrokenForm,
    CutForm,
    EmptyForm,
    FormWithoutBoundary,
    NotAForm,
    TooManyFields,
)
from slots.passwords import check_new_password, set_ingest_password

MB = 1024 * 1024
KIND = "multipart/form-data; boundary=b"
PHOTO = b"\xff\xd8\xff\xe0 a photo\r\n--bx\r\n--not a boundary\r\n\r\xff\xd9"
FILE = b'form-data; name="fileToUpload"; filename="a.jpg"'
SECRET = (b'form-data; name="password"', b"secret")


def make_part(disposition: bytes, body: bytes, *headers: bytes) -> bytes:
    lines = [b"--b", b"Content-Disposition: " + disposition, *headers, b"", body]
    return b"\r\n".join(lines) + b"\r\n"


def make_body(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(parts) + end


def make_form(*parts: bytes) -> bytes:
    return make_body(make_part(*SECRET), *parts)


def parse(body: bytes, *, kind: str = KIND, step: int = 0, cap: int = MB) -> UploadedForm:
    parser = FormParser(kind, max_file_bytes=cap)
    for begin in range(0, len(body), step or len(body) or 1):
        parser.feed(body[begin : begin + (step or len(body))])
    return parser.finish()


def is_own_refusal(kind: object) -> bool:
    return isinstance(kind, type) and kind.__module__ == request_errors.__name__


class FormCase(SimpleTestCase):
    def assert_photo(self, body: bytes, photo: bytes = PHOTO, **options: Any) -> UploadedForm:
        """The same in one piece and byte by byte."""
        for step in (0, 1, 7):
            form = parse(body, step=step, **options)
            assert form.file is not None, step
            form.file.seek(0)
            self.assertEqual(form.file.read(), photo, step)
            self.assertEqual(form.fields["password"], "secret")
            self.assertEqual(form.size_bytes, len(photo))
        return form

    def assert_each_is_photo(self, parts: Iterable[bytes]) -> None:
        for part in parts:
            with self.subTest(part=part[:120]):
                self.assert_photo(make_form(part))
                self.assert_photo(make_body(part, make_part(*SECRET)))


class PhotoChoiceTests(FormCase):
    def test_a_file_in_every_spelling_of_its_name(self) -> None:
        self.assert_each_is_photo(
            make_part(b"form-data; " + disposition, PHOTO)
            for disposition in (
                b'name="fileToUpload"; filename="a.jpg"',
                b"name=file; filename=a.jpg",
                b'NAME="image"; FileName="a.jpg"',
                b'filename="a.jpg"; name="file"',
                b"name=\"file\"; filename*=utf-8''%D1%84.jpg",
                b"name=\"file\"; filename*=UTF-8'ru'%D1%84.jpg",
                b"name=\"file\"; filename*0*=utf-8''%D1; filename*1*=%84; filename*2=.jpg",
                b"name*=utf-8''file; filename=a",
                b'name="file"; filename="a \\"b\\"; name=\\"x\\".jpg"',
                b'name="file"; filename="C:\\photos\\a.jpg"',
                b'name="file"; filename="C:\\photos\\"',
                b'name="file"; filename=""',
                b'name = "file" ; filename = "a.jpg" ;',
                b'name="file"; size=12; filename="a;b.jpg"; creation-date="now"',
                'name="file"; filename="фото.jpg"'.encode("cp1251"),
                b'name="FileToUpload"; filename="a.jpg"',
                b'name=" file "; filename="a.jpg"',
                b'name="file[]"; filename="a.jpg"',
                b'name="image[0]"; filename="a.jpg"',
            )
        )

    def test_a_picture_without_a_files_name(self) -> None:
        self.assert_each_is_photo(
            [
                make_part(b'form-data; name="file"', PHOTO, b"Content-Type: image/jpeg"),
                make_part(b'form-data; name="file"', PHOTO, b"content-type: IMAGE/JPEG; x=y"),
                make_part(b'form-data; name="image"', PHOTO),  # by its content
                make_part(b'attachment; name="file"; filename=a', PHOTO),
                b'--b\r\nContent-Type: image/jpeg; name="file"\r\n\r\n' + PHOTO + b"\r\n",
                b'--b\r\nContent-Disposition: form-data;\r\n name="file";\r\n\tfilename=a\r\n\r\n'
                + PHOTO
                + b"\r\n",
            ]
        )

    def test_the_name_decides_and_not_the_order(self) -> None:
        photo, other = make_part(FILE, PHOTO), b"\xff\xd8\xff\xe0 another"
        for beside in (
            make_part(FILE, b""),
            make_part(b'form-data; name="fileToUpload"; filename=""', b""),
            make_part(b'form-data; name="thumbnail"; filename="t.jpg"', other),
            make_part(b'form-data; name="file"; filename="t.jpg"', other),
            make_part(b'form-data; name="image"; filename="t.jpg"', other),
            make_part(b'form-data; name="image"', b"IMG_0001.JPG"),
            make_part(b'form-data; name="file"', b"yes"),
            make_part(b'form-data; filename="no name"', other),
            b"--b\r\n\r\nno head at all\r\n",
            make_part(b'form-data; name="settings"; filename="s.xml"', b"<x/>" * 5000),
        ):
            with self.subTest(beside=beside[:90]):
                self.assert_photo(make_form(beside, photo))
                self.assert_photo(make_form(photo, beside))

    def test_of_equal_files_the_first_with_anything_in_it(self) -> None:
        second = make_part(FILE, b"\xff\xd8\xff second")
        self.assert_photo(make_form(make_part(FILE, b""), make_part(FILE, PHOTO), second))

    def test_a_lesser_file_is_taken_when_the_better_one_is_empty(self) -> None:
        lesser = make_part(b'form-data; name="image"; filename="a"', PHOTO)
        self.assert_photo(make_form(lesser, make_part(FILE, b"")))

    def test_what_is_no_picture_gives_way_to_one(self) -> None:
        described = b'form-data; name="%s"; filename="meta.json"'
        lesser = make_part(b'form-data; name="image"; filename="a"', PHOTO)
        for part in (
            make_part(described % b"fileToUpload", b'{"camera": "EOS"}'),
            make_part(described % b"file", b"{"),
        ):
            self.assert_photo(make_form(part, lesser))
            self.assert_photo(make_form(lesser, part))
        self.assert_photo(make_form(make_part(FILE, b"no picture"), make_part(FILE, PHOTO)))
        heic = b"\0\0\0\x18ftypheic" + bytes(50)  # refused, but no logo is made in its place
        form = parse(make_form(make_part(FILE, heic), lesser))
        self.assertEqual(form.size_bytes, len(heic))
        alone = parse(make_form(make_part(FILE, b"no picture")))
        assert alone.file is not None
        alone.file.seek(0)
        self.assertEqual(alone.file.read(), b"no picture")  # which is refused as what it is

    def test_nothing_else_is_a_photo(self) -> None:
        for part in (
            make_part(b'form-data; name="picture"; filename="a.jpg"', PHOTO),
            make_part(b'form-data; name="image"', b"IMG_0001.JPG"),
            make_part(FILE, b""),
        ):
            self.assertIsNone(parse(make_form(part)).file)
        form = parse(make_form(make_part(FILE, b"")))
        self.assertTrue(form.has_photo_field)

    def test_a_photo_that_was_only_a_candidate_leaves_no_digest(self) -> None:
        candidate = make_part(b'form-data; name="image"; filename="a"', b"\xff\xd8 candidate")
        form = self.assert_photo(make_form(candidate, make_part(FILE, PHOTO)))
        self.assertEqual(
            form.compute_sha256(), parse(make_form(make_part(FILE, PHOTO))).compute_sha256()
        )


class OddityTests(FormCase):
    def test_bodies_that_the_busiest_servers_read(self) -> None:
        plain = make_form(make_part(FILE, PHOTO))
        picture = b"\xff\xd8 of one line \xff\xd9"
        lf_only = make_form(make_part(FILE, picture)).replace(b"\r\n", b"\n")
        self.assert_photo(lf_only, picture)
        for body in (
            b"preamble\r\n" + plain,
            b"\r\n\r\n" + plain,
            b"\xef\xbb\xbf\r\n" + plain,
            plain + b"epilogue\r\n--b\r\n\r\nnot a part",
            plain.removesuffix(b"\r\n"),
            plain.removesuffix(b"--\r\n"),
            plain.removesuffix(b"--\r\n") + b"\r\n",
            plain.replace(b"\r\n--b\r\n", b"\r\n--b \t \r\n"),
            plain.replace(b"--b--\r\n", b"--b-- \r\n\r\n"),
        ):
            self.assert_photo(body)

    def test_an_empty_field_without_a_line_of_its_own_is_empty_however_it_arrives(self) -> None:
        """Some programs let the next boundary follow the field's head at once."""
        empty = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n'
        like_one = make_part(b'form-data; name="id"', b"--bc")
        body = empty + make_form(make_part(FILE, PHOTO), like_one)
        for step in (0, *range(1, 60)):
            with self.subTest(step=step):
                form = parse(body, step=step)
                self.assertEqual(form.fields, {"name": "", "password": "secret", "id": "--bc"})
                self.assertEqual(form.size_bytes, len(PHOTO))

    def test_boundaries_in_every_spelling(self) -> None:
        plain = make_form(make_part(FILE, PHOTO))
        for kind, boundary in (
            ('multipart/form-data; boundary="b"', b"b"),
            ("Multipart/Form-Data; Boundary=b", b"b"),
            ("multipart/form-data; charset=UTF-8; boundary=b; x=y", b"b"),
            ("multipart/form-data;boundary=b ", b"b"),
            ("multipart/form-data; boundary=----=_Part_1:2/3?", b"----=_Part_1:2/3?"),
            ('multipart/form-data; boundary="a b\'()+_,-./:=?"', b"a b'()+_,-./:=?"),
            ("multipart/mixed; boundary=b", b"b"),
            ("multipart/form-data; boundary=b,multipart/form-data; boundary=b", b"b"),
            ("application/json, multipart/form-data; boundary=b", b"b"),
            ("multipart/form-data; boundary=b, charset=utf-8", b"b"),
            ('multipart/form-data; boundary=b,multipart/form-data; boundary="b"', b"b"),
            ("multipart/form-data; boundary=a,b", b"a,b"),
        ):
            with self.subTest(kind=kind):
                body = plain.replace(b"--b\r\n", b"--%b\r\n" % boundary)
                body = body.replace(b"--b--\r\n", b"--%b--\r\n" % boundary)
                self.assert_photo(body, kind=kind)

    def test_transfer_encodings(self) -> None:
        for name, coded in (
            (b"base64", base64.encodebytes(PHOTO * 40)),
            (b"BASE64", base64.b64encode(PHOTO * 40).rstrip(b"=")),
            (b"quoted-printable", quopri.encodestring(PHOTO * 40)),
            (b"binary", PHOTO * 40),
            (b"8bit", PHOTO * 40),
        ):
            with self.subTest(name=name):
                part = make_part(FILE, coded, b"Content-Transfer-Encoding: " + name)
                self.assert_photo(make_form(part), PHOTO * 40)
        coded = make_part(
            b"form-data; name=password", b"c2Vj\r\ncmV0", b"Content-Transfer-Encoding: base64"
        )
        self.assert_photo(make_body(coded, make_part(FILE, PHOTO)))

    def test_what_is_not_wanted_is_read_and_forgotten(self) -> None:
        extra = [make_part(b"form-data; name=f%d" % n, b"x" * 40_000) for n in range(200)]
        form = parse(make_form(*extra, make_part(FILE, PHOTO)))
        self.assertEqual(form.size_bytes, len(PHOTO))
        self.assertLess(sum(map(len, form.fields.values())), 600_000)
        self.assertEqual(form.fields["password"], "secret")

    def test_the_first_password_that_says_something_counts(self) -> None:
        wrong = make_part(b'form-data; name="password"', b"wrong")
        empty = make_part(b'form-data; name="Password"', b"")
        self.assert_photo(make_body(empty, make_part(*SECRET), wrong, make_part(FILE, PHOTO)))

    def test_a_password_that_came_as_a_file_is_one(self) -> None:
        secret = make_part(b'form-data; name="password"; filename="p.txt"', b"secret")
        self.assert_photo(make_body(secret, make_part(FILE, PHOTO)))

    def test_a_large_photo_is_measured_after_decoding(self) -> None:
        part = make_part(FILE, b"x" * 1000)
        self.assertEqual(parse(make_form(part), cap=1000).size_bytes, 1000)
        for cap in (999, 1):
            with self.assertRaises(PayloadTooLarge):
                parse(make_form(part), cap=cap)


class RefusalTests(SimpleTestCase):
    def assert_refused(self, error: type[InvalidRequest], body: bytes, kind: str = KIND) -> None:
        with self.assertRaises(error):
            parse(body, kind=kind)

    def test_a_line_too_long_for_its_encoding_however_it_arrives(self) -> None:
        encoding = b"Content-Transfer-Encoding: quoted-printable"
        body = make_form(make_part(FILE, b"x" * 70_000 + b"\r\n" + PHOTO, encoding))
        for step in (0, 1000, 16_384):
            with self.subTest(step=step), self.assertRaises(request_errors.BrokenForm):
                parse(body, step=step)

    def test_what_is_no_form(self) -> None:
        whole = make_form(make_part(FILE, PHOTO))
        self.assert_refused(NotAForm, whole, "application/json")
        self.assert_refused(NotAForm, whole, "")
        self.assert_refused(NotAForm, whole, "application/x-www-form-urlencoded")
        for kind in ("multipart/form-data", "multipart/form-data; boundary=", 'multipart/x; a="b"'):
            self.assert_refused(FormWithoutBoundary, whole, kind)
        self.assert_refused(
            FormWithoutBoundary, whole, f"multipart/form-data; boundary={'b' * 5000}"
        )
        self.assert_refused(EmptyForm, b"")
        self.assert_refused(EmptyForm, b"\r\n")
        self.assert_refused(BrokenForm, whole, "multipart/form-data; boundary=other")
        self.assert_refused(BrokenForm, b"--b\r\nX: " + b"x" * 20_000)
        self.assert_refused(TooManyFields, make_part(*SECRET) * 1001)

    def test_a_form_cut_anywhere_before_its_last_boundary_is_refused(self) -> None:
        whole = make_form(make_part(FILE, b"\xff\xd8\r\n--not a boundary\r\n"))
        for size in range(whole.rindex(b"--b--")):
            with self.assertRaises(InvalidRequest, msg=size):
                form = parse(whole[:size])
                if form.file is None:  # it ends after the password: no photo
                    raise CutForm

    def test_every_sentence_is_of_its_own_and_in_both_languages(self) -> None:
        kinds = [kind for kind in vars(request_errors).values() if is_own_refusal(kind)]
        for language, letters in (("ru", "[а-я]"), ("en", "[a-z]")):
            sentences = {kind("").to_json(language)["details"] for kind in kinds}
            self.assertGreaterEqual(len(sentences), 12)
            for sentence in sentences:
                self.assertRegex(str(sentence), letters)


class TextTests(FormCase):
    def test_text_is_utf8_or_windows_1251_or_what_the_form_says(self) -> None:
        name = "ФОТОБУДКА-1"
        self.assertEqual(decode_text(name.encode()), name)
        self.assertEqual(decode_text(name.encode("cp1251")), name)
        self.assertEqual(decode_text(b"\xef\xbb\xbf" + name.encode()), name)
        self.assertEqual(decode_text(name.encode("utf-16")), name)
        self.assertEqual(decode_text(name.encode("koi8-r"), "KOI8-R"), name)
        self.assertEqual(decode_text(name.encode("utf-16-le"), "utf-16"), name)
        self.assertEqual(decode_text("secret-1".encode("utf-16-le")), "secret-1")
        self.assertEqual(decode_text("secret-1".encode("utf-16-be")), "secret-1")
        self.assertEqual(decode_text(name.encode("cp1251"), "utf-8"), name)
        self.assertEqual(decode_text(name.encode(), "unicode_escape"), name)
        self.assertEqual(decode_text(b"\x98\x81\xff"), "�Ѓя")
        for codec, head in (("cp1251", b""), ("cp866", b"Content-Type: text/plain; charset=cp866")):
            part = make_part(b"form-data; name=name", name.encode(codec), *[head] * bool(head))
            self.assertEqual(parse(make_form(part)).fields["name"], name)
        said = make_part(b"form-data; name=_charset_", b"koi8-r")
        part = make_part(b"form-data; name=name", name.encode("koi8-r"))
        self.assertEqual(parse(make_form(said, part)).fields["name"], name)


class ServedFormTests(IngestTestCase):
    async def send(self, *parts: bytes) -> HttpResponse:
        body = make_body(make_part(b"form-data; name=password", PASSWORD.encode()), *parts)
        answer = await self.async_client.post("/ingest/slot-001", body, content_type=KIND)
        return cast(HttpResponse, answer)

    async def test_an_odd_form_gets_a_picture_and_its_booth_has_its_name(self) -> None:
        photo = jpeg()
        answer = await self.send(
            make_part(b'form-data; name="fileToUpload"; filename=""', b""),
            make_part(b'form-data; name="name"', "ФОТОБУДКА-1".encode("cp1251")),
            make_part(b"form-data; name=\"FILE[]\"; filename*=utf-8''a.jpg", photo),
            make_part(b'form-data; name="raw"; filename="a.xml"', b"<x/>" * 9000),
        )
        self.assertEqual(answer.status_code, 200)
        job = await Job.objects.aget()
        self.assertEqual((job.booth_name, job.photo_bytes), ("ФОТОБУДКА-1", len(photo)))

    async def test_a_russian_password_is_right_in_both_spellings(self) -> None:
        await in_db(set_ingest_password, "пароль-ёж", by="test")
        for codec in ("utf-8", "cp1251"):
            secret = make_part(b"form-data; name=password", "пароль-ёж".encode(codec))
            body = make_body(secret, make_part(FILE, jpeg()))
            answer = await self.async_client.post("/ingest/slot-001", body, content_type=KIND)
            self.assertEqual(answer.status_code, 200, codec)

    def test_a_password_that_some_booth_cannot_send_is_refused(self) -> None:
        for password in ("naïve-pass", "smile-😀", "қазақша", "Рџ-both"):
            with self.assertRaises(InvalidFields):
                check_new_password(password)
        for password in ("пароль-ёж", "№1-«бар»", "Passw0rd €"):
            check_new_password(password)

    async def test_an_empty_photo_is_an_unreadable_one(self) -> None:
        answer = await self.send(make_part(FILE, b""))
        self.assertEqual(
            (answer.status_code, answer.json()["failure_reason"]), (400, "invalid_image")
        )

    async def test_the_sentence_says_what_is_wrong(self) -> None:
        for part, words in (
            (make_part(b"form-data; name=picture; filename=a", PHOTO), "в поле с другим именем"),
            (make_part(b"form-data; name=other", b"x"), "В форме нет фото"),
        ):
            answer = await self.send(part)
            self.assertEqual(answer.json()["failure_reason"], "invalid_request")
            self.assertIn(words, answer.json()["details"])
