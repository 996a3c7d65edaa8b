"""A listed proxy is believed however its address is written, and nobody else is."""

from typing import Any

from django.test import SimpleTestCase, override_settings
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from photochanger.checks.deployment import check_deployment
from photochanger.checks.environment import check_environment
from photochanger.edge.proxies import believe_proxies
from photochanger.edge.request_ids import RequestIds
from photochanger.host_names import normalize_network
from photochanger.value_checks import check_network

PROXIES = ("10.0.0.1/24", "::ffff:10.0.0.0/120", "10.0.0.7", "::ffff:10.0.0.7", "10.0.0.7,fd00::1")


class ProxyTests(SimpleTestCase):
    async def ask(self, proxies: str, peer: str, forwarded: bytes) -> tuple[str, str]:
        """Scheme and client, as what stands behind the edge sees them."""
        seen: dict[str, Any] = {}

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.update(scope)

        edge = RequestIds(believe_proxies(app, [check_network(one) for one in proxies.split(",")]))
        headers = [(b"x-forwarded-proto", b"https"), (b"x-forwarded-for", forwarded)]
        scope = {"type": "http", "scheme": "http", "client": (peer, 5), "headers": headers}
        await edge(scope, None, None)  # type: ignore[arg-type]
        return seen["scheme"], seen["client"][0]

    async def test_a_listed_proxy_is_believed_in_every_spelling(self) -> None:
        for proxies in (*PROXIES, "*", "*,192.0.2.1"):
            for peer in ("10.0.0.7", "::ffff:10.0.0.7", "::ffff:a00:7"):
                for forwarded in (b"203.0.113.9", b"203.0.113.9, ::ffff:10.0.0.7"):
                    with self.subTest(proxies=proxies, peer=peer, forwarded=forwarded):
                        seen = await self.ask(proxies, peer, forwarded)
                        self.assertEqual(seen, ("https", "203.0.113.9"))
        for forwarded in (b"::ffff:203.0.113.9", b"[::ffff:203.0.113.9]:4711"):
            seen = await self.ask("10.0.0.7", "10.0.0.7", forwarded)
            self.assertEqual(seen, ("https", "203.0.113.9"))

    async def test_nobody_else_is(self) -> None:
        for peer, meant in (("::ffff:10.0.1.7", "10.0.1.7"), ("fd00::7", "fd00::7")):
            seen = await self.ask("10.0.0.1/24", peer, b"203.0.113.9")
            self.assertEqual(seen, ("http", meant))

    def test_who_comes_through_a_socket_has_no_address(self) -> None:
        for bind, proxies, warned in (
            ("unix:/run/x.sock", ["10.0.0.7/32"], ["photochanger.W010"]),
            ("unix:/run/x.sock", ["*"], []),
            ("unix:/run/x.sock", [], []),
            ("0.0.0.0:8000", ["10.0.0.7/32"], []),
            ("0.0.0.0:8000", ["*"], ["photochanger.W005"]),
        ):
            with self.subTest(bind, proxies=proxies):
                with override_settings(BIND=bind, TRUSTED_PROXIES=proxies):
                    found = [one.id for one in (*check_environment(), *check_deployment())]
                self.assertEqual(
                    [one for one in found if str(one).endswith(("W005", "W010"))], warned
                )

    def test_what_uvicorn_is_given_is_a_network_to_it(self) -> None:
        for text in ("10.0.0.1/24", "10.0.0.7", "fd00::1/64", "::ffff:10.0.0.0/104"):
            trusted = ProxyHeadersMiddleware(None, [normalize_network(text)]).trusted_hosts  # type: ignore[arg-type]
            self.assertEqual((len(trusted.trusted_networks), trusted.trusted_literals), (1, set()))
