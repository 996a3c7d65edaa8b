"""Orders of Turbotext that are paid for, whatever their answers look like."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any
from unittest import mock

import httpx
from django.test import SimpleTestCase

from photochanger.errors import (
    BadResponse,
    ContentBlocked,
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderQuota,
    ProviderRejected,
    ProviderUnavailable,
)
from providers import http
from providers.tests.test_turbotext import SITE, make_request, parse_sample
from providers.turbotext import driver
from providers.turbotext.answer import explain_refusal, find_picture_urls

PICTURE = f"{SITE}/download.php?f=a.png"
BARE = f"{SITE}/result/17"  # nothing in it says that it is a picture's
DONE = {"success": True, "error": "", "data": [], "uploaded_image": PICTURE}


class NumberTests(SimpleTestCase):
    def test_an_order_has_its_number_in_any_spelling_and_place(self) -> None:
        places: tuple[dict[str, Any], ...] = (
            {"queueid": 7.0},
            {"queue_id": 7},
            {"queueId": "7"},
            {"Queue-ID": [7]},
            {"data": [{"queueid": 7}]},
            {"data": json.dumps({"queueid": 7})},
            {"queueid": None, "result": {"queueid": 7}},
            {"asyncid": 7},
            {"data": {"id": 7}},
            {"queue": 7},
        )
        for place in places:
            with self.subTest(place):
                self.assertEqual(parse_sample({"success": True, **place}).queueid, "7")
        odd: tuple[Any, ...] = (0, "", "null", None, True, 7.5, float("inf"), {}, [])
        for nothing in odd:
            self.assertEqual(parse_sample({"success": True, "queueid": nothing}).queueid, "")
        self.assertEqual(parse_sample({"message": "x", "id": 7}).queueid, "")

    def test_an_order_is_accepted_beside_an_error_that_is_none(self) -> None:
        none: tuple[Any, ...] = (0, "0", "none", "OK", False, None, [], {}, {"code": 0})
        for nothing in none:
            answer = parse_sample({"queueid": 7, "error": nothing})
            self.assertFalse(answer.is_refused, nothing)

    def test_a_remark_that_is_not_understood_is_no_refusal(self) -> None:
        remark = {"error": "seed ignored", "queueid": 7, "image": PICTURE}
        self.assertFalse(parse_sample(remark).is_refused)
        self.assertEqual(find_picture_urls(parse_sample(remark)), (PICTURE,))
        for more in ({"success": False}, {"error": "Лимит исчерпан"}):
            self.assertTrue(parse_sample(remark | more).is_refused)

    def test_an_order_that_is_accepted_counts_whatever_the_status(self) -> None:
        for status in (201, 400, 500, 502):
            reply = http.Reply(status, httpx.Headers(), b'{"success": true, "queueid": 7}')
            answer = driver.read_answer(reply, make_request("image_edit"))
            self.assertEqual(answer.queueid, "7")

    def test_a_number_of_an_answer_that_was_cut_off_is_none(self) -> None:
        with self.assertRaises(BadResponse):
            parse_sample(b'{"success": true, "queueid": 12')


class PictureTests(SimpleTestCase):
    def test_a_picture_is_found_in_any_packing(self) -> None:
        places: tuple[dict[str, Any], ...] = (
            {"data": {"image": [{"url": BARE}]}},
            {"data": {"image": {"mime": "image/png", "width": 5, "url": BARE}}},
            {"data": {"image": {"0": BARE}}},
            {"data": [{"image": [BARE]}]},
            {"data": json.dumps({"image": [BARE]})},
            {"image": BARE},
            {"images": [BARE]},
            {"uploadedImage": BARE},
            {"uploaded_image": {"url": BARE}},
            {"uploaded_image": [None, [BARE]]},
            {"result_url": BARE},
            {"data": {"Image-URL": BARE}},
        )
        states: tuple[dict[str, Any], ...] = ({"success": True}, {"success": "ok", "error": 0}, {})
        for place in places:
            for success in states:
                with self.subTest(place, success=success):
                    self.assertEqual(find_picture_urls(parse_sample({**success, **place})), (BARE,))
        for place in ({"data": PICTURE}, {"data": {"url": PICTURE}}):
            self.assertEqual(find_picture_urls(parse_sample({"success": 1, **place})), (PICTURE,))

    def test_broken_json_leads_to_its_picture(self) -> None:
        texts = (
            '{"success":true,"data":{"prompt":"a"],"width":7},"uploaded_image":"%s"}',
            '{"success":true,"data":{"image":["%s"],"prompt":"a "quoted" word"}}',
            '{success: true, uploaded_image: "%s"}',
            "{'success': True, 'error': None, 'uploaded_image': '%s'}",
            "{'success': True, 'data': {'prompt': 'it\\'s', 'image': ['%s']}}",
            '{"success":true,,"uploaded_image":"%s","error":""}',
            '<br />\n<b>Warning</b>: x<br />\n{"success":true]],"uploaded_image":"%s"}',
        )
        for text in texts:
            for address in (PICTURE, PICTURE.replace("/", "\\/")):
                with self.subTest(text):
                    answer = parse_sample((text % address).encode())
                    self.assertEqual(find_picture_urls(answer), (PICTURE,))
        self.assertTrue(parse_sample(b"{'action': 'reconnect'}").is_pending)
        refused = parse_sample("{'success': False, 'error': 'Лимит исчерпан'}".encode())
        self.assertIsInstance(explain_refusal(refused), ProviderQuota)

    def test_a_picture_of_a_page_is_none(self) -> None:
        logo = '{"@type": "Organization", "image": "https://www.turbotext.ru/logo.png"}'
        for page in (f"<!-- x --><html><script>{logo}</script>", f"x <div>{logo}</div>"):
            with self.assertRaises((ProviderAuth, BadResponse)):
                parse_sample(page.encode())

    def test_our_own_links_are_no_result(self) -> None:
        body = {"success": True, "data": {"url": "https://photos.example/48.jpg", "image": PICTURE}}
        reply = http.Reply(200, httpx.Headers(), json.dumps(body).encode())
        sent = ["https://photos.example/48.jpg"]
        answer = driver.read_answer(reply, make_request("image_edit"), sent=sent)
        self.assertEqual(answer.pictures, (PICTURE,))


class RefusalTests(SimpleTestCase):
    def test_what_is_said_counts_under_any_key(self) -> None:
        rows: dict[str, type[ProviderError]] = {
            "Недостаточно средств на балансе": ProviderQuota,
            "Неверный ключ API": ProviderAuth,
            "Лицо на фото не найдено": ProviderRejected,
        }
        for text, error in rows.items():
            places: tuple[dict[str, Any], ...] = (
                *({key: text} for key in ("error", "message", "msg", "error_text", "error_msg")),
                *({key: text} for key in ("errorMessage", "detail", "description", "reason")),
                {"error": {"code": 5, "message": text}},
                {"error": {"text": text}},
                {"errors": [text]},
                {"errors": [{"field": "x", "message": text}]},
                {"errors": {"url": [text]}},
                {"error": 1, "message": text},
                {"error": True, "message": text},
                {"data": {"error": text}},
            )
            for said in places:
                with self.subTest(said):
                    answer = parse_sample({"success": False, **said})
                    found = explain_refusal(answer)
                    self.assertEqual((type(found), found.retryable), (error, False))
                    self.assertIn(text, str(found))
                    self.assertTrue(answer.is_refused)

    def test_a_limit_in_an_object_is_busy_with_its_hint(self) -> None:
        said = {"code": 5, "message": "Слишком много запросов, повторите через 2 секунды"}
        found = explain_refusal(parse_sample({"success": False, "error": said}))
        self.assertEqual(type(found), ProviderQuota)
        self.assertEqual((found.retryable, found.retry_after_s), (True, 2))


class PollTests(SimpleTestCase):
    """Polls of an order that is accepted, and so paid for."""

    def setUp(self) -> None:
        for name in ("FIRST_POLL_S", "SECOND_POLL_S", "NEXT_POLLS_S", "LONGEST_POLL_PAUSE_S"):
            self.enterContext(mock.patch.object(driver, name, 0.0))

    def wait(self, *replies: tuple[int, Any]) -> tuple[tuple[str, ...] | ProviderError, int]:
        """What comes of an order whose polls are answered so, the last one for ever; the polls."""
        polls = 0

        async def answer(url: str, **_: Any) -> http.Reply:
            nonlocal polls
            status, body = replies[min(polls, len(replies) - 1)]
            polls += 1
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            return http.Reply(status, httpx.Headers(), raw)

        with mock.patch.object(http, "post", answer):
            try:
                request = make_request("image_edit", prompt="x")
                return asyncio.run(driver.wait_for_result("x", "7", request)), polls
            except ProviderError as exc:
                return exc, polls

    def test_one_odd_answer_ends_no_order(self) -> None:
        odd: tuple[tuple[int, Any], ...] = (
            *((200, body) for body in (None, b"", b"ok", b"[]", b"{}")),
            (200, DONE | {"uploaded_image": ""}),
            (200, {"success": True, "data": [], "limits": {"foto_limit": 0}}),
            (200, {"success": True, "message": "Лимит: осталось 5 фото", "data": []}),
            (200, {"success": False, "error": "Ошибка"}),
            (200, {"success": False, "error": "queueid не найден"}),
            (200, {"success": False, "error": "Внутренняя ошибка"}),
            *((status, b"<html>nginx</html>") for status in (200, 302, 400, 401, 403, 404, 405)),
            *((status, b"") for status in (204, 401, 404, 409, 429, 500, 502, 503)),
            (429, {"success": False, "error": "Лимит исчерпан"}),
            (503, {"success": False, "error": "Сервис временно недоступен"}),
        )
        for status, body in odd:
            with self.subTest(status=status, body=body):
                self.assertEqual(self.wait((status, body), (200, DONE)), ((PICTURE,), 2))

    def test_whoever_says_to_wait_is_waited_for(self) -> None:
        texts = (
            *("Задание в обработке, попробуйте позже", "Сервис временно недоступен", "busy"),
            *("processing", "Слишком много запросов", "Ваш заказ в очереди", "Unavailable"),
            *("Temporarily unavailable, try again later", "Задание еще не готово"),
            *("Обработка ещё не закончилась", "Идёт генерация изображения"),
        )
        waiting: Iterable[dict[str, Any]] = (
            *({"success": False, "error": text} for text in texts),
            *({"success": True, "message": text, "data": []} for text in texts),
            {"success": True, "data": {"action": "reconnect"}},
            {"success": True, "action": "wait"},
            {"status": "processing", "message": "Заказ принят"},
        )
        for body in waiting:
            with self.subTest(body):
                self.assertTrue(parse_sample(body).is_pending)
                self.assertEqual(self.wait(*[(200, body)] * 9, (200, DONE)), ((PICTURE,), 10))

    def test_what_no_other_poll_changes_ends_at_once(self) -> None:
        rows: tuple[tuple[int, dict[str, Any], type[ProviderError]], ...] = (
            (200, {"success": False, "error": "Недостаточно средств"}, ProviderQuota),
            (200, {"success": False, "message": "Неверный ключ API"}, ProviderAuth),
            (401, {"success": False, "error": "Неверный ключ API"}, ProviderAuth),
            (200, {"success": True, "data": {"forbidden_content": True}}, ContentBlocked),
            (200, {"success": False, "error": "Запрещённый контент"}, ContentBlocked),
            (200, {"success": False, "error": "face_not_detected"}, ProviderRejected),
        )
        for status, body, error in rows:
            with self.subTest(body):
                found, polls = self.wait((status, body))
                self.assertEqual((type(found), polls), (error, 1))

    def test_four_odd_answers_in_a_row_end_it(self) -> None:
        rows: tuple[tuple[int, Any, type[ProviderError]], ...] = (
            (200, {}, BadResponse),
            (404, b"<html>", ProviderConfig),
            (500, b"<html>", ProviderUnavailable),
        )
        for status, body, error in rows:
            found, polls = self.wait((status, body))
            self.assertEqual((type(found), polls), (error, 4))
            assert isinstance(found, ProviderError)
            self.assertFalse(found.retryable)
