"""Telegram's Bot API, by a call of our own: it may go through a relay or a proxy (ADR 23)."""

import json
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from stats.watch.channels.failure import DeliveryFailed, mask_secrets

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 5.0, 10.0
MAX_TEXT = 4000  # of the 4096 that a message may have
MAX_ANSWER_BYTES = 64 * 1024


def send_by_telegram(address: dict[str, str], title: str, body: str) -> None:
    """Blocking, some 15 s at most. Raises DeliveryFailed."""
    token, chat = address["token"], address["chat"]
    secrets = {token, chat, urlsplit(settings.TELEGRAM_PROXY_URL).password or ""}
    text = f"{title}\n\n{body}"[:MAX_TEXT]
    try:
        status, answer = _post(
            f"{settings.TELEGRAM_BASE_URL}/bot{token}/sendMessage",
            {"chat_id": chat, "text": text, "link_preview_options": {"is_disabled": True}},
        )
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        words = f"{type(exc).__name__}: {exc}"
        raise DeliveryFailed(mask_secrets(words, secrets)) from None  # its text has the token
    if answer.get("ok") is True:
        return
    said = str(answer.get("description", "")) or "no explanation"
    raise DeliveryFailed(
        mask_secrets(f"HTTP {status}: {said}", secrets), retry_after_s=_read_pause_s(answer)
    )


def _post(url: str, order: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    client = httpx.Client(
        timeout=timeout, proxy=settings.TELEGRAM_PROXY_URL or None, trust_env=False
    )
    with client, client.stream("POST", url, json=order) as response:
        body = b""
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                break
    return response.status_code, _read_object(body)


def _read_object(body: bytes) -> dict[str, Any]:
    """What answers may be no Telegram at all, but the page of a provider that blocks it."""
    try:
        found = json.loads(body)
    except ValueError:
        return {"description": "something else than Telegram answered"}
    return found if isinstance(found, dict) else {}


def _read_pause_s(answer: dict[str, Any]) -> float | None:
    """How long Telegram wants us to wait after too many messages."""
    parameters = answer.get("parameters")
    pause = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return float(pause) if isinstance(pause, int) and 0 < pause < 86400 else None
