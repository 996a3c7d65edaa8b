"""The Turbotext driver without its wire: what it says, and what it makes of every known answer.

The saved answers are the samples of the service's documents, word for word.
"""

import asyncio
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from django.test import SimpleTestCase, override_settings
from PIL import Image
from pydantic import ValidationError
from structlog.testing import capture_logs

from photochanger.errors import (
    BadResponse,
    ContentBlocked,
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderNetwork,
    ProviderQuota,
    ProviderRejected,
    ProviderUnavailable,
)
from photochanger.pictures import JPEG, PNG, WEBP, Photo
from photochanger.redaction import remember_secret
from providers import http
from providers.base import CallTrace, ProviderRequest, Reference
from providers.clean_photo import Slices
from providers.downloads import FINAL_DOT, check_address, is_public
from providers.tests.test_pictures import (
    SECRET,
    build_exif,
    draw_picture,
    encode_picture,
    make_photo,
)
from providers.turbotext.answer import Answer, explain_refusal, find_picture_urls, parse_answer
from providers.turbotext.driver import TurbotextDriver, read_answer
from providers.turbotext.operations import EDIT, STYLE, TurbotextSettings
from providers.turbotext.order_form import build_form, plan_operation, publish_pictures
from providers.turbotext.public_photo import MAX_BYTES, prepare_public_photo

ANSWERS = Path(__file__).parent / "answers" / "turbotext"
KEY = "a-key-of-nobody"
SITE = "https://www.turbotext.ru"


def load_answer(name: str) -> bytes:
    return (ANSWERS / f"{name}.json").read_bytes()


def parse_sample(body: bytes | dict[str, Any]) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_answer(raw, CallTrace())


def make_request(
    operation: str = "style_transfer",
    *,
    templates: Iterable[str] = (),
    api_key: str = KEY,
    **settings: Any,
) -> ProviderRequest[TurbotextSettings]:
    """A request of a slot with these settings; the template of each kind has its own width."""

    async def give_link(picture: Slices) -> str:
        body = b"".join(picture.read_chunks(65536))
        return f"https://photos.example/{Image.open(io.BytesIO(body)).width}.jpg?x=1&y=2"

    pictures = [
        (kind, make_photo(encode_picture(draw_picture((90 + n, 60)))))
        for n, kind in enumerate(templates)
    ]
    return ProviderRequest(
        operation=operation,
        photo=make_photo(encode_picture(draw_picture(), exif=build_exif())),
        references=tuple(Reference(kind, picture) for kind, picture in pictures),
        settings=TurbotextSettings(**settings),
        api_key=api_key,
        budget_s=47.0,
        publish=give_link,
    )


def build_sent_form(request: ProviderRequest[TurbotextSettings]) -> dict[str, str]:
    links = asyncio.run(publish_pictures(request, plan_operation(request)))
    return build_form(request, links)


GUEST = "https://photos.example/48.jpg?x=1&y=2"
FIRST = "https://photos.example/90.jpg?x=1&y=2"
SECOND = "https://photos.example/91.jpg?x=1&y=2"


