"""What `manage.py check --deploy` asks of an installation that strangers can reach.

Beside Django's own checks (photochanger.W002-W007).
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.security, deploy=True)
def check_deployment(**kwargs: Any) -> list[checks.CheckMessage]:
    return [*_check_https(), *_check_addresses(), *_check_secrets()]


def _check_https() -> Iterator[checks.CheckMessage]:
    if settings.PLAIN_HTTP and settings.SESSION_COOKIE_SECURE:
        yield checks.Warning(
            "PLAIN_HTTP and COOKIES_OVER_HTTPS_ONLY contradict each other.",
            hint="Over plain HTTP nobody could log in. Keep the one that is meant.",
            id="photochanger.W002",
        )
    elif not settings.PLAIN_HTTP and not settings.SESSION_COOKIE_SECURE:
        yield checks.Warning(
            "Passwords and the console's cookies may travel unencrypted.",
            hint="Put a front server with a certificate before it and set "
            "COOKIES_OVER_HTTPS_ONLY=true and TRUSTED_PROXIES. In a closed network of your own, "
            "where everybody may read everything, say PLAIN_HTTP=true.",
            id="photochanger.W003",
        )
    if settings.SESSION_COOKIE_SECURE and not settings.TRUSTED_PROXIES:
        yield checks.Warning(
            "COOKIES_OVER_HTTPS_ONLY without TRUSTED_PROXIES: forms of the console are refused.",
            hint="We speak plain HTTP; that a browser came by HTTPS only its front server can "
            "say. List that server's address.",
            id="photochanger.W004",
        )


def _check_addresses() -> Iterator[checks.CheckMessage]:
    if "*" in settings.TRUSTED_PROXIES and not settings.BIND.startswith("unix:"):
        yield checks.Warning(
            "TRUSTED_PROXIES is *: whoever sends X-Forwarded-For chooses an address.",
            hint="The locks on wrong passwords count by address. List the front server's address "
            "or network, such as 172.16.0.0/12.",
            id="photochanger.W005",
        )
    if "*" in settings.ALLOWED_HOSTS and not settings.PUBLIC_BASE_URL:
        yield checks.Warning(
            "ALLOWED_HOSTS is * and PUBLIC_BASE_URL is empty: a caller chooses where links lead.",
            hint="Set PUBLIC_BASE_URL, or list the server's own names and addresses; in a closed "
            "network say ALLOWED_HOSTS=private.",
            id="photochanger.W006",
        )


def _check_secrets() -> Iterator[checks.CheckMessage]:
    if settings.JWT_SIGNING_KEY == settings.SECRET_KEY:
        yield checks.Warning(
            "JWT_SIGNING_KEY is the same as SECRET_KEY.",
            hint="Whoever learns one has both. `manage.py renew_secret JWT_SIGNING_KEY`.",
            id="photochanger.W007",
        )
