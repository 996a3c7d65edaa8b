"""The front servers of deploy/ before a real server: what booths and guests get through them."""

import contextlib
import io
from collections.abc import Iterator

import httpx
from PIL import Image

from ingest.booth.client import BoothAnswer, BoothRequest, send_photo
from ingest.tests.live_support import LiveTestCase
from ingest.tests.support import jpeg
from photochanger.testing import fronts, server_process
from photochanger.testing.fronts import Front
from photochanger.testing.marks import only_postgresql

MB = 1024 * 1024


@only_postgresql("front servers are tried on PostgreSQL")
class FrontTests(LiveTestCase):
    """nginx before an app that hands files over (X-Accel-Redirect), Caddy before one that sends
    them. ``slot-001`` answers at once, ``slot-002`` after a while, ``slot-003`` takes 1 MB.
    """

    app_of_nginx: server_process.Server
    fronts: tuple[Front, Front]

    @classmethod
    def setUpClass(cls) -> None:
        fronts.program_or_skip("nginx"), fronts.program_or_skip("caddy")
        super().setUpClass()
        recipe = {"settings": {"prompt": "As an oil painting"}}
        cls.site.configure_all(
            {
                "slot-001": recipe,
                "slot-002": {"settings": {"prompt": "As an oil painting [sim:slow=1.5]"}},
                "slot-003": {**recipe, "size_limit_mb": 1},
            }
        )
        env = {"TRUSTED_PROXIES": "127.0.0.1"}
        sender = cls.enterClassContext(cls.site.server(env=env))
        env["SENDFILE_PREFIX"] = "/protected-media/"
        cls.app_of_nginx = cls.enterClassContext(cls.site.server(env=env))
        nginx = cls.enterClassContext(fronts.nginx(cls.site, [cls.app_of_nginx.port]))
        cls.fronts = nginx, cls.enterClassContext(fronts.caddy(cls.site, [sender.port]))

    def setUp(self) -> None:
        super().setUp()
        self.front = self.fronts[0]

    def each(self) -> Iterator[Front]:
        for front in self.fronts:
            self.front = front
            with self.subTest(front.name):
                self.eventually(self.is_ready)
                yield front

    def is_ready(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.get("/livez").is_success
        return False

    def booth(self, photo: bytes, *, slot: str = "slot-001", password: str = "") -> BoothAnswer:
        return send_photo(
            BoothRequest(
                url=self.front.url,
                slot=slot,
                photo=photo,
                password=password or self.site.password,
            ),
            tls=self.front.tls,
        )

    def get(self, path: str, **headers: str) -> httpx.Response:
        url = path if path.startswith("http") else f"{self.front.url}{path}"
        return httpx.get(url, headers=headers, verify=self.front.tls, timeout=90)

    def test_a_strict_booth_gets_its_picture_and_guests_the_same_one(self) -> None:
        for front in self.each():
            answer = self.booth(jpeg(1600, 1200))
            self.assertEqual((answer.error, answer.status), (None, 200))
            self.assertTrue(answer.got_continue and answer.body_sent)
            self.assertEqual(answer.headers["content-type"], "image/jpeg")
            self.assertEqual(answer.headers["content-length"], str(len(answer.body)))
            self.assertFalse({"transfer-encoding", "content-encoding"} & set(answer.headers))
            Image.open(io.BytesIO(answer.body)).load()
            link = answer.headers["x-result-url"]
            self.assertTrue(link.startswith(f"{front.url}/public/results/"), link)
            self.assertEqual(self.get(link).content, answer.body)

    def test_a_slow_provider_is_waited_for(self) -> None:
        for _ in self.each():
            answer = self.booth(jpeg(), slot="slot-002")
            self.assertEqual((answer.error, answer.status), (None, 200))
            self.assertGreater(answer.total_s, 1.5)

    def test_too_much_is_refused_before_it_is_sent(self) -> None:
        for _ in self.each():
            before = self.jobs()
            answer = self.booth(jpeg() + bytes(22 * MB))
            self.assertEqual((answer.status, answer.body_sent), (413, False), answer.error)
            self.assertEqual(self.jobs(), before)

    def test_refusals_half_way_come_in_our_words(self) -> None:
        for _ in self.each():
            for _ in range(8):  # a connection that is closed too early shows now and then only
                answer = self.booth(jpeg() + bytes(8 * MB), slot="slot-003")
                self.assertEqual(answer.status, 413, answer.error)
                self.assertIn(b"payload_too_large", answer.body)
            answer = self.booth(jpeg(), password="wrong")
            self.assertEqual(answer.status, 401, answer.error)
            self.assertIn(b"invalid_password", answer.body)

    def test_figures_are_not_for_strangers_and_plain_http_goes_to_https(self) -> None:
        for front in self.each():
            self.assertEqual(self.get("/metrics").status_code, 404)
            answer = httpx.get(f"{front.plain_url}/admin/")
            self.assertIn(answer.status_code, (301, 308))
            self.assertTrue(answer.headers["location"].startswith("https://"))

    # --- X-Accel-Redirect
    def test_nginx_itself_reads_the_file_that_the_app_names(self) -> None:
        answer = self.booth(jpeg())
        path = f"/public/results/{answer.headers['x-job-id']}"
        handed_off = httpx.get(f"{self.app_of_nginx.url}{path}")
        self.assertEqual(handed_off.content, b"")  # the app alone has nothing but the name
        self.assertIn("/protected-media/results/", handed_off.headers["x-accel-redirect"])
        through = self.get(path)
        self.assertEqual(through.content, answer.body)
        self.assertEqual(through.headers["content-type"], "image/jpeg")
        self.assertIn("attachment", through.headers["content-disposition"])
        self.assertNotIn("x-accel-redirect", through.headers)

    def test_parts_and_conditions_work_through_nginx(self) -> None:
        answer = self.booth(jpeg())
        path = f"/public/results/{answer.headers['x-job-id']}"
        part = self.get(path, Range="bytes=10-19")
        self.assertEqual((part.status_code, part.content), (206, answer.body[10:20]))
        tag = self.get(path).headers["etag"]
        self.assertEqual(self.get(path, **{"If-None-Match": tag}).status_code, 304)

    def test_nobody_gets_a_file_by_its_name(self) -> None:
        self.assertEqual(self.booth(jpeg()).status, 200)
        stored = self.site.rows("select path from media_object order by created_at desc limit 1")
        self.assertEqual(self.get(f"/protected-media/{stored[0][0]}").status_code, 404)