class BuildTests(SimpleTestCase):
    def test_style_is_taken_from_the_template_to_the_guest(self) -> None:
        request = make_request(templates=("face", "style"), prompt="В стиле аниме")
        self.assertEqual(
            build_sent_form(request),
            {"do": "create_queue", "url_image_target": GUEST, "url": SECOND}
            | {"content": "В стиле аниме"},
        )

    def test_without_a_prompt_no_content_is_sent(self) -> None:
        self.assertNotIn("content", build_sent_form(make_request(templates=["style"])))

    def test_the_guests_face_goes_into_the_scene(self) -> None:
        for kinds, scene in ((["base"], FIRST), (["background"], FIRST)):
            request = make_request("identity_transfer", templates=kinds, face_restore=False)
            self.assertEqual(
                build_sent_form(request),
                {"do": "create_queue", "url": scene, "url_image_target": GUEST}
                | {"face_restore": "False"},
            )
        self.assertEqual(
            build_sent_form(make_request("identity_transfer", templates=["background", "base"]))[
                "url"
            ],
            SECOND,
        )

    def test_the_templates_face_goes_onto_the_guests_photo(self) -> None:
        request = make_request("identity_transfer", templates=["base", "face"], guest_is="scene")
        fields = build_sent_form(request)
        self.assertEqual((fields["url"], fields["url_image_target"]), (GUEST, SECOND))

    def test_a_prompt_with_all_its_numbers(self) -> None:
        request = make_request(
            "image_edit",
            prompt="Как на Луне",
            strength=80,
            scale=0.1,
            seed=10**10,
            negative_prompt="чужие лица",
            original_language="en",
            user_id=7,
        )
        self.assertEqual(
            build_sent_form(request),
            {"do": "create_queue", "url": GUEST, "content": "Как на Луне", "strength": "80"}
            | {"scale": "0.1", "seed": "10000000000", "negative_prompt": "чужие лица"}
            | {"original_language": "en", "user_id": "7"},
        )

    def test_of_two_templates_of_a_kind_the_first_counts(self) -> None:
        self.assertEqual(build_sent_form(make_request(templates=["style", "style"]))["url"], FIRST)

    def test_unsupported_settings_create_no_order(self) -> None:
        hopeless = (
            make_request(),  # no template
            make_request(templates=["face", "base"]),
            make_request("identity_transfer", templates=["face"]),
            make_request("identity_transfer", templates=["base"], guest_is="scene"),
            make_request("identity_transfer", templates=["base"], prompt="Smile"),
            make_request("image_edit"),  # no prompt
            make_request("image_edit", prompt="x", face_restore=True),
            make_request("image_edit", prompt="x", guest_is="scene"),
            make_request(templates=["style"], strength=50),
            make_request("object_replace", prompt="x"),
        )
        for request in hopeless:
            with self.subTest(request.settings), self.assertRaises(ProviderConfig):
                build_sent_form(request)

    def test_rules_for_the_kept_picture_go_with_every_operation(self) -> None:
        for operation, kind in (("style_transfer", "style"), ("identity_transfer", "base")):
            self.assertTrue(
                build_sent_form(make_request(operation, templates=[kind], output_format="png"))
            )

    def test_without_a_publisher_no_order_is_created(self) -> None:
        request = make_request("image_edit", prompt="x")
        object.__setattr__(request, "publish", None)
        with self.assertRaises(ProviderConfig):
            build_sent_form(request)

    def test_a_malformed_key_is_refused_before_a_photo_is_published(self) -> None:
        for key in ("a\nb", " a", "a ", "ключ", ""):
            with self.subTest(key), self.assertRaises(ProviderAuth):
                plan_operation(make_request("image_edit", prompt="x", api_key=key))

    def test_limits_are_those_of_the_documents(self) -> None:
        wrong: tuple[dict[str, Any], ...] = (
            {"strength": -1},
            {"strength": 81},
            {"scale": 0.05},
            {"scale": 20.5},
            {"seed": 0},
            {"seed": 10**10 + 1},
            {"negative_prompt": "word " * 81},
            {"method": "../api"},
            {"method": "Mix"},
            {"guest_is": "guest"},
            {"original_language": "russian"},
            {"mask_id": "x"},
        )
        for settings in wrong:
            with self.subTest(settings), self.assertRaises(ValidationError):
                TurbotextSettings(**settings)
        TurbotextSettings(strength=0, scale=20, seed=1, negative_prompt="word " * 80)

    def test_every_setting_is_of_some_use(self) -> None:
        used = STYLE.settings | EDIT.settings | {"guest_is", "face_restore"}
        self.assertEqual(set(TurbotextSettings.model_fields), used)
        self.assertEqual(
            list(TurbotextDriver.operations), ["style_transfer", "identity_transfer", "image_edit"]
        )


