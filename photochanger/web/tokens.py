"""Bearer tokens of the administrators' API: signing, verification and the account check."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from ninja.security import HttpBearer
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import (
    TokenBackendError,
    TokenBackendExpiredToken,
    TokenError,
)
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken

from photochanger.db import clock
from photochanger.errors import Forbidden, Unauthorized
from photochanger.second_factor.sessions import name_factor, needs_factor

SCOPE = "admin"
ANY_CLOCK = timedelta(days=1)
LIFETIME = timedelta(minutes=settings.JWT_LIFETIME_MINUTES)


class SigningKeys(TokenBackend):
    """Sign with the first key; accept tokens of earlier keys until they expire.

    Django REST framework and simplejwt are installed for these tokens only; simplejwt has no key
    rotation of its own.
    """

    def __init__(self, newest: str, *earlier: str) -> None:
        # Its own clock may be minutes away from the one that issued the token: AdminToken looks.
        super().__init__(
            api_settings.ALGORITHM, newest, issuer=api_settings.ISSUER, leeway=ANY_CLOCK
        )
        self.earlier = SigningKeys(*earlier) if earlier else None

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        try:
            return super().decode(token, verify)
        except TokenBackendExpiredToken:
            raise  # the signature was right
        except TokenBackendError:
            if self.earlier is None:
                raise
            return self.earlier.decode(token, verify)


class AdminToken(AccessToken):
    """A token for the administrators' API. Raises TokenError when it is invalid or expired."""

    lifetime = LIFETIME

    def get_token_backend(self) -> TokenBackend:
        return SigningKeys(settings.JWT_SIGNING_KEY, *settings.JWT_SIGNING_KEY_FALLBACKS)

    @classmethod
    def for_user(cls, user: Any) -> "AdminToken":
        token: AdminToken = super().for_user(user)
        token["scope"] = SCOPE
        # Django's hash of the password: a new password ends the tokens of the old one.
        token["session"] = user.get_session_auth_hash()
        token["factor"] = name_factor(user)  # and a new second factor those from before it
        return token

    def set_exp(self, claim: str = "exp", from_time: Any = None, lifetime: Any = None) -> None:
        super().set_exp(claim, clock.now(), lifetime)

    def set_iat(self, claim: str = "iat", at_time: Any = None) -> None:
        super().set_iat(claim, clock.now())

    def check_exp(self, claim: str = "exp", current_time: Any = None) -> None:
        super().check_exp(claim, clock.now() + ANY_CLOCK)  # it takes the leeway off again

    def verify(self) -> None:
        try:
            super().verify()
        except (OverflowError, OSError, ValueError) as exc:  # an end in the year 146 billion
            raise TokenError("the token's times are no dates") from exc
        if self.get("scope") != SCOPE:
            raise TokenError("the token has another scope")


class AdminAuth(HttpBearer):
    """Bearer authentication for superusers; sets ``request.user``.

    Raises Unauthorized and Forbidden. Cookies are ignored, so no form of another site can
    act in an administrator's name.
    """

    def __call__(self, request: HttpRequest) -> User:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized("no token")
        return self.authenticate(request, token.strip())

    def authenticate(self, request: HttpRequest, token: str) -> User:
        request.user = get_admin(token)
        return request.user


def get_admin(token: str) -> User:
    """The administrator a token was issued to. Raises Unauthorized, or Forbidden for others."""
    try:
        claims = AdminToken(token)  # type: ignore[arg-type]  # their annotation is wrong
    except TokenError as exc:
        raise Unauthorized(str(exc)) from exc
    users = User.objects.select_related("second_factor")
    user = users.filter(username=claims.get("sub"), is_active=True).first()
    if user is None:
        raise Unauthorized("the account is closed")
    if not _matches_password(user, str(claims.get("session"))):
        raise Unauthorized("the password has been changed")
    if not constant_time_compare(str(claims.get("factor", "")), name_factor(user)):
        raise Unauthorized("the second factor has been changed")
    if needs_factor(user):
        raise Unauthorized("a second factor is asked of all by now")
    if not user.is_superuser:
        raise Forbidden(user.username)
    return user


def _matches_password(user: User, session_hash: str) -> bool:
    """The hashes depend on SECRET_KEY too; one from before its rotation is accepted."""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any([constant_time_compare(session_hash, known) for known in hashes])
