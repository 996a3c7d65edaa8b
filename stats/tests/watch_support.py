"""A mail server and a Telegram for tests: real servers on this machine, that keep what came."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from django.utils import timezone

from photochanger.testing import server_process
from photochanger.testing.waiting import wait_until
from stats.models import AlertRecipient
from stats.watch.channels import seal_address
from stats.watch.messages import select_due
from stats.watch.recipients import show_address
from stats.watch.watcher import Watcher

TOKEN = "123456789:AA" + "Fake" * 8 + "Fak"  # in two pieces: scanners would take it for one
CHAT = "-1009876543210"
MAIL_PASSWORD = "mail-password-of-tests"


@dataclass
class TelegramServer:
    """Plays the Bot API. ``answers`` are given one after the other, then all is well."""

    url: str
    texts: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    is_down: bool = False


@contextmanager
def telegram() -> Iterator[TelegramServer]:
    found = TelegramServer("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.calls.append(order)
            status, body = 200, {"ok": True, "result": {}}
            if self.path != f"/bot{TOKEN}/sendMessage":
                status, body = 401, {"ok": False, "description": "Unauthorized"}
            elif found.is_down:
                status, body = 502, {"ok": False, "description": "Bad Gateway"}
            elif order["chat_id"] != CHAT:
                status, body = 400, {"ok": False, "description": "Bad Request: chat not found"}
            elif found.answers:
                status, body = found.answers.pop(0)
            if status == 200:
                found.texts.append(order["text"])
            payload = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class MailServer:
    port: int = 0
    mails: list[Any] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.lower().startswith("nobody"):  # in small letters, as many servers do
            return f"550 {address.lower()}: No such user here, nor other.name@example.net"
        if address.startswith("later@"):
            return "451 Greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    found = MailServer()

    def authenticate(
        _server: Any, _session: Any, _envelope: Any, _how: str, data: Any
    ) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and data.password == MAIL_PASSWORD.encode()
        return AuthResult(success=is_right, handled=False)

    controller = Controller(
        found,
        hostname="127.0.0.1",
        port=server_process.free_port(),  # it wants to know it beforehand
        authenticator=authenticate,
        auth_require_tls=False,
    )
    controller.start()
    found.port = controller.port
    try:
        yield found
    finally:
        controller.stop()


def telegram_address(**fields: str) -> dict[str, str]:
    return {"token": TOKEN, "chat": CHAT} | fields


def mail_address(port: int, **fields: str) -> dict[str, str]:
    return {
        "to": "anna@example.com",
        "sender": "booth@example.com",
        "host": "127.0.0.1",
        "port": str(port),
        "security": "none",
        "user": "booth",
        "password": MAIL_PASSWORD,
    } | fields


def add_recipient(
    channel: str, address: dict[str, str], *, name: str = "Anna", **columns: Any
) -> AlertRecipient:
    return AlertRecipient.objects.create(
        name=name,
        channel=channel,
        address=seal_address(address),
        shown_as=show_address(channel, address),
        told_from=timezone.now(),
        **columns,
    )


def look_until_settled(watcher: Watcher) -> None:
    """Rounds of the watch until nothing is on its way and nothing is due."""

    def is_settled() -> bool:
        watcher.look()
        return not watcher.sender.is_busy and not select_due(timezone.now())

    wait_until(is_settled)
