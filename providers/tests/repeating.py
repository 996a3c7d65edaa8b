"""A service that repeats our key: between a driver and the simulator, in all that it may say."""

import base64
import contextlib
import http.client
import io
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, urlsplit

from photochanger.logs import _CONSOLE, _JSON, _make_formatter

KEY = "AQ.Zx81-kQw7_mPfLr3TbN5vYc0JhGd2sUe9oXi"
KEPT_HEADERS = {"content-length", "content-type", "content-encoding", "transfer-encoding", "date"}


def encode(text: str) -> str:
    return base64.b64encode(text.encode("latin-1")).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda key: key,
    "quoted as Google does": lambda key: f"Consumer 'api_key:{key}' has been suspended.",
    "capitals": str.upper,
    "for an address": lambda key: quote(key, safe=""),
    "all of it percent": lambda key: "".join(f"%{ord(char):02X}" for char in key),
    "percent twice": lambda key: "".join(f"%25{ord(char):02x}" for char in key),
    "escaped": lambda key: "".join(f"\\u{ord(char):04x}" for char in key),
    "entities": lambda key: "".join(f"&#{ord(char)};" for char in key),
    "base64": encode,
    "base64 of more": lambda key: base64.urlsafe_b64encode(f"Bearer {key}!".encode()).decode(),
    "hex": lambda key: key.encode().hex(),
    "spaced": " ".join,
    "halves": lambda key: f"{key[:19]} … {key[19:]}",
    "its beginning": lambda key: f"{key[:14]}…",
    "backwards": lambda key: key[::-1],
    "percent u": lambda key: "".join(f"%u{ord(char):04X}" for char in key),
    "escaped in eight": lambda key: "".join(f"\\U{ord(char):08x}" for char in key),
    "escaped in braces": lambda key: "".join(f"\\u{{{ord(char):05x}}}" for char in key),
    "octal": lambda key: "".join(f"\\{ord(char):03o}" for char in key),
    "entities with zeros": lambda key: "".join(f"&#{ord(char):08};" for char in key),
    "entities in hex": lambda key: "".join(f"&#x{ord(char):07X};" for char in key),
    "base64 twice": lambda key: encode(encode(key)),
    "base64 of utf-16": lambda key: encode(key.encode("utf-16").decode("latin-1")),
    "base32": lambda key: base64.b32encode(key.encode()).decode(),
    "base64 of it backwards": lambda key: encode(key[::-1]),
    "base64 of small letters": lambda key: encode(key.lower()),
    "base64 of capitals": lambda key: encode(key.upper()),
    "base64 of swapped letters": lambda key: encode(key.swapcase()),
    "base32 of it backwards": lambda key: base64.b32encode(key[::-1].encode()).decode(),
    "hex of it backwards": lambda key: key[::-1].encode().hex(),
    "hex of capitals": lambda key: key.upper().encode().hex(),
}
# Bodies that no scenario has, for any status; and replies that are hardly HTTP.
ERRORS = (
    '{{"error": {{"status": "{0}", "message": "{0}", "details": [{{"reason": "{0}"}}]}}}}',
    '{{"error": "{0}"}}',
    '{{"success": false, "error": "{0}", "action": "{0}"}}',
    '{{"{0}": {{"{0}": "{0}"}}}}',
    "<html><title>{0}</title>{0}</html>",
    "{0}",
)
STATUSES = (200, 302, 400, 401, 403, 404, 407, 418, 429, 500, 503)
BROKEN = (
    "HTTP/1.1 {0}\r\n\r\n",
    "HTTP/1.1 200 OK\r\n{0}\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: {0}\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-encoding: {0}\r\ncontent-length: 2\r\n\r\n{{}}",
    "{0}\r\n\r\n",
)


