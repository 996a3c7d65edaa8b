"""System checks of monitoring: access to /metrics, and the log folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks

from photochanger.host_names import normalize_network

MIN_TOKEN = 16


@checks.register()
def check_monitoring(**kwargs: Any) -> list[checks.CheckMessage]:
    return [*_check_token(), *_check_networks(), *_check_log_folder()]


def _check_token() -> Iterator[checks.CheckMessage]:
    if 0 < len(settings.METRICS_TOKEN) < MIN_TOKEN:
        yield checks.Error(
            f"METRICS_TOKEN is shorter than {MIN_TOKEN} characters.",
            hint='Use: python -c "import secrets; print(secrets.token_urlsafe(24))"',
            id="photochanger.E020",
        )


def _check_networks() -> Iterator[checks.CheckMessage]:
    for text in settings.METRICS_NETWORKS:
        try:
            normalize_network(text)
        except ValueError:
            yield checks.Error(
                "METRICS_NETWORKS holds something that is neither an address nor a network.",
                hint="Use addresses or networks such as 10.0.0.7 or 172.16.0.0/12.",
                id="photochanger.E021",
            )


def _check_log_folder() -> Iterator[checks.CheckMessage]:
    folder = Path(settings.LOG_DIR)
    if not settings.LOG_DIR:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_ours = os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        is_ours = False
    if not is_ours:
        yield checks.Error(
            "LOG_DIR is not a folder that the server's user can write to.",
            hint="Make it, and give it to that user; or leave LOG_DIR empty.",
            id="photochanger.E022",
        )
