"""Names and addresses of the environment mean what they say, in whatever spelling."""

import ast

from django.core.exceptions import DisallowedHost
from django.test import RequestFactory, SimpleTestCase, override_settings

from media.links import find_links
from media.reach import Reach
from photochanger.host_names import normalize_address
from photochanger.testing.marks import live_server
from photochanger.tests.test_settings_text import case, find_readers, run_cases
from photochanger.value_checks import check_host, check_origin, check_zone

# As written: the Host header of a request that is to be answered.
NAMES = {
    "фото.рф": "xn--n1aalg.xn--p1ai",
    "ФОТО.РФ.": "xn--n1aalg.xn--p1ai:8443",
    ".фото.рф": "booth.xn--n1aalg.xn--p1ai",
    "photos.example.com.": "photos.example.com",
    "Photos.Example.COM": "photos.example.com.",
    "[2001:DB8:0:0::1]": "[2001:db8::1]:8000",
    "2001:db8::0001": "[2001:db8::1]",
    "[fe80::1%eth0]": "[fe80::1]",
    "*": "whatever.example",
}
ADDRESSES = {
    "https://фото.рф": "https://xn--n1aalg.xn--p1ai",
    "https://photos.example.com.": "https://photos.example.com",
    "HTTPS://Photos.Example.com:443/A/": "https://photos.example.com/A",
    "http://photos.example.com.:80": "http://photos.example.com",
    "http://[2001:DB8:0:0::1]:8000": "http://[2001:db8::1]:8000",
    "https://фото.рф/будка/": "https://xn--n1aalg.xn--p1ai/%D0%B1%D1%83%D0%B4%D0%BA%D0%B0",
    "socks5://Booth:P@ss@Прокси.рф.:1080": "socks5://Booth:P@ss@xn--h1adldfi.xn--p1ai:1080",
    "http://user:p$w#rd@Proxy.example.com:3128": "http://user:p$w#rd@Proxy.example.com:3128",
}


class NameTests(SimpleTestCase):
    def test_a_host_is_written_as_requests_name_it(self) -> None:
        for written, header in NAMES.items():
            with self.subTest(written):
                request = RequestFactory().get("/", HTTP_HOST=header)
                with override_settings(ALLOWED_HOSTS=[check_host(written)]):
                    self.assertEqual(request.get_host(), header)
                with override_settings(ALLOWED_HOSTS=[check_host("other.example")]):
                    self.assertRaises(DisallowedHost, request.get_host)

    def test_what_no_request_can_name_is_a_stop(self) -> None:
        for name in ("192.168.001.005", "300.1.1.1", "foto_budka", "фо..рф", "a" * 70, "ф" * 70):
            with self.subTest(name):
                self.assertRaises(ValueError, check_host, name)
        self.assertEqual(check_zone("Cdn_1.Пример.рф."), "cdn_1.xn--e1afmkfd.xn--p1ai")

    def test_a_bare_name_of_the_operator_is_believed_in_any_case(self) -> None:
        request = RequestFactory().get("/", HTTP_HOST="PRINTER:8000")
        with override_settings(ALLOWED_HOSTS=[check_host("Printer")], PUBLIC_BASE_URL=""):
            self.assertEqual(find_links(request).reach, Reach.NETWORK)

    def test_an_address_is_called_and_handed_out_in_ascii(self) -> None:
        for written, meant in ADDRESSES.items():
            self.assertEqual(normalize_address(written).rstrip("/"), meant)
            self.assertEqual(normalize_address(meant), meant)
        for wrong in ("https://фо..рф", "https://℀.рф", f"https://{'ф' * 70}.рф"):
            with self.subTest(wrong):
                self.assertRaises(ValueError, normalize_address, wrong)

    def test_an_origin_of_any_host_below_a_name_outside_of_ascii(self) -> None:
        self.assertEqual(check_origin("https://*.Фото.рф."), "https://*.xn--n1aalg.xn--p1ai")
        self.assertEqual(check_origin("http://[2001:DB8:0::1]:80"), "http://[2001:db8::1]")


@live_server
class EveryAddressTests(SimpleTestCase):
    def test_each_variable_is_read_so(self) -> None:
        names = [name for name, how in find_readers().items() if how.startswith("get_address")]
        self.assertGreaterEqual(len(names), 8)
        for name, answer in zip(
            names, run_cases([case(f"{name}=https://Фото.рф./") for name in names]), strict=True
        ):
            self.assertEqual(answer["values"][name], repr("https://xn--n1aalg.xn--p1ai"), name)

    def test_each_list_is_read_so(self) -> None:
        hosts, networks = (
            run_cases([case(None, **{name: text}) for name in names])
            for names, text in (
                (("ALLOWED_HOSTS", "TURBOTEXT_RESULT_HOSTS"), "Фото.рф., A.ru"),
                (("TRUSTED_PROXIES", "METRICS_NETWORKS"), "10.0.0.1/24, ::ffff:10.1.0.7"),
            )
        )
        for answer, name in zip(hosts, ("ALLOWED_HOSTS", "TURBOTEXT_RESULT_HOSTS"), strict=True):
            found = ast.literal_eval(answer["values"][name])
            self.assertEqual(found, ["xn--n1aalg.xn--p1ai", "a.ru"])
        for answer, name in zip(networks, ("TRUSTED_PROXIES", "METRICS_NETWORKS"), strict=True):
            found = ast.literal_eval(answer["values"][name])
            self.assertEqual(found, ["10.0.0.0/24", "10.1.0.7/32"])
