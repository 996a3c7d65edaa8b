"""Fields of a booth's form with more, or in another dress, than they should have."""

from typing import cast

from django.http import HttpResponse

from ingest.tests.support import PASSWORD, IngestTestCase, jpeg
from ingest.tests.test_form import FILE, KIND, make_body, make_part
from photochanger.errors import InvalidFields
from slots.passwords import check_new_password

AROUND = (b"\r\n", b"\n", b" ", b"\t", b"\0", b"\0" * 9, b"\xef\xbb\xbf", "\u00a0".encode())


class OddFieldTests(IngestTestCase):
    async def send(self, *parts: bytes, password: bytes = PASSWORD.encode()) -> HttpResponse:
        body = make_body(make_part(b"form-data; name=password", password), *parts)
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

    def test_no_password_can_be_set_with_it(self) -> None:
        for extra in AROUND:
            with self.assertRaises(InvalidFields):
                check_new_password("kiwi-2-booth" + extra.decode())
