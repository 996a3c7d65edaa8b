"""Who may use the administrators' API: a signed token, and the account behind it."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from ninja.security import HttpBearer
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from photochanger.errors import Forbidden, Unauthorized

SCOPE = "admin"
LIFETIME = timedelta(minutes=settings.JWT_LIFETIME_MINUTES)


class AdminToken(AccessToken):
    """A token for the administrators' API. Raises TokenError when it is not ours, or over."""

    lifetime = LIFETIME

    @classmethod
    def for_user(cls, user: Any) -> "AdminToken":
        token: AdminToken = super().for_user(user)
        token["scope"] = SCOPE
        # Django's own fingerprint of the password: a new password ends the tokens of the old one.
        token["session"] = user.get_session_auth_hash()
        return token

    def verify(self) -> None:
        super().verify()
        if self.get("scope") != SCOPE:
            raise TokenError("the token is for something else")


class AdminAuth(HttpBearer):
    """Lets administrators in, and nobody else; ``request.user`` is then the administrator.

    Raises Unauthorized and Forbidden. Cookies count for nothing here, so no form of another
    site can act in an administrator's name.
    """

    def __call__(self, request: HttpRequest) -> User:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized("no token")
        return self.authenticate(request, token.strip())

    def authenticate(self, request: HttpRequest, token: str) -> User:
        request.user = admin_of(token)
        return request.user


def admin_of(token: str) -> User:
    """The administrator a token was given to. Raises Unauthorized, or Forbidden for others."""
    try:
        claims = AdminToken(token)  # type: ignore[arg-type]  # their annotation is wrong
    except TokenError as exc:
        raise Unauthorized(str(exc)) from exc
    user = User.objects.filter(username=claims.get("sub"), is_active=True).first()
    if user is None:
        raise Unauthorized("the account is closed")
    if not constant_time_compare(str(claims.get("session")), user.get_session_auth_hash()):
        raise Unauthorized("the password has been changed")
    if not user.is_superuser:
        raise Forbidden(user.username)
    return user
