"""Nobody but administrators gets at what is theirs; an operation or a page cannot be forgotten."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import RequestFactory, TestCase
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from django.utils import timezone

from photochanger.api import api
from photochanger.errors import Forbidden, Unauthorized
from photochanger.testing.client import Client
from photochanger.web.tokens import AdminAuth, AdminToken

# What booths, guests, providers and monitors may call; everything else is for administrators.
PUBLIC = {
    "POST /api/login",
    *("POST /api/ingest/{slot_id}", "POST /api/ingest/{slot_id}/"),
    *("POST /ingest/{slot_id}", "POST /ingest/{slot_id}/"),
    "GET /api/jobs/{job_id}",
    *(f"{method} /public/results/{{job_id}}" for method in ("GET", "HEAD", "DELETE")),
    *(f"{method} /public/results/{{job_id}}/preview" for method in ("GET", "HEAD")),
    *(f"{method} /public/results/{{job_id}}/share.jpg" for method in ("GET", "HEAD")),
    *(f"{method} /public/results/{{job_id}}/page" for method in ("GET", "HEAD")),
    *(f"{method} /public/results/{{job_id}}/delete" for method in ("GET", "POST")),
    *(f"{method} /public/results/{{job_id}}/qr.svg" for method in ("GET", "HEAD")),
    *(f"{method} /public/results/{{job_id}}/letter" for method in ("GET", "POST")),
    *("GET /public/logos/{logo_id}", "GET /public/look/{accent}-{background}.css"),
    *(f"{method} /public/slots/{{slot_id}}" for method in ("GET", "HEAD")),
    *(
        f"GET /public/slots/{{slot_id}}/{page}"
        for page in ("slideshow", "qr.svg", "slideshow/qr.svg")
    ),
    # Their own doors: a secret link, and a PIN.
    *(f"{method} /public/approval/{{token}}" for method in ("GET", "POST")),
    *(f"{method} /public/approval/{{token}}/pictures/{{media_id}}" for method in ("GET", "POST")),
    *(f"{method} /public/provider-media/{{media_id}}" for method in ("GET", "HEAD")),
}
# The way in and the way out.
OPEN_PAGES = {"admin/login/", "admin/login/code/", "admin/logout/", "admin/language/"}
OTHER_KEY = "another-key-of-more-than-32-characters"


def operations() -> Iterator[tuple[str, str]]:
    """Method and path of every operation of the API, also of those that no document shows."""
    for router in api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                for method in operation.methods:
                    full = re.sub(r"\{\w+:", "{", f"{router.prefix}{path}")
                    yield method, re.sub("/+", "/", full)


def private_operations() -> list[tuple[str, str]]:
    return [(method, path) for method, path in operations() if f"{method} {path}" not in PUBLIC]


def filled(path: str) -> str:
    path = path.replace("{slot_id}", "slot-001").replace("{provider}", "gemini")
    return re.sub(r"\{\w+\}", str(uuid.uuid4()), path)


def admin_pages() -> Iterator[str]:
    """The routes of every page under /admin/, ours and Django's."""
    yield from (route for route in _routes(get_resolver()) if route.startswith("admin/"))


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _routes(entry, before + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            is_route = isinstance(entry.pattern, RoutePattern)
            yield before + (str(entry.pattern) if is_route else "anything-else")


def filled_route(route: str) -> str:
    route = re.sub(r"<uuid:\w+>", str(uuid.uuid4()), route)
    route = re.sub(r"<(\w+:)?slot_id>", "slot-001", route)
    return "/" + re.sub(r"<[^>]+>", "1", route)


class AccessTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        # No password is checked here, and a real hash takes long to make.
        cls.serg = User(username="serg", password="!", is_staff=True, is_superuser=True)
        cls.guest = User(username="guest", password="!")
        cls.staff = User(username="eve", password="!", is_staff=True)
        closed = User(username="igor", password="!", is_superuser=True, is_active=False)
        User.objects.bulk_create([cls.serg, cls.guest, cls.staff, closed])

    def token(
        self, key: str = settings.JWT_SIGNING_KEY, algorithm: str = "HS256", **claims: Any
    ) -> str:
        """A token of serg's with these claims; one that is None is left out."""
        payload = AdminToken.for_user(self.serg).payload | {"iss": "photochanger"} | claims
        payload = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(payload, key if algorithm != "none" else "", algorithm=algorithm)

    def useless_headers(self) -> dict[str, str]:
        over = int((timezone.now() - timedelta(seconds=1)).timestamp())
        header, payload, signature = self.token().split(".")
        other_payload = self.token(sub="igor").split(".")[1]
        tokens = {
            "an expired one": self.token(exp=over),
            "one without an end": self.token(exp=None),
            "one whose end is no date": self.token(exp=2**62),
            "one with another key": self.token(OTHER_KEY),
            "one with the console's key": self.token(settings.SECRET_KEY),
            "an unsigned one": self.token(algorithm="none"),
            "one whose signature is cut off": f"{header}.{payload}.",
            "one whose words are another's": f"{header}.{other_payload}.{signature}",
            "one of another algorithm": self.token(algorithm="HS512"),
            "one of another scope": self.token(scope="booth"),
            "one of no scope": self.token(scope=None),
            "one of another kind": self.token(token_type="refresh"),
            "one of another issuer": self.token(iss="somebody"),
            "one of no issuer": self.token(iss=None),
            "nobody's": self.token(sub="nobody"),
            "one of no name": self.token(sub=None),
            "a closed account's": self.token(sub="igor"),
            "one of before the password changed": self.token(session="0" * 64),
            "one without the password's print": self.token(session=None),
            "no token at all": "serg",
            "an empty one": "",
            "one with letters of other alphabets": "сергей.é.\x80",
        }
        return {
            **{name: f"Bearer {token}" for name, token in tokens.items()},
            "another scheme": f"Basic {self.token()}",
            "no scheme": self.token(),
            "nothing": "",
        }


class TokenTests(AccessTestCase):
    def admitted(self, header: str) -> User:
        request = RequestFactory().get("/", HTTP_AUTHORIZATION=header)
        user = AdminAuth()(request)
        self.assertEqual(request.user, user)
        return user

    def test_a_token_of_ours_admits_its_administrator(self) -> None:
        self.assertEqual(self.admitted(f"Bearer {self.token()}").username, "serg")
        self.assertEqual(self.admitted(f"bearer  {self.token()} ").username, "serg")

    def test_other_tokens_are_refused(self) -> None:
        for name, header in self.useless_headers().items():
            with self.subTest(name), self.assertRaises(Unauthorized):
                self.admitted(header)

    def test_a_former_administrator_may_do_nothing(self) -> None:
        header = f"Bearer {self.token()}"
        User.objects.update(is_superuser=False)
        with self.assertRaises(Forbidden):
            self.admitted(header)

    def test_a_new_password_ends_the_tokens_of_the_old_one(self) -> None:
        header = f"Bearer {AdminToken.for_user(self.serg)}"
        self.admitted(header)
        User.objects.update(password="!another")
        with self.assertRaises(Unauthorized):
            self.admitted(header)

    def test_a_token_costs_one_query(self) -> None:
        header = f"Bearer {self.token()}"
        with self.assertNumQueries(1):
            self.admitted(header)


class EveryOperationTests(AccessTestCase):
    def call(self, method: str, path: str, header: str = "") -> Any:
        extra = {"HTTP_AUTHORIZATION": header} if header else {}
        return self.client.generic(method, filled(path), **extra)

    def assert_refused(self, answer: HttpResponse, *, status: int, reason: str) -> None:
        self.assertEqual(answer.status_code, status, answer.content[:200])
        self.assertEqual(answer.json()["failure_reason"], reason)
        self.assertEqual(answer["Cache-Control"], "no-store")
        if status == 401:
            self.assertEqual(answer["WWW-Authenticate"], "Bearer")

    def test_every_operation_is_for_administrators_or_named_as_public(self) -> None:
        for method, path in private_operations():
            for name, header in self.useless_headers().items():
                with self.subTest(f"{method} {path}", token=name):
                    answer = self.call(method, path, header)
                    self.assert_refused(answer, status=401, reason="unauthorized")

    def test_every_such_operation_is_forbidden_to_others(self) -> None:
        token = AdminToken.for_user(self.guest)
        for method, path in private_operations():
            with self.subTest(f"{method} {path}"):
                answer = self.call(method, path, f"Bearer {token}")
                self.assert_refused(answer, status=403, reason="forbidden")

    def test_a_console_session_does_not_authenticate_the_api(self) -> None:
        self.client.force_login(self.serg)
        for method, path in private_operations():
            with self.subTest(f"{method} {path}"):
                answer = self.call(method, path)
                self.assert_refused(answer, status=401, reason="unauthorized")

    def test_no_operation_asks_for_a_csrf_token(self) -> None:
        client = Client(enforce_csrf_checks=True)
        for method, path in private_operations():
            with self.subTest(f"{method} {path}"):
                self.assertEqual(client.generic(method, filled(path)).status_code, 401)

    def test_an_administrator_is_admitted(self) -> None:
        for method, path in private_operations():
            if method == "GET":
                with self.subTest(path):
                    answer = self.call(method, path, f"Bearer {self.token()}")
                    self.assertNotIn(answer.status_code, (401, 403))

    def test_every_operation_named_as_public_is_there(self) -> None:
        self.assertEqual(PUBLIC - {f"{method} {path}" for method, path in operations()}, set())

    def test_the_document_says_which_operations_need_a_token(self) -> None:
        paths = api.get_openapi_schema(path_prefix="")["paths"]
        for path, methods in paths.items():
            for method, operation in methods.items():
                with self.subTest(f"{method} {path}"):
                    is_public = f"{method.upper()} {path}" in PUBLIC
                    self.assertEqual(not operation.get("security"), is_public)
                    self.assertTrue(
                        is_public or {"401", "403"} <= set(map(str, operation["responses"]))
                    )


class EveryConsolePageTests(AccessTestCase):
    def test_no_page_of_the_console_opens_to_a_stranger(self) -> None:
        for user in (None, self.guest):
            self.assert_all_closed(user)

    def test_no_page_of_the_console_opens_to_staff_who_are_no_administrators(self) -> None:
        self.staff.user_permissions.set(Permission.objects.all())
        self.assert_all_closed(self.staff)

    def assert_all_closed(self, user: User | None) -> None:
        pages = [route for route in admin_pages() if route not in OPEN_PAGES]
        self.assertGreater(len(pages), 10)
        if user:
            self.client.force_login(user)
        for route in pages:
            for method in ("GET", "POST"):
                with self.subTest(f"{method} {route}", user=user):
                    self.assert_closed(self.client.generic(method, filled_route(route)))

    def assert_closed(self, answer: HttpResponse) -> None:
        self.assertEqual(answer.status_code, 302)
        self.assertRegex(answer["Location"], r"^/admin/login/(\?|$)")