class PublishableTests(SimpleTestCase):
    def shown(self, photo: Photo) -> tuple[Image.Image, Slices, bytes]:
        slices = prepare_public_photo(photo)
        body = b"".join(slices.read_chunks(65536))
        self.assertEqual(len(body), slices.size_bytes)
        return Image.open(io.BytesIO(body)), slices, body

    def test_a_small_photo_keeps_its_pixels_and_loses_its_metadata(self) -> None:
        for kind, mime in (("JPEG", JPEG), ("PNG", PNG)):
            photo = encode_picture(
                draw_picture(),
                kind,
                exif=build_exif(),
                **({"comment": SECRET} if kind == "JPEG" else {}),
            )
            image, slices, body = self.shown(make_photo(photo))
            self.assertEqual((slices.mime, image.size, slices.is_copy), (mime, (48, 32), False))
            self.assertNotIn(b"Exif", body)
            self.assertNotIn(SECRET, body)

    def test_a_webp_becomes_a_jpeg(self) -> None:
        photo = make_photo(encode_picture(draw_picture(), "WEBP", exif=build_exif(orientation=6)))
        self.assertEqual(photo.mime, WEBP)
        image, slices, body = self.shown(photo)
        self.assertEqual((slices.mime, image.size), (JPEG, (32, 48)))
        self.assertNotIn(b"Exif", body)

    def test_a_large_photo_becomes_small(self) -> None:
        noise = Image.effect_noise((2600, 2600), 90).convert("RGB")
        for photo in (
            encode_picture(noise, quality=97),
            encode_picture(noise.resize((1900, 1200)), "PNG"),
        ):
            image, slices, body = self.shown(make_photo(photo))
            self.assertGreater(len(photo), MAX_BYTES)
            self.assertLess(len(body), MAX_BYTES)
            self.assertLessEqual(max(image.size), 2048)
            self.assertEqual(slices.mime, JPEG)

    def test_a_photo_on_its_side_is_turned(self) -> None:
        image, _, body = self.shown(
            make_photo(encode_picture(draw_picture(), exif=build_exif(orientation=6)))
        )
        self.assertEqual(image.size, (32, 48))
        self.assertNotIn(b"Exif", body)


class ParseTests(SimpleTestCase):
    def test_an_order_has_its_number(self) -> None:
        answer = parse_sample(load_answer("queued"))
        self.assertEqual((answer.success, answer.queueid), (True, "12345"))
        self.assertEqual(parse_sample({"success": "true", "queueid": "a-7"}).queueid, "a-7")

    def test_reconnect_is_checked_before_success(self) -> None:
        for body in (
            load_answer("reconnect"),
            {"action": "reconnect", "success": True, "error": "x"},
        ):
            self.assertTrue(parse_sample(body).is_pending)
        self.assertFalse(parse_sample(load_answer("queued")).is_pending)

    def test_every_documented_sample_leads_to_its_picture(self) -> None:
        samples = {
            "mix_images": f"{SITE}/download.php?f=<name>.png",
            "generate_image2image": "image/generate_image2image_id12_0.png",
            "deepfake_photo": "https://...",
        }
        for name, address in samples.items():
            self.assertEqual(find_picture_urls(parse_sample(load_answer(name)))[0], address)

    def test_the_picture_is_found_in_every_place(self) -> None:
        places: tuple[dict[str, Any], ...] = (
            {"uploaded_image": "a", "data": {"uploaded_image": "b", "image": ["c"]}},
            {"uploaded_image": "", "data": {"uploaded_image": "a", "image": ["c"]}},
            {"uploaded_image": None, "data": {"image": ["a", "b"]}},
            {"data": {"image": "a"}},
            {"uploaded_image": ["a"], "data": []},
        )
        for place in places:
            for yes in (True, "true", "True", 1, "1"):
                self.assertEqual(find_picture_urls(parse_sample({"success": yes, **place}))[0], "a")

    def test_success_without_a_picture_is_a_bad_response(self) -> None:
        nothing: tuple[Any, ...] = (
            {},
            {"image": []},
            {"image": [""]},
            {"image": {"x": 1}},
            [],
            None,
            "x",
        )
        for data in nothing:
            with self.subTest(data), self.assertRaises(BadResponse):
                find_picture_urls(parse_sample({"success": True, "data": data}))

    def test_forbidden_content_is_blocked_whatever_else_is_said(self) -> None:
        for success in (True, False):
            for flag in (True, "True", 1):
                body = {"success": success, "data": {"forbidden_content": flag, "image": ["a"]}}
                with self.assertRaises(ContentBlocked):
                    find_picture_urls(parse_sample(body))

    def test_the_documents_broken_sample_leads_to_its_picture_too(self) -> None:
        answer = parse_sample(load_answer("mix_images_as_documented"))
        self.assertEqual(find_picture_urls(answer), (f"{SITE}/download.php?f=<name>.png",))

    def test_a_page_is_the_login_page_and_anything_else_a_bad_response(self) -> None:
        for page in (b"<html>", b"\xef\xbb\xbf \n<!doctype html>"):
            with self.assertRaises(ProviderAuth):
                parse_sample(page)
        for body in (b"", b"ok", b"[]", b"null", b"\0\0", b"{'success': true}", b"[" * 100_000):
            with self.subTest(body[:20]), self.assertRaises(BadResponse):
                parse_sample(body)

    def test_a_byte_order_mark_is_no_fault(self) -> None:
        self.assertTrue(parse_sample(b"\xef\xbb\xbf" + load_answer("queued")).success)

    def test_limits_are_kept_with_the_call(self) -> None:
        for told, kept in ((123, 123), ("7", 7), (0, 0), (-5, -1), (10**12, 2**31 - 1)):
            trace = CallTrace()
            parse_answer(
                json.dumps({"success": True, "limits": {"foto_limit": told}}).encode(), trace
            )
            self.assertEqual(trace.usage, {"foto_limit": kept})
        odd_ones: tuple[Any, ...] = (None, [], {"foto_limit": "many"}, {"foto_limit": True})
        for odd in (*odd_ones, {"foto_limit": None}):
            trace = CallTrace()
            parse_answer(json.dumps({"success": True, "limits": odd}).encode(), trace)
            self.assertEqual(trace.usage, {})

    def test_odd_values_read_as_absent(self) -> None:
        odd = {"success": [], "error": {}, "action": 5.5, "queueid": True, "uploaded_image": {}}
        answer = parse_sample(odd)
        self.assertEqual((answer.success, answer.queueid, answer.error), (False, "", ""))


