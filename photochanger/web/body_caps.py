"""How large the body of a request may be, by its address and by what its head shows."""

from django.conf import settings
from rest_framework_simplejwt.exceptions import TokenError

from photochanger.edge.asgi_types import Scope
from photochanger.edge.body import SMALL_BODY_BYTES
from photochanger.errors import Unauthorized
from photochanger.web.tokens import AdminToken

CONSOLE, API = "/admin/", "/api/"
STRANGERS_API = ("/api/login", "/api/jobs/")
LOGIN = "/admin/login/"


def find_body_cap(scope: Scope) -> int:
    """Bytes, of a request that is no booth's; 0: it is answered unread.

    Raises Unauthorized without reading anything.

    Who may send a picture shows it in the head: a token, whose signature is enough here, or the
    console's cookie. Whether that person may is asked later, as ever.
    """
    path, headers = scope["path"], dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) <= SMALL_BODY_BYTES:
        return SMALL_BODY_BYTES
    if not path.startswith((CONSOLE, API)):
        return 0  # a photo on its way to a mistyped address is told so
    if path.startswith(API) and not path.startswith(STRANGERS_API):
        _check_token(headers.get(b"authorization", b"").decode("latin-1"))
    elif not path.startswith(CONSOLE) or path.startswith(LOGIN) or not _has_session(headers):
        return SMALL_BODY_BYTES
    return int(settings.MAX_UPLOAD_MB * 1024 * 1024)


def _check_token(authorization: str) -> None:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("no token")
    try:
        AdminToken(token.strip())  # type: ignore[arg-type]  # their annotation is wrong
    except TokenError as exc:
        raise Unauthorized(str(exc)) from exc


def _has_session(headers: dict[bytes, bytes]) -> bool:
    name = f"{settings.SESSION_COOKIE_NAME}=".encode()
    return name in headers.get(b"cookie", b"")