class Repeater:
    """What the service does with the answers of the simulator behind it."""

    def __init__(self, behind: str) -> None:
        self.behind, self.url = behind, ""
        self.form: Callable[[str], str] = FORMS["as it is"]
        self.everywhere = True  # else only where a sentence stands, and in additions
        self.status, self.error, self.broken = 0, "", ""  # in place of the simulator's answer

    @property
    def said(self) -> str:
        return self.form(KEY)

    def rewrite(self, value: Any) -> Any:
        """Each text with the key behind it, each object with one more; links and pictures stay."""
        if isinstance(value, dict):
            more = {self.said: self.said, "message": value.get("message", "")}
            return {name: self.rewrite(inner) for name, inner in (more | value).items()}
        if isinstance(value, list):
            return [self.rewrite(inner) for inner in value]
        if not isinstance(value, str) or len(value) > 2000 or value.startswith("http"):
            return value
        return f"{value} {self.said}" if self.everywhere or " " in value or not value else value

    def rewrite_body(self, body: bytes) -> bytes:
        try:
            return json.dumps(self.rewrite(json.loads(body))).encode()
        except ValueError:
            if body[:3] in (b"\xff\xd8\xff", b"\x89PN", b"RIF"):
                return body
            return body.replace(b"</", f" {self.said} </".encode()) + self.said.encode()


class _Handler(BaseHTTPRequestHandler):
    repeater: Repeater

    def do_POST(self) -> None:
        length = int(self.headers["content-length"] or 0)
        self._answer(self.rfile.read(length))

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        repeater = self.repeater
        if repeater.broken:
            self.wfile.write(repeater.broken.format(repeater.said).encode("latin-1", "replace"))
        elif repeater.status:
            text = json.dumps(repeater.said)[1:-1] if "{{" in repeater.error else repeater.said
            self._send(repeater.status, {}, repeater.error.format(text).encode())
        else:
            self._hand_on(body)
        self.close_connection = True

    def _hand_on(self, body: bytes) -> None:
        there = http.client.HTTPConnection(urlsplit(self.repeater.behind).netloc, timeout=60)
        with contextlib.closing(there):
            try:
                there.request(self.command, self.path, body, dict(self.headers))
                answer = there.getresponse()
                said = self.repeater.rewrite_body(answer.read())
            except (http.client.HTTPException, OSError):
                return  # it hung up, and so do we
            self._send(answer.status, dict(answer.headers), said)

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        said = re.sub(r"[^ -~]", "?", self.repeater.said)
        self.send_response(status, said)
        for name, value in headers.items():
            if name.lower() not in KEPT_HEADERS:
                self.send_header(name, f"{value} {said}")
        for name in ("x-request-id", "x-gemini-service-tier", "retry-after", "www-authenticate"):
            self.send_header(name, said)
        self.send_header("location", f"https://www.turbotext.ru/{said}")
        self.send_header("content-type", headers.get("Content-Type", f"text/html; x={said}"))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


@contextlib.contextmanager
def repeating(behind: str) -> Iterator[Repeater]:
    """The service on a free port of 127.0.0.1, before the simulator at ``behind``."""
    repeater = Repeater(behind)
    handler = type("Handler", (_Handler,), {"repeater": repeater})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        repeater.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield repeater
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def read_log() -> Iterator[io.StringIO]:
    """All that is logged meanwhile, through both of our formats."""
    out, root = io.StringIO(), logging.getLogger()
    handlers = []
    for renderer in (_JSON, _CONSOLE):
        handler = logging.StreamHandler(out)
        handler.setFormatter(make_formatter(renderer))
        root.addHandler(handler)
        handlers.append(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        yield out
    finally:
        root.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)


def make_formatter(renderer: list[Any]) -> logging.Formatter:
    options = _make_formatter(renderer)
    formatter: logging.Formatter = options.pop("()")(**options)
    return formatter


def find_key(text: str) -> str:
    """Ten characters of the key in a row that ``text`` shows in any form; "" for none.

    It shares nothing with what cuts keys out.
    """
    return next((piece for piece in PIECES if piece in text), "")


def _list_pieces() -> Iterator[str]:
    by_character = set(FORMS) - {"quoted as Google does", "halves", "its beginning"}
    for start in range(len(KEY) - 9):
        part = KEY[start : start + 10]
        yield part.lower()
        yield from (FORMS[name](part) for name in by_character if not name.startswith("base"))
    for before in range(3):
        whole = encode("\0" * before + KEY)[4:-4]
        yield from (whole[start : start + 14] for start in range(len(whole) - 13))
    for whole in (FORMS[name](KEY) for name in FORMS if re.match("base.*(32|of|twice)", name)):
        # In UTF-16 ten characters are so long; padding is not counted.
        yield from (whole[start : start + 28] for start in range(len(whole) - 34))


PIECES = tuple(_list_pieces())
