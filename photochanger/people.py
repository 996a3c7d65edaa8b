"""Django's middleware for pages that people open, skipped where only machines call.

A booth and a monitor have no session, no language cookie and no form token; each of these would
cost the photo's path two thread hops.
"""

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.middleware import clickjacking, common, csrf, locale, security

MACHINE_PATHS = (
    "/ingest/",
    "/api/ingest/",
    "/api/jobs/",
    "/public/results/",
    "/public/provider-media/",
    "/livez",
)


class ForPeople:
    """Mixed into a middleware, it lets requests to ``MACHINE_PATHS`` pass by untouched."""

    async def __acall__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(MACHINE_PATHS):
            return await self.get_response(request)  # type: ignore[attr-defined]
        return await super().__acall__(request)  # type: ignore[misc]


class SecurityMiddleware(ForPeople, security.SecurityMiddleware):
    pass


class SessionMiddleware(ForPeople, sessions.SessionMiddleware):
    pass


class LocaleMiddleware(ForPeople, locale.LocaleMiddleware):
    pass


class CommonMiddleware(ForPeople, common.CommonMiddleware):
    pass


class CsrfViewMiddleware(ForPeople, csrf.CsrfViewMiddleware):
    pass


class AuthenticationMiddleware(ForPeople, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(ForPeople, messages.MessageMiddleware):
    pass


class XFrameOptionsMiddleware(ForPeople, clickjacking.XFrameOptionsMiddleware):
    pass