class ErrorTests(SimpleTestCase):
    def test_the_services_words_lead_to_ours(self) -> None:
        rows: dict[type[ProviderError], tuple[str, ...]] = {
            ProviderQuota: ("LIMIT", "Лимит исчерпан", "Quota exceeded", "Недостаточно средств")
            + ("Лимит по вашему тарифу исчерпан", "Фото-лимит: 0", "Закончились попытки"),
            ProviderRejected: ("url_error: HTTP 404", "params_error", "face_not_detected")
            + ("quality_limit", "face_not_found", "size_error", "Лицо на фото не найдено")
            + ("Превышен размер файла, лимит 10 МБ", "Файл по ссылке недоступен"),
            ProviderAuth: ("Неверный ключ API", "Invalid api_key", "Нужен тариф VIP")
            + ("Доступ запрещён", "Unauthorized"),
            ContentBlocked: ("Forbidden content", "NSFW", "Запрещённый контент")
            + ("Не прошло модерацию",),
            ProviderConfig: ("Метод не найден", "Unknown method"),
            ProviderUnavailable: ("provider_busy", "Сервис временно недоступен")
            + ("Ошибка подключения, попробуйте позже",),
            BadResponse: ("", "Ошибка", "Не удалось обработать изображение", "исключение")
            + ("нет лицензии",),
        }
        for error, texts in rows.items():
            for text in texts:
                with self.subTest(text):
                    found = explain_refusal(parse_sample({"success": False, "error": text}))
                    self.assertIs(type(found), error)
                    self.assertFalse(found.retryable)

    def test_no_orders_left_is_quota_whatever_the_words(self) -> None:
        body = {"success": False, "error": "face", "limits": {"foto_limit": 0}}
        self.assertIsInstance(explain_refusal(parse_sample(body)), ProviderQuota)

    def test_error_texts_are_short_and_hold_no_key(self) -> None:
        remember_secret(KEY)  # as whoever has made a client with it
        text = f"url {KEY}\n\0" + "я" * 5000
        detail = str(explain_refusal(parse_sample({"success": False, "error": text})))
        self.assertNotIn(KEY, detail)
        self.assertLessEqual(len(detail), 300)
        self.assertTrue(detail.isprintable())

    def failure(self, status: int, body: bytes = b"", **headers: str) -> ProviderError:
        reply = http.Reply(status, httpx.Headers(headers), body)
        with self.assertRaises(ProviderError) as caught:
            read_answer(reply, make_request("image_edit", prompt="x"))
        return caught.exception

    def test_statuses_lead_to_our_words(self) -> None:
        said = b'{"success":false,"error":"LIMIT"}'
        rows = {401: "provider_auth", 403: "provider_auth", 402: "provider_config"}
        rows |= {404: "provider_config", 500: "provider_5xx", 503: "provider_5xx"}
        rows |= {301: "provider_config", 302: "provider_config", 504: "timeout"}
        for status, word in rows.items():
            for body in (said, b"<html>", b"", b"[]"):
                error = self.failure(status, body)
                self.assertEqual((error.reason, error.retryable), (word, False), status)

    def test_a_limit_of_requests_passes_and_one_of_orders_does_not(self) -> None:
        busy = ("", "Слишком много запросов", "Too many requests", "Не чаще 10 запросов в минуту")
        lasting = ("LIMIT", "Лимит исчерпан", "Закончились попытки", "Недостаточно средств")
        for texts, is_busy in ((busy, True), (lasting, False)):
            for text in texts:
                body = json.dumps({"success": False, "error": text}).encode()
                with self.subTest(text):
                    error = self.failure(429, body)
                    self.assertEqual((error.reason, error.retryable), ("quota", is_busy))
        for page in (b"<html>", b"", b"[]"):
            self.assertTrue(self.failure(429, page).retryable)
        used_up = {"success": False, "error": "x", "limits": {"foto_limit": 0}}
        self.assertFalse(self.failure(429, json.dumps(used_up).encode()).retryable)

    def test_what_a_gateway_says_blames_neither_photo_nor_settings(self) -> None:
        rows = {**dict.fromkeys((499, 425, 409, 423), "provider_5xx"), 408: "timeout"}
        rows |= dict.fromkeys((400, 405, 407, 421, 426, 451), "provider_config")
        for status, word in rows.items():
            with self.subTest(status):
                error = self.failure(status, b"<html>nginx</html>")
                self.assertEqual((error.reason, error.retryable), (word, False))

    def test_other_refusals_are_mapped_by_their_text(self) -> None:
        for text, word in (("LIMIT", "quota"), ("Ошибка", "provider_rejected")):
            body = json.dumps({"success": False, "error": text}).encode()
            self.assertEqual(self.failure(400, body).reason, word)
        self.assertEqual(self.failure(422, b"").reason, "provider_config")

    def test_a_time_to_come_back_is_read_in_words_too(self) -> None:
        for text, seconds in (
            ("Слишком много запросов, повторите через 30 сек", 30),
            ("Слишком много запросов. Попробуйте через 1 минуту", 60),
            ("Too many requests, try again in 2.5 seconds", 2.5),
        ):
            body = json.dumps({"success": False, "error": text}).encode()
            self.assertEqual(self.failure(429, body).retry_after_s, seconds)
            found = explain_refusal(parse_sample({"success": False, "error": text}))
            self.assertEqual((found.retryable, found.retry_after_s), (True, seconds))

    def test_retry_after_is_read(self) -> None:
        self.assertEqual(self.failure(429, b"{}", **{"retry-after": "30"}).retry_after_s, 30)
        for odd in ("", "soon", "-1", "1e9", "9999999", "Wed, 21 Oct 2026 07:28:00 GMT"):
            self.assertIsNone(self.failure(429, b"{}", **{"retry-after": odd}).retry_after_s)


