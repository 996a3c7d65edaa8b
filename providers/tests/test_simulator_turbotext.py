import io
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from unittest import skipUnless
from urllib.parse import urljoin, urlsplit

import httpx
from django.test import SimpleTestCase
from PIL import Image

from photochanger.testing.waiting import PATIENCE_S
from providers import simulator
from providers.simulator import pictures
from providers.simulator.turbotext.answers import DOCUMENTED_ADDRESS, DOCUMENTED_SAMPLE
from providers.simulator.turbotext.scenarios import SCENARIOS

KEY = "a-very-secret-key"
CURL = shutil.which("curl")
POLL_S = 0.01

# What create_queue answers where it is not a queue id: a status, and words of the body.
REFUSED_AT_ONCE = {
    "html-login-200": (200, "Войдите"),
    "401": (401, "Неверный ключ"),
    "403": (403, "VIP"),
    "404": (404, "404 Not Found"),
    "429": (429, "Слишком много"),
    "429-then-ok": (429, "Слишком много"),
    "busy-then-ok": (200, "повторите через"),
    "499": (499, "499"),
    "400-page": (400, "404 Not Found"),
    "limit": (200, "LIMIT"),
    "500-create": (500, "Внутренняя"),
    "503-create": (503, "перегружен"),
    "money-in-message": (200, '"message":"Недостаточно средств"'),
    "no-queueid": (200, '{"success":true}'),
}
FAILED = {
    "success-false-text": "Не удалось",
    "limit-at-result": "LIMIT",
    "no-face": "face_not_detected",
    "url-error": "url_error",
}
WITHOUT_PICTURE = ("success-no-image", "forbidden")
ELSEWHERE = {"result-evil-host": "https://evil.example", "result-private-ip": "http://10.0.0.1"}
DOWNLOADS = {
    "result-429-then-ok": [429, 200],
    "result-404-then-ok": [404, 200],
    "result-410": [410, 410],
    "result-redirect": [302, 302],
    "result-redirect-away": [302, 302],
    "result-redirect-round": [302, 302],
}
BROKEN_POLLS = {
    "500-one-poll": [500],
    "429-one-poll": [429],
    "404-one-poll": [404],
    "empty-one-poll": [200],
    "drop-poll": [None],
    "reconnect": ["reconnect"] * 3,
}
# These have tests of their own below.
OWN_TESTS = {
    "reconnect-forever",
    "500-all-polls",
    "html-poll",
    "drop-connection",
    "slow-create",
    "wait-in-words",
} | {*("invalid-json", "result-html", "result-oversize", "result-slow")}
# These are no JSON, or no object; the driver's promises read them.
OWN_TESTS |= {"ok-no-success", "ok-escaped", "ok-python", "ok-objects", "ok-queue-id"}
OWN_TESTS |= {"ok-warning", "ok-mark", "ok-list", "ok-cp1251"}


