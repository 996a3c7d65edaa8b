"""System checks of who may read /metrics."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks

MIN_TOKEN = 16


@checks.register()
def check_monitoring(**kwargs: Any) -> list[checks.CheckMessage]:
    return [*_token(), *_networks()]


def _token() -> Iterator[checks.CheckMessage]:
    if 0 < len(settings.METRICS_TOKEN) < MIN_TOKEN:
        yield checks.Error(
            f"METRICS_TOKEN is shorter than {MIN_TOKEN} characters.",
            hint='Use: python -c "import secrets; print(secrets.token_urlsafe(24))"',
            id="photochanger.E020",
        )


def _networks() -> Iterator[checks.CheckMessage]:
    for text in settings.METRICS_NETWORKS:
        try:
            ipaddress.ip_network(text)
        except ValueError as exc:
            yield checks.Error(
                f"METRICS_NETWORKS: {exc}.",
                hint="Use addresses or networks such as 10.0.0.7 or 172.16.0.0/12.",
                id="photochanger.E021",
            )