HOSTS = ["turbotext.ru", "cdn.example", ".files.example", "Dotted.example."]


class AddressTests(SimpleTestCase):
    """Where a result may be fetched from; the looks at DNS are answered by the test."""

    async def check(
        self, url: str, *, base_url: str = f"{SITE}/api_ai", found: Iterable[str] = ("185.1.1.1",)
    ) -> None:
        async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            return [(0, 0, 0, "", (ip, port)) for ip in found]

        loop = asyncio.get_running_loop()
        with mock.patch.object(loop, "getaddrinfo", getaddrinfo):
            await check_address(url, base_url=base_url, hosts=HOSTS)

    async def test_the_listed_hosts_and_the_service_itself(self) -> None:
        for url in (f"{SITE}/x.png", "https://turbotext.ru:443/x", "https://CDN.example/x?y=z"):
            await self.check(url)
        for base_url in ("http://127.0.0.1:9912/api_ai", "http://localhost:80/api_ai"):
            await self.check(f"{base_url.removesuffix('/api_ai')}/x.png", base_url=base_url)

    async def test_a_domain_with_a_dot_before_it_means_all_below_it(self) -> None:
        hosts = ("files.example", "a.files.example", "b-1.a.FILES.example", "files.example.")
        for host in (*hosts, "dotted.example", "turbotext.ru."):
            await self.check(f"https://{host}/x.png")
        self.assertEqual(FINAL_DOT.sub(r"\1", "https://a.b./x./y"), "https://a.b/x./y")
        for host in ("evilfiles.example", "files.example.evil", "a.turbotext.ru", ".", "example"):
            with self.subTest(host), self.assertRaises(BadResponse):
                await self.check(f"https://{host}/x.png")

    async def test_everywhere_else_is_refused_and_only_the_host_is_logged(self) -> None:
        refused = (
            "http://turbotext.ru/x",  # not https
            "https://turbotext.ru:8443/x",
            "https://evil.example/secret-name.png",
            "https://turbotext.ru.evil.example/x",
            "https://evil.example/?turbotext.ru",
            "https://turbotext.ru@evil.example/x",
            "https://me:pw@turbotext.ru/x",
            "https://me@www.turbotext.ru/x",
            "https://10.0.0.1/x",
            "https://[::1]/x",
            "https://evil.example\\@turbotext.ru/x",
            "https://turbotext.ru\\.evil.example/x",
            "https://evil.example\\.files.example/x",
            "https://evil.example%2f.files.example/x",
            "http://127.0.0.1/x",
            "file:///etc/passwd",
            "ftp://turbotext.ru/x",
            "javascript:alert(1)",
            "data:image/png;base64,AAAA",
            "https:///x",
        )
        for url in refused:
            with self.subTest(url), capture_logs() as logs, self.assertRaises(BadResponse):
                await self.check(url)
            self.assertEqual([line["event"] for line in logs], ["provider.result.refused"])
            self.assertNotIn("secret-name", str(logs))
        for url in ("https://turbotext.ru:port/x", "https://[::1/x", "https://turbotext.ru:99999/"):
            with self.subTest(url), self.assertRaises(BadResponse):
                await self.check(url)

    async def test_another_scheme_host_or_port_than_the_services_is_refused(self) -> None:
        for url in (
            "http://127.0.0.1:9913/x",
            "https://127.0.0.1:9912/x",
            "http://127.0.0.2:9912/",
        ):
            with self.assertRaises(BadResponse):
                await self.check(url, base_url="http://127.0.0.1:9912/api_ai")

    async def test_a_name_that_resolves_to_a_private_address_is_refused(self) -> None:
        inside = (
            "127.0.0.1",
            "10.1.2.3",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
        )
        for ip in (*inside, "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "224.0.0.1"):
            self.assertFalse(is_public(ip), ip)
            with self.subTest(ip), self.assertRaises(BadResponse):
                await self.check("https://turbotext.ru/x", found=("185.1.1.1", ip))
        for ip in ("185.1.1.1", "2a00:1450:4010::1", "::ffff:8.8.8.8"):
            self.assertTrue(is_public(ip), ip)

    async def test_a_name_that_is_not_found_is_network(self) -> None:
        with self.assertRaises(ProviderNetwork):
            await check_address(
                "https://no-such-host.invalid/x", base_url=SITE, hosts=["no-such-host.invalid"]
            )

    @override_settings(PROVIDER_PROXY_URL="http://proxy.example:3128")
    async def test_behind_a_proxy_names_are_not_resolved(self) -> None:
        await self.check("https://turbotext.ru/x", found=["10.0.0.1"])
        with self.assertRaises(BadResponse):
            await self.check("https://evil.example/x")
