"""Where links lead that we make for others: judged by the receiver, not by who asked."""

from pathlib import Path
from unittest import mock

from django.test import RequestFactory, SimpleTestCase, override_settings

from media import reach
from media.guests.refusals import NoPublicAddress
from media.links import LinkBase, build_url_for_phones, find_links
from media.reach import Reach, find_listening_port, judge_address, judge_host

OWN = "192.168.7.5"


class ReachTests(SimpleTestCase):
    def test_an_address_is_judged_by_who_can_open_it(self) -> None:
        for level, hosts in {
            Reach.MACHINE: (
                *("localhost", "LOCALHOST", "localhost.", "pc.localhost", "127.0.0.1", "127.8.9.1"),
                *(
                    "::1",
                    "[::1]",
                    "0.0.0.0",
                    "0.1.2.3",
                    "::",
                    "169.254.7.7",
                    "fe80::1",
                    "fe80::1%en0",
                ),
                *("::ffff:127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001", ""),
                *("224.0.0.1", "ff02::1", "localhost.localdomain", "ip6-localhost"),
                *(
                    "localhost4.localdomain4",
                    "localhost6.localdomain",
                    "kubernetes.docker.internal",
                ),
                *("127.0.0.1.nip.io", "foto.127-0-0-1.sslip.io", "foto.localtest.me", "lvh.me"),
            ),
            Reach.NAME: ("fotobudka", "DESKTOP-K968T3F", "app"),
            Reach.NETWORK: (
                *("192.168.1.5", "10.0.0.1", "172.16.3.4", "100.64.0.9", "fd00::5", "pc.local"),
                *("::ffff:10.0.0.1", "10.1", "box.lan", "nas.home.arpa"),
                *("booth.localdomain", "foto.192.168.1.5.nip.io", "foto-10-0-0-7.nip.io"),
            ),
            Reach.WORLD: (
                *("photos.example.com", "8.8.8.8", "2a00:1450::1", "пример.рф"),
                *("8.8.8.8.nip.io", "nip.io", "notlvh.me", "999.0.0.1.nip.io"),
            ),
        }.items():
            for host in hosts:
                self.assertEqual(judge_host(host), level, host)
        self.assertEqual(judge_address("http://[::1]:8000"), Reach.MACHINE)
        self.assertEqual(judge_address("https://photos.example:8443/x"), Reach.WORLD)
        self.assertEqual(judge_address("http://[::1"), Reach.MACHINE)

    def test_a_server_listens_where_it_is_bound(self) -> None:
        for bind in ("0.0.0.0:8000", ":8000", "[::]:8000", f"{OWN}:8000"):
            self.assertEqual(find_listening_port(bind, OWN), 8000, bind)
        for bind in ("127.0.0.1:8000", "[::1]:8000", "unix:/run/x.sock", "", "10.0.0.1:8000"):
            self.assertIsNone(find_listening_port(bind, OWN), bind)

    def test_the_machines_own_address_is_one_that_others_reach(self) -> None:
        found = reach.find_own_address()
        self.assertTrue(not found or judge_host(found) >= Reach.NETWORK, found)

    def test_a_containers_own_address_is_none(self) -> None:
        there, nowhere = Path(__file__), Path(__file__) / "nowhere"
        for marks, address, found in (
            ((nowhere, there), "172.17.0.2", ""),
            ((there,), "10.88.0.4", ""),
            ((there,), "192.168.1.5", "192.168.1.5"),  # of its machine, whose network it shares
            ((nowhere,), "172.17.0.2", "172.17.0.2"),
        ):
            probe = mock.MagicMock()
            probe.__enter__.return_value.getsockname.return_value = (address, 9)
            with (
                mock.patch.object(reach, "CONTAINER_MARKS", marks),
                mock.patch.object(reach.socket, "socket", return_value=probe),
            ):
                self.assertEqual(reach._ask_kernel.__wrapped__(0), found, address)


@override_settings(ALLOWED_HOSTS=["*"], PUBLIC_BASE_URL="", BIND="0.0.0.0:8000")
class LinksTests(SimpleTestCase):
    def setUp(self) -> None:
        own = mock.patch("media.links.find_own_address", return_value=OWN)
        self.own = self.enterContext(own)

    def find(self, host: str) -> LinkBase:
        return find_links(RequestFactory().get("/", headers={"host": host}))

    def test_what_only_the_asker_can_open_becomes_the_machines_address(self) -> None:
        for host in ("localhost:8000", "127.0.0.1", "[::1]:8000", "0.0.0.0:8000", "fotobudka"):
            found = self.find(host)
            self.assertEqual((found.address, found.problem), (f"http://{OWN}:8000", ""), host)
            self.assertTrue(found.is_for_phones)

    def test_a_good_address_stays_as_it_is(self) -> None:
        for host, everybody in (("10.1.2.3:8000", False), ("photos.example.com", True)):
            found = self.find(host)
            self.assertEqual(found.address, f"http://{host}")
            self.assertEqual((found.is_for_phones, found.is_for_everybody), (True, everybody))

    def assert_no_code(self, words: str, host: str = "localhost:8000") -> None:
        self.assertEqual(self.find(host).address, f"http://{host}")
        self.assertIn(words, str(self.find(host).problem))
        self.assertIn("PUBLIC_BASE_URL", str(self.find(host).problem))
        with self.assertRaises(NoPublicAddress):
            request = RequestFactory().get("/", headers={"host": host})
            build_url_for_phones(request, "api:gallery", slot_id="slot-001")

    def test_where_nothing_helps_a_line_says_why(self) -> None:
        with override_settings(BIND="127.0.0.1:8000"):
            self.assert_no_code("BIND")
        with override_settings(ALLOWED_HOSTS=["localhost"]):
            self.assert_no_code(OWN)
        self.own.return_value = ""
        self.assert_no_code("localhost")
        self.assert_no_code("fotobudka", "fotobudka:8000")

    def test_a_bare_name_is_believed_where_the_operator_has_written_it(self) -> None:
        self.own.return_value = ""
        with override_settings(ALLOWED_HOSTS=["fotobudka"]):
            self.assertTrue(self.find("fotobudka:8000").is_for_phones)
        with override_settings(PUBLIC_BASE_URL="http://fotobudka"):
            self.assertEqual(self.find("localhost").address, "http://fotobudka")
            self.assertFalse(self.find("localhost").problem)

    def test_a_public_address_that_is_none_is_not_believed(self) -> None:
        for base in ("http://localhost:8000", "http://127.0.0.1", "http://0.0.0.0:8000"):
            with override_settings(PUBLIC_BASE_URL=base):
                self.assertEqual(self.find("photos.example.com").address, f"http://{OWN}:8000")

    def test_a_server_that_can_be_asked_is_asked(self) -> None:
        request = RequestFactory().get("/", headers={"host": "localhost"})
        request.scope = {"server": ("127.0.0.1", 8123)}  # type: ignore[attr-defined]
        for answers in (True, False):
            with mock.patch("media.links.is_listening", return_value=answers):
                found = find_links(request)
            self.assertEqual(found.is_for_phones, answers)
            self.assertEqual(found.address == f"http://{OWN}:8123", answers)