def photo(file_format: str = "JPEG", size: tuple[int, int] = (96, 64)) -> bytes:
    image = Image.new("RGB", size, (200, 60, 40))
    image.paste((30, 60, 200), (0, 0, size[0], size[1] // 3))
    out = io.BytesIO()
    image.save(out, file_format)
    return out.getvalue()


PHOTO, TEMPLATE = photo(), photo("PNG", (40, 80))


class _Public(BaseHTTPRequestHandler):
    """Our side of the links: good pictures, and all that can be behind a bad link."""

    answers: ClassVar[dict[str, tuple[int, str, bytes]]] = {
        "/a.jpg": (200, "image/jpeg", PHOTO),
        "/s.png": (200, "image/png; charset=binary", TEMPLATE),
        "/login.jpg": (401, "image/jpeg", PHOTO),
        "/gone.jpg": (410, "text/html", b"gone"),
        "/moved.jpg": (302, "text/html", b""),
        "/page.jpg": (200, "text/html", b"<html>"),
        "/half.jpg": (200, "image/jpeg", photo(size=(600, 600))[:2000]),
        "/png.jpg": (200, "image/jpeg", TEMPLATE),
        "/a.webp": (200, "image/webp", photo("WEBP")),
    }
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        status, mime, body = self.answers[urlsplit(self.path).path]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/a.jpg")
        self.send_header("Content-Type", mime)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class TurbotextCase(SimpleTestCase):
    """One simulator and one server of pictures for each class, a new record for each test."""

    options: ClassVar[dict[str, Any]] = {}
    sim: ClassVar[simulator.Simulator]
    http: ClassVar[httpx.Client]
    public: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Public)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        cls.public = f"http://127.0.0.1:{server.server_port}"
        cls.sim = cls.enterClassContext(simulator.running(**cls.options))
        cls.http = cls.enterClassContext(
            httpx.Client(base_url=cls.sim.url, trust_env=False, timeout=90)
        )

    def setUp(self) -> None:
        self.sim.reset()
        _Public.asked.clear()

    def mix(self, content: str = "В стиле аниме", **fields: str) -> dict[str, str]:
        links = {"url_image_target": f"{self.public}/a.jpg", "url": f"{self.public}/s.png"}
        return {"do": "create_queue", "content": content, **links, **fields}

    def post(
        self, form: dict[str, str], method: str = "mix_images", key: str = KEY
    ) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {key}"}
        return self.http.post(f"/api_ai/{method}", data=form, headers=bearer)

    def create(
        self, form: dict[str, str] | None = None, method: str = "mix_images", key: str = KEY
    ) -> str:
        answer = self.post(self.mix() if form is None else form, method, key)
        data = answer.json()
        assert data["success"] is True, data
        assert isinstance(data["queueid"], int)
        return str(data["queueid"])

    def poll(self, queueid: str, method: str = "mix_images", key: str = KEY) -> httpx.Response:
        return self.post({"do": "get_result", "queueid": queueid}, method, key)

    def result(
        self, form: dict[str, str] | None = None, method: str = "mix_images", key: str = KEY
    ) -> dict[str, Any]:
        queueid = self.create(form, method, key)
        return self.finished(lambda: self.poll(queueid, method, key))

    def finished(self, poll: Callable[[], httpx.Response]) -> dict[str, Any]:
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            data: dict[str, Any] = poll().json()
            if data != {"action": "reconnect"}:
                return data
            time.sleep(POLL_S)
        raise AssertionError("no result")

    def download(self, address: str) -> Image.Image:
        answer = self.http.get(address)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/png"
        picture = Image.open(io.BytesIO(answer.content))
        assert picture.format == "PNG"
        return picture


class MethodTests(TurbotextCase):
    def test_mix_images_answers_with_a_download_link_at_the_top(self) -> None:
        data = self.result()
        assert (data["success"], data["error"]) == (True, "")
        assert set(data["data"]) == {
            *("prompt", "width", "height", "seed", "strength", "pattern_prompt")
        }
        assert data["data"]["pattern_prompt"] is False
        assert data["uploaded_image"].startswith(f"{self.sim.url}/download.php?f=mix_images_id")
        assert self.download(data["uploaded_image"]).size == (768, 512)

    def test_image2image_answers_with_a_relative_path_and_nothing_else(self) -> None:
        form = {
            **{"do": "create_queue", "url": f"{self.public}/s.png", "content": "Космонавт"},
            **{"strength": "50", "scale": "7.5", "seed": "10000000000", "user_id": "12"},
            **{"negative_prompt": "bad " * 80, "original_language": "ru"},
        }
        data = self.result(form, "generate_image2image")
        assert "uploaded_image" not in data
        [path] = data["data"].pop("image")
        assert path.startswith("image/generate_image2image_id")
        assert data["data"] == {
            **{"user_id": 12, "prompt": "Космонавт", "width": 384, "height": 768},
            **{"scale": 7.5, "seed": 10**10, "strength": 50, "original_language": "ru"},
        }
        assert self.download(urljoin(f"{self.sim.url}/", path)).size == (384, 768)

    def test_deepfake_photo_works_on_its_url_and_mixes_its_booleans(self) -> None:
        form = {
            **{"do": "create_queue", "face_restore": "True"},
            **{"url": f"{self.public}/s.png", "url_image_target": f"{self.public}/a.jpg"},
        }
        data = self.result(form, "deepfake_photo")
        assert data["data"]["forbidden_content"] is False
        assert data["data"]["face_restore"] == "True"
        [address] = data["data"]["image"]
        assert address.startswith(f"{self.sim.url}/image/deepfake_photo_id")
        assert self.download(address).size == self.download(data["uploaded_image"]).size == (40, 80)
        assert self.sim.last_photo == TEMPLATE

    def test_the_picture_is_the_photo_altered_and_its_colours_remain(self) -> None:
        picture = self.download(self.result()["uploaded_image"]).convert("RGB")
        top, middle = picture.getpixel((300, 60)), picture.getpixel((300, 300))
        assert isinstance(top, tuple)
        assert isinstance(middle, tuple)
        assert top[2] > top[0]
        assert middle[0] > middle[2]
        assert picture.resize((96, 64)).tobytes() != Image.open(io.BytesIO(PHOTO)).tobytes()

    def test_the_methods_are_listed_through_the_same_queue(self) -> None:
        data = self.result({"do": "create_queue"}, "available_api")
        names = [entry["name"] for entry in data["available_api"]]
        assert names[0] == "clickbait"
        assert "mix_images" in names
        assert _Public.asked == []

    def test_addresses_are_built_from_the_host_the_client_asked_for(self) -> None:
        queueid = self.create()
        headers = {"Authorization": f"Bearer {KEY}", "Host": "provider.test:9"}
        form = {"do": "get_result", "queueid": queueid}
        data = self.finished(
            lambda: self.http.post("/api_ai/mix_images", data=form, headers=headers)
        )
        assert data["uploaded_image"].startswith("http://provider.test:9/download.php?f=")


class StrictnessTests(TurbotextCase):
    def assert_refused(self, answer: httpx.Response, words: str, status: int = 400) -> None:
        data = answer.json()
        assert (answer.status_code, data["success"]) == (status, False), answer.text
        assert words in data["error"], data["error"]
        assert self.sim.calls[-1].scenario == "refused"

    def test_a_call_without_a_good_bearer_key_is_a_401(self) -> None:
        for value in (None, "", KEY, f"Basic {KEY}", "Bearer", "Bearer bad-key-1"):
            headers = {} if value is None else {"Authorization": value}
            for form in (self.mix(), {"do": "get_result", "queueid": "1"}):
                with self.subTest(value=value, do=form["do"]):
                    answer = self.http.post("/api_ai/mix_images", data=form, headers=headers)
                    self.assert_refused(answer, "Неверный ключ", 401)

    def test_a_body_that_is_no_urlencoded_form_is_refused(self) -> None:
        bearer = {"Authorization": f"Bearer {KEY}"}
        address, form_type = "/api_ai/mix_images", "application/x-www-form-urlencoded"
        typed = bearer | {"Content-Type": form_type}
        post = self.http.post
        for answer, words in (
            (post(address, json=self.mix(), headers=bearer), "Content-Type application/json"),
            (post(address, files={"file": PHOTO}, headers=bearer), "Content-Type multipart"),
            (post(address, content=b"do=create_queue", headers=bearer), "Content-Type is missing"),
            (post(address, content=b'{"do": "create_queue"}', headers=typed), "urlencoded"),
            (post(address, content=b"do=create_queue&&", headers=typed), "urlencoded"),
            (post(address, content="content=Ёж".encode(), headers=typed), "urlencoded"),
            (post(address, content=b"content=%D0", headers=typed), "urlencoded"),
            (post(address, content=b"do=a&do=b", headers=typed), "twice"),
            (post(address, content=b"", headers=typed), "do is create_queue"),
        ):
            with self.subTest(words=words):
                self.assert_refused(answer, words)
        latin = bearer | {"Content-Type": f"{form_type}; charset=windows-1251"}
        self.assert_refused(post(address, content=b"do=create_queue", headers=latin), "UTF-8")

    def test_each_method_misses_its_required_fields(self) -> None:
        link = {"url": f"{self.public}/a.jpg"}
        face = {"url_image_target": f"{self.public}/a.jpg"}
        for method, fields, missing in (
            ("generate_image2image", link, "content"),
            ("generate_image2image", {"content": "x"}, "url"),
            ("mix_images", link, "url_image_target"),
            ("mix_images", face, "url"),
            ("deepfake_photo", link, "url_image_target"),
            ("deepfake_photo", face | {"url": " "}, "url"),
        ):
            with self.subTest(method=method, missing=missing):
                answer = self.post({"do": "create_queue", **fields}, method)
                self.assert_refused(answer, f"{missing} is required")
        self.assert_refused(self.post({"do": "get_result"}), "queueid is required")

    def test_values_beyond_their_limits_are_refused(self) -> None:
        for name, value in (
            *(("strength", bad) for bad in ("-1", "81", "40.5", "many", "")),
            *(("scale", bad) for bad in ("0.09", "20.1", "nan", "inf", "")),
            *(("seed", bad) for bad in ("0", "10000000001", "1e3")),
            *(("user_id", "one"), ("negative_prompt", "bad " * 81)),
            *(("url", bad) for bad in ("ftp://h/a.jpg", "/a.jpg", "https://", "http://h:x/", "a")),
            *(("url", bad) for bad in ("http://h/a b", "data:image/png;base64,AAAA")),
        ):
            form = {"do": "create_queue", "url": f"{self.public}/a.jpg", "content": "x"}
            with self.subTest(name=name, value=value):
                words = "required" if name == "url" and not value else name
                self.assert_refused(self.post(form | {name: value}, "generate_image2image"), words)
        swap = {"do": "create_queue", "url": "http://h/", "url_image_target": "http://h/"}
        lower = swap | {"face_restore": "true"}
        self.assert_refused(self.post(lower, "deepfake_photo"), "face_restore")

    def test_what_the_documents_do_not_name_is_refused(self) -> None:
        self.assert_refused(self.post(self.mix(photo_url="http://h/")), "unknown field photo_url")
        self.assert_refused(self.post(self.mix() | {"do": "start"}), "do is create_queue")
        self.assert_refused(self.post(self.mix(), "replace_object"), "Метод не найден", 404)
        self.assert_refused(self.post(self.mix("[sim:forbiden]")), "no scenario named forbiden")
        get = self.http.get("/api_ai/mix_images", headers={"Authorization": f"Bearer {KEY}"})
        self.assert_refused(get, "POST", 405)

    def test_a_queue_id_belongs_to_its_method_and_its_key(self) -> None:
        queueid = self.create()
        for answer in (
            self.poll("1"),
            self.poll(queueid, "deepfake_photo"),
            self.poll(queueid, key="another"),
        ):
            self.assert_refused(answer, "queueid не найден", 200)
        self.assert_refused(self.poll("12x"), "queueid is a number")


class LinkTests(TurbotextCase):
    def test_the_links_are_fetched_without_a_key_after_the_answer(self) -> None:
        form = self.mix()
        form["url_image_target"] += "?x=1&y=ё"
        self.result(form)
        call = self.sim.calls[0]
        target, style = call.fetched
        assert (target.field, target.url) == ("url_image_target", form["url_image_target"])
        assert (target.status, target.mime, target.size_bytes) == (200, "image/jpeg", len(PHOTO))
        assert (style.mime, style.width, style.height) == ("image/png", 40, 80)
        assert call.pictures[0] == simulator.PictureSeen("image/jpeg", len(PHOTO), 96, 64)
        assert self.sim.last_photo == PHOTO
        assert not any(fetch.error or fetch.needs_authorization for fetch in call.fetched)
        assert [key for _, key in _Public.asked] == [None, None]

    def test_a_bad_link_is_a_failed_job_with_its_reason(self) -> None:
        for path, reason in (
            ("/login.jpg", "HTTP 401"),
            ("/gone.jpg", "HTTP 410"),
            ("/moved.jpg", "HTTP 302"),
            ("/page.jpg", "Content-Type text/html"),
            ("/a.webp", "Content-Type image/webp"),
            ("/half.jpg", "not a picture"),
            ("/png.jpg", "PNG declared as image/jpeg"),
        ):
            with self.subTest(path=path):
                self.sim.reset()
                data = self.result(self.mix(url=self.public + path))
                assert data == {"success": False, "error": f"url_error: url: {reason}"}
                fetch = self.sim.calls[0].fetched[1]
                assert fetch.error == reason
                assert fetch.needs_authorization == (path == "/login.jpg")

    def test_a_redirect_of_a_link_is_not_followed(self) -> None:
        self.result(self.mix(url=f"{self.public}/moved.jpg"))
        assert sorted(path for path, _ in _Public.asked) == ["/a.jpg", "/moved.jpg"]

    def test_a_server_that_is_not_there_is_a_failed_job(self) -> None:
        for url, reason in (
            ("http://127.0.0.1:1/a.jpg", "ConnectError"),
            ("http://xn--/", "IDNAError"),
        ):
            self.sim.reset()
            data = self.result(self.mix(url=url))
            assert data == {"success": False, "error": f"url_error: url: {reason}"}
            assert self.sim.calls[0].fetched[1].status is None


class ScenarioTests(TurbotextCase):
    def play(self, name: str) -> None:
        if name in REFUSED_AT_ONCE:
            status, words = REFUSED_AT_ONCE[name]
            answer = self.post(self.mix(f"[sim:{name}]"))
            assert answer.status_code == status
            assert words in answer.text
            return
        queueid = self.create(self.mix(f"Аниме [sim:{name}]"))
        for seen in BROKEN_POLLS.get(name, []):
            self.meet(seen, queueid)
        data = self.finished(lambda: self.poll(queueid))
        if name in FAILED:
            assert data["success"] is False
            assert FAILED[name] in data["error"]
        elif name in WITHOUT_PICTURE:
            assert (data["success"], data["data"]["image"]) == (True, [])
            assert data["data"].get("forbidden_content", False) == (name == "forbidden")
        elif name in ELSEWHERE:
            assert data["uploaded_image"].startswith(f"{ELSEWHERE[name]}/download.php?f=")
        elif name in DOWNLOADS:
            statuses = [self.http.get(data["uploaded_image"]).status_code for _ in range(2)]
            assert statuses == DOWNLOADS[name]
        else:
            self.download(urljoin(self.sim.url, self.address(name, data)))

    def meet(self, seen: object, queueid: str) -> None:
        if seen is None:
            with self.assertRaises(httpx.TransportError):
                self.poll(queueid)
        elif seen == "reconnect":
            assert self.poll(queueid).json() == {"action": "reconnect"}
        else:
            assert self.poll(queueid).status_code == seen

    def address(self, name: str, data: dict[str, Any]) -> str:
        found: str = data.get("uploaded_image", "")
        if name == "ok-data-uploaded":
            found = data["data"]["uploaded_image"]
        elif name.startswith("ok-image"):
            [found] = data["data"]["image"]
            assert found.startswith("http://") == (name == "ok-image-absolute")
            assert "uploaded_image" not in data
        assert data["success"] == ("true" if name == "ok-success-string" else True)
        assert ("limits" in data) == (name == "ok-with-limits")
        return found

    def test_every_scenario_does_what_its_name_says(self) -> None:
        names = [name for name in SCENARIOS if name not in OWN_TESTS]
        with ThreadPoolExecutor(8) as pool:
            played = [(name, pool.submit(self.play, name)) for name in names]
        for name, outcome in played:
            with self.subTest(scenario=name):
                outcome.result()
        assert set(names) == set(self.sim.state["by_scenario"]) - {"none"}

    def test_the_key_chooses_where_there_is_no_content(self) -> None:
        form = {
            **{"do": "create_queue", "url": f"{self.public}/a.jpg"},
            "url_image_target": f"{self.public}/s.png",
        }
        data = self.result(form, "deepfake_photo", "sim-forbidden")
        assert data["data"]["forbidden_content"] is True
        assert self.post(form, "deepfake_photo", "sim-503-create").status_code == 503
        assert self.post(form, "deepfake_photo", "sim-of-nothing").status_code == 200
        marked = self.post(self.mix("[sim:429=7]"), key="sim-503-create")
        assert (marked.status_code, marked.headers["retry-after"]) == (429, "7")

    def test_what_never_ends_never_ends(self) -> None:
        for name in ("reconnect-forever", "500-all-polls", "html-poll"):
            queueid = self.create(self.mix(f"[sim:{name}]"))
            answers = [self.poll(queueid) for _ in range(12)]
            assert len({answer.content for answer in answers}) == 1
            assert {answer.status_code for answer in answers} == {500 if "500" in name else 200}
            assert ("html" in answers[0].text) == (name == "html-poll")

    def test_the_broken_sample_of_the_documents_is_no_json(self) -> None:
        queueid = self.create(self.mix("[sim:invalid-json] [sim:latency=0]"))
        deadline = time.monotonic() + PATIENCE_S
        while "reconnect" in (text := self.poll(queueid).text) and time.monotonic() < deadline:
            time.sleep(POLL_S)
        sent = f"{self.sim.url}/download.php?f=mix_images_id{queueid}_0.png"
        assert text.replace(sent, DOCUMENTED_ADDRESS) == DOCUMENTED_SAMPLE
        with self.assertRaises(json.JSONDecodeError):
            json.loads(text)
        assert json.loads(text.replace("]", ""))["success"] is True

    def test_an_order_that_waits_in_words_says_so_at_every_poll_but_the_last(self) -> None:
        queueid = self.create(self.mix("[sim:wait-in-words=2] [sim:latency=0]"))
        words = [self.poll(queueid).json().get("error", "") for _ in range(2)]
        assert all("в обработке" in text for text in words)
        assert self.finished(lambda: self.poll(queueid))["success"] is True

    def test_a_job_whose_answer_is_cut_off_runs_all_the_same(self) -> None:
        with self.assertRaises(httpx.TransportError):
            self.post(self.mix("[sim:drop-connection]"))
        call = self.sim.calls[0]
        deadline = time.monotonic() + PATIENCE_S
        while not call.fetched and time.monotonic() < deadline:
            time.sleep(POLL_S)
        assert len(call.fetched) == 2
        assert (call.status, bool(call.queueid)) == (None, True)

    def test_slow_phases_take_as_long_as_said(self) -> None:
        before = time.monotonic()
        self.create(self.mix("[sim:slow-create=0.2]"))
        assert 0.19 < time.monotonic() - before < 20  # 70 s when nothing is said
        address = self.result(self.mix("[sim:result-slow=0.2]"))["uploaded_image"]
        before = time.monotonic()
        self.download(address)
        assert 0.19 < time.monotonic() - before < 20  # 70 s when nothing is said

    def test_downloads_can_be_a_page_or_far_too_large(self) -> None:
        page = self.http.get(self.result(self.mix("[sim:result-html]"))["uploaded_image"])
        assert (page.status_code, page.text[:15]) == (200, "<!doctype html>")
        address = self.result(self.mix("[sim:result-oversize]"))["uploaded_image"]
        with self.http.stream("GET", address) as answer:
            assert int(answer.headers["content-length"]) > 40_000_000
            assert next(answer.iter_raw()).startswith(b"\x89PNG")

    def test_a_redirect_leads_to_the_picture_itself(self) -> None:
        moved = self.http.get(self.result(self.mix("[sim:result-redirect]"))["uploaded_image"])
        self.download(moved.headers["location"])


class RecordTests(TurbotextCase):
    def test_a_call_is_described_without_its_key(self) -> None:
        self.result()
        call = self.sim.calls[0]
        assert (call.service, call.model, call.scenario) == ("turbotext", "mix_images", "ok")
        assert (call.prompt, call.form) == ("В стиле аниме", self.mix())
        assert call.queueid == self.sim.calls[1].queueid
        assert KEY not in repr(self.sim.calls)

    def test_a_key_that_comes_along_with_a_download_is_noted(self) -> None:
        address = self.result()["uploaded_image"]
        self.http.get(address)
        self.http.get(address, headers={"Authorization": f"Bearer {KEY}"})
        bare, leaked = self.sim.calls[-2:]
        assert (bare.authorization_sent, leaked.authorization_sent) == (False, True)
        assert bare.queueid == self.sim.calls[0].queueid

    def test_a_picture_that_was_never_made_is_not_found(self) -> None:
        for path in ("/download.php?f=mix_images_id1_0.png", "/download.php", "/image/../x"):
            assert self.http.get(path).status_code == 404


class TimeTests(TurbotextCase):
    options = {"latency": 0.4}

    def test_the_result_is_ready_when_the_latency_is_over_and_polls_do_not_wait(self) -> None:
        for content, expected in (("", 0.4), ("[sim:latency=0.2]", 0.2)):
            before = time.monotonic()
            self.finished(partial(self.poll, self.create(self.mix(content))))
            assert time.monotonic() - before > expected - 0.01
        never = self.create(self.mix("[sim:latency=3600]"))
        assert self.poll(never).json() == {"action": "reconnect"}


class PlainTests(TurbotextCase):
    options = {"plain": True}

    def test_a_benchmark_gets_the_same_picture_and_no_link_is_fetched(self) -> None:
        address = self.result(self.mix(url="https://nowhere.invalid/"))["uploaded_image"]
        assert self.http.get(address).content == pictures.make_noisy_png()
        assert _Public.asked == []
        assert self.post(self.mix(), key="sim-503-create").status_code == 503

    def test_a_marker_says_how_many_polls(self) -> None:
        queueid = self.create(self.mix("[sim:reconnect=5]"))
        polls = [self.poll(queueid).json().get("action") for _ in range(6)]
        assert polls == ["reconnect"] * 5 + [None]


@skipUnless(CURL, "curl is not installed: the foreign client is missing")
class CurlTests(TurbotextCase):
    def curl(self, *more: str) -> str:
        command = [CURL or "", "-s", "--noproxy", "*", "-H", f"Authorization: Bearer {KEY}", *more]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout

    def test_the_two_lines_of_the_contract_lead_to_a_picture(self) -> None:
        address = f"{self.sim.url}/api_ai/mix_images"
        fields = ("do=create_queue", "content=В стиле аниме")
        links = (f"url_image_target={self.public}/a.jpg?x=1&y=2", f"url={self.public}/s.png")
        encode_picture = [word for pair in (*fields, *links) for word in ("--data-urlencode", pair)]
        queueid = json.loads(self.curl(address, *encode_picture))["queueid"]
        asked = ("-d", "do=get_result", "-d", f"queueid={queueid}")
        for _ in range(100):
            data = json.loads(self.curl(address, *asked))
            if data != {"action": "reconnect"}:
                break
        assert self.sim.calls[0].form["url_image_target"] == f"{self.public}/a.jpg?x=1&y=2"
        assert self.sim.calls[0].prompt == "В стиле аниме"
        assert ("/a.jpg?x=1&y=2", None) in _Public.asked
        assert self.download(data["uploaded_image"]).size == (768, 512)

    def test_curl_and_httpx_send_the_same_body(self) -> None:
        self.post(self.mix())
        ours = self.sim.last_body
        encode_picture = [
            word
            for name, value in self.mix().items()
            for word in ("--data-urlencode", f"{name}={value}")
        ]
        self.curl(f"{self.sim.url}/api_ai/mix_images", *encode_picture)
        assert self.sim.last_body == ours

    def test_a_multipart_upload_is_refused(self) -> None:
        sent = self.curl(f"{self.sim.url}/api_ai/mix_images", "-F", "do=create_queue")
        assert json.loads(sent)["success"] is False
