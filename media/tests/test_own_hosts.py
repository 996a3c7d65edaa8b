"""What ``ALLOWED_HOSTS=private`` takes, and that nobody elsewhere can own it."""

from unittest import mock

from django.http.request import split_domain_port, validate_host
from django.test import SimpleTestCase, TestCase, override_settings

from media import own_hosts
from media.own_hosts import read_allowed_hosts
from photochanger.testing.marks import both_databases
from slots.models import Slot

PRIVATE = read_allowed_hosts(["private", "photos.studio.example"])


class PrivateHostsTests(SimpleTestCase):
    def setUp(self) -> None:
        named = mock.patch("socket.gethostname", return_value="Fotobudka.studio.example")
        self.enterContext(named)
        own = mock.patch.object(own_hosts, "find_own_address", return_value="8.8.4.4")
        self.enterContext(own)

    def is_allowed(self, host: str) -> bool:
        return validate_host(split_domain_port(host)[0], PRIVATE)

    def test_every_address_of_a_closed_network_and_every_own_name(self) -> None:
        for host in (
            *("192.168.1.5:8000", "10.0.0.7", "172.20.1.1", "169.254.3.4", "100.64.0.9:80"),
            *("127.0.0.1:8000", "[::1]:8000", "[fd00::5]:8000", "[fe80::1]", "8.8.4.4"),
            *("localhost:8000", "app.localhost", "fotobudka", "FOTOBUDKA:8000"),
            *("fotobudka.local:8000", "fotobudka.lan", "fotobudka.local.", "photos.studio.example"),
            "fotobudka.studio.example",
        ):
            self.assertTrue(self.is_allowed(host), host)

    def test_no_name_or_address_of_anybody_else(self) -> None:
        for host in (
            *("evil.example", "evil.example:8000", "fotobudka.evil.example", "8.8.8.8"),
            *("192.168.1.5.nip.io", "localhost.evil.example", "evil.local", "private.example"),
            *("[2a00::1]", "notlocalhost", "0x7f.1", "*", ""),
        ):
            self.assertFalse(self.is_allowed(host), host)

    def test_it_is_no_star(self) -> None:
        self.assertNotIn("*", PRIVATE)
        self.assertIn("private", PRIVATE)
        self.assertEqual(read_allowed_hosts(["*"]), ["*"])


@both_databases
@override_settings(ALLOWED_HOSTS=PRIVATE, PUBLIC_BASE_URL="")
class GalleryTests(TestCase):
    def test_a_page_that_gives_its_name_our_address_reads_no_gallery(self) -> None:
        Slot.objects.filter(pk="slot-001").update(is_active=True, gallery_mode="open")
        path = "/public/slots/slot-001?format=json"
        for host, status in (("192.168.1.5:8000", 200), ("evil.example", 400)):
            answer = self.client.get(path, HTTP_HOST=host)
            self.assertEqual(answer.status_code, status, host)

    def test_nor_does_it_reach_the_console(self) -> None:
        for host, status in (("10.1.2.3", 200), ("evil.example", 400)):
            answer = self.client.get("/admin/login/", HTTP_HOST=host)
            self.assertEqual(answer.status_code, status, host)

    def test_a_booth_is_heard_by_any_name(self) -> None:
        for host in ("192.168.1.5:8000", "evil.example"):
            answer = self.client.post("/ingest/slot-001", {"password": "x"}, HTTP_HOST=host)
            self.assertNotIn("ALLOWED_HOSTS", answer.content.decode())
            self.assertEqual(answer.json()["failure_reason"], "slot_disabled")
